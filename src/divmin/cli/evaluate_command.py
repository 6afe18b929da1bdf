"""`divmin evaluate RUN`: judge the samples of a trained run against data."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from divmin.cli.plugins import add_import, attribute, load
from divmin.errors import DivminError
from divmin.evaluation import extractors, metrics
from divmin.grammar import listed, parse, write

EXAMPLES = """examples:
  divmin evaluate runs/ring
  divmin evaluate runs/digits --metrics frechet,kernel,recall --extractor pixels -n 1000
  divmin evaluate runs/mnist --held-out mnist/test.parquet -f kl,js --out evaluation.json
  divmin evaluate runs/mine --data mine.npy
  divmin evaluate runs/mine --extractor mine:network --import mine.py
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES + "".join(f"\n  {each.name:<14}{each.summary}" for each in metrics().values())
    parser.add_argument("run", type=Path, help="a run folder or checkpoint file")
    parser.add_argument("--metrics", metavar="LIST", help="names below, with commas (default: all that fit the data)")
    parser.add_argument(
        "--extractor",
        metavar="NAME",
        help=f"features: {', '.join(extractors())}, or MODULE:NAME (default: classifier of images with labels, else pixels)",
    )
    parser.add_argument(
        "-f", "--divergences", default="", metavar="LIST",
        help="divergences by the run's critic and by a fresh estimate, such as kl,js (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--method", default="auto", metavar="NAME", help="what learns the fresh log-ratio (default auto)"
    )
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="the data of a run that Python started with a source of its own, such as a .npy file",
    )
    parser.add_argument("--held-out", metavar="DATA", help="compare with this data in place of the run's own")
    parser.add_argument(
        "-n", type=int, metavar="N", help="samples of each side (default 2500 of densities, at most 5000 of data sets)"
    )
    parser.add_argument(
        "--neighbours", type=int, default=5, metavar="K", help="for precision, recall, density and coverage (default 5)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="names the samples and all random choices (default 0)"
    )
    parser.add_argument("--last", action="store_true", help="use the last weights in place of their moving average")
    parser.add_argument("--json", action="store_true", help="print a record for programs")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the record to a .json file too")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    from divmin.family.expression import build
    from divmin.judgement import evaluate

    if arguments.out is not None and arguments.out.suffix != ".json":
        raise DivminError(f"cannot write the record to '{arguments.out}': the name must end in .json")
    modules = load(arguments.imports)
    extractor: Any = arguments.extractor
    if extractor is not None and ":" in extractor:
        extractor = attribute(extractor, modules)
    wanted = (
        [build(node, write(node)) for node in map(parse, listed(arguments.divergences))]
        if arguments.divergences
        else []
    )
    found = evaluate(
        arguments.run,
        arguments.metrics,
        divergences=wanted,
        held_out=arguments.held_out,
        source=arguments.data,
        n_real=arguments.n,
        n_fake=arguments.n,
        extractor=extractor,
        neighbours=arguments.neighbours,
        method=arguments.method,
        ema=not arguments.last,
        seed=arguments.seed,
        show=not arguments.json,
    )
    record = found.to_record()
    if arguments.out is not None:
        from divmin.files import write_json

        try:
            write_json(arguments.out, record)
        except OSError as error:
            raise DivminError(f"cannot write {arguments.out}: {error.strerror}") from error
    print(json.dumps(record, indent=2, allow_nan=False) if arguments.json else found)
    return 0
