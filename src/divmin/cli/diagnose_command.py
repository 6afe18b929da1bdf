"""`divmin diagnose RUN`: put a trained generator before its own critic, or before a fresh one."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from divmin.cli.plugins import add_import, load
from divmin.errors import DivminError
from divmin.grammar import listed, parse, write

EXAMPLES = """examples:
  divmin diagnose runs/ring                                          # by the run's own critic
  divmin diagnose runs/digits --fresh-critic --steps 1000            # by a new one, watched while it learns
  divmin diagnose runs/mnist --fresh-critic --held-out mnist/test.parquet -f kl,js
  divmin diagnose runs/ring --fresh-critic --model mlp --width 256 --recipe 'fgan(kl)' --out diagnosis
"""
OF_FRESH = ("steps", "batch_size", "lr", "recipe", "model", "width")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("run", type=Path, help="a run folder or checkpoint file")
    parser.add_argument(
        "--fresh-critic", action="store_true",
        help="train a new critic against the generator, which stands still, in place of reading the run's own",
    )  # fmt: skip
    parser.add_argument(
        "-f", "--divergences", metavar="LIST",
        help="what is bounded from below, besides what the run minimises (default kl,reverse_kl,js,squared_hellinger)",
    )  # fmt: skip
    parser.add_argument("--held-out", metavar="DATA", help="compare with this data in place of the run's own")
    parser.add_argument(
        "-n", type=int, metavar="N",
        help="data and samples on which the critic is read (default 2500 of densities, at most 5000 of data sets)",
    )  # fmt: skip
    group = parser.add_argument_group("of a fresh critic")
    group.add_argument("--steps", type=int, metavar="N", help="of Adam (default 2000)")
    group.add_argument("--batch-size", type=int, metavar="N", help="data, and as many samples, in a step (default 128)")
    group.add_argument("--lr", type=float, metavar="X", help="learning rate (default 0.001)")
    group.add_argument(
        "--recipe", metavar="NAME", help="whose critic loss trains it (default minimax: the logistic loss)"
    )
    group.add_argument("--model", metavar="NAME", help="another architecture than the run's")
    group.add_argument("--width", type=int, metavar="N", help="another width")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="names samples, parts and weights (default 0)")
    parser.add_argument("--last", action="store_true", help="use the last weights in place of their moving average")
    parser.add_argument("--device", default="cpu", metavar="NAME", help="where networks compute (default cpu)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for record and pictures (default RUN/diagnosis)")
    parser.add_argument("--json", action="store_true", help="print a record for programs")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    from divmin.diagnosis import check_out, diagnose, place_of
    from divmin.diagnosis import write as write_diagnosis
    from divmin.family.expression import build

    given = {name: getattr(arguments, name) for name in OF_FRESH if getattr(arguments, name) is not None}
    if given and not arguments.fresh_critic:
        raise DivminError(f"--{next(iter(given)).replace('_', '-')} is of a fresh critic: give --fresh-critic too")
    load(arguments.imports)
    if arguments.divergences is not None:
        given["divergences"] = [build(node, write(node)) for node in map(parse, listed(arguments.divergences))]
    if "recipe" in given:
        given["losses"] = given.pop("recipe")
    out = place_of(arguments.run) if arguments.out is None else arguments.out
    if arguments.out is not None:
        check_out(out)
    found = diagnose(
        arguments.run,
        fresh_critic=arguments.fresh_critic,
        held_out=arguments.held_out,
        n=arguments.n,
        seed=arguments.seed,
        ema=not arguments.last,
        device=arguments.device,
        show=not arguments.json,
        **given,
    )
    files = write_diagnosis(found, out)
    if arguments.json:
        print(json.dumps({**found.to_record(), "files": [str(path) for path in files]}, indent=2, allow_nan=False))
    else:
        print(
            "\n".join([str(found), *(f"{'record' if path.suffix == '.json' else 'picture'}: {path}" for path in files)])
        )
    return found.exit_code
