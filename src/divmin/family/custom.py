"""A user's own divergence, from f or f'' as a Python function; everything else is derived, and checked when it is built."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence, Tails
from divmin.grammar import times

if TYPE_CHECKING:
    from torch import Tensor

    LogCurvature = Callable[[Tensor], tuple[Tensor, Tensor]]

SPAN, STEP = 40.0, 0.05  # |d| up to which f'' is looked at, and how finely
JITTER, TRUST = (
    1e-10,
    1e-7,
)  # a change of d too small to matter, and the relative change of f'' that shows rounding noise
LEAST = 3.0  # f'' must be usable at least for |d| up to here, u from 1/20 to 20


@dataclass(frozen=True)
class Custom(Divergence):
    """A divergence given by log f''(e^d) where that is numerically sound, and by its measured tails beyond."""

    log_curvature: LogCurvature
    label: str
    low: float
    high: float
    measured_tails: Tails
    gain: float = 1.0

    def _tilted(self, d: Tensor, k: int) -> Tensor:
        x = d if d.device.type == "mps" else d.double()
        inside = x.clamp(self.low, self.high)
        tails = self.measured_tails
        log_weight = self.log_curvature(inside)[0] + 2 * inside
        log_weight = log_weight + (2 - tails.R) * (x.clamp(max=self.low) - self.low)
        log_weight = log_weight + (tails.S - 1) * (x.clamp(min=self.high) - self.high)
        return (log_weight - k * x + math.log(self.gain)).exp().to(d.dtype)

    @property
    def tails(self) -> Tails:
        t = self.measured_tails
        return replace(t, C=self.gain * t.C, D=self.gain * t.D)

    def _scaled(self, factor: float) -> Divergence:
        return replace(self, gain=self.gain * factor)

    def _written(self) -> str:
        return times(self.gain, self.label)


def from_f(f: Callable[[Tensor], Tensor], name: str = "custom") -> Divergence:
    """A divergence from f as a differentiable function of tensors; only f'' counts, so affine terms may be anything.

    Args:
        f: maps ratios u > 0 (float64 tensor, any shape) to values of the same shape, with torch operations.
        name: what to print.

    Returns:
        The divergence; its tails are measured and carry a confidence.

    Raises:
        DivminError: when f is not convex (saying where), not twice differentiable, or not finite at u = 1.

    Example:
        >>> from_f(lambda u: (u - 1) ** 2).name
        'chi2_model_denominator'
    """

    def curvature(u: Tensor) -> Tensor:
        import torch

        keep = u.requires_grad
        with torch.enable_grad():
            u = u if keep else u.detach().requires_grad_()
            value = _called(f, u, name)
            for _ in range(2):
                if not value.requires_grad:
                    raise DivminError(f"{name}: f is affine or not differentiable with torch; its f'' is 0 or unknown")
                (value,) = torch.autograd.grad(value.sum(), u, create_graph=True, materialize_grads=True)
        return value if keep else value.detach()

    return from_curvature(curvature, name)


def from_curvature(d2f: Callable[[Tensor], Tensor], name: str = "custom") -> Divergence:
    """A divergence from f'' as a function of tensors.

    Args:
        d2f: maps ratios u > 0 (float64 tensor, any shape) to positive values of the same shape.
        name: what to print.

    Returns:
        The divergence; its tails are measured and carry a confidence.

    Raises:
        DivminError: when f'' is negative somewhere (saying where), or not finite and positive at u = 1.

    Example:
        >>> from_curvature(lambda u: 3 / u**2).name
        '3*reverse_kl'
    """

    def log_curvature(d: Tensor) -> tuple[Tensor, Tensor]:
        value = _called(d2f, d.exp(), name)
        return value.abs().log(), value.sign()

    return measured(log_curvature, name, name)


def measured(log_curvature: LogCurvature, label: str, shown: str) -> Custom:
    """Check convexity, find the range on which log f'' is free of rounding noise, and measure the tails at its ends."""
    import torch

    d = torch.arange(-SPAN, SPAN + STEP / 2, STEP, dtype=torch.float64)
    log, sign = log_curvature(d)
    middle = len(d) // 2
    if not (math.isfinite(float(log[middle])) and float(sign[middle]) > 0):
        at_one = float(sign[middle]) * math.exp(float(log[middle])) if float(log[middle]) < 700 else math.inf
        raise DivminError(f"f(u) = {shown} is not a divergence: f''(1) must be finite and positive; got {at_one:.6g}")
    moved = torch.stack([log_curvature(d + shift)[0] for shift in (-JITTER, JITTER, 2 * JITTER)])
    sound = log.isfinite() & ((moved - log).abs().amax(0) < TRUST)
    wrong = (sign < 0) & sound
    if wrong.any():
        at = d[wrong]
        nearest = float(at[at.abs().argmin()])
        value = -math.exp(float(log[wrong][at.abs().argmin()]))
        raise DivminError(f"f(u) = {shown} is not convex: f''({math.exp(nearest):.4g}) = {value:.4g} < 0")
    good = sound & (sign > 0)
    low = _reach(good[: middle + 1].flip(0))
    high = _reach(good[middle:])
    if min(low, high) < LEAST:
        side = math.exp(-low) if low <= high else math.exp(high)
        raise DivminError(
            f"f(u) = {shown} cannot be used: f'' is zero, not finite or lost to rounding beyond u = {side:.4g}"
        )
    left, left_error = _tail(log_curvature, -low, 1.0)
    right, right_error = _tail(log_curvature, high, -1.0)
    R, S = _snapped(-left, left_error), _snapped(right + 3, right_error)
    ends = log_curvature(numerics.float64([-low, high]))[0].tolist()
    tails = Tails(R, S, math.exp(ends[0] - R * low), math.exp(ends[1] - (S - 3) * high), max(left_error, right_error))
    return Custom(log_curvature, label, -low, high, tails)


def _reach(good: Tensor) -> float:
    """How far from d = 0 the run of good points goes, a step short of the first bad one."""
    run = int(good.long().cumprod(0).sum())
    return STEP * (run - 1 if run == len(good) else max(run - 2, 0))


def _tail(log_curvature: LogCurvature, end: float, inward: float) -> tuple[float, float]:
    """The slope of log f'' at an end of the sound range, and how much it still changes there."""
    log = log_curvature(numerics.float64([end, end + inward, end + 2 * inward]))[0].tolist()
    outer, inner = (log[0] - log[1]) / -inward, (log[1] - log[2]) / -inward
    return outer, max(2 * abs(outer - inner), 1e-9)


def _snapped(x: float, error: float) -> float:
    """The nearest quarter, when the measurement cannot tell it from x."""
    near = round(4 * x) / 4
    return near if abs(near - x) <= error else x


def _called(function: Callable[[Tensor], Tensor], u: Tensor, name: str) -> Tensor:
    import torch

    try:
        value = function(u)
    except DivminError:
        raise
    except Exception as error:  # whatever the user's code raises is reported as one line, with its own text
        raise DivminError(
            f"{name}: calling the function on a float64 tensor failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(value, torch.Tensor) or value.shape != u.shape:
        got = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
        raise DivminError(
            f"{name}: the function must return a tensor of its argument's shape {tuple(u.shape)}; got {got}"
        )
    return value
