"""Weights that are powers over powers of the mixture r = m/q = pi u + 1 - pi: Jensen-Shannon and all softened divergences.

f''(u) = u^(n-2) r^-j        w(d) = e^(nd) r^-j        reversed: n -> 1 + j - n, pi -> 1 - pi
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.family.base import Divergence
from divmin.family.member import mirrored
from divmin.family.tails import Tails
from divmin.grammar import plain, times

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.family.member import Rough

# From these shares on, e^d may overflow in 1 / (pi e^d + rho): what is lost lies below all normal numbers.
SAFE_SHARE = 1 / 4
# Below this one, sums whose terms are as large as 1/rho^2 are too rough even for a mean.
LEAST_SHARE = 1 / 16


@dataclass(frozen=True)
class MixturePower(Divergence):
    """The divergence with w(d) = gain * e^(nd) / (pi e^d + 1 - pi)^j, for j = 1, 2, 3 and 0 < pi < 1."""

    n: int
    j: int
    pi: float
    gain: float = 1.0

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        return mixture_weight(d, self.n - k, self.j, self._shares, self.gain)

    def _integral(self, d: Tensor, k: int) -> Tensor:
        m = self.n - k
        if not _well_conditioned(m, self.j, self._shares):
            return super()._integral(d, k)
        return mixture_integral(d, m, self.j, self._shares, self.gain)

    def _rough(self, k: int) -> Rough | None:
        return mixture_rough(self.n - k, self.j, self._shares, self.gain)

    @property
    def _shares(self) -> tuple[float, float]:
        return self.pi, 1 - self.pi

    def _scaled(self, factor: float) -> Divergence:
        return replace(self, gain=self.gain * factor)

    @property
    def tails(self) -> Tails:
        return Tails(
            2.0 - self.n, self.n - self.j + 1.0, self.gain * (1 - self.pi) ** -self.j, self.gain * self.pi**-self.j
        )

    def _member(self) -> tuple[str, tuple[float, ...]] | None:
        name = _FAMILIES.get((self.n, self.j))
        return None if name is None else (name, (self.pi,))

    def _written(self) -> str:
        return times(self.gain, _SPELLINGS[self.n, self.j].format(pi=plain(self.pi), rho=plain(1 - self.pi)))


_FAMILIES = {(1, 1): "gjs", (1, 2): "skew_kl", (0, 1): "skew_reverse_kl"}
_SPELLINGS = {key: f"{name}({{pi}})" for key, name in _FAMILIES.items()} | {
    (2, 1): "reverse(skew_reverse_kl({rho}))",
    (2, 3): "triangular",  # made at pi = 1/2 only
}


def mixture_weight(d: Tensor, m: int, j: int, shares: tuple[float, float], gain: float = 1.0) -> Tensor:
    """gain e^(md) r^-j with r = pi e^d + rho, so that nothing but its own value can overflow.

    Args:
        d: log-ratios.
        m: power of e^d.
        j: power of 1/r.
        shares: (pi, rho) with pi + rho = 1; both, because the small one cannot be recovered from the other.
        gain: a positive factor.

    Example:
        >>> import torch
        >>> mixture_weight(torch.tensor([-1e4, 0.0, 1e4]), 1, 1, (0.5, 0.5))
        tensor([0., 1., 2.])
    """
    pi, rho = shares

    def value(x: Tensor) -> Tensor:
        inside = min(max(m, 0), j)  # e^(md) r^-j = e^((m - inside) d) (e^d/r)^inside (1/r)^(j - inside), each stable
        product = None
        for sign, a, b, power in ((1, pi, rho, inside), (-1, rho, pi, j - inside)):
            if power:
                raised = _odds(sign, x, a, b)
                raised = raised if power == 1 else raised.pow_(power)
                product = raised if product is None else product.mul_(raised)
        assert product is not None  # j >= 1
        if m != inside:  # growth, in two halves between which the gain is put: only the whole product may overflow
            half = (x * ((m - inside) / 2)).exp_()
            return product.mul_(half).mul_(gain).mul_(half)
        return product if gain == 1 else product.mul_(gain)

    return numerics.smooth(
        d,
        value,
        lambda x: mixture_weight(x, m, j, shares, gain) * (m - j * pi * mixture_weight(x, 1, 1, shares)),
    )


def _odds(sign: int, x: Tensor, pi: float, rho: float) -> Tensor:
    """e^y / (pi e^y + rho) at y = x or -x, which is 1/pi to the last digit beyond the cut."""
    if pi == rho:
        return (x.sigmoid() if sign > 0 else x.neg().sigmoid_()).mul_(2)
    if rho >= SAFE_SHARE:
        return (x.neg().exp_() if sign > 0 else x.exp()).mul_(rho).add_(pi).reciprocal_()
    grown = (x.clamp(max=80.0) if sign > 0 else x.neg().clamp_(max=80.0)).exp_()
    return grown.div_(grown.mul(pi).add_(rho))


def _well_conditioned(m: int, j: int, shares: tuple[float, float]) -> bool:
    """Whether the recursion below loses at most a digit; each of its steps can lose a factor (1 + pi) / rho."""
    pi, rho = shares
    if 2 * m > j:
        return _well_conditioned(j - m, j, (rho, pi))
    steps = j - 1 - m if m <= 0 else 0
    return bool(((1 + pi) / rho) ** steps <= 10)


def mixture_integral(d: Tensor, m: int, j: int, shares: tuple[float, float], gain: float) -> Tensor:
    """gain times the integral of e^(mx) r(x)^-j from 0 to d, for j <= 3.

    By r^(1-j) = pi e^x r^-j + rho r^-j, downwards in j, and by the mirror d -> -d.
    """
    pi, rho = shares
    if j == 0:
        return numerics.expm1_times(m, d, gain)
    if 2 * m > j:
        return mixture_integral(-d, j - m, j, (rho, pi), -gain)
    if m == 0 and j == 1:
        return numerics.log_share(pi, rho, d).mul_(gain / rho)
    if m == 1 and j == 2:
        return _ratio_change(d, shares).mul_(gain)
    if m == 1 and j == 3:
        return _ratio_change(d, shares).mul_(mixture_weight(d, 0, 1, shares).add_(1)).mul_(gain / 2)
    lower = mixture_integral(d, m, j - 1, shares, gain / rho)
    # Far out the first part decides. If the rest grows like d, a cut keeps inf - inf away; if like a power of e^d, it is 0.
    rest = mixture_integral(d.clamp(-1e30, 1e30) if m >= -1 else d, m + 1, j, shares, gain * pi / rho)
    return lower.sub_(rest if m >= -1 else rest.masked_fill_(rest.isinf(), 0.0))


def mixture_rough(m: int, j: int, shares: tuple[float, float], gain: float) -> Rough | None:
    """gain times the integral of e^(mx) r(x)^-j from 0 to d, and its slope, for the losses of the catalogue.

    All of it is made of v = 1/r, e^d/r, e^-d and L = log p/m = d - log r = -log(pi + rho e^-d).
    """
    pi, rho = shares
    if j > 1 and min(shares) < LEAST_SHARE:
        return None
    if 2 * m > j:
        return mirrored(mixture_rough(j - m, j, (rho, pi), gain))

    def v(d: Tensor) -> Tensor:
        return _odds(-1, d, rho, pi)

    def log_ratio(d: Tensor) -> Tensor:
        from torch.nn.functional import softplus

        shifted = d if pi == rho else d + math.log(pi / rho)
        return softplus(shifted, beta=-1, threshold=40).sub_(math.log(pi) if pi < 0.5 else math.log1p(-rho))

    def gjs(d: Tensor) -> tuple[Tensor, Tensor]:
        return log_ratio(d).mul_(gain / rho), v(d).mul_(gain)

    def skew_kl(d: Tensor) -> tuple[Tensor, Tensor]:
        held = v(d)
        value = log_ratio(d).sub_(rho).add_(held, alpha=rho).mul_(gain / rho**2)
        return value, held.mul_(held).mul_(gain)

    def skew_reverse_kl(d: Tensor) -> tuple[Tensor, Tensor]:
        grown = d.neg().exp_()
        value = log_ratio(d).mul_(-pi / rho).add_(1).sub_(grown).mul_(gain / rho)
        return value, v(d).mul_(gain).mul_(grown)

    def softened(d: Tensor) -> tuple[Tensor, Tensor]:
        held, rest = v(d), _odds(1, d, pi, rho)
        return held.mul(-gain / pi).add_(gain / pi), rest.mul_(held).mul_(gain)

    def triangular(d: Tensor) -> tuple[Tensor, Tensor]:
        square, rest = v(d).square_(), _odds(1, d, pi, rho)
        return square.mul(-gain / (2 * pi)).add_(gain / (2 * pi)), rest.mul_(square).mul_(gain)

    return {(0, 1): gjs, (0, 2): skew_kl, (-1, 1): skew_reverse_kl, (1, 2): softened, (1, 3): triangular}.get((m, j))


def _ratio_change(d: Tensor, shares: tuple[float, float]) -> Tensor:
    """(e^d - 1) / r: from -1/rho to 1/pi."""
    pi, rho = shares
    if pi == rho:
        return d.mul(0.5).tanh_().mul_(2)
    if pi > rho:
        return _ratio_change(-d, (rho, pi)).neg_()
    change = d.clamp(max=80.0).expm1_()
    return change.div_(change.mul(pi).add_(1))
