"""A user's own divergence, from f or f'' as a Python function; everything else is derived, and checked when it is built."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence
from divmin.family.tails import Tails
from divmin.grammar import times

if TYPE_CHECKING:
    from torch import Tensor

    LogCurvature = Callable[[Tensor], tuple[Tensor, Tensor]]

SPAN, STEP = 40.0, 0.05  # |d| up to which f'' is looked at, and how finely
JITTER, TRUST = (
    1e-10,
    1e-7,
)  # a change of d too small to matter, and the relative change of f'' that shows rounding noise
LOOSE = 1.0  # an uncertainty of a tail weight beyond which there is no power law; logarithms stay far below
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
        log = self.log_curvature(inside)[0] + (2 - k) * inside + math.log(self.gain)
        left, right = x.clamp(max=self.low) - self.low, x.clamp(min=self.high) - self.high
        for rate, beyond in ((2 - tails.R - k, left), (tails.S - 1 - k, right)):
            if rate:  # a tail that is flat has slope 0 and not 0 * inf
                log = log + rate * beyond
        return log.exp().to(d.dtype)

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
    # A change of sign is crossed in a step or two; negative values beyond a longer gap are rounding noise themselves.
    lost = sound.logical_not().long()
    gap = torch.cat([lost[:middle].flip(0).cumsum(0).flip(0), lost[middle:].cumsum(0)])
    wrong = (sign < 0) & sound & (gap <= 2)
    if wrong.any():
        low, high = _negative(log_curvature, d, wrong)
        raise DivminError(f"f(u) = {shown} is not convex: f'' < 0 for u between {low:.4g} and {high:.4g}")
    good = sound & (sign > 0)
    low, high = _reach(good[: middle + 1].flip(0)), _reach(good[middle:])
    if min(low, high) < LEAST:
        side = math.exp(-low) if low <= high else math.exp(high)
        raise DivminError(
            f"f(u) = {shown} cannot be used: f'' is zero, not finite or lost to rounding beyond u = {side:.4g}"
        )
    ends = tail(log_curvature, -low), tail(log_curvature, high)
    for end, where in zip(ends, ("u -> 0", "u -> inf"), strict=True):
        if end.error > LOOSE:
            raise DivminError(
                f"f(u) = {shown} cannot be used: f'' grows faster than any power of u as {where}, so it has no tail weight"
            )
    return Custom(log_curvature, label, -low, high, tails_of(*ends))


def _negative(log_curvature: LogCurvature, d: Tensor, wrong: Tensor) -> tuple[float, float]:
    """The interval of u nearest to 1 on which f'' is negative; 0 or inf where it goes on beyond what was looked at."""
    first = int(d.abs().where(wrong, d.new_tensor(float("inf"))).argmin())
    ends = []
    for step in (-1, 1):
        at = first
        while 0 <= at + step < len(d) and wrong[at + step]:
            at += step
        if not 0 <= at + step < len(d):
            ends.append(0.0 if step < 0 else math.inf)
            continue
        inside, outside = float(d[at]), float(d[at + step])
        for _ in range(50):
            middle = (inside + outside) / 2
            negative = float(log_curvature(numerics.float64([middle]))[1]) < 0
            inside, outside = (middle, outside) if negative else (inside, middle)
        ends.append(math.exp(inside))
    return ends[0], ends[1]


def _reach(good: Tensor) -> float:
    """How far from d = 0 the run of good points goes, a step short of the first bad one."""
    run = int(good.long().cumprod(0).sum())
    return STEP * (run - 1 if run == len(good) else max(run - 2, 0))


@dataclass(frozen=True)
class Tail:
    """The power law of f'' at one end: its exponent in u, how far that can be off, and its constant."""

    exponent: float
    error: float
    constant: float


def tail(log_curvature: LogCurvature, end: float) -> Tail:
    """The slope of log f'' at an end of the sound range, and how far from its limit it can be; NaN where it cannot be told.

    Three times what a geometric series through the last three slopes would still add, which also covers logarithms.
    """
    inward = -math.copysign(1.0, end)
    log = [math.nan]
    while abs(end) > STEP:  # a kink or a point lost to rounding is stepped over
        log = log_curvature(numerics.float64([end + n * inward for n in range(4)]))[0].tolist()
        if all(map(math.isfinite, log)):
            break
        end += STEP * inward
    if not all(map(math.isfinite, log)):
        return Tail(math.nan, math.inf, math.nan)
    slopes = [(log[n] - log[n + 1]) / -inward for n in range(3)]
    last, before = abs(slopes[0] - slopes[1]), abs(slopes[1] - slopes[2])
    ratio = min(last / before, 0.99) if before else 0.0
    error = max(3 * last * max(1.0, ratio / (1 - ratio)), 1e-9)
    near = round(4 * slopes[0]) / 4  # the nearest quarter, when the measurement cannot tell it from the slope
    exponent = near if abs(near - slopes[0]) <= error else slopes[0]
    return Tail(exponent, error, math.exp(log[0] - exponent * end))


def tails_of(left: Tail, right: Tail) -> Tails:
    """Tail weights from the power laws at both ends."""
    return Tails(-left.exponent, right.exponent + 3, left.constant, right.constant, max(left.error, right.error))


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
