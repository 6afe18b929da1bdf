"""`divmin list`: the catalogue as a table. Imports no torch."""

from __future__ import annotations

import argparse
import json
from typing import Any

from divmin.cli.plugins import add_import, load
from divmin.family.catalogue import Entry, entries
from divmin.family.tails import Tails

EXAMPLE = (
    "examples:\n  divmin list\n  divmin list --recipes\n  divmin list --data\n  divmin list --json\n"
    "  divmin list --recipes --import mine.py"
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    parser.add_argument("--recipes", action="store_true", help="the recipes: losses of critic and generator")
    parser.add_argument("--data", action="store_true", help="what data can be: densities, data sets, kinds of files")
    parser.add_argument("--json", action="store_true", help="print records for programs")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    if arguments.recipes:
        return _recipes(arguments.json)
    if arguments.data:
        return _data(arguments.json)
    import divmin.family  # noqa: F401  (fills the registry)

    records = [describe(entry) for entry in entries().values()]
    if arguments.json:
        print(json.dumps(records, indent=2))
        return 0
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console()
    wide = console.width >= 120  # narrower, f(u) would break into crumbs; `divmin show` has it
    table = Table(box=box.SIMPLE, title=r"f-divergences D_f(p, q) = E_q\[f(u)], u = p/q, p data, q model; nats")
    for heading in ("name", *(["f(u)"] if wide else []), "tails (R, S)", "bounded", "character"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("name", "tails (R, S)"))
    for record in records:
        table.add_row(
            record["usage"],
            *([record["f"]] if wide else []),
            f"({', '.join(record['tails'])})",
            record["bounded"],
            record["character"],
        )
    console.print(table)
    console.print("divmin show NAME says more; names combine: reverse(kl), soften(rkl), 0.5*kl + 0.5*rkl, u*log(u) ...")
    return 0


def _recipes(as_json: bool) -> int:
    from divmin.objectives import recipes

    keys = ("usage", "aliases", "examples", "formula", "summary", "source")
    records = [{key: getattr(named, key) for key in keys} for named in recipes().values()]
    if as_json:
        print(json.dumps(records, indent=2))
        return 0
    from rich.console import Console

    console = Console()
    for record in records:
        console.print(f"[bold]{record['usage']}[/bold]", highlight=False)
        console.print(f"  {record['summary']}\n  {record['formula']}", markup=False, highlight=False)
    console.print("\ndivmin explain RECIPE says what one minimises; docs/gallery.md shows all.")
    return 0


def _data(as_json: bool) -> int:
    from divmin.data import sources

    if as_json:
        print(json.dumps([{"usage": usage, "summary": summary} for usage, summary in sources().items()], indent=2))
        return 0
    from rich.console import Console

    console = Console()
    for usage, summary in sources().items():
        console.print(usage, style="bold", markup=False, highlight=False)
        console.print(f"  {summary}", markup=False, highlight=False)
    console.print("\ndivmin train --data NAME; parameters in parentheses, as in 'ring(n=6, sigma=0.05)'.", markup=False)
    return 0


def describe(entry: Entry) -> dict[str, Any]:
    """A row of the catalogue as plain values."""
    one = entry.build(*entry.examples[-1]) if entry.parameters else entry.build()
    written = entry.tails or tuple(f"{x:g}" for x in (one.tails.R, one.tails.S))
    fixed = not any(name in "".join(written) for name in entry.parameters)
    tails = Tails(float(written[0]), float(written[1]), 0.0, 0.0) if fixed else one.tails
    usage = f"{entry.name}({', '.join(entry.parameters)})" if entry.parameters else entry.name
    parameter = ", ".join(entry.parameters)
    return {
        "name": entry.name,
        "usage": usage,
        "aliases": list(entry.aliases),
        "f": entry.f,
        "tails": list(written),
        "bounded": _bounded(tails) if fixed else f"by {parameter}",
        "character": (tails.character.partition(":")[0] if fixed else f"by {parameter}")
        + ("" if one.smooth else ", not smooth"),
        "smooth": one.smooth,
        "summary": entry.summary,
        "source": entry.source,
    }


def _bounded(tails: Tails) -> str:
    return {
        (True, True): "yes",
        (True, False): "left",
        (False, True): "right",
        (False, False): "no",
    }[tails.left_bounded, tails.right_bounded]
