"""What a weight is in the algebra of the catalogue: soften(reverse(kl)), nonsaturating(soften(chi2_model_denominator)), ..."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch

from divmin import numerics
from divmin.explanation.record import Near
from divmin.family import divergence, divergences, entries
from divmin.family.recognise import factor_between

if TYPE_CHECKING:
    from torch import Tensor

    Weight = Callable[[Tensor], Tensor]

AT = [-6.0, -3.2, -1.3, -0.4, 0.3, 1.1, 2.7, 5.5]
OPERATIONS = ("reverse", "soften", "symmetrize", "nonsaturating")
BASES = ("kl", "chi2_model_denominator", "squared_hellinger")
DEEPEST = 3
CLOSE_BY, WIDTH, SHOWN = (
    401,
    4.0,
    3,
)  # points and half-width of the range on which weights are compared; how many are named


@dataclass(frozen=True)
class Found:
    """A weight as a factor times an expression."""

    factor: float
    expression: str


def algebraic(weight: Weight, close: float) -> Found | None:
    """The shortest expression of at most three operations on a member of the catalogue of which a weight is a multiple.

    Args:
        weight: w(d) on float64 tensors.
        close: the relative difference that is allowed.

    Example:
        >>> algebraic(lambda d: torch.sigmoid(d) * torch.sigmoid(-d) ** 2, 1e-9).expression
        'nonsaturating(triangular)'
    """
    return _found(weight, close, _table(_members()))


def composition(weight: Weight, close: float) -> str | None:
    """What a weight is made of, from the fewest members: kl, then chi2_model_denominator, then squared_hellinger.

    Example:
        >>> composition(lambda d: torch.sigmoid(-d), 1e-9)
        'soften(reverse(kl))'
    """
    for base in BASES:
        if found := _found(weight, close, _table((base,))):
            return found.expression if found.expression not in BASES else None
    return None


def _found(weight: Weight, close: float, table: tuple[_Row, ...]) -> Found | None:
    wanted = weight(numerics.float64(AT)).tolist()
    if not all(math.isfinite(x) and x > 0 for x in wanted):
        return None
    key = _key(wanted)
    for row in table:
        if _alike(key, row.key, 1e-3) and (factor := factor_between(wanted, list(row.values), close)):
            return Found(factor, row.expression)
    return None


def nearest(weight: Weight) -> tuple[Near, ...]:
    """The members of the catalogue whose weight, times the best factor, is nearest on a log scale for |d| <= 4."""
    at = torch.linspace(-WIDTH, WIDTH, CLOSE_BY, dtype=torch.float64)
    wanted = weight(at)
    if not bool((wanted > 0).all()):
        return ()
    measured = [
        Near(name, float((wanted.log() - each.weight(at).log()).std()))
        for name, each in divergences().items()
        if each.smooth
    ]
    return tuple(sorted(measured, key=lambda near: near.distance)[:SHOWN])


@dataclass(frozen=True)
class _Row:
    """An expression with its weights at AT, and their logarithms up to a constant."""

    expression: str
    values: tuple[float, ...]
    key: tuple[float, ...]


def _members() -> tuple[str, ...]:
    return tuple(name for name, each in entries().items() if not each.parameters and each.build().smooth)


def _key(values: list[float]) -> tuple[float, ...]:
    return tuple(math.log(x / values[0]) for x in values)


def _alike(one: tuple[float, ...], other: tuple[float, ...], close: float) -> bool:
    return all(abs(x - y) < close for x, y in zip(one, other, strict=True))


@cache
def _table(bases: tuple[str, ...]) -> tuple[_Row, ...]:
    """All expressions, simple ones first; of multiples of each other the first is kept."""
    at = numerics.float64(AT)
    rows: list[_Row] = []
    level = [(name, divergence(name)) for name in bases]
    for _ in range(DEEPEST + 1):
        kept = []
        for text, f in level:
            values = f.weight(at).tolist()
            row = _Row(text, tuple(values), _key(values))
            if not any(_alike(row.key, other.key, 1e-9) for other in rows):
                rows.append(row)
                kept.append((text, f))
        level = [(f"{name}({text})", getattr(f, name)()) for text, f in kept for name in OPERATIONS]
    return tuple(rows)
