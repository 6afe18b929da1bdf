"""The integrand of every divergence, max(p, q) s(log p/q), as a logarithm that neither over- nor underflows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from divmin import numerics
from divmin.family import Divergence
from divmin.family.algebra import Reversed, Skewed, Sum, Tilted
from divmin.family.kinks import HockeyStick

NEAR = 300.0  # the |d| from which e^d a and e^-d b are their tails to the last digit
SLOW = 1.5  # tail weights up to which a half at NEAR is less than the rounding of the other
FAR = 1e290  # values of s or w beyond which, or below whose inverse, they go on as their tails


def quick_s(f: Divergence, d: Tensor) -> Tensor:
    """s(d) from a and b, to the rounding of d itself: an error of some 1e-15 |s'(d)|, where f.s has one of 1e-15 s(d).

    A log-ratio of two densities is not known better, and where s is an integral this takes a hundredth of the time.

    Example:
        >>> import divmin as dm
        >>> quick_s(dm.divergence("js"), torch.tensor([-1.0, 2.0], dtype=torch.float64))
        tensor([0.0759, 0.1861], dtype=torch.float64)

    Source: Shannon et al., eq. 6.
    """

    def halves(x: Tensor) -> tuple[Tensor, Tensor]:
        """min(1, e^d) a and min(1, e^-d) b, by their tails where a or b overflow and the product does not."""
        low, high = (float(end) for end in x.aminmax()) if x.numel() else (0.0, 0.0)
        far = not (low >= -NEAR and high <= NEAR)  # NaN is far
        left, right = (x.clamp(min=-NEAR), x.clamp(max=NEAR)) if far else (x, x)
        one = left.clamp(max=0).exp_() * f.a(left)
        other = right.neg().clamp_(max=0).exp_() * f.b(right)
        if far and _goes_on(f.tails.R):
            one = one * ((2 - f.tails.R) * (x - left)).exp()
        if far and _goes_on(f.tails.S):
            other = other * ((f.tails.S - 2) * (x - right)).exp()
        if not (math.isfinite(low) and math.isfinite(high)):
            one = one + (x - x)  # NaN at both ends
        return one, other

    def value(x: Tensor) -> Tensor:
        one, other = halves(x)
        out = one - other
        if not math.isfinite(float(out.sum())):  # a sum is quicker to look at than every term
            beyond = ~out.isfinite()  # what is still too large, and both ends
            d, which = x[beyond].unique(return_inverse=True)
            out = out.masked_scatter_(beyond, f.s(d)[which])
        return out.clamp_(min=0)

    def slope(x: Tensor) -> Tensor:
        one, other = halves(x)
        out = one.where(x < 0, other)
        beyond = ~out.isfinite()
        return out.masked_scatter(beyond, slope_of_s(f, x[beyond])) if bool(beyond.any()) else out

    return numerics.smooth(d, value, slope)


def _goes_on(tail: float) -> bool:
    """Whether a half has a factor e^((tail - 2) |d|) beyond NEAR that is seen: not where it is 1, or the other half hides it."""
    return tail > SLOW and tail != 2


def slope_of_s(f: Divergence, d: Tensor) -> Tensor:
    """s'(d), through the graph of s."""
    with torch.enable_grad():
        x = d if d.requires_grad else d.detach().requires_grad_()
        (slope,) = torch.autograd.grad(f.s(x).sum(), x, create_graph=d.requires_grad)
    return slope


def log_s(f: Divergence, d: Tensor) -> Tensor:
    """log s(d), by the tail e^((R-2) |d|) or e^((S-2) d) where s itself is beyond float64.

    Example:
        >>> import divmin as dm
        >>> log_s(dm.divergence("chi2_model_denominator"), torch.tensor([-5000.0, 5000.0], dtype=torch.float64))
        tensor([   0., 5000.], dtype=torch.float64)
    """
    return _log(lambda x: quick_s(f, x) if isinstance(x, Tensor) else f.s(x), (f.tails.R - 2, f.tails.S - 2), d)


def log_weight(f: Divergence, d: Tensor) -> Tensor:
    """log w(d), by its tails where w itself is beyond float64.

    Example:
        >>> import divmin as dm
        >>> log_weight(dm.divergence("kl"), torch.tensor([-5000.0, 5000.0], dtype=torch.float64))
        tensor([-5000.,  5000.], dtype=torch.float64)
    """
    return _log(f.weight, (f.tails.R - 2, f.tails.S - 1), d)


def _log(function: Callable[[Any], Any], rates: tuple[float, float], d: Tensor) -> Tensor:
    """log of a positive function with exponential tails e^(rate |d|) on both sides, also where it over- or underflows."""
    values = function(d)
    log: Tensor = values.log()
    beyond = ((values > FAR) | (values < 1 / FAR)) & d.isfinite() & (d.abs() > 1)
    for side, rate in ((-1.0, rates[0]), (1.0, rates[1])):
        there = beyond & (d * side > 0)
        if rate != 0 and math.isfinite(rate) and bool(there.any()):
            edge = _edge(function, side, float(d[there].abs().max()))
            log = log.where(~there, math.log(function(side * edge)) + rate * (d.abs() - edge))
    return log


def _edge(function: Callable[[Any], Any], side: float, far: float) -> float:
    """The largest distance on a side up to `far`, to a part in a thousand, at which a function is within float64."""
    near = 0.0
    while far - near > 1e-3 * far:
        middle = (near + far) / 2
        near, far = (middle, far) if 1 / FAR <= function(side * middle) <= FAR else (near, middle)
    return near


def log_integrand(f: Divergence, log_p: Tensor, log_q: Tensor) -> Tensor:
    """log(max(p, q) s(log p - log q)); -inf where both densities vanish.

    Source: Shannon et al., eq. 10.
    """
    nothing = (torch.isneginf(log_p) & torch.isneginf(log_q)) | (log_p == log_q)
    d = (log_p - log_q).masked_fill(nothing, 1.0)  # log s(0) would spoil derivatives with 0 * inf
    return (torch.maximum(log_p, log_q) + log_s(f, d)).masked_fill(nothing, -math.inf)


def kinks(f: Divergence) -> list[float]:
    """The log-ratios at which f has a kink.

    Example:
        >>> import divmin as dm
        >>> kinks(dm.divergence("reverse(hockey_stick(2)) + total_variation"))
        [-0.6931471805599453, 0.0]
    """
    match f:
        case HockeyStick(gamma):
            return [math.log(gamma)]
        case Sum(first, second):
            return kinks(first) + kinks(second)
        case Reversed(base):
            return [-d for d in kinks(base)]
        case Tilted(base):
            return kinks(base)
        case Skewed(base, pi):  # u = (1 - pi) u' / (1 - pi u')
            return [d + math.log((1 - pi) / (1 - pi * math.exp(d))) for d in kinks(base) if pi * math.exp(d) < 1]
    return []
