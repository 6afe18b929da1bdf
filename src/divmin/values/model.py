"""A parametric family q(. ; theta) of laws, and D_f(p, q(. ; theta)) with its gradient for many theta at once.

dD/dtheta = -integral of q b(d) d(log q)/dtheta
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from divmin.data.density import Density
from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.values.adaptive import ROUNDING, integrate_all
from divmin.values.cost import kinks, log_integrand, quick_s
from divmin.values.family import family
from divmin.values.law import ANALYTIC, Law, ends, law, places
from divmin.values.line import FARTHEST, NEGLIGIBLE
from divmin.values.precise import precise
from divmin.values.question import exact
from divmin.values.text import law as named_law

Model = Callable[..., Distribution]  # from parameters by name, tensors of one shape, to laws of that batch shape
Track = Callable[[Iterable[int]], Iterable[int]]

TOLERANCE = 1e-10  # relative, at which boxes are no longer cut
GOOD, CLAIMED = 3e-10, 3e-8  # relative: of what the last doubling of trapezoids promises, and of what is promised on
BATCH = 4096  # parameters whose integrals are one computation
MOST = 20_000_000  # points of a batch
PIECE = 2**15  # nodes whose arrays stay in a processor's cache, and outweigh what a call costs
KEPT = 3 * 2**20  # numbers in memory that is kept between pieces
SIDES = (1.5, 4.0, 12.0)  # multiples of a spread left and right of a mark at which boxes begin
WIDE = 9.0  # spreads around marks to which trapezoids reach
RESOLVED = 0.6  # spreads between nodes from which on trapezoids are believed
SETTLED = 1e-4  # relative: the change before the last, above which a small last one may be chance
FIRST, LEVELS = 17, 5  # nodes at first, and how often they are doubled
NEAR = 250.0
GRAPH = 2**21  # nodes at a time for gradients


@dataclass(frozen=True)
class Field:
    """D [n] in nats, bounds of its error [n], and its gradient [n, parameters] where asked for."""

    values: Tensor
    errors: Tensor
    gradients: Tensor | None
    evaluations: int


def field(
    f: Divergence,
    p: Any,
    model: Model,
    names: tuple[str, ...],
    theta: Tensor,
    gradients: bool,
    track: Track = iter,
    tolerance: float = TOLERANCE,
) -> Field:
    """D_f(p, q(. ; theta)) for many theta: one batched quadrature for laws on the whole line, else one by one.

    Args:
        f: the divergence.
        p: the data, a law.
        model: makes q from parameters.
        names: of its parameters.
        theta: parameters [n, len(names)], float64.
        gradients: whether to take derivatives in theta.
        track: wraps the numbers of what is computed, to show progress.
        tolerance: relative error at which boxes are no longer cut.
    """
    seen = line_law(p)
    if seen is not None and _on_the_whole_line(model, names, theta):
        parts = list(enumerate(theta.split(BATCH)))
        found = [_batch(f, seen, model, names, parts[i][1], gradients, tolerance) for i in track(range(len(parts)))]
    else:
        found = [_single(f, p, model, names, theta[i], gradients) for i in track(range(len(theta)))]
    return Field(
        torch.cat([each.values for each in found]),
        torch.cat([each.errors for each in found]),
        torch.cat([each.gradients for each in found if each.gradients is not None]) if gradients else None,
        sum(each.evaluations for each in found),
    )


def read(p: Any, model: Model | str) -> tuple[Any, Model]:
    """The data and the model, which may be text."""
    return named_law(p) if isinstance(p, str) else p, family(model) if isinstance(model, str) else model


def made(model: Model, names: tuple[str, ...], theta: Tensor) -> Distribution:
    """q at parameters [..., len(names)].

    Raises:
        DivminError: when the model does not take them.
    """
    try:
        asked = {"validate_args": True} if isinstance(model, type) else {}  # torch.compile switches it off everywhere
        return model(**dict(zip(names, theta.unbind(-1), strict=True)), **asked)
    except DivminError:
        raise  # of a family that is text, and clear by itself
    except (TypeError, ValueError) as error:
        shown = ", ".join(
            f"{name}={values.reshape(-1)[:1].tolist()}" for name, values in zip(names, theta.unbind(-1), strict=True)
        )
        raise DivminError(
            f"the family does not take these parameters ({shown}): {str(error).splitlines()[0].split(', but found')[0]}"
        ) from error


def line_law(p: Any) -> Law | None:
    """How the quadrature sees p; None when it is no continuous law on the line."""
    if isinstance(p, Density):
        return law(p) if p.dim == 1 and p.has_log_prob else None
    if not isinstance(p, Distribution) or p.batch_shape != () or p.event_shape != () or p.support.is_discrete:  # type: ignore[union-attr]
        return None
    return law(precise(p))


def _on_the_whole_line(model: Model, names: tuple[str, ...], theta: Tensor) -> bool:
    q = made(model, names, theta[:1])
    return (
        isinstance(q, Distribution)
        and q.batch_shape == (1,)
        and q.event_shape == ()
        and type(q.support) is type(constraints.real)
        and all(bool(end.isinf().all()) for end in ends(q))
    )


def analytic(f: Divergence, p: Any, model: Model, names: tuple[str, ...], theta: Tensor) -> bool:
    """Whether f and the densities on the line are known to be analytic, and D with them."""
    seen = line_law(p)
    q = made(model, names, theta[:1])
    return seen is not None and seen.analytic and isinstance(q, ANALYTIC) and f.smooth and not kinks(f)


def _single(f: Divergence, p: Any, model: Model, names: tuple[str, ...], theta: Tensor, gradients: bool) -> Field:
    at = theta.detach().requires_grad_(gradients)
    found = exact(f, p, made(model, names, at))
    slope = None
    if gradients:
        finite = math.isfinite(found.value) and found.tensor.requires_grad
        slope = torch.autograd.grad(found.tensor, at)[0] if finite else torch.full_like(theta, math.nan)
        slope = slope[None]
    values = found.tensor.detach()[None]
    return Field(values, torch.full_like(values, found.error), slope, found.evaluations)


@dataclass(frozen=True)
class Batch:
    """Laws on the line at many parameters: p, the model at theta [n, k], and where q has its mass, [n, marks]."""

    p: Law
    model: Model
    names: tuple[str, ...]
    theta: Tensor
    marks: Tensor
    spreads: Tensor
    analytic: bool

    def log_laws(self, x: Tensor, owner: Tensor) -> tuple[Tensor, Tensor]:
        """log p and log q of points [rows, m], with the parameters of each row."""
        return self.p.log_density(x), made(self.model, self.names, self.theta[owner, None]).log_prob(x)

    def of(self, rows: Tensor) -> Batch:
        return replace(self, theta=self.theta[rows], marks=self.marks[rows], spreads=self.spreads[rows])


def _batch(
    f: Divergence, p: Law, model: Model, names: tuple[str, ...], theta: Tensor, gradients: bool, tolerance: float
) -> Field:
    q = made(model, names, theta)
    marks, spreads = (each.reshape(len(theta), -1) for each in places(q))
    batch = Batch(p, model, names, theta, marks, spreads, isinstance(q, ANALYTIC))
    if gradients:
        return _cut(f, batch, gradients, tolerance)
    values, errors, seen = _trapezoid(f, batch)
    left = errors.isnan().nonzero()[:, 0]
    if len(left):
        found = _cut(f, batch.of(left), gradients, tolerance)
        values, errors = values.index_copy(0, left, found.values), errors.index_copy(0, left, found.errors)
        seen += found.evaluations
    return Field(values, errors, None, seen)


def _trapezoid(f: Divergence, batch: Batch) -> tuple[Tensor, Tensor, int]:
    """Trapezoids in t, x = mark + spread sinh(t), which converge exponentially for analytic densities; and their errors.

    The error is told by what two doublings of the nodes changed, e1 after e2: it goes like e1^2, e1^(5/4) is
    taken for it, and what is claimed is a hundred times what passes.
    NaN where f or a density is not analytic, or the integrand goes on beyond the range: there boxes have to be cut.
    """
    count, p = len(batch.theta), batch.p
    values, errors = torch.full((2, count), math.nan, dtype=torch.float64)
    if kinks(f) or not f.smooth or not p.analytic or not batch.analytic or batch.marks.shape[1] != 1:
        return values, errors, 0
    centre, scale = batch.marks, batch.spreads
    low = torch.minimum((p.marks - WIDE * p.spreads).min(), centre - WIDE * scale)
    high = torch.maximum((p.marks + WIDE * p.spreads).max(), centre + WIDE * scale)
    start, stop = ((low - centre) / scale).asinh(), ((high - centre) / scale).asinh()
    # nodes a unit of t apart are this many spreads apart at the marks of p, where two doublings could both miss a bump
    steepest = ((scale**2 + (p.marks - centre) ** 2).sqrt() / p.spreads).amax(1).clamp(min=1)
    left, seen, places = torch.arange(count), 0, torch.linspace(0, 1, FIRST, dtype=torch.float64)
    size, before, last = stop - start, values, values
    torch.empty(
        KEPT, dtype=torch.float64
    )  # freed at once: then C's allocator keeps pages, which pieces would fault in anew
    for level in range(LEVELS):
        rows = max(1, PIECE // len(places))
        found = [_terms(f, batch, each, start, size, places) for each in left.split(rows)]
        total, outer = (torch.cat(each) for each in zip(*found, strict=True))
        seen += len(left) * len(places)
        width = size[left, 0] / ((FIRST - 1) * 2**level)
        if level == 0:
            now, ends = total * width, outer * (high - low)[left, 0]
        else:
            now = last / 2 + total * width
        if level >= 2:
            e1, e2 = (now - last).abs(), (last - before).abs()
            error = (
                torch.maximum(e1 * torch.maximum(e1 / e2, (e1 / now) ** 0.25), e2**3 / now**2)
                + ends
                + 8 * ROUNDING * now
            )
            resolved = size[left, 0] * steepest[left] <= RESOLVED * (FIRST - 1) * 2**level
            good = (error <= GOOD * now) & (e2 <= SETTLED * now) & resolved
            values[left[good]], errors[left[good]] = now[good], CLAIMED * now[good]
            left, now, last, ends = left[~good], now[~good], last[~good], ends[~good]
            if not len(left):
                break
        places = (torch.arange((FIRST - 1) * 2**level, dtype=torch.float64) + 0.5) / ((FIRST - 1) * 2**level)
        before, last = last, now
    return values, errors, seen


def _terms(
    f: Divergence, batch: Batch, rows: Tensor, start: Tensor, size: Tensor, places: Tensor
) -> tuple[Tensor, Tensor]:
    """The sum over nodes of the integrand, and its first and last together, for some parameters of a batch."""
    centre, scale = batch.marks[rows], batch.spreads[rows]
    grown = (start[rows] + size[rows] * places).exp()
    half, rest = grown / 2, 0.5 / grown
    x, step = centre + scale * (half - rest), scale * (half + rest)
    log_p, log_q = batch.log_laws(x, rows)
    terms = torch.maximum(log_p, log_q).exp_().mul_(quick_s(f, log_p.sub_(log_q))).mul_(step)
    return terms.sum(1), terms[:, 0] + terms[:, -1]


def _cut(f: Divergence, batch: Batch, gradients: bool, tolerance: float) -> Field:
    """Quadrature in t, x = centre + scale sinh(t), in boxes between the marks of p and of every q."""
    p, theta, count = batch.p, batch.theta, len(batch.theta)
    centre, scale = p.marks.median(), p.spreads.min()

    def coordinate(x: Tensor) -> Tensor:
        return ((x - centre) / scale).asinh()

    def place(t: Tensor) -> tuple[Tensor, Tensor]:
        return centre + scale * t.sinh(), t.cosh() * scale

    steps = torch.tensor([0.0, *SIDES, *(-side for side in SIDES)], dtype=torch.float64)
    ours = [(p.marks[:, None] + p.spreads[:, None] * steps).reshape(-1), *(edge.detach()[None] for edge in p.edges)]
    far = math.asinh(FARTHEST / float(scale))
    fixed = torch.cat([coordinate(torch.cat(ours)), torch.linspace(-far, far, 13, dtype=torch.float64)])
    moving = coordinate((batch.marks[..., None] + batch.spreads[..., None] * steps).reshape(count, -1))
    edges = torch.cat([fixed.expand(count, -1), moving], 1).clamp(-far, far).sort(1).values

    def log_ratio(t: Tensor) -> Tensor:
        log_p, log_q = batch.log_laws(place(t)[0], torch.arange(count))
        return log_p - log_q

    def integrand(t: Tensor, owner: Tensor) -> Tensor:
        x, step = place(t[..., 0])
        return ((log_integrand(f, *batch.log_laws(x, owner))).exp() * step).nan_to_num(nan=0.0)

    with torch.no_grad():
        edges = _with_kinks(f, edges, log_ratio)
        x, step = place(edges)
        logs = log_integrand(f, *batch.log_laws(x, torch.arange(count))) + step.log()
        logs = logs.nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
        peak = logs.amax(1, keepdim=True)
        endless = (logs[:, [0, -1]] >= peak - NEGLIGIBLE).any(1) & (peak[:, 0] > -math.inf)
        active = (logs >= peak - NEGLIGIBLE) & ~endless[:, None]
        beside = (active[:, 1:] | active[:, :-1]) & (edges[:, 1:] > edges[:, :-1])
        owners, cells = beside.nonzero(as_tuple=True)
        low, high = edges[owners, cells, None], edges[owners, cells + 1, None]
        found = integrate_all(integrand, low, high, owners, count, tolerance, MOST)
    values = found.values.masked_fill(endless, math.inf)
    slope = None
    if gradients:
        slope = torch.zeros_like(theta)
        for part in torch.arange(len(found.owner)).split(GRAPH // found.weights.shape[1]):
            x, step = place(found.points[part, :, 0])
            slope = slope + _slopes(f, batch, x, step * found.weights[part], found.owner[part])
        slope = slope.masked_fill(endless[:, None], math.nan)
    return Field(values, found.errors, slope, found.evaluations)


def _with_kinks(f: Divergence, edges: Tensor, log_ratio: Callable[[Tensor], Tensor]) -> Tensor:
    """Edges [n, k] with those added at which d crosses a kink of f, by bisection in every box where it does."""
    added = [edges]
    for kink in kinks(f):
        sign = (log_ratio(edges) - kink).sign()
        crossed = sign[:, 1:] * sign[:, :-1] < 0
        for k in range(int(crossed.sum(1).max())):  # the k-th crossing of every row, or its first edge again
            this = crossed & (crossed.cumsum(1) == k + 1)
            some, cell = this.any(1), this.int().argmax(1, keepdim=True)
            low, high, first = edges.gather(1, cell), edges.gather(1, cell + 1), sign.gather(1, cell)
            for _ in range(60):
                middle = (low + high) / 2
                same = (log_ratio(middle) - kink).sign() == first
                low, high = middle.where(same, low), high.where(same, middle)
            added.append(high.where(some[:, None], edges[:, :1]))
    return torch.cat(added, 1).sort(1).values


def _slopes(f: Divergence, batch: Batch, x: Tensor, weights: Tensor, owner: Tensor) -> Tensor:
    """The sum over nodes of -q b(d) d(log q)/dtheta, for every theta."""
    with torch.no_grad():
        log_p, log_q = batch.log_laws(x, owner)
        d = (log_p - log_q).nan_to_num(nan=0.0)
        near = d.clamp(max=NEAR)
        right = log_p.exp() * (-near).exp() * f.b(near)  # q b = p e^-d b, which has a limit where b overflows
        share = right.where(d > 0, log_q.exp() * f.b(d)).nan_to_num(nan=0.0) * weights
    at = batch.theta.detach().requires_grad_()
    with torch.enable_grad():
        log = made(batch.model, batch.names, at[owner, None]).log_prob(x)
        (slope,) = torch.autograd.grad(-(share * log.masked_fill(share == 0, 0.0)).sum(), at)
    return slope


def parameters(grid: Mapping[str, Any]) -> tuple[tuple[str, ...], list[Tensor]]:
    """The names and values of a grid, float64.

    Raises:
        DivminError: nothing in it, NaN, or more than one dimension.
    """
    if not isinstance(grid, Mapping) or not grid:
        raise DivminError(
            f"grid is {grid!r}: expected the values of each parameter, such as {{'loc': [-1, 0, 1], 'scale': [1, 2]}}"
        )
    axes = []
    for name, values in grid.items():
        try:
            axis = torch.as_tensor(values, dtype=torch.float64).detach().cpu().reshape(-1)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DivminError(f"the values of {name} are no numbers: {error}") from error
        if not len(axis) or not bool(axis.isfinite().all()):
            raise DivminError(f"the values of {name} are {axis.tolist()[:5]}: expected at least one, all finite")
        axes.append(axis)
    return tuple(grid), axes
