"""Stationary points of a divergence over a model's parameters, and the count that tells whether any is missing.

Where the gradient points outward all around the box that is searched, the signs of the Hessian's determinants at all
stationary points inside add up to 1 (Poincare and Hopf): with two parameters, minima - saddles + maxima = 1.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.values.grid import Landscape

FLAT = 1e-6  # curvature below which a point is neither minimum nor saddle, relative to the largest


@dataclass(frozen=True)
class Stationary:
    """A point at which the gradient vanishes.

    Args:
        parameters: of the model.
        value: D there, in nats.
        kind: "minimum", "saddle", "maximum", or "degenerate" where a curvature vanishes.
        curvatures: eigenvalues of the Hessian in free coordinates, which are logarithms of positive parameters.
        gradient: the largest slope that is left, in free coordinates.
        lowest: whether no other point that was found is lower.
    """

    parameters: dict[str, float]
    value: float
    kind: str
    curvatures: tuple[float, ...]
    gradient: float
    lowest: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {value:.10g}" for name, value in self.parameters.items())
        what = f"{self.kind}, the lowest" if self.lowest else self.kind
        return f"{at}: {self.value:.10g} nats ({what})"


@dataclass(frozen=True)
class Fit:
    """Every stationary point of D_f(p, q(. ; theta)) that was found, lowest first.

    Args:
        points: with their values and kinds.
        divergence: the name of f.
        complete: whether the count comes out at 1; if not, some point is missing, or lies outside of what was searched.
        searched: D on the grid of the last search.
        box: where the first search looked for starts, (low, high) of each parameter.
        positive: the parameters whose logarithm was searched.
    """

    points: tuple[Stationary, ...]
    divergence: str
    complete: bool
    searched: Landscape = field(repr=False)
    box: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False)
    positive: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "divergence": self.divergence,
            "complete": self.complete,
            "count": self.count,
            "box": {name: list(ends) for name, ends in self.box.items()},
            "points": [point.to_dict() for point in self.points],
        }

    def _of(self, kind: str) -> tuple[Stationary, ...]:
        return tuple(point for point in self.points if point.kind == kind)

    @property
    def minima(self) -> tuple[Stationary, ...]:
        """Minima, the lowest first."""
        return self._of("minimum")

    @property
    def saddles(self) -> tuple[Stationary, ...]:
        """Saddles, the lowest first."""
        return self._of("saddle")

    @property
    def maxima(self) -> tuple[Stationary, ...]:
        """Maxima, the lowest first."""
        return self._of("maximum")

    @property
    def count(self) -> int:
        """The sum of the signs of the Hessians' determinants: minima - saddles + maxima with two parameters."""
        return index_sum(self.points)

    @property
    def best(self) -> Stationary:
        """The lowest minimum.

        Raises:
            DivminError: when none was found.
        """
        if not self.minima:
            raise DivminError(f"no minimum of {self.divergence} was found in what was searched: give a wider box")
        return self.minima[0]

    def __str__(self) -> str:
        return "\n".join([self.headline, *(f"  {point}" for point in self.points), *self.warnings])

    @property
    def headline(self) -> str:
        """How many points of each kind."""
        kinds = (("minimum", "minima"), ("saddle", "saddles"), ("maximum", "maxima"), ("degenerate", "degenerate"))
        found = [(len(self._of(one)), one, more) for one, more in kinds]
        shown = [f"{n} {one if n == 1 else more}" for n, one, more in found if n or one == "minimum"]
        return f"{self.divergence}: {', '.join(shown)}"

    @property
    def warnings(self) -> list[str]:
        """What is to be said where the count is not complete."""
        if self.complete:
            return []
        if bool(self.searched.values.isinf().all()):
            return ["  D is infinite everywhere in the box: no member of the family is at a finite distance there"]
        return [f"  the count is {self.count} and should be 1: something is missing or outside of the box"]


def index_sum(points: tuple[Stationary, ...]) -> int:
    """The sum of the signs of the Hessians' determinants."""
    return sum(
        0 if point.kind == "degenerate" else math.prod(1 if c > 0 else -1 for c in point.curvatures) for point in points
    )


def kind_of(hessian: Tensor) -> tuple[str, tuple[float, ...]]:
    """The kind of a point with a Hessian [k, k], and its eigenvalues."""
    curvatures: Tensor = torch.linalg.eigvalsh(hessian)
    if float(curvatures.abs().min()) < FLAT * float(curvatures.abs().max()):
        kind = "degenerate"
    else:
        kind = "minimum" if float(curvatures.min()) > 0 else "maximum" if float(curvatures.max()) < 0 else "saddle"
    return kind, tuple(curvatures.tolist())
