"""Saying what a divergence is called by looking at its functions, never at how it was spelled."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence
from divmin.family.catalogue import Entry, entries, spelled
from divmin.grammar import plain

if TYPE_CHECKING:
    from torch import Tensor

    Weight = Callable[[Tensor], Tensor]

AT = [-18.0, -11.0, -6.0, -3.2, -1.3, -0.4, 0.3, 1.1, 2.7, 5.5, 9.0, 16.0]
CLOSE = 1e-9  # relative, far above rounding and far below any two members' difference


@dataclass(frozen=True)
class Recognised:
    """A divergence as a multiple of an entry of the catalogue."""

    factor: float
    entry: Entry
    parameters: tuple[float, ...]

    @property
    def text(self) -> str:
        spelling = self.entry.spelling(self.parameters)
        return spelling if self.factor == 1 else f"{plain(self.factor)}*{spelling}"


@lru_cache(maxsize=512)
def recognise(divergence: Divergence) -> Recognised | None:
    """The entry of the catalogue that this is a multiple of, by comparing weights at twelve log-ratios (s when there are kinks).

    Example:
        >>> import divmin as dm
        >>> recognise(dm.divergence("soften(reverse(kl))")).text
        'softened_reverse_kl'
    """
    exact, member = spelled(divergence), divergence._member()
    if exact:
        return Recognised(1.0, entries()[exact], ())
    function = divergence.weight if divergence.smooth else divergence.s
    return _search(function, divergence.smooth, AT, CLOSE, member)


def recognise_weight(weight: Weight, at: list[float], close: float) -> Recognised | None:
    """The entry of the catalogue of which a weight w(d) is a multiple.

    Args:
        weight: w as a function of float64 tensors, positive.
        at: log-ratios at which to compare.
        close: the relative difference that is allowed.

    Example:
        >>> recognise_weight(lambda d: 3 * d.exp(), [-2.0, 0.5, 1.0], 1e-9).text
        '3*kl'
    """
    return _search(weight, True, at, close, None)


def _search(
    function: Weight, smooth: bool, at: list[float], close: float, member: tuple[str, tuple[float, ...]] | None
) -> Recognised | None:
    points = numerics.float64(at)
    wanted = function(points).tolist()
    ordered = sorted(entries().values(), key=lambda each: bool(each.parameters))
    for each in ordered:
        known = member[1] if member and member[0] == each.name else None
        values = () if not each.parameters else known or _parameters(each, function, smooth, close)
        if values is None:
            continue
        try:
            candidate = each.build(*values)
        except DivminError:
            continue
        if candidate.smooth != smooth:
            continue
        other = candidate.weight(points) if smooth else candidate.s(points)
        if factor := factor_between(wanted, other.tolist(), close):
            return Recognised(factor, each, values)
    return None


def latex(divergence: Divergence) -> str:
    """f(u) in LaTeX, when the catalogue has it; else the expression in typewriter face."""
    found = recognise(divergence)
    if found is None:
        escaped = divergence.expression.replace("_", r"\_").replace("^", r"\^{}")
        return rf"\mathtt{{{escaped}}}"
    from divmin.family.text import f_latex

    values = dict(zip(found.entry.parameters, found.parameters, strict=True))
    body = f_latex(found.entry.f, values)
    return body if found.factor == 1 else rf"{plain(found.factor)} \left({body}\right)"


def factor_between(one: list[float], two: list[float], close: float) -> float | None:
    """one / two when that is one number, snapped to the nearest short one; else None."""
    if any((x == 0) != (y == 0) for x, y in zip(one, two, strict=True)):
        return None
    ratios = [x / y for x, y in zip(one, two, strict=True) if y]
    middle = sorted(ratios)[len(ratios) // 2]
    if not middle > 0 or not all(math.isfinite(r) and abs(r / middle - 1) < close for r in ratios):
        return None
    return snapped(middle, close)


def snapped(x: float, close: float = CLOSE) -> float:
    """The nearest number of at most nine digits (fewer, if x has fewer) when x is that number but for rounding, else x."""
    digits = max(1, min(9, round(-math.log10(close))))
    short = float(f"{x:.{digits}g}")
    return short if abs(short - x) <= close / 100 * max(1.0, abs(x)) else x


def _parameters(entry: Entry, function: Weight, smooth: bool, close: float) -> tuple[float, ...] | None:
    if entry.guess is None or not smooth:
        return None
    try:
        return tuple(snapped(value, close) for value in entry.guess(_Curvature(function)))
    except (ValueError, ArithmeticError):  # a weight that is not positive where the guess looks
        return None


@dataclass(frozen=True)
class _Curvature:
    weight: Weight

    def log_ratio(self, d: float) -> float:
        at_d, at_0 = self.weight(numerics.float64([d, 0.0])).tolist()
        return math.log(at_d / at_0) - 2 * d

    def log_slope(self, d: float) -> float:
        low, high = self.weight(numerics.float64([d - 1.0, d + 1.0])).tolist()
        return math.log(high / low) / 2
