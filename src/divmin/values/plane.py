"""Integrals over the plane: boxes between the marks of both laws, cut until two sizes of box agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.family import Divergence
from divmin.values.adaptive import ROUNDING, integrate
from divmin.values.compound import Mixed, Product
from divmin.values.cost import log_integrand
from divmin.values.law import law, places
from divmin.values.line import FARTHEST, LARGEST, NEGLIGIBLE, Found

PRECISE = 1e-11
COARSE = 41  # points of a coordinate at which the plane is looked at first
STEPS = (-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0)
MOST = 64  # places a coordinate


@dataclass(frozen=True)
class Plane:
    """A law in the plane: its log-density at points [..., 2], and marks [k] and spreads [k] a coordinate."""

    log_density: Callable[[Tensor], Tensor]
    marks: tuple[Tensor, Tensor]
    spreads: tuple[Tensor, Tensor]


def plane(given: Distribution | Density) -> Plane:
    """A law in the plane from a density of dm.data or a distribution on all of R^2."""
    if isinstance(given, Mixed):
        planes = [plane(part) for part in given.parts]
        x, y = (torch.cat([part.marks[i] for part in planes]) for i in range(2))
        wide, high = (torch.cat([part.spreads[i] for part in planes]) for i in range(2))
        return Plane(given.log_prob, (x, y), (wide, high))
    if isinstance(given, Product):
        first, second = map(law, given.parts)
        return Plane(given.log_prob, (first.marks, second.marks), (first.spreads, second.spreads))
    if isinstance(given, Density):
        means, scales = getattr(given, "means", None), getattr(given, "scales", None)
        if means is not None and scales is not None:
            at = torch.tensor(means, dtype=torch.float64)
            wide = torch.tensor([scale if len(scale) == 2 else scale * 2 for scale in scales], dtype=torch.float64)
        else:
            points = given.sample(512, seed=0, dtype=torch.float64)  # to know where to look, nothing else
            at, wide = points[::8], points.std(0).expand(64, 2) / 8
        return Plane(given.log_prob, (at[:, 0], at[:, 1]), (wide[:, 0], wide[:, 1]))
    parts = given.component_distribution if isinstance(given, distributions.MixtureSameFamily) else given
    if isinstance(parts, distributions.MultivariateNormal):
        at, wide = parts.mean.detach().reshape(-1, 2), parts.variance.sqrt().detach().reshape(-1, 2)
    else:
        flat = parts.base_dist if isinstance(parts, distributions.Independent) else parts
        marks, spreads = places(flat)
        at, wide = marks.reshape(-1, 2), spreads.reshape(-1, 2)
    return Plane(given.log_prob, (at[:, 0], at[:, 1]), (wide[:, 0], wide[:, 1]))


def _apart(marks: Tensor, around: Tensor, gap: float) -> Tensor:
    """The marks, where densities may have kinks, and of the places around them those that are not near others."""
    kept = sorted(set(marks.tolist()))
    near = {round(each / gap) for each in kept}
    for place in sorted(around.tolist()):
        if round(place / gap) not in near:
            near.add(round(place / gap))
            kept.append(place)
    found = torch.tensor(sorted(kept), dtype=torch.float64)
    return found[torch.linspace(0, len(found) - 1, MOST).long()] if len(found) > MOST else found


def in_the_plane(f: Divergence, p: Plane, q: Plane, graph: bool) -> Found:
    """D_f of two laws with densities on all of R^2; infinite where the integrand grows towards infinity."""
    axes = []
    for i in range(2):
        marks, spreads = torch.cat([p.marks[i], q.marks[i]]), torch.cat([p.spreads[i], q.spreads[i]])
        centre, scale = float(marks.median()), float(spreads.max())
        around = (marks[:, None] + spreads[:, None] * torch.tensor(STEPS, dtype=torch.float64)).reshape(-1)
        around = _apart(marks, around, float(spreads.min()))
        far = math.asinh(FARTHEST / scale)
        near = math.asinh(60.0)
        at = torch.cat(
            [
                torch.tensor([-far, far], dtype=torch.float64),
                torch.linspace(-near, near, COARSE, dtype=torch.float64),
                torch.linspace(-far, far, 13, dtype=torch.float64),
                ((around - centre) / scale).asinh(),
            ]
        ).unique()
        axes.append((centre, scale, at))

    def place(t: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.stack([centre + scale * t[:, i].sinh() for i, (centre, scale, _) in enumerate(axes)], -1)
        log = sum(math.log(scale) + t[:, i].cosh().log() for i, (_, scale, _) in enumerate(axes))
        return x, torch.as_tensor(log)

    def log_function(t: Tensor) -> Tensor:
        parts = []
        for each in t.split(2**17):
            x, step = place(each)
            parts.append(log_integrand(f, p.log_density(x), q.log_density(x)) + step)
        return torch.cat(parts)

    corners = torch.cartesian_prod(axes[0][2], axes[1][2])
    shape = (len(axes[0][2]), len(axes[1][2]))
    with torch.no_grad():
        logs = log_function(corners).nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf).reshape(shape)
    peak = float(logs.max())
    if peak == -math.inf:
        return Found(torch.zeros((), dtype=torch.float64), 0.0, logs.numel())
    rim = torch.cat([logs[0], logs[-1], logs[:, 0], logs[:, -1]])
    if peak > LARGEST or float(rim.max()) >= peak - NEGLIGIBLE:
        return Found(torch.full((), math.inf, dtype=torch.float64), 0.0, logs.numel())
    active = torch.nn.functional.max_pool2d((logs >= peak - NEGLIGIBLE)[None, None].float(), 2, 1)[0, 0] > 0
    rows, columns = active.nonzero(as_tuple=True)
    x, y = axes[0][2], axes[1][2]
    low = torch.stack([x[rows], y[columns]], -1)
    high = torch.stack([x[rows + 1], y[columns + 1]], -1)
    with torch.no_grad():
        found = integrate(lambda t: (log_function(t) - peak).exp().nan_to_num(nan=0.0), low, high, PRECISE)
    size = math.exp(peak)
    total = torch.tensor(found.value, dtype=torch.float64)
    if graph:
        again = ((log_function(found.points) - peak).exp().nan_to_num(nan=0.0) * found.weights).sum()
        total = total + (again - again.detach())
    value = found.value * size
    error = found.error * size + 50 * ROUNDING * (value + math.sqrt(value))
    return Found(total * size, error, found.evaluations + logs.numel())
