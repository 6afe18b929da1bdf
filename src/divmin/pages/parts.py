"""What a page is made of: plain records, which one template turns into HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Args:
        source: a data: address.
        alt: what it shows, for those who don't see it.
        caption: a line below.
    """

    source: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Film:
    """Pictures of the same z over training, with a slider.

    Args:
        frames: in the order of steps.
        steps: of each.
    """

    frames: tuple[Picture, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """Rows under heads; an empty tuple of heads leaves the first column as the head of each row."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Warned:
    """Something that a reader should know.

    Args:
        severity: "serious", "caution" or "note".
        sentence: it.
        remedy: what to do about it.
    """

    severity: str
    sentence: str
    remedy: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page about one run.

    Args:
        title: its heading.
        text: paragraphs.
        warnings, pictures, film, tables: what it holds.
        commands: lines for a shell.
        folded: whether it opens on demand.
    """

    title: str
    text: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    film: Film | None = None
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    folded: bool = False

    @property
    def empty(self) -> bool:
        return not (self.text or self.warnings or self.film or self.pictures or self.tables or self.commands)


@dataclass(frozen=True)
class Chapter:
    """All about one run.

    Args:
        name: the run's.
        state: finished, running, ...
        headline: what it minimises, in words.
        facts: names and values that stand at the top.
        sections: in their order.
    """

    name: str
    state: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def number(value: float | None) -> str:
    """Four digits, or a dash for nothing.

    >>> number(0.123456), number(None)
    ('0.1235', '-')
    """
    return "-" if value is None else f"{value:.4g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> Table:
    """A table from any sequences."""
    return Table(tuple(heads), tuple(tuple(row) for row in rows), note)
