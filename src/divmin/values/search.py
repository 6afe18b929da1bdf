"""`divmin.fit`: the gradient on a grid, Newton's method from where it turns or is smallest, and the count of what was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, biject_to, constraints
from torch.distributions.transforms import identity_transform

from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values import model as _model
from divmin.values.grid import Landscape
from divmin.values.stationary import Fit, Stationary, index_sum, kind_of

NODES = {1: 129, 2: 33, 3: 9}  # of a parameter, in the first search
SEARCHES = 3  # each with a wider box and a finer grid than the one before
WIDER = 0.25  # of the box, on every side
NEWTON = 25
DIFFERENCE = 1e-4  # in free coordinates, for Hessians
SAME = 1e-5  # points that are nearer are one
STILL = 1e-8  # gradient at which a point is stationary
PRECISE = 1e-13
NOTHING = 1e-12  # of the box, below which a parameter is 0 but for rounding


def fit(
    f: str | Divergence,
    p: Any,
    family: str | Callable[..., Distribution],
    box: Mapping[str, tuple[float, float]] | None = None,
    *,
    track: _model.Track = iter,
) -> Fit:
    """All minima and saddles of the divergence between the data and the members of a family.

        grad D(theta) = 0,      dD/dtheta = -E_q[b(d) d(log q)/dtheta]

    The gradient is taken on a grid. Newton's method starts in every cell around which it turns, and wherever it is
    smallest. If the count says that something is missing, a finer grid on a wider box follows, twice.

    Args:
        f: a divergence, its name, or an expression.
        p: the data, a law as `exact` takes it.
        family: makes a torch distribution from its parameters by name; a class such as torch.distributions.Normal also
            says which of them are positive.
        box: where to search, (low, high) for each parameter; by default around the mass of p, for loc and scale.
        track: wraps the steps of the computation, to show progress.

    Returns:
        The points, lowest first, and whether their count is complete.

    Raises:
        DivminError: no box where one is needed, or one that the family does not take.

    Example:
        >>> import divmin as dm, torch
        >>> from torch.distributions import Normal
        >>> p = dm.data.densities()["uneven_modes"]()
        >>> print(dm.fit("js", p, Normal))
        js: 1 minimum
          loc = -0.2075934584, scale = 1.275277204: 0.07014373311 nats (minimum, the lowest)

    Source: Shannon et al., section 11 and eq. 35.
    """
    f = f if isinstance(f, Divergence) else named_divergence(f)
    search = _search(f, *_model.read(p, family), box, track)
    asked = {name: (low, high) for name, low, high in zip(search.names, *search.ends(), strict=True)}
    found: tuple[Stationary, ...] = ()
    for _ in range(SEARCHES):
        found, grid = search.run(found)
        if index_sum(found) == 1:
            break
        search = search.widened()
        if not search.exists():  # a family that does not say what its parameters may be ends somewhere
            break
    lowest = min((point.value for point in found if point.kind == "minimum"), default=math.nan)
    points = sorted((search.without_noise(point, asked) for point in found), key=lambda point: point.value)
    marked = [replace(point, lowest=point.kind == "minimum" and point.value <= lowest * (1 + 1e-9)) for point in points]
    return Fit(tuple(marked), f.name, index_sum(found) == 1, grid, asked, search.positive)


@dataclass(frozen=True)
class _Search:
    """A box in free coordinates z, theta = transform(z), and a grid in it."""

    f: Divergence
    p: Any
    family: Callable[..., Distribution]
    names: tuple[str, ...]
    transforms: tuple[Any, ...]
    low: Tensor
    high: Tensor
    nodes: int
    positive: tuple[str, ...]
    track: _model.Track

    def widened(self) -> _Search:
        more = WIDER * (self.high - self.low)
        return replace(self, low=self.low - more, high=self.high + more, nodes=2 * self.nodes - 1)

    def ends(self) -> tuple[list[float], list[float]]:
        """Low and high of every parameter."""
        return self.theta(self.low).tolist(), self.theta(self.high).tolist()

    def exists(self) -> bool:
        """Whether the family has laws at the corners of the box."""
        corners = self.theta(torch.cartesian_prod(*torch.stack([self.low, self.high], 1)).reshape(-1, len(self.names)))
        try:
            for corner in corners:
                _model.made(self.family, self.names, corner)
        except DivminError:
            return False
        return True

    def without_noise(self, point: Stationary, box: Mapping[str, tuple[float, float]]) -> Stationary:
        """Parameters that are 0 but for rounding are 0; one that is searched by its logarithm may well be tiny."""
        parameters = {
            name: 0.0 if to is identity_transform and abs(value) < NOTHING * (box[name][1] - box[name][0]) else value
            for to, (name, value) in zip(self.transforms, point.parameters.items(), strict=True)
        }
        return replace(point, parameters=parameters)

    def theta(self, z: Tensor) -> Tensor:
        return torch.stack([to(part) for to, part in zip(self.transforms, z.unbind(-1), strict=True)], -1)

    def slopes(self, z: Tensor, tolerance: float, track: _model.Track = iter) -> tuple[Tensor, Tensor, Tensor]:
        """Values, their errors, and gradients in z."""
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            theta = self.theta(at)
            found = _model.field(self.f, self.p, self.family, self.names, theta.detach(), True, track, tolerance)
            assert found.gradients is not None
            (slope,) = torch.autograd.grad((theta * found.gradients.nan_to_num()).sum(), at)
        return found.values, found.errors, slope.masked_fill(found.gradients.isnan(), math.nan)

    def hessian(self, z: Tensor) -> Tensor:
        """Second derivatives [m, k, k] by central differences of gradients."""
        k = z.shape[1]
        step = DIFFERENCE * torch.eye(k, dtype=z.dtype)
        around = torch.cat([z[:, None] + step, z[:, None] - step], 1).reshape(-1, k)
        slope = self.slopes(around, PRECISE)[2].reshape(len(z), 2, k, k)
        out = (slope[:, 0] - slope[:, 1]) / (2 * DIFFERENCE)
        return (out + out.mT) / 2

    def run(self, known: tuple[Stationary, ...]) -> tuple[tuple[Stationary, ...], Landscape]:
        axes = [
            torch.linspace(float(a), float(b), self.nodes, dtype=torch.float64)
            for a, b in zip(self.low, self.high, strict=True)
        ]
        z = torch.cartesian_prod(*axes).reshape(-1, len(axes))
        values, errors, slope = self.slopes(z, _model.TOLERANCE, self.track)
        shape = [self.nodes] * len(axes)
        starts = z[promising(slope.reshape(*shape, -1))]
        shown = [to(axis) for to, axis in zip(self.transforms, axes, strict=True)]
        grid = Landscape(
            dict(zip(self.names, shown, strict=True)), values.reshape(shape), errors.reshape(shape), self.f.name, len(z)
        )
        before = [[point.parameters[name] for name in self.names] for point in known]
        if before:
            back = [
                to.inv(part)
                for to, part in zip(self.transforms, torch.tensor(before, dtype=torch.float64).T, strict=True)
            ]
            starts = torch.cat([starts, torch.stack(back, -1)])
        return self.polished(starts), grid

    def polished(self, z: Tensor) -> tuple[Stationary, ...]:
        """Newton's method from every start, no step longer than two cells; what leaves the box, or does not end, is dropped."""
        longest = 2 * float(((self.high - self.low) / (self.nodes - 1)).norm())
        margin = (self.high - self.low) / 2
        for _ in range(NEWTON):
            if not len(z):
                return ()
            slope, bend = self.slopes(z, PRECISE)[2], self.hessian(z)
            fine = slope.isfinite().all(1) & bend.isfinite().all(-1).all(-1)
            z, slope, bend = z[fine], slope[fine], bend[fine]
            step = -torch.linalg.lstsq(bend, slope[..., None]).solution[..., 0]
            size = step.norm(dim=1, keepdim=True)
            z = z + step * (longest / size).clamp(max=1)
            inside = ((z > self.low - margin) & (z < self.high + margin)).all(1)
            z = distinct(z[inside], SAME / 100)
            if bool((size < 1e-9).all()):
                break
        z = distinct(z, SAME)
        if not len(z):
            return ()
        values, _, slope = self.slopes(z, PRECISE)
        bend = self.hessian(z)
        still = (slope.abs().amax(1) <= STILL) & bend.isfinite().all(-1).all(-1)
        theta = self.theta(z)
        return tuple(
            Stationary(
                dict(zip(self.names, theta[i].tolist(), strict=True)),
                float(values[i]),
                *kind_of(bend[i]),
                float(slope[i].abs().max()),
            )
            for i in still.nonzero()[:, 0].tolist()
        )


def distinct(z: Tensor, distance: float) -> Tensor:
    """One of every group of points that lie together."""
    near = torch.cdist(z, z) < distance * (1 + z.abs().amax(1, keepdim=True)) if len(z) else torch.zeros(0, 0)
    first = ~(near.tril(-1).bool().any(1))
    return z[first]


def promising(slope: Tensor) -> Tensor:
    """Indices of grid points, slopes [n, ..., k], beside which the gradient turns around or is smallest."""
    k = slope.shape[-1]
    size = slope.norm(dim=-1).nan_to_num(nan=math.inf)
    padded = torch.nn.functional.pad(size, [1, 1] * k, value=math.inf)
    around = torch.stack(
        [
            padded[tuple(slice(1 + o, 1 + o + n) for o, n in zip(offset, size.shape, strict=True))]
            for offset in product((-1, 0, 1), repeat=k)
        ]
    )
    chosen = (size <= around.amin(0)) & size.isfinite()
    if k == 1:
        turned = slope[1:, 0].sign() * slope[:-1, 0].sign() < 0
        chosen[:-1] |= turned
    if k == 2:
        angle = torch.atan2(slope[..., 1], slope[..., 0])
        corners = [angle[:-1, :-1], angle[1:, :-1], angle[1:, 1:], angle[:-1, 1:]]
        turns = torch.stack([b - a for a, b in zip(corners, corners[1:] + corners[:1], strict=True)])
        chosen[:-1, :-1] |= (torch.remainder(turns + math.pi, 2 * math.pi) - math.pi).sum(0).abs() > math.pi
    found: Tensor = chosen.reshape(-1).nonzero()[:, 0]
    return found


def _search(
    f: Divergence, p: Any, family: Callable[..., Distribution], box: Mapping[str, Any] | None, track: _model.Track
) -> _Search:
    known: Mapping[str, Any] = getattr(family, "arg_constraints", {})
    if box is None:
        roles = getattr(family, "roles", {name: name for name in known})
        if set(roles) != set(known) or not set(roles.values()) <= {"loc", "scale"} or not known:
            name = getattr(family, "text", getattr(family, "__name__", "the family"))
            raise DivminError(
                f"{name} has other parameters than loc and scale: say where to search, box={{'name': (low, high), ...}}"
            )
        around = _around(p)
        box = {name: around[role] for name, role in roles.items()}
    names, axes = _model.parameters(box)
    if any(len(axis) != 2 or not axis[0] < axis[1] for axis in axes):
        raise DivminError(f"box is {dict(box)}: expected (low, high) with low < high for each parameter")
    if len(names) not in NODES:
        raise DivminError(f"{len(names)} parameters: fit searches over at most {max(NODES)}")
    whole = [name for name in names if getattr(known.get(name), "is_discrete", False)]
    if whole:
        raise DivminError(
            f"{' and '.join(whole)} can only be whole numbers: give a value, fit searches over real numbers"
        )
    positive = tuple(name for name in names if _is_positive(known.get(name)))
    transforms = tuple(biject_to(known.get(name, constraints.real)) for name in names)
    try:
        ends = torch.stack([to.inv(axis) for to, axis in zip(transforms, axes, strict=True)])
    except ValueError as error:
        raise DivminError(f"box is {dict(box)}: outside of what the parameters may be") from error
    if not bool(ends.isfinite().all()):
        outside = [name for name, end in zip(names, ends, strict=True) if not bool(end.isfinite().all())]
        raise DivminError(f"box is {dict(box)}: its ends must lie inside of what {' and '.join(outside)} may be")
    return _Search(f, p, family, names, transforms, ends[:, 0], ends[:, 1], NODES[len(names)], positive, track)


def _is_positive(limit: Any) -> bool:
    return getattr(limit, "lower_bound", None) == 0 and not hasattr(limit, "upper_bound")


def _around(p: Any) -> dict[str, tuple[float, float]]:
    """A box for loc and scale around the mass of a law on the line."""
    seen = _model.line_law(p)
    if seen is None:
        raise DivminError("p is no law on the line: say where to search, box={'name': (low, high), ...}")
    low, high = float((seen.marks - 2 * seen.spreads).min()), float((seen.marks + 2 * seen.spreads).max())
    return {"loc": (low, high), "scale": (float(seen.spreads.min()) / 3, high - low)}
