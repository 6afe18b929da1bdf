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
        return times(self.gain, f"{_FAMILIES[self.n, self.j]}({plain(self.pi)})")


_FAMILIES = {(1, 1): "gjs", (1, 2): "skew_kl", (0, 1): "skew_reverse_kl"}


def mixture_weight(d: Tensor, m: int, j: int, shares: tuple[float, float], gain: float = 1.0) -> Tensor:
    """gain e^(md) r^-j with r = pi e^d + rho, from e^-|d| so that only its own value can overflow.

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
    pi = shares[0]

    def value(x: Tensor) -> Tensor:
        fall = x.abs().neg_()
        left = x < 0
        h = fall.exp()
        grown = _grown(fall, h, m, gain)
        if m != j - m:
            grown = grown.where(left, _grown(fall, h, j - m, gain))
        inside = _mixture(h, left, shares)
        return grown.div_(inside if j == 1 else inside**j)

    return numerics.smooth(
        d,
        value,
        lambda x: mixture_weight(x, m, j, shares, gain) * (m - j * pi * mixture_weight(x, 1, 1, shares)),
    )


def _grown(fall: Tensor, h: Tensor, n: int, gain: float) -> Tensor:
    """gain h^n with h = e^fall; for n < 0 in two halves, between which the gain is put."""
    if n >= 0:
        return (h if n == 1 else h**n) * gain
    half = (fall * (n / 2)).exp_()
    return (half * gain).mul_(half)


def _mixture(h: Tensor, left: Tensor, shares: tuple[float, float]) -> Tensor:
    """m/q where p < q and m/p elsewhere, as a sum of positive terms; h = e^-|d|."""
    pi, rho = shares
    if pi == rho:
        return h.mul(pi).add_(rho)
    return h.mul(pi).add_(rho).where(left, h.mul(rho).add_(pi))


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
        return numerics.log_mix(rho, pi, -d).mul_(-gain / rho)
    if m == 1 and j == 2:
        return _ratio_change(d, shares).mul_(gain)
    if m == 1 and j == 3:
        return _ratio_change(d, shares).mul_(mixture_weight(d, 0, 1, shares).add_(1)).mul_(gain / 2)
    lower = mixture_integral(d, m, j - 1, shares, gain / rho)
    return lower.sub_(mixture_integral(d, m + 1, j, shares, gain * pi / rho))


def _ratio_change(d: Tensor, shares: tuple[float, float]) -> Tensor:
    """(e^d - 1) / r: from -1/rho to 1/pi."""
    fall = d.abs().neg_()
    r = _mixture(fall.exp(), d < 0, shares)
    return fall.expm1_().div_(r).copysign_(d)
