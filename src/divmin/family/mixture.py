"""Weights that are powers over powers of the mixture r = m/q = pi u + 1 - pi: Jensen-Shannon and all softened divergences.

f''(u) = u^(n-2) r^-j        w(d) = e^(nd) r^-j        reversed: n -> 1 + j - n, pi -> 1 - pi
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.family.base import Divergence, Tails
from divmin.grammar import plain, times

if TYPE_CHECKING:
    from torch import Tensor


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


def _ratio_change(d: Tensor, shares: tuple[float, float]) -> Tensor:
    """(e^d - 1) / r: from -1/rho to 1/pi."""
    pi, rho = shares
    if pi == rho:
        return d.mul(0.5).tanh_().mul_(2)
    if pi > rho:
        return _ratio_change(-d, (rho, pi)).neg_()
    change = d.clamp(max=80.0).expm1_()
    return change.div_(change.mul(pi).add_(1))
