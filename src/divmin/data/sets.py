"""The data sets that a word names, with what follows its colon."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from divmin.data.base import Source
from divmin.data.form import Form
from divmin.errors import DivminError
from divmin.named import Named

Track = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class Asked:
    """What is asked of data besides their name.

    Args:
        form: what every picture is turned into.
        seed: names what is drawn at random.
        track: wraps the numbers of the pictures while they are read, to show progress.
    """

    form: Form = field(default_factory=Form)
    seed: int = 0
    track: Track = iter


Make = Callable[[str, Asked], Source]


@dataclass(frozen=True)
class SetEntry:
    """One registered data set; `make` gets the text after the colon (empty without one) and what is asked."""

    usage: str
    summary: str
    make: Make


_SETS: Named[SetEntry] = Named("data set")
_WORD = re.compile(r"\s*(?P<word>\w+)\s*(?P<call>\(.*\))?\s*(?::(?P<rest>.*))?", re.ASCII | re.DOTALL)


def register_set(usage: str, summary: str) -> Callable[[Make], Make]:
    """Enter the decorated function as the data set that the first word of `usage` names, as in "mnist[:SPLIT]"."""
    word = re.split(r"\W", usage, maxsplit=1)[0]

    def enter(make: Make) -> Make:
        _SETS.add(word, SetEntry(usage, summary, make))
        return make

    return enter


def sets() -> Mapping[str, SetEntry]:
    """The registered data sets, by word.

    Example:
        >>> sets()["mnist"].usage
        'mnist[:SPLIT]'
    """
    return MappingProxyType(_SETS)


def split_word(spec: str) -> tuple[SetEntry, str] | None:
    """The data set that a text names and what stands after its colon; None for text that names none.

    Raises:
        DivminError: parameters in parentheses, which data sets do not have.

    Example:
        >>> entry, rest = split_word("hub:ylecun/mnist:test")
        >>> entry.usage, rest
        ('hub:NAME[:SPLIT]', 'ylecun/mnist:test')
    """
    found = _WORD.fullmatch(spec)
    if found is None or found["word"] not in _SETS:
        return None
    entry = _SETS[found["word"]]
    if found["call"] is not None and found["call"][1:-1].strip():
        raise DivminError(f"{found['word']} has no parameters in parentheses: write {entry.usage}")
    return entry, (found["rest"] or "").strip()
