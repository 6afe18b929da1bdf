"""Saying what a divergence is called by looking at its functions, never at how it was spelled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence
from divmin.family.catalogue import Entry, entries, spelled
from divmin.grammar import plain

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
    wanted = _fingerprint(divergence)
    ordered = sorted(entries().values(), key=lambda each: bool(each.parameters))
    for each in ordered:
        known = member[1] if member and member[0] == each.name else None
        values = () if not each.parameters else known or _parameters(each, divergence)
        if values is None:
            continue
        try:
            candidate = each.build(*values)
        except DivminError:
            continue
        if candidate.smooth == divergence.smooth and (factor := _factor(wanted, _fingerprint(candidate))):
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


def _fingerprint(divergence: Divergence) -> list[float]:
    at = numerics.float64(AT)
    return (divergence.weight(at) if divergence.smooth else divergence.s(at)).tolist()


def _factor(one: list[float], two: list[float]) -> float | None:
    """one / two when that is one number, snapped to the nearest short one; else None."""
    if any((x == 0) != (y == 0) for x, y in zip(one, two, strict=True)):
        return None
    ratios = [x / y for x, y in zip(one, two, strict=True) if y]
    middle = sorted(ratios)[len(ratios) // 2]
    if not all(math.isfinite(r) and abs(r / middle - 1) < CLOSE for r in ratios):
        return None
    return snapped(middle)


def snapped(x: float) -> float:
    """The nearest number of at most nine digits when x is that number but for rounding, else x."""
    short = float(f"{x:.9g}")
    return short if abs(short - x) <= 1e-11 * max(1.0, abs(x)) else x


def _parameters(entry: Entry, divergence: Divergence) -> tuple[float, ...] | None:
    if entry.guess is None or divergence.smooth is False:
        return None
    return tuple(snapped(value) for value in entry.guess(_Weight(divergence)))


@dataclass(frozen=True)
class _Weight:
    divergence: Divergence

    def log_ratio(self, d: float) -> float:
        return math.log(float(self.divergence.weight(d)) / self.divergence.scale) - 2 * d

    def log_slope(self, d: float) -> float:
        w = [float(self.divergence.weight(x)) for x in (d - 1.0, d + 1.0)]
        return math.log(w[1] / w[0]) / 2
