"""`divmin estimate A B`: divergences between the laws of two sets of samples."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from divmin.cli.plugins import add_import, load
from divmin.data.tables import read_samples, same_columns
from divmin.estimators import Estimate, Ratio, fit_ratio, methods, two_sample_test
from divmin.family.expression import build
from divmin.grammar import listed, parse, write

EXAMPLES = """examples:
  divmin estimate data.npy samples.npy
  divmin estimate data.csv samples.csv -f kl,js,srkl --seed 1 --plot estimate.png
  divmin estimate pictures/ samples/ --image-size 16 --channels 1 -f js --method neural --json
  divmin estimate data.npz:train samples.pt --method 'rulsif(0.1)' --test
A is p, the data; B is q, the model. Methods: auto, """


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES + ", ".join(entry.usage for entry in methods().values())
    parser.add_argument(
        "data", metavar="A", help="samples of p: .npy, .npz, .csv, .parquet, .pt, or a folder of pictures"
    )
    parser.add_argument("model", metavar="B", help="samples of q, of the same shape")
    parser.add_argument(
        "-f", "--divergences", default="kl,js", metavar="LIST", help="names or expressions, with commas (default kl,js)"
    )
    parser.add_argument("--method", default="auto", metavar="NAME", help="what learns the log-ratio (default auto)")
    parser.add_argument(
        "--kind", default="auto", metavar="KIND", help="auto, 'lower bound', plug-in, split, 'fitted laws'"
    )
    parser.add_argument("--seed", type=int, default=0, help="names the folds and every random choice (default 0)")
    parser.add_argument("--folds", type=int, default=5, help="parts for cross-fitting (default 5)")
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="side length that pictures are brought to")
    parser.add_argument("--channels", type=int, metavar="N", help="1 (grey) or 3 (RGB)")
    parser.add_argument(
        "--corrupt", default="fatal", metavar="TEXT", help="unreadable pictures: fatal (default) or skip"
    )
    parser.add_argument("--test", action="store_true", help="also test whether both come from one law")
    parser.add_argument(
        "--plot", metavar="FILE", type=Path, help="draw estimates and calibration to .png, .svg or .pdf"
    )
    parser.add_argument("--json", action="store_true", help="print a record for programs")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    divergences = [build(node, write(node)) for node in map(parse, listed(arguments.divergences))]
    form = {"image_size": arguments.image_size, "channels": arguments.channels, "corrupt": arguments.corrupt}
    x, y = read_samples(arguments.data, **form), read_samples(arguments.model, **form)
    same_columns(arguments.data, arguments.model)
    ratio = fit_ratio(
        x, y, method=arguments.method, seed=arguments.seed, folds=arguments.folds, progress=not arguments.json
    )
    found = [ratio.divergence(f, kind=arguments.kind) for f in divergences]
    test = two_sample_test(x, y, seed=arguments.seed) if arguments.test else None
    if arguments.plot:
        from divmin.plots import save_estimates

        save_estimates(found, ratio.calibration(), arguments.plot)
    if arguments.json:
        record: dict[str, Any] = {
            "estimates": [each.to_dict() for each in found],
            "calibration": ratio.calibration().to_dict(),
            "test": None if test is None else test.to_dict(),
            "plot": str(arguments.plot) if arguments.plot else None,
        }
        print(json.dumps(record, indent=2, allow_nan=False))
        return 0
    print("\n".join(_lines(ratio, found)))
    if test is not None:
        print(test)
    if arguments.plot:
        print(f"picture: {arguments.plot}")
    return 0


def _lines(ratio: Ratio, found: list[Estimate]) -> list[str]:
    """The fit once, then a line for each divergence with what is to be said about it alone."""
    lines = [str(ratio), ""]
    for each in found:
        lines.append(each.headline)
        lines += [f"  warning: {said}" for said in each.warnings if said not in ratio.warnings]
    return lines
