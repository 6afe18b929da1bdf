"""Functions of u written as text: our own tree becomes a SymPy expression, and its second derivative a torch function.

SymPy only sees objects that are built from a fixed table of functions; it never parses text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from divmin import functions, grammar
from divmin.errors import DivminError
from divmin.family.custom import Custom, measured
from divmin.grammar import Node, parse

if TYPE_CHECKING:
    from torch import Tensor

FUNCTIONS = ("log", "ln", "exp", "sqrt", "abs", "sign")
LARGEST_TREE = 400


def is_function_of_u(node: Node) -> bool:
    """Whether a tree is arithmetic on u and nothing else, so that it means f(u)."""
    return grammar.names(node) == {"u"} and _calls(node) <= set(FUNCTIONS)


def from_text(text: str) -> Custom:
    """A divergence from f(u) as text; only f'' counts, so affine terms may be anything.

    Args:
        text: an expression in u with + - * / ^, log, exp, sqrt, abs.

    Raises:
        DivminError: when it cannot be read, is not convex (saying where), or is not finite at u = 1.

    Example:
        >>> from_text("u*log(u)").name
        'kl'
    """
    return _from_node(parse(text), text.strip())


def from_curvature_text(text: str, label: str) -> Custom:
    """A divergence from f''(u) as text.

    Args:
        text: an expression in u, positive.
        label: what to print.

    Raises:
        DivminError: when it cannot be read, or is not positive and finite on enough of the range.

    Example:
        >>> from_curvature_text("3/u^2", "mine").name
        '3*reverse_kl'
    """
    second = to_sympy(parse(text), {})
    return measured(lambda d: _log_abs(second, d), label, label)


@lru_cache(maxsize=64)
def _from_node(node: Node, text: str) -> Custom:
    import sympy

    expression = to_sympy(node, {})
    second = sympy.diff(expression, _symbol(), 2)
    if second.has(sympy.DiracDelta, sympy.Derivative, sympy.Abs, sympy.sign):
        raise DivminError(
            f"f(u) = {text} has a kink; among divergences that are not smooth, total_variation and hockey_stick(gamma) are known"
        )
    if sum(1 for _ in sympy.preorder_traversal(second)) <= LARGEST_TREE:
        second = sympy.factor(second)  # one fraction: 1/u - 1/(u+1) would lose every digit far out
    return measured(lambda d: _log_abs(second, d), text, text)


def f_latex(text: str, values: Mapping[str, float]) -> str:
    """LaTeX of f(u) as written in the catalogue, with its parameters put in."""
    import sympy

    numbers = {name: sympy.Rational(str(value)) for name, value in values.items()}
    return str(sympy.latex(to_sympy(parse(text), numbers)))


def to_sympy(node: Node, values: Mapping[str, Any]) -> Any:
    """The SymPy object for a tree in u and the given names."""
    return functions.to_sympy(node, {"u": _symbol(), **values})


@lru_cache(maxsize=1)
def _symbol() -> Any:
    import sympy

    return sympy.Symbol("u", positive=True)


def _calls(node: Node) -> set[str]:
    match node:
        case grammar.Call(name, arguments, _):
            return {name}.union(*map(_calls, arguments))
        case grammar.Binary(_, left, right):
            return _calls(left) | _calls(right)
        case grammar.Negative(operand):
            return _calls(operand)
    return set()


def _log_abs(expression: Any, d: Tensor) -> tuple[Tensor, Tensor]:
    """log |expression| and its sign at u = e^d; products and powers are summed as logarithms, so that they cannot overflow."""
    import sympy

    if expression == _symbol():
        return d, d * 0 + 1
    if isinstance(expression, sympy.Mul):
        parts = [_log_abs(factor, d) for factor in expression.args]
        log, sign = parts[0]
        for more, other in parts[1:]:
            log, sign = log + more, sign * other
        return log, sign
    if isinstance(expression, sympy.Pow) and expression.exp.is_number:
        log, sign = _log_abs(expression.base, d)
        power = float(expression.exp)
        whole = power == int(power)
        return power * log, sign ** int(power) if whole else sign.clamp(min=0).masked_fill(sign < 0, math.nan)
    value = _value(expression, d.exp())
    return value.abs().log(), value.sign()


def _value(expression: Any, u: Tensor) -> Tensor:
    """The expression at u, by walking the SymPy tree."""
    import sympy

    if expression == _symbol():
        return u
    if expression.is_number:
        return u * 0 + float(expression)
    parts = [_value(part, u) for part in expression.args]
    if isinstance(expression, sympy.Add | sympy.Mul):
        total = parts[0]
        for part in parts[1:]:
            total = total + part if isinstance(expression, sympy.Add) else total * part
        return total
    if isinstance(expression, sympy.Pow):
        return parts[0] ** (float(expression.exp) if expression.exp.is_number else parts[1])
    if isinstance(expression, sympy.log | sympy.exp):
        return parts[0].log() if isinstance(expression, sympy.log) else parts[0].exp()
    raise DivminError(f"cannot evaluate '{type(expression).__name__}' in a second derivative")
