"""An item: one figure, table or claim of a source, with its settings and the numbers that it ought to give."""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.errors import DivminError, suggest
from divmin.pages.parts import Table
from divmin.papers.expected import Expected
from divmin.papers.sources import PAPERS, Paper
from divmin.papers.work import Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Found:
    """What an item computed.

    Args:
        numbers: by name, those that are expected and others worth reading.
        arrays: what the picture is drawn from, by name.
        tables: for the page.
        notes: sentences for the page: what the numbers show.
    """

    numbers: Mapping[str, float]
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Seconds on one CPU core of the machine that the documents name, at toy size and at full size."""

    quick: float
    full: float


@dataclass(frozen=True)
class Item:
    """One figure, table or claim.

    Args:
        name: PAPER-WHAT, such as "shannon-figure-5".
        paper: the source.
        title: what it is, in one line.
        claim: what the source says, in our words.
        settings: a frozen dataclass of plain values, at full size.
        quick: the same at toy size.
        cost: of both.
        expected: what the numbers ought to be.
        compute: from settings to what was found; everything slow goes through `Work`.
        draw: the picture from `Found.arrays`, without computing; None where a table says it all.
        size: of the picture in inches.
        caption: what to see in it.
        photographs: whether the picture holds images, whose lightness no page may turn round.
        animate: draws one frame after the other on a figure and yields after each; None where nothing moves.
        slips: mistakes of the source where a reader would trip.
    """

    name: str
    paper: Paper
    title: str
    claim: str
    settings: Any
    quick: Any
    cost: Cost
    expected: Mapping[str, Expected]
    compute: Callable[[Any, Work], Found]
    draw: Callable[[Found, Figure], None] | None = None
    size: tuple[float, float] = (8.0, 4.0)
    caption: str = ""
    photographs: bool = False
    animate: Callable[[Found, Figure], Iterator[None]] | None = None
    slips: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.startswith(self.paper.name + "-"):
            raise ValueError(f"{self.name} does not begin with the name of its paper, {self.paper.name}")
        if type(self.settings) is not type(self.quick):
            raise ValueError(f"{self.name}: both sizes need the same type of settings")
        if not self.expected:
            raise ValueError(f"{self.name} expects nothing: it could not fail")
        if self.draw is not None and not self.caption:
            raise ValueError(f"{self.name} has a picture without a caption")
        if not all(math.isfinite(each) and each > 0 for each in (self.cost.quick, self.cost.full)):
            raise ValueError(f"{self.name}: what it costs is not known")


_ITEMS: dict[str, Item] = {}


def register(item: Item) -> Item:
    """Add an item; its file is imported in its paper's `__init__.py`."""
    if item.name in _ITEMS:
        raise ValueError(f"two items have the name {item.name}")
    _ITEMS[item.name] = item
    return item


def items(paper: str | None = None) -> dict[str, Item]:
    """All items, or those of one paper, by name in the order of the papers.

    Args:
        paper: its name, such as "huszar".

    Raises:
        DivminError: an unknown paper.
    """
    importlib.import_module("divmin.papers")  # which fills the table
    names = [each.name for each in PAPERS]
    if paper is not None and paper not in names:
        raise DivminError(f"unknown paper {paper!r}: {suggest(paper, names)}")
    ordered = sorted(_ITEMS.values(), key=lambda each: (names.index(each.paper.name), _natural(each.name)))
    return {each.name: each for each in ordered if paper in (None, each.paper.name)}


def _natural(name: str) -> list[tuple[int, str]]:
    """A name by which figure 10 comes after figure 9."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def item(name: str) -> Item:
    """The item of a name.

    Raises:
        DivminError: naming the nearest known one.
    """
    known = items()
    if name in {paper.name for paper in PAPERS}:
        raise DivminError(f"{name!r} is a source, not an item: --paper {name}, or divmin.papers.items({name!r})")
    if name not in known:
        raise DivminError(f"unknown item {name!r}: {suggest(name, list(known))}")
    return known[name]


def largest(differences: object) -> float:
    """The largest absolute value; NaN if any is.

    >>> largest([0.5, -2.0])
    2.0
    """
    return float(np.max(np.abs(np.asarray(differences, dtype=float))))


def explained(settings: type) -> dict[str, str]:
    """What the fields of settings are, as their docstring tells it; several that share a line have the same text.

    >>> explained(Found)["notes"]
    'sentences for the page: what the numbers show.'
    """
    told: dict[str, str] = {}
    names: list[str] = []
    for line in (inspect.getdoc(settings) or "").split("Args:")[-1].splitlines():
        if found := re.match(r"    (\w+(?:, \w+)*): (.+)", line):
            names = found[1].split(", ")
            told |= dict.fromkeys(names, found[2])
        elif line.startswith("        "):
            told |= {name: f"{told[name]} {line.strip()}" for name in names}
    return told
