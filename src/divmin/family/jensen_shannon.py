"""Divergences to mixtures of data and model, m = pi p + (1 - pi) q: Jensen-Shannon and the softened and skewed family."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from divmin.errors import DivminError
from divmin.family.algebra import Sum
from divmin.family.base import Divergence
from divmin.family.catalogue import Curvature, Entry, register
from divmin.family.member import mirrored
from divmin.family.mixture import MixturePower
from divmin.family.power import Power
from divmin.grammar import plain
from divmin.numerics import expm1_times, log_mix, log_share

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.family.member import Rough


def _share(family: str, pi: float) -> float:
    if not 0 <= pi <= 1:
        raise DivminError(f"{family}(pi) needs 0 <= pi <= 1; got {plain(pi)}")
    return float(pi)


def gjs(pi: float) -> Divergence:
    pi = _share("gjs", pi)
    return Power(1.0 - pi) if pi in (0, 1) else MixturePower(1, 1, pi)


def skew_kl(pi: float) -> Divergence:
    pi = _share("skew_kl", pi)
    return Power(1.0 - 2 * pi) if pi in (0, 1) else MixturePower(1, 2, pi)


def skew_reverse_kl(pi: float) -> Divergence:
    pi = _share("skew_reverse_kl", pi)
    return Power(0.0 - pi) if pi in (0, 1) else MixturePower(0, 1, pi)


def _solve(power_of_u: int, root: int) -> object:
    """Read pi off the curvature: (u^-n / f'')^(1/j) = 1 + pi (u - 1) for f'' = u^-n r^-j, at u = e."""

    def guess(at: Curvature) -> tuple[float]:
        r = math.exp(-(at.log_ratio(1.0) + power_of_u) / root)
        return ((r - 1) / math.expm1(1.0),)

    return guess


@dataclass(frozen=True)
class Igog(Sum):
    """srkl/2 + skl/4 with the common parts of the two integrals taken once."""

    def _integral(self, d: Tensor, k: int) -> Tensor:
        if k == 0:
            return log_share(0.5, 0.5, d).add_(d.mul(0.5).tanh_(), alpha=0.5)
        if k == 1:
            return expm1_times(-1.0, d, 0.5).mul_(d.neg().sigmoid_().add_(1))
        return super()._integral(d, k)

    def _rough(self, k: int) -> Rough | None:
        if k not in (0, 1):
            return super()._rough(k)

        from torch.nn.functional import softplus

        def both(d: Tensor) -> tuple[Tensor, Tensor]:  # w = h (2 - h) with h = sigma(-d)
            held = d.neg().sigmoid_()
            weight = held.neg().add_(2).mul_(held)
            if k == 0:
                return softplus(d, beta=-1, threshold=40).add_(0.5 + math.log(2)).sub_(held), weight
            grown = d.neg().exp_()
            return held.mul_(grown).neg_().add_(0.5), weight.mul_(grown)

        return both


@dataclass(frozen=True)
class ArithmeticGeometric(Sum):
    """srkl/8 and its reverse, with the common parts of the two integrals taken once; symmetric, so a(d) = -b(-d)."""

    def _integral(self, d: Tensor, k: int) -> Tensor:
        if k == 0:
            small = d.clamp(max=1e4)  # beyond, only the exponential counts, and inf - inf is no number
            return log_mix(0.5, 0.5, small).mul_(-0.5).add_(small, alpha=0.25).add_(expm1_times(1.0, d, 0.25))
        return self._integral(-d, 0).neg_() if k == 1 else super()._integral(d, k)

    def _rough(self, k: int) -> Rough | None:
        if k != 0:
            return mirrored(self._rough(0)) if k == 1 else super()._rough(k)

        from torch.nn.functional import softplus

        def both(d: Tensor) -> tuple[Tensor, Tensor]:
            grown = d.exp()
            value = softplus(d, threshold=40).mul_(-0.5).add_(grown, alpha=0.25).add_(d, alpha=0.25)
            return value.add_(math.log(2) / 2 - 0.25), d.sigmoid().mul_(-0.5).add_(grown, alpha=0.25).add_(0.25)

        return both


JS = 0.25 * MixturePower(1, 1, 0.5)
SOFTENED_KL = MixturePower(1, 2, 0.5)
SOFTENED_REVERSE_KL = MixturePower(0, 1, 0.5)

register(
    Entry(
        "js",
        JS,
        "(u*log(2*u/(1 + u)) + log(2/(1 + u)))/2",
        "Jensen-Shannon divergence KL(p||m)/2 + KL(q||m)/2 with m = (p + q)/2, at most log 2.",
        "Lin 1991; Goodfellow et al. 2014; Shannon et al., eq. 28 for the canonical 4 JS",
        title="the Jensen-Shannon divergence",
        aliases=("jensen_shannon", "jsd"),
    )
)
register(
    Entry(
        "softened_kl",
        SOFTENED_KL,
        "4*u*log(2*u/(1 + u)) - 2*(u - 1)",
        "Softened KL, 4 KL(p||m) with m = (p + q)/2: the K-divergence in canonical scale.",
        "Shannon et al., eq. 43; Lin 1991",
        title="the softened KL (4 KL(p||m), m = (p + q)/2)",
        aliases=("skl", "k_divergence", "soft_kl"),
    )
)
register(
    Entry(
        "softened_reverse_kl",
        SOFTENED_REVERSE_KL,
        "2*(u + 1)*log((u + 1)/(2*u)) + 2*(u - 1)",
        "Softened reverse KL, 4 KL(m||p) with m = (p + q)/2: twice what the non-saturating GAN minimises.",
        "Shannon et al., eqs. 47 and 49",
        title="the softened reverse KL (4 KL(m||p), m = (p + q)/2)",
        aliases=("srkl", "soft_rkl", "soft_reverse_kl", "softened_rkl"),
    )
)
register(
    Entry(
        "skew_kl",
        skew_kl,
        "(u*log(u/(pi*u + 1 - pi)) - (1 - pi)*(u - 1))/(1 - pi)^2",
        "KL(p||m)/(1-pi)^2 with m = pi p + (1-pi) q; the KL at 0, the softened KL at 1/2, canonical.",
        "Lee 1999; Shannon et al., section 5, for pi = 1/2",
        title="the skewed KL (KL(p||m)/(1-pi)^2)",
        parameters=("pi",),
        tails=("1", "0"),  # for 0 < pi < 1
        examples=((0.0,), (0.1,), (0.3,), (0.9,)),
        guess=_solve(1, 2),
    )
)
register(
    Entry(
        "skew_reverse_kl",
        skew_reverse_kl,
        "((pi*u + 1 - pi)*log((pi*u + 1 - pi)/u) + (1 - pi)*(u - 1))/(1 - pi)^2",
        "KL(m||p)/(1-pi)^2 with m = pi p + (1-pi) q; the reverse KL at 0, the softened one at 1/2, canonical.",
        "Shannon et al., section 5, for pi = 1/2",
        title="the skewed reverse KL (KL(m||p)/(1-pi)^2)",
        aliases=("skew_rkl",),
        parameters=("pi",),
        tails=("2", "0"),  # for 0 < pi < 1
        examples=((0.0,), (0.1,), (0.3,), (0.9,)),
        guess=_solve(2, 1),
    )
)
register(
    Entry(
        "gjs",
        gjs,
        "(pi*u*log(u) - (pi*u + 1 - pi)*log(pi*u + 1 - pi))/(pi*(1 - pi))",
        "Generalised Jensen-Shannon, (pi KL(p||m) + (1-pi) KL(q||m))/(pi(1-pi)), canonical: KL at 0, 4 JS at 1/2, reverse KL at 1.",
        "Lin 1991; Shannon et al., section 5",
        title="the generalised Jensen-Shannon divergence",
        aliases=("generalised_js", "generalized_js", "weighted_js"),
        parameters=("pi",),
        tails=("1", "1"),  # for 0 < pi < 1
        examples=((0.0,), (1e-9,), (0.1,), (0.3,), (0.9,), (1.0,)),
        guess=_solve(1, 1),
    )
)
register(
    Entry(
        "igog",
        Igog(0.5 * SOFTENED_REVERSE_KL, 0.25 * SOFTENED_KL),
        "log((1 + u)/(2*u)) + (u - 1)/2",
        "KL(q||p) - KL(q||m): the objective -log D of Poole et al., read as an f.",
        "Poole et al. 2016; Shannon et al., section 10 and figure 4",
        title="the IGOG divergence KL(q||p) - KL(q||m)",
        aliases=("modified_gan", "poole_minus_log_d"),
    )
)
register(
    Entry(
        "triangular",
        MixturePower(2, 3, 0.5),
        "(u - 1)^2/(u + 1)",
        "Triangular discrimination (Le Cam), integral of (p - q)^2/(p + q), at most 2.",
        "Le Cam 1986; Topsoe 2000",
        title="the triangular discrimination (Le Cam)",
        aliases=("le_cam", "vincze_le_cam", "triangular_discrimination"),
    )
)
register(
    Entry(
        "arithmetic_geometric",
        ArithmeticGeometric(0.125 * SOFTENED_REVERSE_KL, 0.125 * MixturePower(2, 1, 0.5)),
        "(1 + u)/2*log((1 + u)/(2*sqrt(u)))",
        "Arithmetic-geometric mean divergence KL(m||p)/2 + KL(m||q)/2 with m = (p + q)/2.",
        "Taneja 1995; tfp.vi.arithmetic_geometric",
        title="the arithmetic-geometric mean divergence",
        aliases=("ag", "arithmetic_geometric_mean"),
    )
)
