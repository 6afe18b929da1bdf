"""`divmin reproduce`: the sources' figures, tables and claims, computed and compared with what they ought to be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from divmin.cli.columns import aligned
from divmin.cli.plugins import add_import, load
from divmin.errors import DivminError, counted, duration

if TYPE_CHECKING:
    from divmin.papers import Item
    from divmin.reproduction import Outcome, Standing

EXAMPLES = """examples:
  divmin reproduce                                 # what there is: status, cost, title
  divmin reproduce --paper huszar --list           # the same of one source
  divmin reproduce shannon-figure-5 --quick        # one item at toy size
  divmin reproduce --paper huszar                  # all items of one source at full size
  divmin reproduce --all --quick --report          # everything at toy size, and the book
  divmin reproduce --report                        # the book of what there is
  divmin reproduce shannon-mine --import mine.py   # an item of your own
a result that is there is not computed again (--again does); Ctrl-C keeps the work, and the same command goes on
exits with 0 if every number is as expected or a finding that the item explains, with 1 if one is not, also one in the book
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("items", nargs="*", metavar="ITEM", help="such as shannon-figure-5; none: list them all")
    parser.add_argument(
        "--paper", metavar="NAME", help="all items of a source: shannon, poole, arjovsky, berger or huszar"
    )
    parser.add_argument("--all", action="store_true", help="all items")
    parser.add_argument("--list", action="store_true", help="list items, those that were chosen or all, and run none")
    parser.add_argument("--quick", action="store_true", help="at toy size")
    parser.add_argument("--again", action="store_true", help="from the beginning, also where there is a result")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="runs at once where an item trains several (default 1)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("reproductions"),
        metavar="FOLDER",
        help="where the results are (default reproductions)",
    )
    parser.add_argument("--report", action="store_true", help="write FOLDER/book.html about all results that there are")
    add_import(parser)
    parser.add_argument("--json", action="store_true", help="print records for programs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.jobs < 1:
        raise DivminError(f"--jobs must be at least 1, got {arguments.jobs}")
    load(arguments.imports)
    chosen = _chosen(arguments)
    if arguments.list or not (chosen or arguments.report):
        return _list(arguments, chosen)
    say = sys.stderr if arguments.json else sys.stdout
    outcomes = []
    if len(chosen) > 1:
        seconds = sum(_cost(each, arguments.quick) for each in chosen)
        print(f"{counted(len(chosen), 'item')}, about {duration(seconds)} on one core", file=say, flush=True)
    try:
        for each in chosen:
            outcomes.append(_reproduce(each, arguments, say))
    except KeyboardInterrupt:
        print("what was computed is kept: the same command goes on", file=sys.stderr)
        raise
    book, read = _book(arguments) if arguments.report else (None, outcomes)
    if arguments.json:
        records = {"items": [each.to_record() for each in outcomes], "book": None if book is None else str(book)}
        print(json.dumps(records, indent=2))
    else:
        if len(outcomes) > 1:
            print("\n".join(_summary(outcomes)))
        if book is not None:
            print(f"book: {book}")
    return 0 if all(each.passed for each in (*outcomes, *read)) else 1


def _chosen(arguments: argparse.Namespace) -> list[Item]:
    from divmin.papers import item, items

    if arguments.list and (arguments.report or arguments.again):
        raise DivminError("--list runs and writes nothing: leave --report and --again, or --list")
    ways = [bool(arguments.items), arguments.paper is not None, arguments.all]
    if sum(ways) > 1:
        raise DivminError("names of items, --paper and --all are three ways to choose: give one of them")
    if arguments.items:
        return [item(name) for name in dict.fromkeys(arguments.items)]
    if arguments.paper is not None or arguments.all:
        return list(items(arguments.paper).values())
    if arguments.again:
        raise DivminError("--again needs items, --paper or --all")
    return []


def _list(arguments: argparse.Namespace, chosen: Sequence[Item]) -> int:
    from divmin.papers import items
    from divmin.reproduction import standing

    found = standing({each.name: each for each in chosen} or items(), arguments.out)
    if arguments.json:
        print(json.dumps([_record(each) for each in found], indent=2))
        return 0
    head = ("item", "status", "quick", "full", "what it is")
    rows = [
        (each.item.name, each.status, duration(each.item.cost.quick), duration(each.item.cost.full), each.item.title)
        for each in found
    ]
    print("\n".join(aligned([head, *rows])))
    print(f"\n{counted(len(rows), 'item')}; the costs are of one core; results are read from {arguments.out}")
    if any(each.left for each in found):
        print("out of date: computed with other settings, or before all was asked that is asked now; run it once more")
    return 0


def _record(each: Standing) -> dict[str, object]:
    item = each.item
    return {
        "item": item.name,
        "paper": item.paper.name,
        "title": item.title,
        "claim": item.claim,
        "status": each.status,
        "cost": {"quick": item.cost.quick, "full": item.cost.full},
        "folder": None if each.outcome is None else str(each.outcome.folder),
    }


def _reproduce(item: Item, arguments: argparse.Namespace, say: TextIO) -> Outcome:
    from divmin.progress import tracking
    from divmin.reproduction import reproduce
    from divmin.reproduction.shelf import read

    size = " at toy size" if arguments.quick else ""
    there = not arguments.again and read(item, quick=arguments.quick, out=arguments.out) is not None
    cost = "already there (--again computes it anew)" if there else f"about {duration(_cost(item, arguments.quick))}"
    print(f"{item.name}: {item.title}{size}, {cost}", file=say, flush=True)
    outcome = reproduce(
        item,
        quick=arguments.quick,
        out=arguments.out,
        again=arguments.again,
        jobs=arguments.jobs,
        tracking=tracking,
    )
    if not arguments.json:
        print("\n".join(f"  {line}" for line in _lines(outcome)), flush=True)
    return outcome


def _lines(outcome: Outcome) -> list[str]:
    from divmin.papers.expected import LATER
    from divmin.reproduction.shelf import FIGURE, FILM, PAGE

    asked = [each for each in outcome.checks if each.verdict != LATER]
    lines = aligned([(each.verdict, each.name, f"{each.got:.12g}", f"expected {each.expected}") for each in asked])
    lines += [f"finding: {why}" for why in dict.fromkeys(each.why for each in outcome.checks if each.why)]
    lines += list(outcome.notes)
    places = [outcome.folder / name for name in (FIGURE, FILM, PAGE)]
    return [
        *lines,
        f"{outcome.tally}; took {duration(outcome.seconds)}",
        *(str(each) for each in places if each.exists()),
    ]


def _summary(outcomes: Sequence[Outcome]) -> list[str]:
    rows = [(each.verdict, each.item, each.tally, duration(each.seconds)) for each in outcomes]
    return ["", *aligned(rows)]


def _book(arguments: argparse.Namespace) -> tuple[Path, list[Outcome]]:
    """The book, and what it is about."""
    from divmin.papers import items
    from divmin.progress import tracking
    from divmin.reproduction import book, made_whole, standing
    from divmin.reproduction.book import BOOK

    found = standing(items(), arguments.out)
    with tracking("drawing what is drawn otherwise now") as track:
        for i in track(range(len(found))):
            item, outcome = found[i].item, found[i].outcome
            if outcome is not None and not made_whole(item, outcome):
                print(f"{item.name} cannot be drawn from what is kept: run it with --again", file=sys.stderr)
    with tracking("writing the book") as track:
        path = book(found, arguments.out / BOOK, track)
    return path, [each.outcome for each in found if each.outcome is not None]


def _cost(item: Item, quick: bool) -> float:
    return item.cost.quick if quick else item.cost.full
