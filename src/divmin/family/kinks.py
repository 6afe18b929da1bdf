"""Divergences whose f has a kink, so that f'' is a point mass: hockey sticks, and total variation at gamma = 1.

They have a, b, s, f and f' (with the middle of the subdifferential at the kink), but no weight: asking for one is an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin.errors import DivminError
from divmin.family.algebra import not_smooth
from divmin.family.base import Divergence
from divmin.family.catalogue import Entry, register
from divmin.family.tails import Tails
from divmin.grammar import plain, times

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class HockeyStick(Divergence):
    """The divergence with f'' a point mass of size gain at u = gamma."""

    gamma: float
    gain: float = 1.0

    @property
    def smooth(self) -> bool:
        return False

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        raise not_smooth(self)

    def _slope(self, d: Tensor, k: int) -> Tensor:
        return d * 0

    def _integral(self, d: Tensor, k: int) -> Tensor:
        # T_k is a point mass of gamma^(1-k) at d = log gamma; on the kink itself half of it counts.
        at = math.log(self.gamma)
        half = (d - at).sign() + math.copysign(1, at) * (at != 0)
        return half.mul_(self.gain * self.gamma ** (1 - k) / 2).masked_fill_(d.isnan(), math.nan)  # sign forgets NaN

    def _s(self, d: Tensor, k: int) -> Tensor:
        size = self.gain * self.gamma**-k
        if self.gamma == 1:
            return d.abs().neg_().expm1_().mul_(-size / 2)
        if self.gamma > 1:  # f/u = 1 - gamma/u beyond the kink
            return (math.log(self.gamma) - d).expm1_().neg_().clamp_(min=0).mul_(size)
        return (d - math.log(self.gamma)).expm1_().neg_().clamp_(min=0).mul_(size * self.gamma)

    def _s_slope(self, d: Tensor) -> Tensor:
        return (d.clamp(max=0).exp() * self.a(d)).where(d < 0, (-d).clamp(max=0).exp() * self.b(d))

    @property
    def tails(self) -> Tails:
        return Tails(-math.inf, -math.inf, 0.0, 0.0)

    def _scaled(self, factor: float) -> Divergence:
        return replace(self, gain=self.gain * factor)

    def _member(self) -> tuple[str, tuple[float, ...]]:
        return "hockey_stick", (self.gamma,)

    def _written(self) -> str:
        return times(self.gain, f"hockey_stick({plain(self.gamma)})")

    def reverse(self) -> Divergence:
        return HockeyStick(1 / self.gamma, self.gain * self.gamma)


def hockey_stick(gamma: float) -> Divergence:
    if not 0 < gamma < math.inf:
        raise DivminError(f"hockey_stick(gamma) needs a finite gamma > 0; got {plain(gamma)}")
    return HockeyStick(float(gamma))


register(
    Entry(
        "total_variation",
        HockeyStick(1.0),
        "abs(u - 1)/2",
        "Total variation distance, half the integral of |p - q|, at most 1. Not smooth: f has a kink at u = 1.",
        "Nowozin et al. 2016, section 2",
        title="the total variation distance",
        aliases=("tv",),
    )
)
register(
    Entry(
        "hockey_stick",
        hockey_stick,
        "(abs(u - gamma) - (u - 1)*sign(1 - gamma) - abs(1 - gamma))/2",
        "Hockey-stick divergence, the integral of max(p - gamma q, 0) for gamma >= 1 (of max(gamma q - p, 0) below). Not smooth.",
        "Sason & Verdu 2016, section VII",
        title="the hockey-stick divergence",
        aliases=("e_gamma",),
        parameters=("gamma",),
        examples=((0.5,), (3.0,)),
    )
)
