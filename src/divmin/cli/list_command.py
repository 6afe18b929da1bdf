"""`divmin list`: the catalogue as a table. The list of divergences imports no torch."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from divmin.cli.plugins import add_import, load
from divmin.family.catalogue import Entry, entries
from divmin.family.tails import Tails

if TYPE_CHECKING:
    from divmin.models import Model

EXAMPLE = (
    "examples:\n  divmin list\n  divmin list --recipes\n  divmin list --models\n  divmin list --data\n"
    "  divmin list --json\n  divmin list --recipes --import mine.py"
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLE
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--recipes", action="store_true", help="the recipes: losses of critic and generator")
    what.add_argument("--models", action="store_true", help="the networks, their sizes and numbers of parameters")
    what.add_argument("--data", action="store_true", help="what data can be: densities, data sets, kinds of files")
    parser.add_argument("--json", action="store_true", help="print records for programs")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    if arguments.recipes:
        return _recipes(arguments.json)
    if arguments.models:
        return _models(arguments.json)
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


SHOWN = (32, 64)  # side lengths for which parameters are counted, where a model makes them


def _models(as_json: bool) -> int:
    from divmin.cli.columns import aligned
    from divmin.models import models

    records = [record for model in models().values() for record in _counted(model)]
    if as_json:
        print(json.dumps(records, indent=2))
        return 0
    networks = ("generator", "critic", "encoder")
    rows = [("model", "image sizes", "width", "latent", "counted for", *networks)]
    for record in records:
        numbers = ["-" if record[key] is None else f"{record[key]:,}" for key in networks]
        shape = " x ".join(map(str, record["shape"]))
        rows.append((record["name"], record["makes"], str(record["width"]), str(record["latent"]), shape, *numbers))
    print("\n".join(aligned(rows)), end="\n\n")
    print("\n".join(aligned([(model.name, model.summary, model.source) for model in models().values()])))
    print(
        "\nNumbers of parameters at the model's own width and latent; --width and --latent of divmin train change them."
    )
    return 0


def _counted(model: Model) -> list[dict[str, Any]]:
    from divmin.models import count

    sizes = model.sizes
    shapes: list[tuple[int, ...]] = [(2,)]
    if sizes is not None:
        shapes = [(3, size, size) for size in SHOWN if size in sizes] or [(3, sizes[-1], sizes[-1])]
    about = {key: getattr(model, key) for key in ("name", "summary", "makes", "width", "latent", "source")}
    return [{**about, "shape": list(shape), **asdict(count(model.name, shape=shape))} for shape in shapes]


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
