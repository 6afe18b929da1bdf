"""`divmin resume RUN`."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "example: divmin resume runs/digits --steps 10000"
    parser.add_argument("run", type=Path, help="a run folder that divmin train wrote")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="generator steps in all, when more are wanted than configured"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as a record for programs")


def run(arguments: argparse.Namespace) -> int:
    from divmin.cli.outcome import report
    from divmin.experiment import resume

    return report(resume(arguments.run, steps=arguments.steps), arguments.json)
