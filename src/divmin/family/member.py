"""What a member of the family gives: its weight under any tilt, T_k(d) = e^-kd w(d), and its tails.

The rest is integrated here, slowly and without cancellation; members with closed forms override the integrals, and tests
compare the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.family.tails import Tails

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from divmin.family.base import Divergence

    Rough = Callable[[Tensor], tuple[Tensor, Tensor]]

FAR = 1e4  # a log-ratio at which every bounded integral of the catalogue has reached its limit


@dataclass(frozen=True)
class Member:
    """The part of a Divergence that differs from member to member."""

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        """T_k(d) = e^-kd w(d), differentiable, overflowing only where it must."""
        raise NotImplementedError(f"{type(self).__name__} must say what its weight is")

    def _integral(self, d: Tensor, k: int) -> Tensor:
        """A_k(d), the integral of T_k from 0 to d: b for k = 0, a for k = 1. Never differentiated."""
        at_infinity = self._growth(k)
        area = numerics.integrate(lambda x: self._tilted(x, k), d.clamp(-FAR, FAR).where(d.isinf(), d))
        return _at_infinite(area, d, *at_infinity)

    def _s(self, d: Tensor, k: int) -> Tensor:
        """The symmetry-preserving representation of the k-tilted divergence, min(1, e^-d) f(e^d). Never differentiated."""
        far = d.clamp(-FAR, FAR).where(d.isinf(), d)

        def left(x: Tensor) -> Tensor:  # f(e^d) = integral from d to 0 of (1 - e^(d-x)) T_k(x) dx
            return (far - x).expm1() * self._tilted(x, k)

        def right(x: Tensor) -> Tensor:  # e^-d f(e^d) = integral from 0 to d of (e^-x - e^-d) T_k(x) dx
            return -(x - far).expm1() * self._tilted(x, k + 1)

        negative = far < 0
        area = numerics.integrate(lambda x: left(x.clamp(max=0)).where(negative, right(x.clamp(min=0))), far)
        tails = self.tails
        return _at_infinite(area, d, tails.R + k >= 2, tails.S - k >= 2)

    def _rough(self, k: int) -> Rough | None:
        """A function d -> (A_k(d), T_k(d)) that shares what the two need, for `in_a_mean`; None where there is no such thing.

        T_k has its full accuracy; A_k need not be better than one rounding of its terms, so near d = 0 it may lose digits.
        """
        return None

    def _scaled(self, factor: float) -> Divergence:
        """The same divergence times a positive number."""
        raise NotImplementedError(f"{type(self).__name__} must say what its multiples are")

    @property
    def tails(self) -> Tails:
        """Tail weights and constants."""
        raise NotImplementedError(f"{type(self).__name__} must say what its tails are")

    @property
    def smooth(self) -> bool:
        """Whether f has a second derivative everywhere; total variation and hockey sticks have kinks instead."""
        return True

    def _written(self) -> str:
        """How it was built, in the language that `divmin.divergence` reads."""
        raise NotImplementedError(f"{type(self).__name__} must say how it is written")

    def _member(self) -> tuple[str, tuple[float, ...]] | None:
        """The entry of the catalogue and the parameters that this is a multiple of, for members of families."""
        return None

    def _growth(self, k: int) -> tuple[bool, bool]:
        """Whether A_k is infinite at d = -inf and at d = +inf."""
        tails = self.tails
        return tails.R + k >= 2, tails.S - k >= 1


def _at_infinite(value: Tensor, d: Tensor, left: bool, right: bool) -> Tensor:
    """`value`, made infinite at infinite d on the sides where the limit is."""
    size = value.abs().masked_fill(d.isneginf() if left else d != d, math.inf)
    size = size.masked_fill(d.isposinf() if right else d != d, math.inf)
    return size.copysign(value).masked_fill(d.isnan(), math.nan)


def mirrored(both: Rough | None) -> Rough | None:
    """An integral and its slope under d -> -d: -A(-d) and T(-d)."""
    if both is None:
        return None

    def turned(d: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = both(-d)
        return value.neg_(), slope

    return turned
