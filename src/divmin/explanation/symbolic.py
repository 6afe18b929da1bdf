"""F'' in closed form, for losses whose terms are known as formulas; nothing here is needed for the numeric answer.

Only derivatives of the losses count, so a term is known by its slope. With rational slopes in y = c or y = e^(c/n) the best
critic solves a polynomial of degree one or two in y.
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import Any, TypeVar

from divmin import functions
from divmin.errors import DivminError
from divmin.family import Divergence, Tails
from divmin.family.algebra import Reversed, Skewed, Sum, Tilted
from divmin.family.custom import Custom
from divmin.family.mixture import MixturePower
from divmin.family.power import Power
from divmin.grammar import Node, parse
from divmin.objectives import Recipe
from divmin.objectives.terms import Blend, Bound, Minus, Term, Valued, Written

Expression = Any  # a SymPy expression
Found = TypeVar("Found")
LARGEST_DENOMINATOR = 10**6  # of a parameter; other numbers would make formulas of twenty digits
LARGEST = 300  # nodes of an expression beyond which it is nothing that anybody reads


class _TimeIsUp(BaseException):
    """Thrown into a computation that takes too long."""


def within(seconds: float, work: Callable[[], Found]) -> Found | None:
    """The result of some pure-Python work, or None when it takes longer; the work is stopped then.

    Example:
        >>> within(5, lambda: 2 + 2)
        4
    """
    result: list[Found] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            result.append(work())
        except (_TimeIsUp, _NoFormula):
            pass
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive() and thread.ident is not None:
        # SymPy has no time limit of its own; CPython can raise an exception in another thread.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_TimeIsUp))
        return None
    if failed:
        raise failed[0]
    return result[0] if result else None


class _NoFormula(Exception):
    """There is no closed form that anybody would read."""


@dataclass(frozen=True)
class Closed:
    """F'' as text in u, and the best critic's output in u."""

    curvature: str
    link: str


def closed_form(recipe: Recipe, seconds: float = 10.0) -> Closed | None:
    """F''(u) of a recipe whose terms are formulas; None where none is found in time.

    Example:
        >>> import divmin as dm
        >>> closed_form(dm.recipe("lsgan")).curvature
        '1/(u*(u + 1)^3)'
    """
    return within(seconds, lambda: solved(recipe))


def of_divergence(f: Divergence, seconds: float = 10.0) -> str | None:
    """f''(u) of a member of the catalogue or its algebra, as text."""

    def work() -> str | None:
        found = curvature(f, _symbols()[0])
        return None if found is None else _text(_tidy(found))

    return within(seconds, work)


def exact_tails(curvature_text: str, seconds: float = 10.0) -> Tails | None:
    """Tail weights of an F'' given as text, where it is a power law at both ends; None where no limits are found in time.

    Example:
        >>> str(exact_tails("1/(u*(u + 1)^3)"))
        '(1, -1)'
    """
    u = _symbols()[0]
    return within(seconds, lambda: _tails(functions.to_sympy(parse(curvature_text), {"u": u}), u))


def of_text(node: Node, weight: Callable[[Expression, Expression], Expression], seconds: float = 10.0) -> Closed | None:
    """F''(u) for a function written in d (or c, where they are equal) and u, from which the weight is made.

    Args:
        node: the function.
        weight: makes w from the function and its variable, as SymPy expressions.
        seconds: how long to try.
    """

    def work() -> Closed | None:
        import sympy

        u, d, _ = _symbols()
        found = weight(functions.to_sympy(node, {"d": d, "c": d, "u": sympy.exp(d)}), d)
        if found.has(*_not_smooth()):
            return None
        return Closed(_text(_tidy((found / u**2).subs(d, sympy.log(u)))), "log(u)")

    return within(seconds, work)


# --- what is known of terms and divergences ---------------------------------------------------------------------------------


@singledispatch
def slope(term: object, c: Expression) -> Expression | None:
    """The derivative of a term with respect to the critic's output; None where no formula is known."""
    return None


@slope.register
def _(term: Written, c: Expression) -> Expression | None:
    import sympy

    found = sympy.diff(functions.to_sympy(term.tree, {"c": c}), c)
    return None if found.has(*_not_smooth()) else found


@slope.register
def _(term: Minus, c: Expression) -> Expression | None:
    inner = slope(term.term, c)
    return None if inner is None else -inner


@slope.register
def _(term: Bound, c: Expression) -> Expression | None:
    import sympy

    found = curvature(term.f, sympy.exp(c))
    return None if found is None else sympy.exp((2 - term.k) * c) * found


@slope.register
def _(term: Valued, c: Expression) -> Expression | None:
    import sympy

    u = sympy.Symbol("u", positive=True)
    second = curvature(term.f, u)
    if second is None:
        return None
    first = sympy.integrate(sympy.expand(second), u)
    if first.has(sympy.Integral):
        return None
    first = first - first.subs(u, 1) + _number(term.affine)
    return sympy.exp(c) * first.subs(u, sympy.exp(c))


@slope.register
def _(term: Blend, c: Expression) -> Expression | None:
    parts = [(factor, slope(inner, c)) for factor, inner in term.parts]
    if any(inner is None for _, inner in parts):
        return None
    return sum(_number(factor) * inner for factor, inner in parts)


@singledispatch
def curvature(f: Divergence, u: Expression) -> Expression | None:
    """f'' at u; None where no formula is known."""
    return None


@curvature.register
def _(f: Power, u: Expression) -> Expression | None:
    return _number(f.gain) * u ** (_number(f.alpha) - 2)


@curvature.register
def _(f: MixturePower, u: Expression) -> Expression | None:
    pi = _number(f.pi)
    return _number(f.gain) * u ** (f.n - 2) * (pi * u + 1 - pi) ** -f.j


@curvature.register
def _(f: Sum, u: Expression) -> Expression | None:
    one, two = curvature(f.first, u), curvature(f.second, u)
    return None if one is None or two is None else one + two


@curvature.register
def _(f: Reversed, u: Expression) -> Expression | None:
    inner = curvature(f.base, 1 / u)
    return None if inner is None else inner / u**3


@curvature.register
def _(f: Tilted, u: Expression) -> Expression | None:
    inner = curvature(f.base, u)
    return None if inner is None else inner / u**f.j


@curvature.register
def _(f: Skewed, u: Expression) -> Expression | None:
    pi = _number(f.pi)
    mixed = pi * u + 1 - pi
    inner = curvature(f.base, u / mixed)
    return None if inner is None else inner / mixed**3


@curvature.register
def _(f: Custom, u: Expression) -> Expression | None:
    import sympy

    try:
        symbol = sympy.Symbol("u", positive=True)
        written = functions.to_sympy(parse(f.label), {"u": symbol})
    except DivminError:  # the label of a Python function is a name
        return None
    return _number(f.gain) * sympy.diff(written, symbol, 2).subs(symbol, u)


# --- solving ----------------------------------------------------------------------------------------------------------------


def _symbols() -> tuple[Expression, Expression, Expression]:
    import sympy

    return sympy.Symbol("u", positive=True), sympy.Symbol("c", real=True), sympy.Symbol("y", positive=True)


def _not_smooth() -> tuple[Any, ...]:
    import sympy

    return (sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Derivative, sympy.Heaviside, sympy.DiracDelta)


def _number(x: float) -> Expression:
    """A parameter as a fraction, or as a multiple of log 2, which Poole's f for the usual GAN has at u = 1."""
    import sympy

    for unit, size in ((sympy.Integer(1), 1.0), (sympy.log(2), math.log(2))):
        fraction = Fraction(x / size).limit_denominator(LARGEST_DENOMINATOR)
        if abs(float(fraction) * size - x) <= 1e-15 * abs(x):
            return sympy.Rational(fraction.numerator, fraction.denominator) * unit
    raise _NoFormula


def solved(recipe: Recipe) -> Closed | None:
    import sympy

    u, c, y = _symbols()
    real, fake, generator = (slope(term, c) for term in (recipe.real, recipe.fake, recipe.generator))
    if real is None or fake is None or generator is None or real == 0:
        return None
    ratio = -fake / real
    n = _root(ratio, c)
    if n is None:
        return None
    # y = c or y = e^(c/n); d/dc is d/dy or (y/n) d/dy.
    as_y = (lambda e: e.subs(c, y)) if n == 0 else (lambda e: _in_exponential(e, c, y, n))
    rate = sympy.Integer(1) if n == 0 else y / n
    top, bottom = sympy.fraction(sympy.cancel(sympy.together(as_y(ratio))))
    best = _best(sympy.Poly(top - u * bottom, y), recipe, n)
    if best is None:
        return None
    log_ratio = sympy.cancel(sympy.together(top / bottom))
    turning = rate * sympy.diff(log_ratio, y) / log_ratio  # dd/dc
    weight = -as_y(generator) / turning
    if recipe.likelihood is not None:
        data, data_slope = functions.to_sympy(_tree(recipe.likelihood), {"c": c}), slope(recipe.likelihood, c)
        weight = weight + u * (as_y(data) + as_y(data_slope) / turning)
    if weight.has(c):
        weight = weight.subs(c, y if n == 0 else n * sympy.log(y))
    found = _tidy((weight / u**2).subs(y, best))
    link = _tidy(best) if n == 0 else n * sympy.log(_tidy(best))
    if sum(1 for _ in sympy.preorder_traversal(found)) > LARGEST:
        return None
    return Closed(_text(found), _text(link))


def _tree(term: Term) -> Any:
    if not isinstance(term, Written):
        raise DivminError(f"the data term {term} is not a formula")
    return term.tree


def _root(ratio: Expression, c: Expression) -> int | None:
    """0 when the ratio is rational in c, n when it is rational in e^(c/n), else None."""
    import sympy

    exponents = [each.exp if isinstance(each, sympy.Pow) else each.args[0] for each in ratio.atoms(sympy.exp)]
    if not exponents:
        return 0 if ratio.is_rational_function(c) else None
    n = 1
    for exponent in exponents:
        linear = sympy.Poly(exponent, c) if exponent.is_polynomial(c) else None
        if linear is None or linear.degree() != 1 or not linear.LC().is_rational:
            return None
        n = int(sympy.ilcm(n, linear.LC().q))
    y = sympy.Symbol("y", positive=True)
    return n if not _in_exponential(ratio, c, y, n).has(c) else None


def _in_exponential(expression: Expression, c: Expression, y: Expression, n: int) -> Expression:
    """An expression with y^(kn) in the place of every e^(kc)."""
    import sympy

    def replaced(argument: Expression) -> Expression:
        linear = sympy.Poly(argument, c)
        k, rest = linear.coeff_monomial(c), linear.coeff_monomial(1)
        return y ** (k * n) * sympy.exp(rest)

    return expression.replace(lambda e: isinstance(e, sympy.exp) and e.has(c), lambda e: replaced(e.args[0]))


def _best(polynomial: Any, recipe: Recipe, n: int) -> Expression | None:
    """The root that is the critic's optimum, told by its value at u = 2."""
    import sympy

    u = sympy.Symbol("u", positive=True)
    if polynomial.degree() == 1:
        a, b = polynomial.all_coeffs()
        return -b / a
    if polynomial.degree() != 2:
        return None
    a, b, k = polynomial.all_coeffs()
    root = sympy.sqrt(sympy.factor(b**2 - 4 * a * k))
    wanted = _measured_best(recipe)
    for sign in (1, -1):
        candidate = (-b + sign * root) / (2 * a)
        value = complex(candidate.subs(u, 2))
        output = value.real if n == 0 else n * float(sympy.log(value.real)) if value.real > 0 else None
        if abs(value.imag) < 1e-12 and output is not None and abs(output - wanted) < 1e-6:
            return candidate
    return None


def _measured_best(recipe: Recipe) -> float:
    import torch

    from divmin.explanation.critic import critic
    from divmin.explanation.probe import probe

    best = critic(probe(recipe.real, "the critic's loss on data"), probe(recipe.fake, "the critic's loss on samples"))
    return float(best.best(torch.tensor([math.log(2.0)], dtype=torch.float64)).c)


def _tidy(expression: Expression) -> Expression:
    import sympy

    simple = sympy.together(sympy.powsimp(sympy.expand_log(expression)))
    if simple.is_rational_function():
        return sympy.factor(sympy.cancel(simple))
    return min(simple, sympy.factor(simple), key=sympy.count_ops)


def _text(expression: Expression) -> str:
    import sympy

    if isinstance(expression, sympy.Pow) and expression.exp.is_negative:
        below = 1 / expression
        return f"1/({_text(below)})" if below.is_Add else f"1/{_text(below)}"
    return str(sympy.sstr(expression)).replace("**", "^")


def _tails(found: Expression, u: Expression) -> Tails | None:
    """Exact tail weights, when the power laws of F'' at 0 and infinity are found."""
    import sympy

    rate = sympy.simplify(u * sympy.diff(found, u) / found)
    R, S = -sympy.limit(rate, u, 0, "+"), sympy.limit(rate, u, sympy.oo) + 3
    if not (R.is_number and S.is_number and R.is_finite and S.is_finite):
        return None
    C, D = sympy.limit(found * u**R, u, 0, "+"), sympy.limit(found * u ** (3 - S), u, sympy.oo)
    if not all(each.is_number and each.is_finite and each.is_positive for each in (C, D)):
        return None  # a logarithm beside the power
    return Tails(*(float(each) for each in (R, S, C, D)))
