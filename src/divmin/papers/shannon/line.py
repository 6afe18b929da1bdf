"""Two laws on a line at the nodes of a trapezoid rule, which is exact to rounding for densities as smooth as these."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Distribution

from divmin.data import Density
from divmin.values.text import law

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Line:
    """Nodes and what is known at them.

    Args:
        x: nodes [n], evenly spaced.
        p, q: both densities [n].
        d: log p/q, nats [n].
    """

    x: Floats
    p: Floats
    q: Floats
    d: Floats

    @classmethod
    def of(cls, p: str, q: str, reach: float = 25.0, nodes: int = 8001) -> Line:
        """From two laws as text."""
        x = np.linspace(-reach, reach, nodes)
        log_p, log_q = (_log_density(each, x) for each in (p, q))
        return cls(x, np.exp(log_p), np.exp(log_q), log_p - log_q)

    def integral(self, values: Floats) -> float:
        """Over x, of values that vanish at both ends."""
        return float(np.trapezoid(values, self.x))

    def slope(self, p: str, q: str) -> Floats:
        """d'(x) at the nodes, by autograd, between the laws that it was made of."""
        x = torch.tensor(self.x, requires_grad=True)
        d = _law(p).log_prob(x) - _law(q).log_prob(x)
        (found,) = torch.autograd.grad(d.sum(), x)
        slope: Floats = found.numpy()
        return slope


def _log_density(text: str, x: Floats) -> Floats:
    found: Floats = _law(text).log_prob(torch.from_numpy(x)).numpy()
    return found


def _law(text: str) -> Distribution | Density:
    named = law(text)
    assert not isinstance(named, torch.Tensor)
    return named
