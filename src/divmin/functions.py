"""What the functions in expressions mean: one table, read on tensors and as SymPy objects.

A tree of `divmin.grammar` is walked; SymPy only sees objects that are built here, and nothing is ever evaluated as Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from divmin.errors import DivminError, suggest
from divmin.grammar import Binary, Call, Name, Negative, Node, Number, plain

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_POWER = 100


@dataclass(frozen=True)
class Function:
    """One function: how many arguments, and its two meanings."""

    count: int
    on_tensors: Callable[..., Tensor]
    symbolic: Callable[..., Any]


def evaluate(node: Node, values: Mapping[str, Tensor]) -> Tensor | float:
    """The value of a tree at tensors; a tree without names is a number.

    Args:
        node: the tree.
        values: what the names stand for, tensors of one shape.

    Raises:
        DivminError: a name or function that is not known.

    Example:
        >>> import torch
        >>> from divmin.grammar import parse
        >>> evaluate(parse("softplus(-c) + 1"), {"c": torch.tensor([0.0])})
        tensor([1.6931])
    """
    match node:
        case Number(value):
            return value
        case Name(text):
            return _named(text, values)  # type: ignore[no-any-return]
        case Negative(operand):
            return -evaluate(operand, values)
        case Binary(symbol, left, right):
            return _ON_TENSORS[symbol](evaluate(left, values), evaluate(right, values))  # type: ignore[no-any-return]
        case Call():
            function = called(node)
            arguments = [evaluate(each, values) for each in node.arguments]
            if not any(hasattr(each, "dtype") for each in arguments):
                import torch

                arguments = [torch.tensor(each, dtype=torch.float64) for each in arguments]
                return float(function.on_tensors(*arguments))
            return function.on_tensors(*arguments)


def to_sympy(node: Node, values: Mapping[str, Any]) -> Any:
    """The SymPy object of a tree, with SymPy objects for its names.

    Raises:
        DivminError: an unknown name or function, a division by zero, or a power too large to work with.
    """
    import sympy

    match node:
        case Number(value):
            return sympy.Integer(int(value)) if value == int(value) else sympy.Rational(str(value))
        case Name(text):
            return _named(text, values)
        case Negative(operand):
            return -to_sympy(operand, values)
        case Binary(symbol, left, right):
            return _combine(symbol, to_sympy(left, values), to_sympy(right, values))
        case Call():
            return called(node).symbolic(*(to_sympy(each, values) for each in node.arguments))


def called(node: Call) -> Function:
    """The function of a call, with as many arguments as it takes.

    Raises:
        DivminError: an unknown function, or a wrong number of arguments.
    """
    function = table().get(node.name)
    if function is None:
        raise DivminError(f"unknown function '{node.name}': {suggest(node.name, tuple(table()))}")
    got = len(node.arguments) + len(node.keywords)
    if got != function.count or node.keywords:
        wanted = "one argument" if function.count == 1 else f"{function.count} arguments"
        raise DivminError(f"{node.name} takes {wanted}; got {got}")
    return function


@cache
def table() -> dict[str, Function]:
    """Name to function."""

    def of_torch(name: str) -> Callable[[Tensor], Tensor]:
        def apply(x: Tensor) -> Tensor:
            from torch.nn import functional

            return getattr(functional, name)(x)  # type: ignore[no-any-return]

        return apply

    def of_sympy(name: str) -> Callable[..., Any]:
        def apply(*x: Any) -> Any:
            import sympy

            return getattr(sympy, name)(*x)

        return apply

    def larger(x: Any, y: Any) -> Any:
        return x.clamp(min=y) if hasattr(x, "dtype") else y.clamp(min=x)

    def smaller(x: Any, y: Any) -> Any:
        return x.clamp(max=y) if hasattr(x, "dtype") else y.clamp(max=x)

    exp, log, most, least = (of_sympy(name) for name in ("exp", "log", "Max", "Min"))
    natural = Function(1, lambda x: x.log(), log)
    return {
        "log": natural,
        "ln": natural,
        "exp": Function(1, lambda x: x.exp(), exp),
        "sqrt": Function(1, lambda x: x.sqrt(), of_sympy("sqrt")),
        "abs": Function(1, lambda x: x.abs(), of_sympy("Abs")),
        "sign": Function(1, lambda x: x.sign(), of_sympy("sign")),
        "tanh": Function(1, lambda x: x.tanh(), lambda x: (exp(2 * x) - 1) / (exp(2 * x) + 1)),
        "sigmoid": Function(1, lambda x: x.sigmoid(), lambda x: exp(x) / (1 + exp(x))),
        "logsigmoid": Function(1, of_torch("logsigmoid"), lambda x: -log(1 + exp(-x))),
        "softplus": Function(1, of_torch("softplus"), lambda x: log(1 + exp(x))),
        "relu": Function(1, lambda x: x.relu(), lambda x: most(0, x)),
        "max": Function(2, larger, most),
        "min": Function(2, smaller, least),
        "clamp": Function(3, lambda x, low, high: x.clamp(low, high), lambda x, low, high: least(most(x, low), high)),
    }


_ON_TENSORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


def _named(text: str, values: Mapping[str, Any]) -> Any:
    if text not in values:
        raise DivminError(f"unknown name '{text}': only {' and '.join(values)} may stand here")
    return values[text]


def _combine(symbol: str, left: Any, right: Any) -> Any:
    if symbol == "^":
        if right.is_number and not -LARGEST_POWER <= float(right) <= LARGEST_POWER:
            raise DivminError(f"the exponent {plain(float(right))} is too large; at most {LARGEST_POWER} is read")
        if left.is_number and right.is_number and left == 0 and right < 0:
            raise DivminError(f"division by zero in '{left}^({right})'")
        return left**right
    if symbol == "/" and right == 0:
        raise DivminError(f"division by zero in '{left}/{right}'")
    return _ON_TENSORS[symbol](left, right)
