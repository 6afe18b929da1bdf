"""`divmin resume RUN`."""

from __future__ import annotations

import argparse
from pathlib import Path

from divmin.cli.plugins import add_import, load
from divmin.cli.train_command import add_log, logs


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "example: divmin resume runs/digits --steps 10000"
    parser.add_argument("run", type=Path, help="a run folder that divmin train wrote")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="generator steps in all, when more are wanted than configured"
    )
    add_log(parser)
    parser.add_argument(
        "--from",
        dest="file",
        type=Path,
        metavar="FILE",
        help="an older checkpoint, RUN/checkpoints/STEP.pt",
    )
    parser.add_argument(
        "--accept-changes",
        action="store_true",
        help="go on with the settings of an edited RUN/config.yaml, or with other data",
    )
    add_import(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as a record for programs")


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    from divmin.cli.outcome import report
    from divmin.experiment import resume

    run = resume(
        arguments.run,
        steps=arguments.steps,
        file=arguments.file,
        accept_changes=arguments.accept_changes,
        log=logs(arguments),
        show=not arguments.json,
    )
    return report(run, arguments.json)
