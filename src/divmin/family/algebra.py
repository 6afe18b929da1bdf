"""The algebra of divergences: each operation is exact on weights, integrals, the s representation and tails.

    sum              w1(d) + w2(d)
    reverse          e^d w(-d)
    skew             K (1 - pi) w(d') sigma(-d - logit pi),   d' = log p/m = d - log(pi e^d + 1 - pi)
    non-saturating   e^-d w(d)

All are linear, so a factor k is handed down to the members, which hold it as their gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import NotSmoothError
from divmin.family.base import Divergence
from divmin.family.member import mirrored
from divmin.family.mixture import mixture_weight
from divmin.family.tails import Tails
from divmin.grammar import plain

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.family.member import Rough


@dataclass(frozen=True)
class _Of(Divergence):
    """Something done to one divergence."""

    base: Divergence

    @property
    def smooth(self) -> bool:
        return self.base.smooth

    def _scaled(self, factor: float) -> Divergence:
        return replace(self, base=self.base._scaled(factor))


@dataclass(frozen=True)
class Sum(Divergence):
    """The sum of two divergences."""

    first: Divergence
    second: Divergence

    @property
    def smooth(self) -> bool:
        return self.first.smooth and self.second.smooth

    def _scaled(self, factor: float) -> Divergence:
        return Sum(self.first._scaled(factor), self.second._scaled(factor))

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        return self.first._tilted(d, k) + self.second._tilted(d, k)

    def _slope(self, d: Tensor, k: int) -> Tensor:
        return self.first._slope(d, k) + self.second._slope(d, k)

    def _integral(self, d: Tensor, k: int) -> Tensor:
        return self.first._integral(d, k).add_(self.second._integral(d, k))  # same signs: nothing cancels

    def _rough(self, k: int) -> Rough | None:
        one, two = self.first._rough(k), self.second._rough(k)
        if one is None or two is None:
            return None

        def both(d: Tensor) -> tuple[Tensor, Tensor]:
            (value, slope), (more, steeper) = one(d), two(d)
            return value.add_(more), slope.add_(steeper)

        return both

    def _s(self, d: Tensor, k: int) -> Tensor:
        return self.first._s(d, k).add_(self.second._s(d, k))

    @property
    def tails(self) -> Tails:
        one, two = self.first.tails, self.second.tails
        R, C = _heavier((one.R, one.C), (two.R, two.C))
        S, D = _heavier((one.S, one.D), (two.S, two.D))
        measured = [t.confidence for t in (one, two) if t.confidence is not None]
        return Tails(R, S, C, D, max(measured) if measured else None)

    def _written(self) -> str:
        return f"{self.first.expression} + {self.second.expression}"


def _heavier(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """The larger weight with its constant; constants add on a tie."""
    return (one[0], one[1] + two[1]) if one[0] == two[0] else max(one, two)


@dataclass(frozen=True)
class Reversed(_Of):
    """D(q, p) in place of D(p, q): A_k becomes -A_(1-k)(-d)."""

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        return self.base._tilted(-d, 1 - k)

    def _slope(self, d: Tensor, k: int) -> Tensor:
        return self.base._slope(-d, 1 - k)

    def _integral(self, d: Tensor, k: int) -> Tensor:
        return self.base._integral(-d, 1 - k).neg_()

    def _rough(self, k: int) -> Rough | None:
        return mirrored(self.base._rough(1 - k))

    def _s(self, d: Tensor, k: int) -> Tensor:
        return self.base._s(-d, -k)

    @property
    def tails(self) -> Tails:
        t = self.base.tails
        return Tails(t.S, t.R, t.D, t.C, t.confidence)

    def _written(self) -> str:
        return f"reverse({self.base.expression})"

    def reverse(self) -> Divergence:
        return self.base


@dataclass(frozen=True)
class Tilted(_Of):
    """Weight e^-jd w(d): the non-saturating counterpart, j times over."""

    j: int

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        return self.base._tilted(d, k + self.j)

    def _slope(self, d: Tensor, k: int) -> Tensor:
        return self.base._slope(d, k + self.j)

    def _integral(self, d: Tensor, k: int) -> Tensor:
        return self.base._integral(d, k + self.j)

    def _rough(self, k: int) -> Rough | None:
        return self.base._rough(k + self.j)

    def _s(self, d: Tensor, k: int) -> Tensor:
        return self.base._s(d, k + self.j)

    @property
    def tails(self) -> Tails:
        t = self.base.tails
        return Tails(t.R + self.j, t.S - self.j, t.C, t.D, t.confidence)

    def _written(self) -> str:
        return "nonsaturating(" * self.j + self.base.expression + ")" * self.j

    def nonsaturating(self) -> Divergence:
        return Tilted(self.base, self.j + 1)


@dataclass(frozen=True)
class Skewed(_Of):
    """D(p, pi p + (1 - pi) q) / (1 - pi)^2.

    With K = 1/(1-pi)^2, u' = e^d' = u/(pi u + 1 - pi) and h = 1 - pi u' = sigma(-d - logit pi):
    T_k(d) = K (1-pi)^(1-k) T'_k(d') h^(1+k), where T' is the weight of the base.
    """

    pi: float

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        inner, held = self._inner(d), self._held(d)
        return self._gain(k) * self.base._tilted(inner, k) * held ** (1 + k)

    def _slope(self, d: Tensor, k: int) -> Tensor:
        return self._gain(k) * self.base._slope(self._inner(d), k) * self._held(d) ** (1 + k)

    def _integral(self, d: Tensor, k: int) -> Tensor:
        # e^-kd = (e^-d' - pi)^k / (1 - pi)^k: a binomial sum over the base's integrals while it has few terms of
        # one size (at pi = 1/2 each step costs a bit or two), and the integral itself beyond.
        if not 0 <= k <= 2 or ((1 + self.pi) / (1 - self.pi)) ** k > 10:
            return super()._integral(d, k)
        inner = self._inner(d)
        total = self.base._integral(inner, k)
        for i in range(1, k + 1):
            total = total + math.comb(k, i) * (-self.pi) ** i * self.base._integral(inner, k - i)
        # far left the powers overflow one after the other: the leading one decides
        total = total.where(total.isnan().logical_not() | d.isnan(), self.base._integral(inner, k))
        return total.mul_(self._gain(k))

    def _s(self, d: Tensor, k: int) -> Tensor:
        if k != 0:
            return super()._s(d, k)
        ratio = d.clamp(max=0).exp().mul_(self.pi).add_(1 - self.pi)  # m/q where p < q, 1 (the larger side) elsewhere
        return self.base._s(self._inner(d), 0).mul_(ratio.masked_fill(d > 0, 1.0)).div_((1 - self.pi) ** 2)

    @property
    def tails(self) -> Tails:
        t, left = self.base.tails, (1 - self.pi) ** (self.base.tails.R - 3)
        if self.pi == 0:
            return t
        if not self.smooth:
            return Tails(t.R, -math.inf, t.C * left, 0.0, t.confidence)
        top = float(self.base._tilted(numerics.float64(-math.log(self.pi)), 0))
        return Tails(t.R, 0.0, t.C * left, top / self.pi, t.confidence)

    def _written(self) -> str:
        inner = self.base.expression
        return f"soften({inner})" if self.pi == 0.5 else f"skew({inner}, {plain(self.pi)})"

    def _gain(self, k: int) -> float:
        return float((1 - self.pi) ** (-1 - k))

    def _inner(self, d: Tensor) -> Tensor:
        """d' = log p/m = d - log(pi e^d + 1 - pi) = -log(pi + (1 - pi) e^-d), with slope h."""
        return numerics.smooth(d, lambda x: numerics.log_share(self.pi, 1 - self.pi, x), self._held)

    def _held(self, d: Tensor) -> Tensor:
        """h = (1 - pi) / (pi e^d + 1 - pi), the share of the model in the mixture."""
        return (1 - self.pi) * mixture_weight(d, 0, 1, (self.pi, 1 - self.pi))


def not_smooth(divergence: Divergence) -> NotSmoothError:
    """The error for asking a weight of a divergence with kinks."""
    return NotSmoothError(
        f"{divergence.expression} has no weight or f'': its f has a kink, where f'' is a point mass; a, b, s, f and f' exist"
    )
