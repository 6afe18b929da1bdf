"""Looking at a pull w(d) over the whole range of log-ratios: its sign, its gaps, its jumps, and where they begin and end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby, pairwise

import torch
from torch import Tensor

from divmin.explanation.critic import Best, Critic, Kind
from divmin.explanation.probe import Probe
from divmin.explanation.record import Interval, Mass

SPAN, STEP = 40.0, 0.05  # |d| up to which is looked, and how finely
TRUST = 1e-6  # the relative uncertainty of a slope below which it is used
EDGE, PARTS = 8, 33  # how often a step of d is cut into how many parts, to find where something begins
ROUGHNESS = 4e-3  # a relative fourth difference of the pull that shows rounding noise
MOST = 8  # jumps of the best critic that are told
SAME = 1e-9  # how well the place of a jump is known, of losses that torch cannot differentiate
GAP = 6  # points of the grid that kinks may spoil


@dataclass(frozen=True)
class Pulled:
    """The pull `w` on samples of some log-ratios, and where it is `sound`: not lost to rounding in the losses."""

    w: Tensor
    sound: Tensor


Pull = Callable[[Tensor], Pulled]


def within(pull: Pull, low: float, high: float) -> Pull:
    """The same pull, sound between two log-ratios only; the ends of the grid are no ends."""

    def at(d: Tensor) -> Pulled:
        got = pull(d)
        inside = (d >= (low if low > -SPAN else -torch.inf)) & (d <= (high if high < SPAN else torch.inf))
        return Pulled(got.w, got.sound & inside)

    return at


@dataclass(frozen=True)
class Examined:
    """A pull on the grid `d`, and what was seen.

    Args:
        d, w, sound: the grid and the pull there.
        low, high: the range around d = 0 on which nothing is lost to rounding.
        positive, negative, zero: where the pull has which sign.
        jumps: where the pull jumps, with its values before and after.
    """

    d: Tensor
    w: Tensor
    sound: Tensor
    low: float
    high: float
    positive: tuple[Interval, ...]
    negative: tuple[Interval, ...]
    zero: tuple[Interval, ...]
    jumps: tuple[tuple[float, float, float], ...] = ()

    def cost(self) -> Tensor:
        """s on the grid: f(e^d) left of 0 and e^-d f(e^d) right of it, for f'' = w/u^2."""
        x, w, middle = self.d, self.w.masked_fill(~self.w.isfinite(), 0.0), len(self.d) // 2
        # at a jump the grid has two more points, one on each side of it
        for at, before, after in self.jumps:
            left, right = x < at, x > at
            x = torch.cat([x[left], x.new_tensor([at, at]), x[right]])
            w = torch.cat([w[left], w.new_tensor([before, after]), w[right]])
        zero = int((x < self.d[middle]).sum())

        def outward(values: Tensor) -> Tensor:
            """The integral from 0, left and right of it apart, so that the larger side does not swallow the smaller.

            Trapezoids with the first term of Euler and Maclaurin's correction, h^2/12 times the change of the slope.
            """
            areas = torch.cat([_areas(x[part], values[part]) for part in self._smooth(x)])
            left = -areas[:zero].flip(0).cumsum(0).flip(0)
            return torch.cat([left, x.new_zeros(1), areas[zero:].cumsum(0)])

        a, b = outward((-x).exp() * w), outward(w)
        s = (x.exp() * a - b).where(x < 0, a - (-x).exp() * b)
        return s[torch.searchsorted(x, self.d)]

    def _smooth(self, x: Tensor) -> list[slice]:
        """The stretches of a grid between its jumps, where two of its points are one, and the jumps themselves."""
        twice = [0, *((x.diff() == 0).nonzero().flatten() + 1).tolist(), len(x)]
        found: list[slice] = []
        for start, stop in pairwise(twice):
            found += [slice(start - 1, start + 1)] * (start > 0) + [slice(start, stop)]
        return found


def _areas(x: Tensor, y: Tensor) -> Tensor:
    """The integrals between neighbouring points of a smooth function."""
    step = x.diff()
    area = step * (y[1:] + y[:-1]) / 2
    if len(x) < 3:
        return area
    (slope,) = torch.gradient(y, spacing=(x,))
    return area - step**2 / 12 * slope.diff()


def pull_of(critic: Critic, generator: Probe, likelihood: Probe | None = None) -> Pull:
    """The pull of a game with its best critic: w = -h'(c*) dc*/dd, and e^d (G + G' dc*/dd) of a data term -E_p[G log q]."""

    def at(d: Tensor) -> Pulled:
        best = critic.best(d)
        w = -generator.slope(best.c) * best.slope
        w = w.masked_fill(
            best.slope == 0, 0.0
        )  # where the critic does not answer there is no pull, even if h' is infinite
        doubt = generator.doubt(best.c).masked_fill(best.slope == 0, 0.0)
        if likelihood is not None:
            w = w + d.exp() * (likelihood.value(best.c) + likelihood.slope(best.c) * best.slope)
            doubt = torch.maximum(doubt, likelihood.doubt(best.c))
        return Pulled(w, ~best.where(Kind.LOST) & (doubt < TRUST) & w.isfinite())

    return at


def grid(slow: bool) -> Tensor:
    """The log-ratios that are looked at."""
    step = STEP * (10 if slow else 1)
    half = round(SPAN / step)
    return torch.arange(-half, half + 1, dtype=torch.float64) * step


def examine(pull: Pull, slow: bool = False) -> Examined:
    """Look at a pull on the grid, and find where its sign changes."""
    d = grid(slow)
    got = pull(d)
    around, sound = _largest(got.w.abs().nan_to_num(), 5), got.sound
    if not slow:  # a coarser grid cannot tell roughness from shape
        sound = sound & (torch.nn.functional.pad(got.w.diff(n=4).abs(), (2, 2)) <= ROUGHNESS * around)
    middle = len(d) // 2
    low = int(middle - _run(sound[: middle + 1].flip(0)))
    high = int(middle + _run(sound[middle:]))
    sign = got.w.sign()

    def having(value: float) -> tuple[Interval, ...]:
        def holds(x: Tensor) -> Tensor:
            found = pull(x)
            return (found.w.sign() == value) & found.sound

        return intervals(d[low : high + 1], sign[low : high + 1] == value, holds)

    jumps = tuple(_jumps(lambda x: pull(x).w, d)) if not slow else ()
    return Examined(d, got.w, sound, float(d[low]), float(d[high]), having(1.0), having(-1.0), having(0.0), jumps)


def _largest(values: Tensor, width: int) -> Tensor:
    """The largest of the neighbours of each entry."""
    return torch.nn.functional.max_pool1d(values.reshape(1, 1, -1), width, 1, width // 2).reshape(-1)


def intervals(d: Tensor, mask: Tensor, holds: Callable[[Tensor], Tensor]) -> tuple[Interval, ...]:
    """The intervals on which something holds; a single point between others is none, and the ends of the grid are endless.

    Args:
        d: a grid.
        mask: where it holds on the grid.
        holds: where it holds at any log-ratios, for the edges.
    """
    found, start = [], 0
    for value, run in groupby(mask.tolist()):
        stop = start + len(list(run))
        alone = stop - start == 1 and start > 0 and stop < len(d)
        if value and not alone:
            left = -math.inf if start == 0 else _edge(holds, float(d[start]), float(d[start - 1]))
            right = math.inf if stop == len(d) else _edge(holds, float(d[stop - 1]), float(d[stop]))
            found.append(Interval(left, right))
        start = stop
    return tuple(found)


def _edge(holds: Callable[[Tensor], Tensor], inside: float, outside: float) -> float:
    """Where something that holds at one place and not at the other ends, to about 1e-13 of the distance."""
    for _ in range(EDGE):
        x = torch.linspace(inside, outside, PARTS, dtype=torch.float64)
        first_bad = int(holds(x[1:-1]).long().cumprod(0).sum()) + 1
        inside, outside = float(x[first_bad - 1]), float(x[first_bad])
    return inside


def _run(good: Tensor) -> int:
    """How many steps from the first entry are good, but for gaps that a kink leaves."""
    length = 0
    for value, run in groupby(good.tolist()):
        size = len(list(run))
        if not value and (size > GAP or length + size == len(good)):
            break
        length += size
    return max(length - 1, 0)


def masses(critic: Critic, generator: Probe, best: Best, seen: Examined) -> tuple[Mass, ...]:
    """Where the best output jumps, and by how much the generator's loss falls there."""
    known = _sure(best, seen.low, seen.high)
    step = known.d[1:] - known.d[:-1]
    expected = step * torch.maximum(known.slope[1:].abs(), known.slope[:-1].abs())
    moved = (known.c[1:] - known.c[:-1]).abs()
    near = step < 2.5 * step.min() if len(step) else step > 0  # a point on the jump itself may be lost to rounding
    jumps = near & (moved > 3 * expected + 1e-6 * (1 + known.c[1:].abs()))
    found = []
    for i in jumps.nonzero().flatten().tolist()[:MOST]:
        d, c = known.d[i : i + 2], known.c[i : i + 2]
        for _ in range(EDGE):
            inner = _sure(critic.best(torch.linspace(float(d[0]), float(d[1]), PARTS, dtype=torch.float64)[1:-1]))
            x, outputs = torch.cat([d[:1], inner.d, d[1:]]), torch.cat([c[:1], inner.c, c[1:]])
            left = int(((outputs - c[0]).abs() < (outputs - c[1]).abs()).long().cumprod(0).sum()) - 1
            d, c = x[left : left + 2], outputs[left : left + 2]
        size = float(generator.value(c[:1]) - generator.value(c[1:]))
        if any(bool(each.doubt(c).isinf().any()) for each in (critic.real, critic.fake)):
            size = float(f"{size:.5g}")  # without autograd a kink is known to a millionth
        if abs(size) > 1e-9:
            found.append(Mass(float(d[0]) if abs(float(d[0])) > SAME else 0.0, size))
    return tuple(found)


def _sure(best: Best, low: float = -math.inf, high: float = math.inf) -> Best:
    """The outputs that are not lost to rounding, between two log-ratios."""
    keep = best.where(Kind.INTERIOR, Kind.KINK, Kind.FLAT) & (best.d >= low) & (best.d <= high)
    return Best(best.d[keep], best.c[keep], best.kind[keep], best.slope[keep])


def steps(slope: Callable[[Tensor], Tensor], seen: Examined, share: float) -> tuple[Mass, ...]:
    """Point masses where a slope jumps: the jumps times a share."""
    return tuple(Mass(d, share * (after - before)) for d, before, after in _jumps(slope, seen.d))


def _jumps(function: Callable[[Tensor], Tensor], d: Tensor) -> list[tuple[float, float, float]]:
    """Where a function jumps between points of a grid, and its values before and after."""
    values = function(d)
    change = values.diff().abs().nan_to_num(nan=0.0, posinf=0.0)  # a pole, or a point lost to rounding, is no jump
    beside = torch.nn.functional.pad(change, (1, 1))
    usual = torch.minimum(beside[:-2], beside[2:])  # a jump stands out from the changes on one side at least
    found: list[tuple[float, float, float]] = []
    for i in (change > 3 * usual + 1e-6 * (1 + values[1:].abs())).nonzero().flatten().tolist()[: 4 * MOST]:
        x, y = d[i : i + 2], values[i : i + 2]
        for _ in range(EDGE):
            closer = torch.linspace(float(x[0]), float(x[1]), PARTS, dtype=torch.float64)
            inner = torch.cat([y[:1], function(closer[1:-1]), y[1:]])
            left = int(inner.diff().abs().nan_to_num().argmax())
            x, y = closer[left : left + 2], inner[left : left + 2]
        if float((y[1] - y[0]).abs()) > float(change[i]) / 4:  # it stays, however closely one looks
            at, before, after = float(x[0]), float(y[0]), float(y[1])
            near = float(d[i if at - float(d[i]) < float(d[i + 1]) - at else i + 1])
            at = near if abs(near - at) < SAME else at
            if found and found[-1][0] == at:  # on a point of the grid, with a value between
                before = found.pop()[1]
            found.append((at, before, after))
    return found
