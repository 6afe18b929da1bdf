"""What a page is made of: plain records, which one template turns into HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 2000  # characters


@dataclass(frozen=True)
class Picture:
    """A picture inside the page.

    Args:
        source: a data: address.
        alt: what it shows, for those who don't see it.
        caption: a line below.
        drawing: whether it has lines on white, whose lightness may be turned round on a dark page.
    """

    source: str
    alt: str
    caption: str = ""
    drawing: bool = False


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
    """Rows under heads; an empty tuple of heads leaves the first column as the head of each row.

    Args:
        heads: of the columns.
        rows: cells.
        note: a line below.
        wrapped: whether cells break into lines, and rows into cards on a phone, rather than scroll.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    wrapped: bool = False


@dataclass(frozen=True)
class Warned:
    """Something that a reader should know.

    Args:
        severity: "serious", "caution", "finding" or "note".
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
        missing: why it is empty, where it is.
    """

    title: str
    text: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()
    film: Film | None = None
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    commands: tuple[str, ...] = ()
    folded: bool = False
    missing: str = ""

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
        missing: what is not there, and why.
    """

    name: str
    state: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()


def number(value: float | None) -> str:
    """Four digits, or a dash for nothing.

    >>> number(0.123456), number(None)
    ('0.1235', '-')
    """
    return "-" if value is None else f"{value:.4g}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> Table:
    """A table from any sequences; no cell is longer than anyone would read."""
    return Table(tuple(map(cut, heads)), tuple(tuple(map(cut, row)) for row in rows), cut(note))


def cut(text: str) -> str:
    """A text of at most `LONGEST` characters."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


@dataclass(frozen=True)
class Contents:
    """The chapters of a page, a line each.

    Args:
        text: paragraphs above the table.
        heads: of its columns.
        rows: cells of each chapter; the first is the link to it.
    """

    text: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
