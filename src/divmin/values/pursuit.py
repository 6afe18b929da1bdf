"""What a generator follows whose critic is at its optimum: where that leads, where it stands still, and whether it stays there.

G(theta) = integral of d q(x; theta)/d theta h(d(x)) dx,   d = log p/q, held fixed while q is differentiated

For -b_f this is the gradient of D_f, which `fit` follows; for any other loss h it need not be the gradient of a divergence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.distributions import biject_to, constraints

from divmin.errors import DivminError
from divmin.values import model as _model
from divmin.values.law import Law, places
from divmin.values.search import distinct, promising

Loss = Callable[
    [Tensor], Tensor
]  # the critic's output, which is d, to what a sample costs; elementwise, differentiable

NODES = 2001  # of a trapezoid in t, x = centre + scale sinh(t): many for the width of what is integrated, and so exact
REACH = 12.0  # standard deviations around every mark
LOWEST = -690.0  # log q below which e^-log q is not a float64
ENDED = 1e-12  # of the largest term: what the last ones are below where an integrand comes to its end
SEEN = -40.0  # log p from which on a place matters
ROWS = 64  # parameters whose integrals are one computation
NEWTON, SAME, STILL = 40, 1e-6, 1e-10


@dataclass(frozen=True)
class Standstill:
    """A place at which a generator gets no gradient from a critic at its optimum.

    Args:
        parameters: of the model.
        eigenvalues: of the derivative of what is followed, in free coordinates; descent shrinks a distance where one is positive.
        slope: the largest component of the gradient that is left.
    """

    parameters: dict[str, float]
    eigenvalues: tuple[complex, ...]
    slope: float

    @property
    def stable(self) -> bool:
        """Whether a generator that is near comes back."""
        return all(each.real > 0 for each in self.eigenvalues)


@dataclass(frozen=True)
class Pursuit:
    """A generator that follows a loss against a critic at its optimum; `pursuit` makes one."""

    loss: Loss
    p: Law
    family: _model.Model
    names: tuple[str, ...]
    transforms: tuple[Any, ...]
    low: Tensor
    high: Tensor

    def free(self, parameters: Mapping[str, float]) -> Tensor:
        """Parameters in free coordinates [k]: positive ones by their logarithm."""
        values = torch.tensor([parameters[name] for name in self.names], dtype=torch.float64)
        return torch.stack([to.inv(value) for to, value in zip(self.transforms, values, strict=True)])

    def parameters(self, z: Tensor) -> Tensor:
        """Parameters [..., k] at free coordinates."""
        return torch.stack([to(part) for to, part in zip(self.transforms, z.unbind(-1), strict=True)], -1)

    def value(self, z: Tensor) -> Tensor:
        """E_q[h(d)] at free coordinates [n, k], in nats; infinite where the integrand does not end."""
        return torch.cat([self._integrals(part, 0)[0] for part in z.split(ROWS)])

    def gradient(self, z: Tensor) -> Tensor:
        """G in free coordinates [n, k]; NaN where E_q[h] is infinite, or p so far from q that log-ratios leave float64."""
        return torch.cat([self._integrals(part, 1)[1] for part in z.split(ROWS)])

    def derivative(self, z: Tensor) -> Tensor:
        """dG/dz [n, k, k], in which d moves along with q; not symmetric in general."""
        return torch.cat([self._integrals(part, 2)[2] for part in z.split(ROWS)])

    def _integrals(self, z: Tensor, order: int) -> tuple[Tensor, Tensor, Tensor]:
        """E_q[h], G and dG/dz, as far as the order asks for them."""
        x, width = self._nodes(z)
        at = z[:, None].expand(*x.shape, -1).clone().requires_grad_(order > 0)
        with torch.enable_grad():
            log_q = _model.made(self.family, self.names, self.parameters(at)).log_prob(x)
            score = torch.autograd.grad(log_q.sum(), at, create_graph=order > 1)[0] if order else at
            bend = [torch.autograd.grad(part.sum(), at, retain_graph=True)[0] for part in score.unbind(-1) if order > 1]
            d = (self.p.log_density(x) - log_q).detach().requires_grad_(order > 1)
            h = self.loss(d)
            slope = torch.autograd.grad(h.sum(), d)[0] if order > 1 else h
        log_q, h, score = log_q.detach(), h.detach(), score.detach()
        share = (log_q.exp() * width).masked_fill(log_q <= LOWEST, 0.0)
        terms = (share * h).masked_fill(share == 0, 0.0).nan_to_num(nan=math.inf)
        size, ends = terms.abs().amax(1), terms[:, [0, -1]]
        endless = ~(ends.abs().amax(1) <= ENDED * size)
        lost = ((log_q <= LOWEST) & (d.detach() + log_q > SEEN)).any(1)
        value = terms.sum(1).where(~endless, ends.sum(1).sign() * math.inf).masked_fill(lost, math.nan)
        if not order:
            return value, value, value
        unknown = (endless | lost)[:, None]
        first = (score * terms[..., None]).sum(1).masked_fill(unknown, math.nan)
        if order < 2:
            return value, first, first
        squares = score[..., :, None] * score[..., None, :]
        steep = (share * slope).masked_fill(share == 0, 0.0)
        second = (torch.stack(bend, -2) + squares) * terms[..., None, None] - squares * steep[..., None, None]
        return value, first, second.sum(1).masked_fill(unknown[..., None], math.nan)

    def _nodes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Points [n, NODES] and their weights: dense where p and q have mass, and as far as both reach."""
        q = _model.made(self.family, self.names, self.parameters(z))
        marks, spreads = (each.reshape(len(z), -1) for each in places(q))
        centre, scale = self.p.marks.median(), self.p.spreads.min()
        far = torch.maximum(
            ((self.p.marks - centre).abs() + REACH * self.p.spreads).max(),
            ((marks - centre).abs() + REACH * spreads).amax(1),
        )
        end = (far / scale).asinh()[:, None]
        t = torch.linspace(-1, 1, NODES, dtype=torch.float64) * end
        return centre + scale * t.sinh(), scale * t.cosh() * (2 * end / (NODES - 1))

    def standstills(self, nodes: int = 25) -> tuple[Standstill, ...]:
        """Where the gradient vanishes in the box: Newton's method from wherever it turns around, or is smallest, on a grid.

        Points whose turns cancel within one cell of the grid are found from starts around the first that is.

        Args:
            nodes: of each parameter.

        Returns:
            The points that were found, stable ones first.
        """
        axes = [
            torch.linspace(float(a), float(b), nodes, dtype=torch.float64)
            for a, b in zip(self.low, self.high, strict=True)
        ]
        grid = torch.cartesian_prod(*axes).reshape(-1, len(axes))
        cell = (self.high - self.low) / (nodes - 1)
        first = self._newton(grid[promising(self.gradient(grid).reshape(*[nodes] * len(axes), -1))], cell)
        around = (
            torch.tensor(list(product((-1.5, -0.75, 0.0, 0.75, 1.5), repeat=len(axes))), dtype=torch.float64) * cell
        )
        z = self._newton((first[:, None] + around).reshape(-1, len(axes)), cell)
        if not len(z):
            return ()
        slopes, found = self.gradient(z).abs().amax(1), torch.linalg.eigvals(self.derivative(z))
        points = [
            Standstill(dict(zip(self.names, theta.tolist(), strict=True)), tuple(eigenvalues.tolist()), float(slope))
            for theta, eigenvalues, slope in zip(self.parameters(z), found, slopes, strict=True)
            if slope <= STILL
        ]
        return tuple(sorted(points, key=lambda point: (not point.stable, *point.parameters.values())))

    def _newton(self, z: Tensor, cell: Tensor) -> Tensor:
        """Where Newton's method ends from starts [n, k], no step longer than two cells; what leaves the box is dropped."""
        longest = 2 * float(cell.norm())
        for _ in range(NEWTON):
            if not len(z):
                break
            slope, bend = self.gradient(z), self.derivative(z)
            fine = slope.isfinite().all(1) & bend.isfinite().all(-1).all(-1)
            z, slope, bend = z[fine], slope[fine], bend[fine]
            step = -torch.linalg.lstsq(bend, slope[..., None]).solution[..., 0]
            size = step.norm(dim=1, keepdim=True)
            z = z + step * (longest / size).clamp(max=1)
            inside = ((z > self.low - cell) & (z < self.high + cell)).all(1)
            z = distinct(z[inside], SAME / 100)
            if bool((size < 1e-10).all()):
                break
        return distinct(z, SAME)

    def descend(self, starts: Tensor, *, rate: float = 0.15, steps: int = 400, track: _model.Track = iter) -> Tensor:
        """Descents, the critic at its optimum before every step.

        Args:
            starts: free coordinates [n, k].
            rate: the step is rate times the gradient, and at most `rate` long.
            steps: how many.
            track: wraps the steps, to show progress.

        Returns:
            Free coordinates [steps + 1, n, k]; a generator stays where it left the box by its own width, or got no number.
        """
        span = self.high - self.low
        path = [starts]
        for _ in track(range(steps)):
            z = path[-1]
            here = ((z > self.low - span) & (z < self.high + span)).all(1)
            step = torch.zeros_like(z)
            if bool(here.any()):
                slope = self.gradient(z[here])
                slope = slope.masked_fill(~slope.isfinite().all(1, keepdim=True), 0.0)
                step[here] = rate * slope / slope.norm(dim=1, keepdim=True).clamp(min=1)
            path.append(z - step)
        return torch.stack(path)


def pursuit(loss: Loss, p: Any, family: str | _model.Model, box: Mapping[str, tuple[float, float]]) -> Pursuit:
    """What a generator follows that minimises E_q[h(c)] against a critic whose output c is the log-ratio d.

    Args:
        loss: h, what a model sample costs by the critic's output, elementwise on float64 tensors.
        p: the data, a law on the line without ends, as `exact` takes it.
        family: of models, laws on the whole line, as `fit` takes it.
        box: where to look for points without gradient, (low, high) of each parameter.

    Returns:
        The gradient, its standstills, and descents.

    Raises:
        DivminError: laws of another kind, or a box that is none.

    Example:
        >>> import torch
        >>> huszar = pursuit(lambda d: -d, "normal(0, 1)", "normal(m, s)", {"m": (-1, 1), "s": (0.5, 2)})
        >>> [point] = huszar.standstills()
        >>> {name: round(value, 9) + 0.0 for name, value in point.parameters.items()}, point.stable
        ({'m': 0.0, 's': 1.0}, True)

    Source: Shannon et al., eqs. 35 and 53.
    """
    data, made = _model.read(p, family)
    seen = _model.line_law(data)
    names, axes = _model.parameters(box)
    if seen is None or bool(seen.low.isfinite() | seen.high.isfinite()):
        raise DivminError("a pursuit needs data with a density on the whole line, such as a mixture of normal laws")
    if any(len(axis) != 2 or not axis[0] < axis[1] for axis in axes):
        raise DivminError(f"box is {dict(box)}: expected (low, high) with low < high for each parameter")
    known: Mapping[str, Any] = getattr(made, "arg_constraints", {})
    transforms = tuple(biject_to(known.get(name, constraints.real)) for name in names)
    ends = torch.stack([to.inv(axis) for to, axis in zip(transforms, axes, strict=True)])
    return Pursuit(loss, seen, made, names, transforms, ends[:, 0], ends[:, 1])
