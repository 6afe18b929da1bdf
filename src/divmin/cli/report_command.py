"""`divmin report RUN...`: runs as one page of HTML."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

EXAMPLES = """examples:
  divmin report runs/demo                          # writes runs/demo/report.html
  divmin report runs/minimax runs/nonsaturating --out side_by_side.html
the page needs no network and no other file; it can be mailed, printed, and read on a phone
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="run folders, also of runs that are not finished"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="an .html file (default: RUN/report.html; report.html here for several runs)",
    )
    parser.add_argument("--json", action="store_true", help="print the place of the page as a record for programs")


def run(arguments: argparse.Namespace) -> int:
    from divmin.pages import report
    from divmin.progress import tracking

    with tracking("writing the report") as track:
        path = report(*arguments.runs, out=arguments.out, track=track)
    print(json.dumps({"report": str(path)}) if arguments.json else f"report: {path}")
    return 0
