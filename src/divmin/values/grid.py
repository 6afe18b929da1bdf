"""`divmin.landscape`: a divergence over a grid of model parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values import model as _model
from divmin.values.chebyshev import interpolated

TOLERANCE = 1.5e-8


@dataclass(frozen=True)
class Landscape:
    """D_f(p, q(. ; theta)) over a grid.

    Args:
        axes: the values of each parameter, in order.
        values: D in nats, one dimension a parameter; infinite where it is.
        errors: bounds of its numerical error, the same shape.
        divergence: the name of f.
        evaluations: how many densities were looked at.
    """

    axes: dict[str, Tensor] = field(repr=False)
    values: Tensor = field(repr=False)
    errors: Tensor = field(repr=False)
    divergence: str
    evaluations: int

    @property
    def lowest(self) -> dict[str, float]:
        """The parameters of the smallest value on the grid."""
        at = torch.unravel_index(self.values.argmin(), self.values.shape)
        return {name: float(axis[i]) for (name, axis), i in zip(self.axes.items(), at, strict=True)}


def landscape(
    f: str | Divergence,
    p: Any,
    family: str | Callable[..., Distribution],
    grid: Mapping[str, Any],
    *,
    tolerance: float = TOLERANCE,
    track: _model.Track = iter,
) -> Landscape:
    """D_f between the data and every member of a family on a grid of its parameters.

        D(theta) = D_f(p, q(. ; theta))

    Laws with a density on the whole line are one batched quadrature; others are taken one by one through `exact`. Large grids of
    analytic laws are interpolated from fewer places, Chebyshev's, and compared with quadrature at 128 of the grid; what is
    not within the tolerance is integrated.

    Args:
        f: a divergence, its name, or an expression.
        p: the data, a law as `exact` takes it.
        family: makes a torch distribution from its parameters by name, such as torch.distributions.Normal; or text with
            free names, such as "normal(loc, scale)".
        grid: the values of each parameter.
        tolerance: absolute up to a nat and relative above, to which values may be interpolated, as that of SciPy's quad; 0 to
            integrate all of them.
        track: wraps the steps of the computation, to show progress.

    Returns:
        Values in nats [len(first), len(second), ...] with their errors.

    Raises:
        DivminError: a family that does not take the parameters, a tolerance below 0, or laws for which no exact value is known.

    Example:
        >>> import divmin as dm, torch
        >>> from torch.distributions import Normal
        >>> p = Normal(torch.tensor(0.0).double(), 1.0)
        >>> found = dm.landscape("kl", p, Normal, {"loc": [0, 1], "scale": [0.5, 1, 2]})
        >>> found.values
        tensor([[0.8069, 0.0000, 0.3181],
                [2.8069, 0.5000, 0.4431]], dtype=torch.float64)
        >>> found.lowest
        {'loc': 0.0, 'scale': 1.0}

    Source: Shannon et al., figure 5.
    """
    f = f if isinstance(f, Divergence) else named_divergence(f)
    p, model = _model.read(p, family)
    names, axes = _model.parameters(grid)
    if not 0 <= tolerance < math.inf:
        raise DivminError(f"tolerance is {tolerance}: expected a number from 0, such as 1e-8")
    theta = torch.cartesian_prod(*axes).reshape(-1, len(names))
    looked = 0

    def find(places: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal looked
        found = _model.field(f, p, model, names, places, False, track)
        looked += found.evaluations
        return found.values, found.errors

    few = interpolated(find, axes, tolerance) if tolerance and _model.analytic(f, p, model, names, theta) else None
    values, errors = few or find(theta)
    shape = [len(axis) for axis in axes]
    return Landscape(dict(zip(names, axes, strict=True)), values.reshape(shape), errors.reshape(shape), f.name, looked)
