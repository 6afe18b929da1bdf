"""`divmin resume RUN`."""

from __future__ import annotations

import argparse
from pathlib import Path

from divmin.cli.plugins import add_import, load


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "example: divmin resume runs/digits --steps 10000"
    parser.add_argument("run", type=Path, help="a run folder that divmin train wrote")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="generator steps in all, when more are wanted than configured"
    )
    add_import(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as a record for programs")


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    from divmin.cli.outcome import report
    from divmin.experiment import resume

    return report(resume(arguments.run, steps=arguments.steps), arguments.json)
