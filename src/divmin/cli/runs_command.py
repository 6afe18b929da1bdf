"""`divmin runs [FOLDER]`: a table of runs. Imports no torch."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from divmin.cli.columns import aligned
from divmin.overview import Summary, runs

HEADINGS = ("run", "data", "recipe", "minimises", "state", "step", "best or last", "changed")
UNITS = (("d", 86400.0), ("h", 3600.0), ("min", 60.0))


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin runs\n  divmin runs runs/sweep --metric frechet --json\n"
        "best or last: the best value of the first metric that was measured, or of --metric, and its step; else the last losses"
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("runs"), help="where to look (default runs)")
    parser.add_argument("--metric", metavar="NAME", help="which measured metric to show")
    parser.add_argument("--json", action="store_true", help="print records for programs")


def run(arguments: argparse.Namespace) -> int:
    found = runs(arguments.folder, metric=arguments.metric)
    if arguments.json:
        print(json.dumps([_record(each) for each in found], indent=2))
    elif found:
        print("\n".join(aligned([HEADINGS, *(_row(each, time.time()) for each in found)])))
        for each in found:
            if each.reason and each.state in ("failed", "damaged"):
                print(f"{each.name}: {each.reason}")
    else:
        print(f"no runs in {arguments.folder} or below it")
    if arguments.metric and found and all(each.best is None for each in found):
        print(f"no run here has measured {arguments.metric}", file=sys.stderr)
    return 0


def _record(found: Summary) -> dict[str, Any]:
    return {**asdict(found), "folder": str(found.folder)}


def _row(found: Summary, now: float) -> tuple[str, ...]:
    steps = "-" if found.step is None else f"{found.step}/{found.steps}"
    texts = (found.name, found.data, found.recipe, found.minimises, found.state, steps, _number(found))
    return (*(text or "-" for text in texts), f"{age(now - found.changed)} ago")


def _number(found: Summary) -> str:
    if found.best is not None:
        return f"{found.best.metric} {found.best.value:.4g} at {found.best.step}"
    if found.losses is None:
        return "-"
    critic, generator = found.losses
    return ("" if critic is None else f"critic {critic:.3g}, ") + f"generator {generator:.3g}"


def age(seconds: float) -> str:
    """A span of time in its largest unit.

    >>> age(7300), age(12)
    ('2 h', '12 s')
    """
    for name, length in UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"
