"""The power family f'' = u^(alpha-2), w = e^(alpha d): KL, reverse KL, both chi-squares, Hellinger, Jeffreys and t-powers.

Its f is the second divided difference of u^t at t = 0, alpha, 1, so that nothing is special about alpha = 0 and 1:

    f(u) = (u^alpha - 1 - alpha (u - 1)) / (alpha (alpha - 1))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence
from divmin.family.catalogue import Entry, register
from divmin.family.tails import Tails
from divmin.grammar import plain, times
from divmin.numerics import Array

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.family.member import Rough

LEAST_RATE = 0.25  # (e^(cd) - 1)/c from e^(cd) loses a factor 1/c of its digits


@dataclass(frozen=True)
class Power(Divergence):
    """The divergence with weight gain * e^(alpha d)."""

    alpha: float
    gain: float = 1.0

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        c, low = numerics.minus(self.alpha, k)
        return numerics.smooth(d, lambda x: numerics.exp_times(c, x, self.gain, low), lambda x: c * self._tilted(x, k))

    def _integral(self, d: Tensor, k: int) -> Tensor:
        c, low = numerics.minus(self.alpha, k)
        return numerics.expm1_times(c, d, self.gain, low)

    def _area(self, d: Array, k: int) -> Array:
        if self.alpha == k:  # linear: no function of its own, no formula for its slope
            return numerics.apply(lambda x: x if self.gain == 1 else x * self.gain, d)
        return super()._area(d, k)

    def in_a_mean(self, d: Tensor, k: int) -> Tensor:
        return self._area(d, k) if self.alpha == k else super().in_a_mean(d, k)

    def _rough(self, k: int) -> Rough | None:
        c, low = numerics.minus(self.alpha, k)
        if c == 0:
            return lambda d: (d * self.gain, d.clamp(0, 0).add_(self.gain))
        if abs(c) < LEAST_RATE:
            return None

        def both(d: Tensor) -> tuple[Tensor, Tensor]:
            weight = numerics.exp_times(c, d, self.gain, low)
            return (weight - self.gain).div_(c), weight

        return both

    def _s(self, d: Tensor, k: int) -> Tensor:
        beta, t = self.alpha - k, d.abs().neg_()
        left = numerics.exp_second_difference(beta, t, self.gain)
        return left.where(d < 0, numerics.exp_second_difference(1 - beta, t, self.gain))

    def _scaled(self, factor: float) -> Divergence:
        return replace(self, gain=self.gain * factor)

    @property
    def tails(self) -> Tails:
        return Tails(2 - self.alpha, self.alpha + 1, self.gain, self.gain)

    def _member(self) -> tuple[str, tuple[float, ...]]:
        return "power", (self.alpha,)

    def _written(self) -> str:
        return times(self.gain, f"power({plain(self.alpha)})")


def power(alpha: float) -> Divergence:
    if abs(alpha) > 100:
        raise DivminError(f"power(alpha) needs |alpha| <= 100; got {plain(alpha)}")
    return Power(float(alpha))


def t_power(t: float) -> Divergence:
    size = abs(t * (t - 1))
    if size == 0:
        raise DivminError(
            f"t_power({plain(t)}) is zero everywhere: take power({plain(t)}), the limit of t_power(t)/|t(t-1)|"
        )
    return size * power(t)


register(
    Entry(
        "kl",
        Power(1.0),
        "u*log(u) - u + 1",
        "Kullback-Leibler divergence from model to data, KL(p||q): what maximum likelihood minimises.",
        "Nowozin et al. 2016, table 1; Shannon et al., eq. 20",
        title="the KL divergence KL(p||q)",
        aliases=("forward_kl", "kullback_leibler", "kl_forward"),
    )
)
register(
    Entry(
        "reverse_kl",
        Power(0.0),
        "-log(u) + u - 1",
        "Reverse Kullback-Leibler divergence KL(q||p): the model's samples are judged by the data's density.",
        "Huszar 2016; Shannon et al., eq. 22",
        title="the reverse KL divergence KL(q||p)",
        aliases=("rkl", "kl_reverse"),
    )
)
register(
    Entry(
        "jeffreys",
        Power(1.0) + Power(0.0),
        "(u - 1)*log(u)",
        "Jeffreys divergence KL(p||q) + KL(q||p), the sum and not its half.",
        "Nielsen & Nock; Shannon et al. and tfp use the half, which is canonical",
        title="the Jeffreys divergence KL(p||q) + KL(q||p)",
        aliases=("symmetric_kl", "sdkl", "j_divergence"),
    )
)
register(
    Entry(
        "chi2_data_denominator",
        2 * Power(-1.0),
        "(u - 1)^2/u",
        "Chi-square with the square over the data's density, integral of (q - p)^2 / p: the sources' Pearson.",
        "Shannon et al., table 1, as Pearson, with a factor 1/2",
        title="the chi-square with the data below (the integral of (q - p)^2/p)",
        aliases=("pearson", "pearson_chi2", "pearson_000"),
    )
)
register(
    Entry(
        "chi2_model_denominator",
        2 * Power(2.0),
        "(u - 1)^2",
        "Chi-square with the square over the model's density, integral of (p - q)^2 / q: the sources' Neyman.",
        "Shannon et al., section 2, as Neyman, with a factor 1/2; many texts call this one Pearson",
        title="the chi-square with the model below (the integral of (p - q)^2/q)",
        aliases=("neyman", "neyman_chi2", "neyman_000", "chi_square"),
    )
)
register(
    Entry(
        "squared_hellinger",
        0.25 * Power(0.5),
        "(sqrt(u) - 1)^2/2",
        "Squared Hellinger distance, half the integral of (sqrt p - sqrt q)^2, at most 1.",
        "Nowozin et al. 2016, table 1, without the half",
        title="the squared Hellinger distance",
        aliases=("hellinger", "hellinger2"),
    )
)
register(
    Entry(
        "power",
        power,
        "(u^alpha - 1 - alpha*(u - 1))/(alpha*(alpha - 1))",
        "Power (alpha) divergences, canonical, f'' = u^(alpha-2): 1 is KL, 0 reverse KL, 1/2 Hellinger, 2 and -1 chi-squares.",
        "Cressie & Read 1984; Shannon et al., section 4",
        title="the power divergence",
        aliases=("alpha", "alpha_divergence", "cressie_read"),
        parameters=("alpha",),
        tails=("2 - alpha", "alpha + 1"),
        examples=((-2.0,), (-0.5,), (1e-9,), (0.3,), (1 - 1e-9,), (1.5,), (3.0,)),
        guess=lambda at: (at.log_slope(0.0),),
    )
)
register(
    Entry(
        "t_power",
        t_power,
        "abs(t*(t - 1))*(u^t - 1 - t*(u - 1))/(t*(t - 1))",
        "The plain power u^t - 1 - t(u - 1), with its sign turned for 0 < t < 1, so f''(1) = |t(t-1)|.",
        "tfp.vi.t_power",
        title="the plain power divergence",
        parameters=("t",),
        tails=("2 - t", "t + 1"),
        examples=((-1.0,), (0.5,), (2.0,)),
    )
)
