"""Per-sample losses of a raw critic output c, as records that can be called, printed and taken apart.

Written    text in c, or in D = sigma(c)
Bound      a_f(c) or b_f(c), one side of the variational bound on D_f
Valued     f(e^c), the divergence's own function at the critic's ratio
Minus, Blend, Clipped    made of other terms
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

from divmin import functions, numerics
from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.grammar import Binary, Call, Name, Negative, Node, Number, names, parse, plain, times, write
from divmin.slopes import values_are_known

Term = Callable[[Tensor], Tensor]
SETTLED = 5.0  # nats beyond which a difference of two numbers of size e^c is not taken


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
        wide = _wide(c)
        return (self._steep(wide) - self.f.b(wide) - self.affine).to(c.dtype)  # f = u a - b

    def _slope(self, c: Tensor) -> Tensor:
        return self._steep(_wide(c)).to(c.dtype)

    @cached_property
    def _settles(self) -> bool:
        """Whether f' + affine vanishes at infinity, as it does for most of the published forms."""
        return bool(self.affine) and abs(self.affine + float(self.f.s(math.inf))) < 1e-12

    def _steep(self, c: Tensor) -> Tensor:
        """u (f'(u) + affine) at u = e^c."""
        f = self.f
        product = c.exp() * (f.a(c) + self.affine)
        if self._settles:
            # integrated from infinity: -(integral of e^-t w(c + t) over t > 0)
            nodes, shares = (c.new_tensor(each) for each in _laguerre())
            far = (f.weight(c[..., None].clamp(min=SETTLED) + nodes) * shares).sum(-1).neg()
            product = far.where(c > SETTLED, product)
        usable = (c > 0) | product.isfinite()
        if values_are_known() and bool(usable.all()):
            return product
        left = c.clamp(max=0)  # where f' overflows before u vanishes: u a = f + b
        return product.where(usable, f.s(left) + f.b(left) + self.affine * left.exp())

    def __str__(self) -> str:
        extra = f" + {times(self.affine, 'exp(c)')}" if self.affine else ""
        return f"f[{self.f.name}](exp(c)){extra}"


@cache
def _laguerre() -> tuple[list[float], list[float]]:
    """Nodes and weights of the integral of e^-t times a function over t > 0."""
    import numpy as np

    nodes, shares = np.polynomial.laguerre.laggauss(32)
    return nodes.tolist(), shares.tolist()


def _wide(c: Tensor) -> Tensor:
    """Scores in float64, in which u f' is 0 * inf only far out, where the device has it."""
    return c if c.device.type == "mps" else c.double()


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


def derivative(term: object) -> Term | None:
    """The derivative of a term as a function of its own, without the term's value; None where autograd is as good.

    Example:
        >>> import divmin as dm
        >>> derivative(Bound(dm.divergence("js"), 0))(torch.tensor([0.0]))
        tensor([0.2500])
    """
    match term:
        case Bound(f, k) if f.smooth:  # b' = w, a' = e^-d w
            return (f.nonsaturating() if k else f).weight
        case Minus(inner):
            found = derivative(inner)
            return None if found is None else lambda c: -found(c)
    return None
