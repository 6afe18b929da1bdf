"""The densities and data sets by name, and the small language in which a name carries parameters."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from divmin import grammar
from divmin.data.density import Density
from divmin.errors import DivminError, suggest
from divmin.named import Named

Number = int | float
Make = TypeVar("Make", bound=Callable[..., Density])


@dataclass(frozen=True)
class DensityEntry:
    """One registered density; calling the entry with parameters makes it."""

    name: str
    summary: str
    make: Callable[..., Density]

    def __call__(self, **parameters: Number) -> Density:
        accepted = inspect.signature(self.make).parameters
        for key, value in parameters.items():
            if key not in accepted:
                fix = suggest(key, list(accepted)) if accepted else "it takes none"
                raise DivminError(f"{self.name} has no parameter {key!r}: {fix}")
            if isinstance(accepted[key].default, int) and not isinstance(value, int):
                raise DivminError(f"{self.name} got {key}={value}: expected a whole number")
        return self.make(**parameters)


_DENSITIES: Named[DensityEntry] = Named("density")


def register_density(name: str, summary: str) -> Callable[[Make], Make]:
    """Enter the decorated factory, whose parameters are numbers with defaults, in the registry."""

    def enter(make: Make) -> Make:
        _DENSITIES.add(name, DensityEntry(name, summary, make))
        return make

    return enter


def densities() -> Mapping[str, DensityEntry]:
    """The registered densities, by name; an entry is called with the parameters of its density.

    Example:
        >>> densities()["ring"](n=6, sigma=0.05).dim
        2
    """
    return MappingProxyType(_DENSITIES)


def check_positive(law: str, name: str, value: float) -> None:
    """Refuse what is no scale, in the words of the law that was asked for and not of what it is made of."""
    if not 0 < value < math.inf:
        raise DivminError(f"{law} got {name}={value}: expected a positive finite number")


def check_finite(law: str, name: str, value: float) -> None:
    """Refuse what is no place on the line."""
    if not math.isfinite(value):
        raise DivminError(f"{law} got {name}={value}: expected a finite number")


# Beyond this no parameter makes sense, and squares of it are still finite in float32.
LARGEST = 1e15
_CALL = re.compile(r"\s*[A-Za-z_]\w*\s*(\(.*\))?\s*", re.ASCII)


def parse_call(text: str) -> tuple[str, dict[str, Number]] | None:
    """Name and parameters of `name` or `name(key=number, ...)`; None for text that has another form, such as a path.

    Raises:
        DivminError: parentheses that hold anything but key=number.

    Example:
        >>> parse_call("ring(n=6, sigma=0.05)")
        ('ring', {'n': 6, 'sigma': 0.05})
        >>> parse_call("photos/cats") is None
        True
    """
    if len(text) > grammar.LONGEST or not _CALL.fullmatch(text):
        return None
    node = grammar.parse(text)
    if isinstance(node, grammar.Name):
        return node.text, {}
    if not isinstance(node, grammar.Call) or node.arguments:
        raise DivminError(f"cannot read {text!r}: expected key=number, as in ring(n=6, sigma=0.05)")
    parameters: dict[str, Number] = {}
    for key, written in node.keywords:
        value = grammar.number(written)
        if value is None:
            raise DivminError(f"cannot read {key} in {text!r}: expected key=number, as in ring(n=6, sigma=0.05)")
        if key in parameters:
            raise DivminError(f"{key} is given twice in {text!r}: give it once")
        if abs(value) > LARGEST:
            raise DivminError(f"{key} in {text!r} is too large: expected at most {LARGEST:.0e}")
        parameters[key] = int(value) if value.is_integer() else value
    return node.name, parameters
