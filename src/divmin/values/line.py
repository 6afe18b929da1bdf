"""Integrals over the real line: every stretch between two edges is stretched out so that its ends are infinitely far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import softplus

from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.values.adaptive import MOST, ROUNDING, integrate
from divmin.values.cost import kinks, log_integrand
from divmin.values.law import Law

FARTHEST = 1e100  # |x| up to which a line is looked at
NEGLIGIBLE = 90.0  # how far below its peak a log-integrand is left out
LARGEST = 700.0  # the logarithm of what float64 holds
COARSE = 1201  # points at which every stretch is looked at first
STEPS = (
    0.0,
    0.25,
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    12.0,
    20.0,
    32.0,
)  # multiples of the spread around every mark
PRECISE = 1e-13  # the relative error at which cutting stops
RESOLVED, UNRESOLVED = 1e-12, 1e-2  # spacing of x over the width of a law: none to speak of, and too much
FLAT = 1e-9  # a rate of decay at an end that cannot be told from none


@dataclass(frozen=True)
class Stretch:
    """A stretch of the line between two ends, finite or not, with its coordinate t from -inf to inf.

    x = low + e^t, high - e^-t, low + (high - low) sigma(t), or centre + scale sinh(t).
    """

    low: Tensor
    high: Tensor
    centre: float = 0.0
    scale: float = 1.0
    in_logarithms: bool = False  # whether its densities come from the logarithms of the distances to both ends
    between: tuple[float, float] = (-math.inf, math.inf)  # the x that belong to it, if it is cut off from a longer one
    within: tuple[float, float] = (-math.inf, math.inf)  # the t that are looked at

    @property
    def ends(self) -> tuple[bool, bool]:
        return bool(self.low.isfinite()), bool(self.high.isfinite())

    def place(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """x and log dx/dt."""
        match self.ends:
            case True, True:
                size = self.high - self.low
                x = (self.low + size * t.sigmoid()).where(t < 0, self.high - size * (-t).sigmoid())
                return x, size.log() - softplus(-t) - softplus(t)
            case True, False:
                return self.low + t.exp(), t
            case False, True:
                return self.high - (-t).exp(), -t
        return self.centre + self.scale * t.sinh(), math.log(self.scale) + t.abs() + (
            (-2 * t.abs()).exp() / 2 + 0.5
        ).log()

    def coordinate(self, x: Tensor) -> Tensor:
        """t of points inside."""
        low, high = self.low.detach(), self.high.detach()
        match self.ends:
            case True, True:
                return ((x - low) / (high - low)).logit()
            case True, False:
                return (x - low).log()
            case False, True:
                return -(high - x).log()
        return ((x - self.centre) / self.scale).asinh()

    def reach(self) -> tuple[float, float]:
        """The t between which x differs from finite ends in float64 and is not beyond `FARTHEST`."""
        start, stop = self._resolved()
        return max(start, self.within[0]), min(stop, self.within[1])

    def _resolved(self) -> tuple[float, float]:
        low, high = self.low.item(), self.high.item()
        far = math.log(FARTHEST)
        match self.ends:
            case True, True:
                size = high - low
                if self.in_logarithms:
                    return _closest(0.0), -_closest(0.0)
                return _closest(low) - math.log(size), math.log(size) - _closest(high)
            case True, False:
                return _closest(low), far
            case False, True:
                return -far, -_closest(high)
        far = math.asinh(FARTHEST / self.scale)
        start, stop = (math.asinh((x - self.centre) / self.scale) for x in self.between)
        return max(-far, start), min(far, stop)


def _closest(end: float) -> float:
    """log of the distance to an end below which floats do not tell them apart."""
    return math.log(2e-16 * abs(end)) if end else -690.0


@dataclass(frozen=True)
class Found:
    """A differentiable integral, a bound of its error, and how often the integrand was looked at."""

    tensor: Tensor
    error: float
    evaluations: int


def over(
    stretch: Stretch,
    log_function: Callable[[Tensor], Tensor],
    marks: Tensor,
    graph: bool,
    noise: Callable[[float], float] = lambda value: 0.0,
    coarse: int = COARSE,
    most: int = MOST,
) -> Found:
    """The integral of exp(log_function(t)) over a stretch, in its coordinate; infinite when it grows towards an end.

    Args:
        stretch: where; only its reach and coordinate are used.
        log_function: the logarithm of the integrand times dx/dt, of t.
        marks: points x at which to look closely.
        graph: whether to keep the graph for derivatives.
        noise: the relative rounding noise of the integrand when the integral has a value, below which nothing is cut.
        coarse: at how many points to look first.
        most: after how many points to stop cutting, whatever the error.
    """
    start, stop = stretch.reach()
    low, high = stretch.low.detach().clamp(min=stretch.between[0]), stretch.high.detach().clamp(max=stretch.between[1])
    inside = marks[(marks > low) & (marks < high)]
    at = torch.cat([torch.linspace(start, stop, coarse, dtype=torch.float64), stretch.coordinate(inside)])
    at = at[(at >= start) & (at <= stop)].unique()
    with torch.no_grad():
        logs = log_function(at).nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
    peak = float(logs.max())
    if peak == -math.inf:  # a zero that knows of the parameters, whose derivatives are zero
        nothing = 0 * log_function(at).exp().sum() if graph else torch.zeros((), dtype=torch.float64)
        return Found(nothing, 0.0, len(at))
    infinite = Found(torch.full((), math.inf, dtype=torch.float64), 0.0, len(at))
    if peak > LARGEST:
        return infinite
    active = logs >= peak - NEGLIGIBLE
    tails = []
    for end, before in ((0, 1), (-1, -2)):
        if bool(active[end]) and math.isinf(stretch.between[end]):
            rate = float((logs[before] - logs[end]) / (at[before] - at[end]).abs())
            if rate <= FLAT:
                return infinite
            tails.append((end, rate, float((logs[end] - peak).exp()) / rate))
    pieces = active[1:] | active[:-1]
    size = math.exp(peak)
    rough = float(torch.trapezoid((logs - peak).exp(), at)) * size
    with torch.no_grad():
        found = integrate(
            lambda t: (log_function(t[:, 0]) - peak).exp().nan_to_num(nan=0.0),
            at[:-1][pieces, None],
            at[1:][pieces, None],
            max(PRECISE, noise(rough)),
            most,
        )
    rest = sum(tail for _, _, tail in tails)
    # a rate that changes like 1/t, as that of a logarithm, moves the rest by this much
    unsure = sum(tail / (rate * float(at[end].abs())) for end, rate, tail in tails)
    total = torch.tensor(found.value, dtype=torch.float64)
    if graph:
        again = ((log_function(found.points[:, 0]) - peak).exp().nan_to_num(nan=0.0) * found.weights).sum()
        total = total + (again - again.detach())
    return Found((total + rest) * size, (found.error + unsure) * size, found.evaluations + len(at))


def stretches(edges: list[Tensor], marks: Tensor, spreads: Tensor) -> list[Stretch]:
    """The line cut at edges; edges that lie together are one. A line without ends is shared out among its marks."""
    cuts: list[Tensor] = []
    for edge in sorted(edges, key=lambda edge: edge.item()):
        if not cuts or (edge - cuts[-1]).item() > 1e-14 * (1 + abs(edge.item())):
            cuts.append(edge)
    far = torch.tensor(math.inf, dtype=torch.float64)
    bounds = [-far, *cuts, far]
    if cuts:
        return [Stretch(low, high) for low, high in pairwise(bounds)]
    places = _apart(marks, spreads)
    shares = [(a * t + b * s) / (s + t) for (a, s), (b, t) in pairwise(places)]
    return [
        Stretch(-far, far, centre, scale, between=between)
        for (centre, scale), between in zip(places, pairwise([-math.inf, *shares, math.inf]), strict=True)
    ]


def _apart(marks: Tensor, spreads: Tensor) -> list[tuple[float, float]]:
    """Marks with their spreads, of which any two are farther apart than their spreads; of others the narrower stays."""
    places: list[tuple[float, float]] = []
    for mark, spread in sorted(set(zip(marks.tolist(), spreads.tolist(), strict=True)), key=lambda each: each[1]):
        if all(abs(mark - other) > 4 * spread for other, _ in places):
            places.append((mark, spread))
    return sorted(places)


def neighbourhood(p: Law, q: Law) -> Tensor:
    """Points around all marks of two laws."""
    marks, spreads = torch.cat([p.marks, q.marks]), torch.cat([p.spreads, q.spreads])
    steps = torch.tensor(STEPS, dtype=torch.float64)
    around = marks[:, None] + spreads[:, None] * torch.cat([-steps[1:], steps])
    return around.reshape(-1)


def on_the_line(f: Divergence, p: Law, q: Law, graph: bool) -> Found:
    """D_f(p, q) as the integral of max(p, q) s(log p/q), with masses where only one of them lives.

    Source: Shannon et al., eqs. 3 to 5.
    """
    around, coarse = neighbourhood(p, q), _coarseness(p, q)
    total, error, seen = torch.zeros((), dtype=torch.float64), 0.0, 0
    for stretch in stretches([*p.edges, *q.edges], torch.cat([p.marks, q.marks]), torch.cat([p.spreads, q.spreads])):
        found = _over_stretch(f, p, q, stretch, around, graph)
        total, error, seen = total + found.tensor, error + found.error, seen + found.evaluations
        if bool(total.isinf()):
            break
    return Found(total, error + coarse * _size(float(total.detach())), seen)


def _coarseness(p: Law, q: Law) -> float:
    """How far log-densities are off because x is rounded where laws are narrow and far from 0; 0 where that is next to nothing.

    Raises:
        DivminError: for laws that float64 cannot resolve there.
    """
    marks, spreads = torch.cat([p.marks, q.marks]).detach(), torch.cat([p.spreads, q.spreads]).detach()
    # transformed laws may have marks beyond float64, of which nothing can be said
    ratios = (marks.abs() / spreads).nan_to_num(nan=0.0, posinf=0.0)
    rounded, worst = ROUNDING * float(ratios.max()), int(ratios.argmax())
    if rounded > UNRESOLVED:
        raise DivminError(
            f"a law varies over {float(spreads[worst]):.3g} around {float(marks[worst]):.3g}, which float64 cannot resolve: "
            "shift both laws towards 0"
        )
    return 10 * rounded if rounded > RESOLVED else 0.0


def _over_stretch(f: Divergence, p: Law, q: Law, stretch: Stretch, around: Tensor, graph: bool) -> Found:
    def spans(one: Law) -> bool:
        return one.logit is not None and stretch.low.item() == one.low.item() and stretch.high.item() == one.high.item()

    def at(one: Law, t: Tensor) -> Tensor:
        """The log-density in the coordinate t, without dx/dt."""
        if one.logit is not None and spans(one):
            return one.logit(-softplus(-t), -softplus(t)) - (stretch.high - stretch.low).log()
        return one.log_density(stretch.place(t)[0])

    def lives(one: Law) -> bool:
        start, stop = stretch.reach()
        middle = torch.linspace(max(start, -20.0), min(stop, 20.0), 41, dtype=torch.float64)
        return bool((at(one, middle) > -math.inf).any())

    with torch.no_grad():
        alive = [one for one in (p, q) if lives(one)]
    stretch = replace(stretch, in_logarithms=all(map(spans, alive)))
    nothing = Found(torch.zeros((), dtype=torch.float64), 0.0, 0)
    if not alive:
        return nothing
    if len(alive) == 2:

        def both(t: Tensor) -> Tensor:
            log_p, log_q = at(p, t), at(q, t)
            # a log-density beyond float64, as of Gumbel's law far to the left, is no end of a support: those are edges
            lost = torch.minimum(log_p, log_q).isneginf() & (torch.maximum(log_p, log_q) < -LARGEST)
            return log_integrand(f, log_p, log_q).masked_fill(lost, -math.inf) + stretch.place(t)[1]

        for kink in kinks(f):

            def beyond(t: Tensor, kink: float = kink) -> Tensor:
                return at(p, t) - at(q, t) - kink

            around = torch.cat([around, _crossings(stretch, beyond)])
        found = over(stretch, both, around, graph, lambda value: _noise(value) / max(value, 1e-300))
        return Found(found.tensor, found.error + _noise(float(found.tensor.detach())), found.evaluations)
    (only,) = alive
    cost = f.s(math.inf) if only is p else f.s(-math.inf)
    if cost == 0:
        return nothing
    mass = over(stretch, lambda t: at(only, t) + stretch.place(t)[1], around, graph)
    if mass.tensor.item() == 0:
        return mass
    return Found(mass.tensor * cost, mass.error * cost if math.isfinite(cost) else 0.0, mass.evaluations)


def _crossings(stretch: Stretch, function: Callable[[Tensor], Tensor]) -> Tensor:
    """The points x of a stretch at which a function of t changes its sign, as far as a grid sees them."""
    start, stop = (max(-50.0, stretch.reach()[0]), min(50.0, stretch.reach()[1]))
    t = torch.linspace(start, stop, 8 * COARSE, dtype=torch.float64)
    with torch.no_grad():
        sign = function(t).sign()
        changes = (sign[1:] * sign[:-1] < 0).nonzero().flatten()
        low, high, first = t[changes], t[changes + 1], sign[changes]
        for _ in range(60):
            middle = (low + high) / 2
            same = function(middle).sign() == first
            low, high = middle.where(same, low), high.where(same, middle)
        return stretch.place(high)[0].detach()


def _noise(value: float) -> float:
    """What rounding of two log-densities does to D: d is known to some ulp, and the integrand goes like d^2 where d is small."""
    return 50 * ROUNDING * _size(value)


def _size(value: float) -> float:
    """By how much an error of d, in nats, is multiplied in D at most, up to a constant."""
    return value + math.sqrt(value) if math.isfinite(value) and value > 0 else 0.0
