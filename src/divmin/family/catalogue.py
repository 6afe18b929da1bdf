"""The registry of divergences: what they are called, where they come from, and how their parameters are read off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from divmin.errors import DivminError, counted, suggest
from divmin.grammar import plain

if TYPE_CHECKING:
    from divmin.family.base import Divergence


class Curvature(Protocol):
    """What a family may look at to guess its parameters from a function: the weight on a log scale."""

    def log_ratio(self, d: float) -> float:
        """log of f''(e^d) / f''(1)."""

    def log_slope(self, d: float) -> float:
        """The slope of log w at d."""


@dataclass(frozen=True)
class Entry:
    """One named divergence, or one family with parameters."""

    name: str
    make: Divergence | Callable[..., Divergence]
    f: str  # f(u) in the grammar of divmin.grammar, in the scale of the name
    summary: str
    source: str
    title: str = ""  # what a sentence calls it, with its article
    aliases: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    examples: tuple[tuple[float, ...], ...] = ((),)  # parameters at which laws are tested, awkward ones included
    tails: tuple[str, str] | None = None  # (R, S) in the parameters, for families
    guess: Any = None  # Curvature -> parameters, for families that can be recognised

    def build(self, *values: float) -> Divergence:
        """The divergence, at these parameters for a family."""
        if len(values) != len(self.parameters):
            wanted = f"{self.name}({', '.join(self.parameters)})" if self.parameters else self.name
            raise DivminError(f"{wanted} takes {counted(len(self.parameters), 'parameter')}; got {len(values)}")
        return self.make(*values) if self.parameters else self.make  # type: ignore[operator,return-value]

    def spelling(self, values: tuple[float, ...]) -> str:
        """Its name with parameters, as the parser reads it."""
        return f"{self.name}({', '.join(map(plain, values))})" if self.parameters else self.name


_entries: dict[str, Entry] = {}
_names: dict[str, str] = {}  # every name and alias to the name
_spelled: dict[Divergence, str] = {}


def register(entry: Entry) -> None:
    """Add an entry; a name or alias that is taken is an error."""
    for name in (entry.name, *entry.aliases):
        if name in _names:
            raise DivminError(f"the name '{name}' is taken by {_names[name]}")
        _names[name] = entry.name
    _entries[entry.name] = entry
    if not entry.parameters:
        _spelled[entry.build()] = entry.name


def entries() -> dict[str, Entry]:
    """Name to entry, in order of registration."""
    return dict(_entries)


def entry(name: str) -> Entry:
    """The entry with this name or alias; case and dashes do not matter.

    Raises:
        DivminError: naming the nearest known name.

    Example:
        >>> import divmin
        >>> entry("SRKL").name
        'softened_reverse_kl'
    """
    key = name.lower().replace("-", "_")
    if key not in _names:
        raise DivminError(f"unknown divergence '{name}': {suggest(key, tuple(_names))}; `divmin list` shows all")
    return _entries[_names[key]]


def divergences() -> dict[str, Divergence]:
    """The registry: every name to its divergence, families at their example parameters, as `power(0.3)`.

    Returns:
        A new dict in the order of the catalogue; each key is read back by `divmin.divergence`.

    Example:
        >>> import divmin as dm
        >>> round(dm.divergences()["js"].sup, 9)
        0.693147181
    """
    return {each.spelling(values): each.build(*values) for each in _entries.values() for values in each.examples}


def spelled(divergence: Divergence) -> str | None:
    """The name of an object that is itself an entry of the catalogue, else None."""
    return _spelled.get(divergence)
