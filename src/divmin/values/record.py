"""What an exact question answers: a number, how far it may be off, and the way it was found."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch
from torch import Tensor


class Route(Enum):
    """How a value was found, from the surest to the least sure."""

    CLOSED = "closed form"
    FACTORS = "factor by factor"
    SUM = "sum over atoms"
    LINE = "quadrature on the line"
    PLANE = "cubature in the plane"
    INVERSION = "inversion of the moment function of d"
    SAMPLING = "Monte Carlo"


@dataclass(frozen=True)
class Value:
    """A value D_f(p, q) in nats.

    Args:
        tensor: the value, a float64 tensor without dimensions, differentiable in the parameters of p and q.
        error: bound of the numerical error; the standard error for Monte Carlo.
        route: how it was found.
        divergence: the name of f.
        evaluations: how many points or terms were looked at.

    Example:
        >>> import divmin as dm
        >>> dm.exact("total_variation", [0.5, 0.5], [1.0, 0.0]).value
        0.5
    """

    tensor: Tensor = field(repr=False)
    error: float
    route: Route
    divergence: str
    evaluations: int = 0

    @property
    def value(self) -> float:
        """The number."""
        return float(self.tensor.detach())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is infinite is the text "inf"."""
        return {
            "divergence": self.divergence,
            "value": self.value if math.isfinite(self.value) else str(self.value),
            "error": self.error if math.isfinite(self.error) else str(self.error),
            "route": self.route.value,
            "evaluations": self.evaluations,
        }

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        if self.route is Route.SAMPLING:
            how = f"standard error {self.error:.2g}, {self.evaluations:,} samples of each"
        elif math.isinf(self.value):
            how = "exactly"
        else:
            how = f"error at most {self.error:.1g}"
        return f"{self.divergence} = {self.digits} nats ({self.route.value}, {how})"

    @property
    def digits(self) -> str:
        """The number with as many digits as its error allows and one more, at most twelve."""
        if not 0 < self.error < math.inf or not 0 < abs(self.value) < math.inf:
            return f"{self.value:.12g}"
        return f"{self.value:.{min(12, max(2, math.ceil(math.log10(abs(self.value) / self.error)) + 1))}g}"


def value(tensor: Tensor | float, error: float, route: Route, name: str, evaluations: int = 0) -> Value:
    """A record, with no error where the value is infinite, and none below rounding elsewhere."""
    number = torch.as_tensor(tensor, dtype=torch.float64)
    if bool(number.isinf()):
        error = 0.0
    return Value(number, error, route, name, evaluations)
