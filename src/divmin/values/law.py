"""Laws on the real line as the quadrature sees them: a log-density, a support, and where to look."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce, singledispatch
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution, constraints

from divmin.data.density import Density
from divmin.data.mixture import Mixture
from divmin.errors import DivminError
from divmin.values.compound import Mixed, components

# log-density at low + (high - low) t, from log t and log(1 - t): next to an end t alone has lost the digits
Logit = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Law:
    """A law on the real line.

    Args:
        log_density: at points of any shape, -inf off the support.
        low, high: the ends of the support, tensors without dimensions, possibly infinite and differentiable.
        edges: where the density may jump inside, with the ends.
        marks, spreads: places and scales at which there is something to see.
        logit: see above, of a law whose density is singular at an end.
        analytic: whether the density is known to be analytic on the whole line.
    """

    log_density: Callable[[Tensor], Tensor]
    low: Tensor
    high: Tensor
    edges: tuple[Tensor, ...]
    marks: Tensor
    spreads: Tensor
    logit: Logit | None = None
    analytic: bool = False


ANALYTIC = (distributions.Normal, distributions.Cauchy, distributions.StudentT, distributions.Gumbel)


@singledispatch
def law(given: Any) -> Law:
    """How the quadrature sees a law on the line.

    Args:
        given: a torch distribution without batch and event dimensions, in float64, or a density of dm.data with dim 1.

    Raises:
        DivminError: for anything else.
    """
    raise DivminError(f"expected a law on the line; got {type(given).__name__}")


@law.register
def _(given: Density) -> Law:
    points = given.sample(256, seed=0, dtype=torch.float64)[:, 0].sort().values  # to know where to look, nothing else
    means, scales = getattr(given, "means", None), getattr(given, "scales", None)
    if means is not None and scales is not None:
        marks, spreads = (torch.tensor([each[0] for each in part], dtype=torch.float64) for part in (means, scales))
    else:
        marks, spreads = points[::8], points.std().expand(32)
    ends = torch.tensor([-math.inf, math.inf], dtype=torch.float64)
    normal = isinstance(given, Mixture)
    return Law(lambda x: given.log_prob(x[..., None]), ends[0], ends[1], (), marks, spreads, analytic=normal)


@law.register
def _(given: Distribution) -> Law:
    low, high = ends(given)
    marks, spreads = places(given)

    def log_density(x: Tensor) -> Tensor:
        inside = (x > low) & (x < high)
        safe = x.where(inside, marks.detach().mean().clamp(*_within(low, high)))
        return given.log_prob(safe).masked_fill(~inside, -math.inf)

    edges = tuple(each for each in (low, high) if bool(each.isfinite()))
    return Law(log_density, low, high, edges, marks, spreads, _logit(given), isinstance(given, ANALYTIC))


@law.register
def _(given: distributions.MixtureSameFamily) -> Law:
    parts = given.component_distribution
    low, high = (each.reshape(-1) for each in ends(parts))
    marks, spreads = places(parts)
    weights = given.mixture_distribution.logits.log_softmax(-1)

    def log_density(x: Tensor) -> Tensor:
        if everywhere:
            return _added(part.log_prob(x).add(weight) for part, weight in zip(apart, weights, strict=True))
        at = x[..., None]
        inside = (at > low) & (at < high)
        safe = at.where(inside, marks.detach().clamp(*_within(low, high)))
        return (parts.log_prob(safe).masked_fill(~inside, -math.inf) + weights).logsumexp(-1)

    edges = tuple(each for each in (*low, *high) if bool(each.isfinite()))
    everywhere = not edges
    apart = components(parts) if everywhere else []  # a long inner dimension is quicker than a short one
    return Law(log_density, low.min(), high.max(), edges, marks, spreads, analytic=isinstance(parts, ANALYTIC))


@law.register
def _(given: Mixed) -> Law:
    parts = [law(part) for part in given.parts]
    weights = given.weights.log()

    def log_density(x: Tensor) -> Tensor:
        return _added(part.log_density(x) + weight for part, weight in zip(parts, weights, strict=True))

    return Law(
        log_density,
        torch.stack([part.low for part in parts]).min(),
        torch.stack([part.high for part in parts]).max(),
        tuple(edge for part in parts for edge in part.edges),
        torch.cat([part.marks for part in parts]),
        torch.cat([part.spreads for part in parts]),
        analytic=all(part.analytic for part in parts),
    )


def _added(logs: Iterable[Tensor]) -> Tensor:
    """log of a sum, two terms at a time: half the time of a stack and logsumexp."""
    return reduce(torch.logaddexp, logs)


def _within(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds a little inside of the support, for points at which a density is evaluated and not used."""
    gap = (high - low).nan_to_num(posinf=1.0).clamp(max=1.0) / 1024
    return (low + gap).detach(), (high - gap).detach()


def ends(given: Distribution) -> tuple[Tensor, Tensor]:
    """The ends of the support, float64, infinite where there is none."""
    support: Any = given.support
    low: Any = getattr(support, "lower_bound", -math.inf)
    high: Any = getattr(support, "upper_bound", math.inf)
    if isinstance(given, distributions.VonMises):  # one turn of the circle
        low, high = -math.pi, math.pi
    elif not isinstance(support, type(constraints.real)) and math.isinf(_largest(low)) and math.isinf(_largest(high)):
        raise DivminError(f"{type(given).__name__} has a support that is no interval: {support}")
    shape = given.batch_shape
    return tuple(torch.as_tensor(each, dtype=torch.float64).expand(shape) for each in (low, high))  # type: ignore[return-value]


def _largest(end: Any) -> float:
    return float(torch.as_tensor(end, dtype=torch.float64).detach().abs().max())


def places(given: Distribution) -> tuple[Tensor, Tensor]:
    """Where a law has its mass, and on which scale: mean and deviation, else location and scale, else its base moved along."""
    for centre, scale in (("mean", "stddev"), ("loc", "scale"), ("mode", "scale")):
        try:
            marks, spreads = getattr(given, centre), getattr(given, scale)
        except (AttributeError, NotImplementedError):
            continue
        good = marks.isfinite() & spreads.isfinite() & (spreads > 0)
        if bool(good.all()):
            return marks.detach().reshape(-1).double(), spreads.detach().reshape(-1).double()
    if isinstance(given, distributions.TransformedDistribution):
        marks, spreads = places(given.base_dist)
        at = torch.stack([marks + k * spreads for k in (-1, 0, 1)])
        for transform in given.transforms:
            at = transform(at)
        return at[1].detach().reshape(-1), (at[2] - at[0]).abs().detach().reshape(-1) / 2
    low, high = ends(given)
    if bool((low.isfinite() & high.isfinite()).all()):
        return ((low + high) / 2).detach().reshape(-1), ((high - low) / 4).detach().reshape(-1)
    start = low.where(low.isfinite(), high).nan_to_num(posinf=0.0).detach().reshape(-1)
    return start + 1, torch.ones_like(start)


def _logit(given: Distribution) -> Logit | None:
    """Densities on (0, 1) that are singular at the ends, from the logarithms of both distances."""
    if isinstance(given, distributions.Beta):
        a, b = given.concentration1, given.concentration0
        return lambda t, rest: (a - 1) * t + (b - 1) * rest + (a + b).lgamma() - a.lgamma() - b.lgamma()
    if isinstance(given, distributions.Kumaraswamy):
        a, b = given.concentration1, given.concentration0
        return lambda t, rest: (a * b).log() + (a - 1) * t + (b - 1) * (-(a * _log_of_t(t, rest)).expm1()).log()
    return None


def _log_of_t(t: Tensor, rest: Tensor) -> Tensor:
    """log t from whichever of log t and log(1 - t) has its digits."""
    return t.where(t < -0.5, (-rest.clamp(max=-1e-300).exp()).log1p())
