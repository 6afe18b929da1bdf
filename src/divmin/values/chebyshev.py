"""A smooth function on a large grid from its values at fewer places, Chebyshev's, where that is good enough.

f(x) = sum of w_j f(x_j)/(x - x_j) over sum of w_j/(x - x_j), w_j = (-1)^j, halved at both ends (barycentric formula)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Find = Callable[[Tensor], tuple[Tensor, Tensor]]  # values and bounds of their errors, [n] each, at places [n, axes]

FEWEST = 2000  # places of a grid below which all are computed
FIRST, LAST = 17, 129  # nodes of lines along an axis, doubled until what is left of its coefficients is small
WORTH = 0.6  # share of a grid from which on nodes save nothing
RATIO = 4.0  # largest over smallest of a positive axis from which on its logarithm is the coordinate
ACROSS = (0.0, 0.5, 1.0)  # where lines along an axis cross the others
LEFT = 0.02  # share of the tolerance that coefficients may have where a series is cut
CHECKS = 128  # places of the grid at which it is compared
MARGIN = 4.0  # what the largest difference there is multiplied by


@dataclass(frozen=True)
class Axis:
    """The nodes [n] of an axis, and the weights [values of the axis, n] by which values there make those of the grid."""

    nodes: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Scale:
    """The coordinate of an axis: its values, or their logarithms, brought to [-1, 1]."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def of(cls, axis: Tensor) -> Scale:
        low, high = (float(end) for end in axis.aminmax())
        logarithmic = low > 0 and high > RATIO * low
        return cls(math.log(low), math.log(high), True) if logarithmic else cls(low, high, False)

    def value(self, u: Tensor) -> Tensor:
        x = (self.low + self.high) / 2 + (self.high - self.low) / 2 * u
        return x.exp() if self.logarithmic else x

    def coordinate(self, x: Tensor) -> Tensor:
        return ((x.log() if self.logarithmic else x) - (self.low + self.high) / 2) / ((self.high - self.low) / 2)


def interpolated(find: Find, axes: Sequence[Tensor], tolerance: float) -> tuple[Tensor, Tensor] | None:
    """Values on a grid with bounds of their errors, by interpolation along every axis where that saves something.

    The bound is four times the largest difference at 128 places of the grid, and what `find` says of its own. Places whose
    bound is above the tolerance, absolute and relative, are computed after all.

    Args:
        find: the function, analytic in its parameters.
        axes: the values of each parameter.
        tolerance: what values are held to.

    Returns:
        Values and errors [all places, the last axis first to change]; None where nothing is saved, or what was seen is
        not finite or not smooth.

    Example:
        >>> x = torch.linspace(0, 3, 200, dtype=torch.float64)
        >>> seen = []
        >>> def find(at):
        ...     seen.append(len(at))
        ...     return at.sin().prod(1), torch.zeros(len(at), dtype=torch.float64)
        >>> values, errors = interpolated(find, [x, x], 1e-8)
        >>> bool(((values.reshape(200, 200) - torch.outer(x.sin(), x.sin())).abs() <= 1e-8).all()), sum(seen) < 1000
        (True, True)
    """
    total = math.prod(len(axis) for axis in axes)
    if total < FEWEST:
        return None
    chosen = [_axis(find, axes, k, LEFT * tolerance) for k in range(len(axes))]
    if math.prod(len(axis.nodes) for axis in chosen) > WORTH * total:
        return None
    values, bounds = find(_places([axis.nodes for axis in chosen]))
    own = float((bounds / (values + tolerance)).max())
    values = values.reshape([len(axis.nodes) for axis in chosen])
    for k, axis in enumerate(chosen):
        values = torch.tensordot(axis.weights, values.movedim(k, 0), 1).movedim(0, k)
    values, places = values.reshape(-1).clone(), _places(axes)
    checked = torch.randperm(total, generator=torch.Generator().manual_seed(0))[:CHECKS]
    truth, own_there = find(places[checked])
    off = float((values[checked] - truth).abs().max())
    if not math.isfinite(off):
        return None
    errors = MARGIN * off + own * (values.abs() + tolerance)
    values[checked], errors[checked] = truth, own_there
    poor = (MARGIN * off > tolerance * values.clamp(min=1)).index_fill(0, checked, False).nonzero()[:, 0]
    if len(poor) > WORTH * total:
        return None
    if len(poor):
        values[poor], errors[poor] = find(places[poor])
    return values, errors


def _places(axes: Sequence[Tensor]) -> Tensor:
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))


def _axis(find: Find, axes: Sequence[Tensor], k: int, left: float) -> Axis:
    """Chebyshev's nodes of an axis, as many as its coefficients need; its own values where these are no more."""
    axis, scale = axes[k], Scale.of(axes[k])
    plain = Axis(axis, torch.eye(len(axis), dtype=torch.float64))
    across = torch.tensor([[float(Scale.of(other).value(torch.tensor(2 * u - 1))) for other in axes] for u in ACROSS])

    def along(nodes: Tensor) -> Tensor:
        lines = across.to(torch.float64)[:, None].repeat(1, len(nodes), 1)
        lines[..., k] = scale.value(nodes)
        return find(lines.reshape(-1, len(axes)))[0].reshape(len(ACROSS), -1)

    size, values = FIRST, along(_nodes(FIRST))
    while bool(values.isfinite().all()):
        large = (_coefficients(values).abs().amax(0) > left).nonzero()[:, 0]
        count = 2 + (int(large[-1]) if len(large) else 0)
        if count <= size - 2:
            nodes = _nodes(count)
            return Axis(scale.value(nodes), _weights(scale.coordinate(axis), nodes))
        size = 2 * size - 1
        if size > min(len(axis), LAST):
            break
        between = along(_nodes(size)[1::2])  # every other node is one of before
        values = torch.cat([torch.stack([values[:, :-1], between], -1).flatten(1), values[:, -1:]], 1)
    return plain


def _nodes(size: int) -> Tensor:
    angles: Tensor = math.pi * torch.arange(size, dtype=torch.float64) / (size - 1)
    return angles.cos()


def _coefficients(values: Tensor) -> Tensor:
    """Coefficients of Chebyshev's polynomials [..., n] from values at the nodes [..., n]."""
    size = values.shape[-1]
    even = torch.cat([values, values[..., 1:-1].flip(-1)], -1)
    found: Tensor = torch.fft.rfft(even).real / (size - 1)
    found[..., [0, -1]] /= 2
    return found


def _weights(u: Tensor, nodes: Tensor) -> Tensor:
    signs = torch.ones_like(nodes)
    signs[1::2] = -1
    signs[[0, -1]] /= 2
    gaps = u[:, None] - nodes
    hit = gaps == 0
    terms = signs / gaps.masked_fill(hit, 1.0)
    return hit.double().where(hit.any(1, keepdim=True), terms / terms.sum(1, keepdim=True))
