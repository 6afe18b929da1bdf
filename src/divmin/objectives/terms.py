"""Per-sample losses of a raw critic output c, as records that can be called, printed and taken apart.

Written    text in c, or in D = sigma(c)
Bound      a_f(c) or b_f(c), one side of the variational bound on D_f
Valued     f(e^c), the divergence's own function at the critic's ratio
Minus, Blend, Clipped    made of other terms
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from divmin import functions, numerics
from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.grammar import Binary, Call, Name, Negative, Node, Number, names, parse, plain, times, write
from divmin.slopes import values_are_known

Term = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Written:
    """A loss as text, in the grammar of divmin.grammar and the functions of divmin.functions.

    Args:
        text: an expression in c, the raw critic output, or in D = sigma(c); log(D) and log(1 - D) are read as the stable
            logsigmoid(c) and logsigmoid(-c).

    Raises:
        DivminError: text that cannot be read, or that does not depend on c.

    Example:
        >>> Written("-log(D)")(torch.tensor([0.0]))
        tensor([0.6931])
    """

    text: str

    def __post_init__(self) -> None:
        found = names(self.tree)
        if found != {"c"}:
            raise DivminError(
                f"the loss '{self.text}' must depend on the critic's output, called c (or on D, its sigmoid), and on nothing "
                f"else; got {', '.join(sorted(found)) or 'a number'}"
            )
        self(torch.zeros(1))  # an unknown function is an error now, not in the first step

    @cached_property
    def tree(self) -> Node:
        return in_logits(parse(self.text))

    def __call__(self, c: Tensor) -> Tensor:
        value = functions.evaluate(self.tree, {"c": c})
        assert isinstance(value, Tensor)  # it depends on c
        return value

    def __str__(self) -> str:
        return write(self.tree)


def in_logits(node: Node) -> Node:
    """A tree with D = sigma(c) written in c, stably where a logarithm is taken of D or 1 - D."""
    match node:
        case Call(name="log" | "ln", arguments=(Name("D"),)):
            return Call("logsigmoid", (Name("c"),))
        case Call(name="log" | "ln", arguments=(Binary("-", Number(1.0), Name("D")),)):
            return Call("logsigmoid", (Negative(Name("c")),))
        case Name("D"):
            return Call("sigmoid", (Name("c"),))
        case Call(name, arguments, keywords):
            return Call(name, tuple(map(in_logits, arguments)), keywords)
        case Binary(symbol, left, right):
            return Binary(symbol, in_logits(left), in_logits(right))
        case Negative(operand):
            return Negative(in_logits(operand))
    return node


@dataclass(frozen=True)
class Bound:
    """One side of the variational bound on D_f: a(c) on data (k = 1), b(c) on model samples (k = 0)."""

    f: Divergence
    k: int

    def __call__(self, c: Tensor) -> Tensor:
        return self.f.in_a_mean(c, self.k)

    def __str__(self) -> str:
        return f"{'ba'[self.k]}[{self.f.name}](c)"


@dataclass(frozen=True)
class Valued:
    """f(e^c) + affine (e^c - 1): the divergence's own function at the ratio that the critic reports.

    f itself has f(1) = f'(1) = 0, so `affine` is the slope at u = 1 of the function that is meant.
    """

    f: Divergence
    affine: float = 0.0

    def __call__(self, c: Tensor) -> Tensor:
        return numerics.smooth(c, self._value, self._slope)

    def _value(self, c: Tensor) -> Tensor:
        """f = u a - b, in float64 so that u a is 0 * inf only far out; there, and while values are unknown, by s."""
        wide = c if c.device.type == "mps" else c.double()
        value = wide.exp() * self.f.a(wide) - self.f.b(wide) if values_are_known() else wide * torch.nan
        if not values_are_known() or not bool(value.isfinite().all()):
            value = value.where(value.isfinite(), self.f.s(wide) * wide.clamp(min=0).exp())
        return (value + self.affine * wide.expm1() if self.affine else value).to(c.dtype)

    def _slope(self, c: Tensor) -> Tensor:
        """e^c f'(e^c) = u a, or f + b where that is 0 * inf."""
        product = c.exp() * (self.f.a(c) + self.affine)
        if values_are_known() and bool(product.isfinite().all()):
            return product
        both = self.f.s(c) * c.clamp(min=0).exp() + self.f.b(c) + self.affine * c.exp()
        return product.where(product.isfinite(), both)

    def __str__(self) -> str:
        extra = f" + {times(self.affine, 'exp(c)')}" if self.affine else ""
        return f"f[{self.f.name}](exp(c)){extra}"


@dataclass(frozen=True)
class Minus:
    """A term to be maximised: reduced first and negated as a scalar, which saves two passes over the batch."""

    term: Term

    def __call__(self, c: Tensor) -> Tensor:
        return -self.term(c)

    def __str__(self) -> str:
        return f"-{self.term}"


@dataclass(frozen=True)
class Blend:
    """A sum of multiples of terms."""

    parts: tuple[tuple[float, Term], ...]

    def __call__(self, c: Tensor) -> Tensor:
        total = torch.zeros_like(c)
        for factor, term in self.parts:
            total = total + factor * term(c)
        return total

    def __str__(self) -> str:
        return " + ".join(str(term) if factor == 1 else times(factor, str(term)) for factor, term in self.parts)


@dataclass(frozen=True)
class Clipped:
    """A term that sees the critic's output cut to [-limit, limit]."""

    term: Term
    limit: float

    def __call__(self, c: Tensor) -> Tensor:
        return self.term(c.clamp(-self.limit, self.limit))

    def __str__(self) -> str:
        return f"({self.term} at clamp(c, -{plain(self.limit)}, {plain(self.limit)}))"
