"""The best critic: for every log-ratio d, the output c that minimises u l_p(c) + l_q(c), u = e^d.

The link c*(d) is found by looking at the sign of u l_p' + l_q' on a grid of outputs and bisecting every change from - to +,
so that convexity is not assumed, and kinks, plateaus and critics that run away are seen as what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.explanation.probe import Probe

FINE, FAR = (14.0, 0.02), (75.0, 0.1)  # the grid of outputs, 0.02 sinh(t): how far and how finely in t; out to e^70
HALVINGS = 100  # of a bracket: to the last digit, also of outputs near 0
ROUGH = 1e-7  # an uncertainty of d, from the spacing of floats, beyond which an output no longer tells the ratio
ROUNDED, JUMP = 1e-6, 1e-2  # a relative change of the slope between neighbouring floats that is rounding, or a kink
FADED = 1e-14  # of the largest slope: what is smaller at the end of all outputs is fading and has not stopped
FEW = 200  # brackets
MANY = 6  # minima of the cost at one ratio, beyond which it is rounding that makes them


class Kind(IntEnum):
    """Where the best output lies."""

    INTERIOR = 0  # where the slope passes through 0
    KINK = 1  # where the slope jumps over 0
    FLAT = 2  # anywhere on a plateau
    LOW = 3  # at the lower end of all outputs, or running to -inf
    HIGH = 4  # at the upper end, or running to inf
    LOST = 5  # where neighbouring floats differ by more than the ratio


@dataclass(frozen=True)
class Best:
    """Best outputs `c` at log-ratios `d`, their `kind`, and the slope dc/dd of the link (0 where it is not interior)."""

    d: Tensor
    c: Tensor
    kind: Tensor
    slope: Tensor

    def where(self, *kinds: Kind) -> Tensor:
        """A mask of entries of these kinds."""
        return torch.isin(self.kind, torch.tensor(kinds))


@dataclass(frozen=True)
class Critic:
    """A critic's two losses, looked at on a grid of outputs on which both are finite."""

    real: Probe
    fake: Probe
    grid: Tensor
    real_slope: Tensor
    fake_slope: Tensor
    ends: tuple[bool, bool]  # whether outputs end there because a loss is not defined beyond

    def best(self, d: Tensor) -> Best:
        """The link at log-ratios d, any shape, float64."""
        flat = d.detach().reshape(-1)
        parts = [self._best(each) for each in flat.split(400)] or [self._best(flat)]
        c, kind, slope = (torch.cat([getattr(part, name) for part in parts]) for name in ("c", "kind", "slope"))
        return Best(d, c.reshape(d.shape), kind.reshape(d.shape), slope.reshape(d.shape))

    def cost(self, d: Tensor, c: Tensor) -> Tensor:
        """u l_p(c) + l_q(c), divided by sqrt(u) so that it does not overflow."""
        up, down = (d / 2).exp(), (d / -2).exp()
        return up * self.real.value(c) + down * self.fake.value(c)

    def _best(self, d: Tensor) -> Best:
        up, down = (d / 2).exp()[:, None], (d / -2).exp()[:, None]
        sign = (up * self.real_slope + down * self.fake_slope).sign()
        # Where the cost moves at all; a slope that fades into underflow never ends, one that stops at once leaves a plateau.
        size = up * self.real_slope.abs() + down * self.fake_slope.abs()
        places, at = torch.arange(sign.shape[1]), torch.arange(len(d))
        moving, faint = sign != 0, FADED * size.amax(1)
        first = places.expand_as(sign).masked_fill(~moving, sign.shape[1]).amin(1)
        last = places.expand_as(sign).masked_fill(~moving, -1).amax(1)
        opening, closing = first.clamp(max=sign.shape[1] - 1), last.clamp(min=0)
        starts_up = (first == sign.shape[1]) | (sign[at, opening] > 0)
        level = (sign[:, 0] == 0) & (size[at, opening] > faint)
        fades = (last < sign.shape[1] - 1) & (size[at, closing] <= faint)
        ends_down = (last >= 0) & (sign[at, closing] < 0) & ((last == sign.shape[1] - 1) | fades)
        rows, columns = ((sign[:, :-1] < 0) & (sign[:, 1:] >= 0)).nonzero(as_tuple=True)
        ending = fades[rows] & (columns == last[rows])
        rows, columns = rows[~ending], columns[~ending]
        crowded = torch.bincount(rows, minlength=len(d)) > MANY
        if crowded.any():
            first_of_row = torch.ones_like(rows, dtype=torch.bool)
            first_of_row[1:] = rows[1:] != rows[:-1]
            kept = first_of_row | ~crowded[rows]
            rows, columns = rows[kept], columns[kept]
        low, high = self._bisected(d[rows], self.grid[columns], self.grid[columns + 1])
        inner = self._judged(d[rows], low, high, sign[rows, (columns + 2).clamp(max=sign.shape[1] - 1)] == 0)
        outer = torch.full_like(d, Kind.LOW).masked_fill(level, Kind.FLAT)
        candidates = (
            (rows, inner.c, inner.kind, inner.slope),
            (at[starts_up], self.grid[(first - 1).clamp(min=0)][starts_up], outer[starts_up], 0 * d[starts_up]),
            (at[ends_down], self.grid[-1].expand(int(ends_down.sum())), Kind.HIGH + 0 * d[ends_down], 0 * d[ends_down]),
        )
        row, c, kind, slope = (torch.cat([each[i] for each in candidates]) for i in range(4))
        chosen = self._cheapest(d, row, c)
        return Best(d, c[chosen], kind[chosen].long().masked_fill(crowded, Kind.LOST), slope[chosen])

    def _cheapest(self, d: Tensor, row: Tensor, c: Tensor) -> Tensor:
        """For every entry of d the candidate that costs least; of equals the first."""
        cost = torch.zeros_like(c)
        if len(row) > len(d):
            cost = self.cost(d[row], c).nan_to_num(nan=torch.inf)
        order = cost.argsort(stable=True)
        order = order[row[order].argsort(stable=True)]
        _, counts = torch.unique_consecutive(row[order], return_counts=True)
        return order[counts.cumsum(0) - counts]

    def _slope(self, d: Tensor, c: Tensor) -> Tensor:
        return (d / 2).exp() * self.real.slope(c) + (d / -2).exp() * self.fake.slope(c)

    def _bisected(self, d: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """The last output with a falling cost and the first with another, neighbouring floats."""
        slow = self.real.slow or self.fake.slow
        parts = (
            17 if len(d) <= FEW and not slow else 2
        )  # few brackets are cut finely, which calls the losses less often
        share = torch.linspace(0, 1, parts + 1, dtype=torch.float64)[1:-1]
        for _ in range(HALVINGS if len(d) else 0):
            inner = low[:, None] + (high - low)[:, None] * share
            if bool(((inner == low[:, None]) | (inner == high[:, None])).all()):
                break
            falls = (self._slope(d[:, None].expand_as(inner), inner) < 0).long().cumprod(1).sum(1, keepdim=True)
            edges = torch.cat([low[:, None], inner, high[:, None]], 1)
            low, high = edges.gather(1, falls).squeeze(1), edges.gather(1, falls + 1).squeeze(1)
        return low, high

    def _judged(self, d: Tensor, low: Tensor, high: Tensor, level: Tensor) -> Best:
        """What kind of minimum lies between two neighbouring floats; `level`: the cost does not rise after it either."""
        if not len(d):  # nobody's loss is called with an empty batch
            return Best(d, d, d.long(), d)
        up, down = (d / 2).exp(), (d / -2).exp()
        (p, p2), (q, q2) = self.real.derivatives(high), self.fake.derivatives(high)
        size, curvature = up * p.abs() + down * q.abs(), up * p2 + down * q2
        doubt = torch.maximum(self.real.doubt(high), self.fake.doubt(high))
        spacing = torch.maximum(high - low, high.abs() * 2e-16)
        resolution = curvature.abs() * spacing / size  # what the spacing of floats leaves
        before = self._slope(d, low) / (up * self.real.slope(low).abs() + down * self.fake.slope(low).abs())
        jump = (up * p + down * q).abs() / size + before.abs()
        kinked = ((jump > JUMP) & (jump > 16 * resolution) & (doubt == 0)) | doubt.isinf()
        # both slopes pass through 0 together: one output is best at every ratio
        constant = (size <= 8 * (up * p2.abs() + down * q2.abs()) * spacing) & (curvature > 0) & ~level
        lost = (resolution + doubt > ROUGH) | ((jump > ROUNDED) & (jump > 16 * resolution))
        kind = torch.zeros_like(d).masked_fill(lost, Kind.LOST)
        kind = kind.masked_fill(kinked | constant | (curvature == 0), Kind.KINK).masked_fill(
            level & (size == 0), Kind.FLAT
        )
        slope = (-up * p / curvature).masked_fill(kind == Kind.KINK, 0.0).masked_fill(kind == Kind.FLAT, 0.0)
        return Best(d, high, kind, slope)


def critic(real: Probe, fake: Probe) -> Critic:
    """Look at both losses on a grid of outputs, as far as both are defined.

    Raises:
        DivminError: when there is no output near 0 at which both are finite.
    """
    grid = outputs(3 if real.slow or fake.slow else 1)

    def sound(c: Tensor) -> Tensor:
        parts = (real.slope(c), fake.slope(c), real.value(c), fake.value(c))
        return torch.stack([part.isfinite() for part in parts]).all(0)

    first, last = _longest_run(sound(grid))
    if last - first < 8:
        raise DivminError(f"{real.name} and {fake.name} are not finite together on any range of outputs c")
    pieces = [grid[first:last]]
    if first > 0:
        pieces.insert(0, _towards_the_end(grid[first], grid[first - 1], sound).flip(0))
    if last < len(grid):
        pieces.append(_towards_the_end(grid[last - 1], grid[last], sound))
    inside = _with_plateau_edges(torch.cat(pieces), real, fake)
    return Critic(real, fake, inside, real.slope(inside), fake.slope(inside), (first > 0, last < len(grid)))


def _with_plateau_edges(grid: Tensor, real: Probe, fake: Probe) -> Tensor:
    """The grid with points that close in on both sides of where both losses become flat, as at a clamp: minima lie beside it."""

    def flat(c: Tensor) -> Tensor:
        return (real.slope(c) == 0) & (fake.slope(c) == 0)

    level = flat(grid)
    pieces = [grid]
    for i in (level[1:] != level[:-1]).nonzero().flatten().tolist():
        good, bad = (grid[i], grid[i + 1]) if not bool(level[i]) else (grid[i + 1], grid[i])
        pieces.append(_towards_the_end(good, bad, lambda c: ~flat(c)))
    merged: Tensor = torch.cat(pieces).unique()
    return merged


def outputs(coarser: int) -> Tensor:
    """The grid on which losses are looked at: fine near 0, geometric far out."""
    (near, step), (far, stride) = FINE, FAR
    inner = torch.arange(0, near, step * coarser, dtype=torch.float64)
    positive = torch.cat([inner, torch.arange(near, far, stride * coarser, dtype=torch.float64)])
    both = torch.cat([-positive[1:].flip(0), positive])
    return torch.sinh(both) * 0.02


def _towards_the_end(good: Tensor, bad: Tensor, sound: Callable[[Tensor], Tensor]) -> Tensor:
    """Points from a good output that come geometrically close to where a loss stops being finite."""
    inside, outside = good, bad
    for _ in range(HALVINGS):
        middle = inside + (outside - inside) / 2
        if bool((middle == inside) | (middle == outside)):
            break
        inside, outside = (middle, outside) if bool(sound(middle.reshape(1))) else (inside, middle)
    shrinking = torch.logspace(-0.3, -20, 67, dtype=torch.float64)
    points = torch.unique(outside + (good - outside) * shrinking)
    points = points if bool(good < bad) else points.flip(0)
    kept: Tensor = points[sound(points) & (points != good)]
    return kept


def _longest_run(mask: Tensor) -> tuple[int, int]:
    """Where the longest run of true entries begins, and where it has ended."""
    best, start = (0, 0), None
    for i, good in enumerate([*mask.tolist(), False]):
        if good and start is None:
            start = i
        if not good and start is not None:
            best, start = max(best, (start, i), key=lambda run: run[1] - run[0]), None
    return best
