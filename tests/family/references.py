"""Independent references: f as the catalogue writes it in text, differentiated by SymPy and evaluated with mpmath.

The text of f and the members' closed forms in d are two descriptions; nothing here looks at the second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import sympy

from divmin.family.catalogue import Entry, entries
from divmin.family.text import to_sympy
from divmin.grammar import parse

U = sympy.Symbol("u", positive=True)
Parameters = tuple[float, ...]


def cases() -> list[tuple[Entry, Parameters]]:
    """Every entry at every example whose text formula is defined (families have 0/0 at their limits)."""
    return [
        (entry, values)
        for entry in entries().values()
        for values in entry.examples
        if not (entry.parameters and values[0] in (0.0, 1.0) and entry.name != "t_power")
    ]


def smooth_cases() -> list[Any]:
    """The cases that have a weight, as pytest parameters with readable ids."""
    import pytest

    return [
        pytest.param(entry, values, id=entry.spelling(values))
        for entry, values in cases()
        if entry.build(*values).smooth
    ]


def f_of_u(entry: Entry, values: Parameters) -> sympy.Expr:
    """f(u) of an entry, with its parameters as the exact rationals that the floats are."""
    numbers = {name: sympy.Rational(value) for name, value in zip(entry.parameters, values, strict=True)}
    return to_sympy(parse(entry.f), numbers)


@cache
def functions(f: sympy.Expr) -> tuple[Callable[[mpmath.mpf], mpmath.mpf], ...]:
    """f and its first three derivatives, for mpmath."""
    return tuple(sympy.lambdify(U, sympy.diff(f, U, n) if n else f, "mpmath", cse=True) for n in range(4))


def _evaluated(f: sympy.Expr, u: mpmath.mpf) -> tuple[mpmath.mpf, ...]:
    return tuple(mpmath.mpf(each(u)) for each in functions(f))


@cache
def at_log_ratio(f: sympy.Expr, d: float) -> dict[str, mpmath.mpf]:
    """Every function of d and its slope at the exact binary number d."""
    # Digits for what cancels: f loses 2 log10(1/|d|) of them near 0, and f'' as much as u^2 far out.
    with mpmath.workdps(int(160 + 1.6 * abs(d))):
        u = mpmath.exp(mpmath.mpf(d))
        f0, f1, f2, f3 = _evaluated(f, u)
        b = u * f1 - f0
        found = {
            "weight": u**2 * f2,
            "a": f1,
            "b": b,
            "s": f0 / max(u, 1),
            "weight'": 2 * u**2 * f2 + u**3 * f3,
            "a'": u * f2,
            "b'": u**2 * f2,
            "s'": u * f1 if d < 0 else b / u,
        }
    with mpmath.workdps(40):
        return {name: +value for name, value in found.items()}


@cache
def at_ratio(f: sympy.Expr, u: float) -> dict[str, mpmath.mpf]:
    """f, f' and f'' at the exact binary number u."""
    with mpmath.workdps(int(160 + 3 * abs(mpmath.log10(u)))):
        f0, f1, f2, _ = _evaluated(f, mpmath.mpf(u))
    with mpmath.workdps(40):
        return {"f": +f0, "df": +f1, "d2f": +f2}
