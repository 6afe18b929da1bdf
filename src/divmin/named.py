"""Things that are found by name: each name once, and a name that is not known is told with the nearest that is."""

from __future__ import annotations

from typing import TypeVar

from divmin.errors import DivminError, suggest

Entry = TypeVar("Entry")


class Named(dict[str, Entry]):
    """A registry of one kind of thing.

    Args:
        kind: what an error calls one of them.

    >>> shapes = Named[int]("shape")
    >>> shapes.add("square", 4)
    4
    >>> shapes.find("sqare")
    Traceback (most recent call last):
    divmin.errors.DivminError: unknown shape 'sqare': did you mean square?
    >>> shapes.add("square", 5)
    Traceback (most recent call last):
    divmin.errors.DivminError: two shapes are called 'square': rename one of them
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.plural = kind, f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"

    def add(self, name: str, entry: Entry) -> Entry:
        """Enter a thing under its name, and return it."""
        if name in self:
            raise DivminError(f"two {self.plural} are called {name!r}: rename one of them")
        self[name] = entry
        return entry

    def find(self, name: str) -> Entry:
        """The thing of this name."""
        if name not in self:
            raise DivminError(f"unknown {self.kind} {name!r}: {suggest(name, list(self))}")
        return self[name]
