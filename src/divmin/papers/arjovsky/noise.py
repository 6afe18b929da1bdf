"""Laws with noise added: from nodes and weights, E_y of the noise's density around y."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Nodes:
    """A law as points with weights: atoms, or the nodes of a quadrature, whose error is below rounding with smooth noise.

    Args:
        at: [n], or [n, k] in k dimensions.
        weight: [n], adding up to 1.
    """

    at: Tensor
    weight: Tensor

    def density(self, x: Tensor, noise: Callable[[Tensor], Tensor]) -> Tensor:
        """The density of the law plus noise, E_y[noise(x - y)]: theorem 3.1.

        Args:
            x: any shape; in k dimensions its last is k.
            noise: the density of the noise.
        """
        apart = x[..., None] - self.at if self.at.dim() == 1 else x[..., None, :] - self.at
        return (self.weight * noise(apart)).sum(-1)

    def pulled(self, x: Tensor, noise: Callable[[Tensor], Tensor]) -> Tensor:
        """E_y[noise(x - y) (x - y)], half of the pull towards the points of theorem 3.2 at x."""
        apart = x[..., None] - self.at
        return (self.weight * noise(apart) * apart).sum(-1)


def normal_noise(sigma: float) -> Callable[[Tensor], Tensor]:
    """The density of N(0, sigma^2)."""
    return lambda e: (-((e / sigma) ** 2) / 2).exp() / (sigma * math.sqrt(2 * math.pi))


def cauchy_noise(scale: float) -> Callable[[Tensor], Tensor]:
    """The density of a Cauchy law, which decays as 1/x^2."""
    return lambda e: scale / (math.pi * (scale**2 + e**2))


def atoms(at: tuple[float, ...], weight: tuple[float, ...] | None = None) -> Nodes:
    """Atoms, equally likely where no weights are given."""
    import torch

    share = [1 / len(at)] * len(at) if weight is None else list(weight)
    return Nodes(torch.tensor(at, dtype=torch.float64), torch.tensor(share, dtype=torch.float64))


def standard_normal(nodes: int = 241, reach: float = 9.5) -> Nodes:
    """N(0, 1) by the trapezoidal rule, exact to rounding for smooth integrands."""
    import torch

    z = torch.linspace(-reach, reach, nodes, dtype=torch.float64)
    weight = (-(z**2) / 2).exp()
    return Nodes(z, weight / weight.sum())


def uniform(low: float, high: float, nodes: int = 60) -> Nodes:
    """A uniform law by Gauss and Legendre's rule."""
    import numpy as np
    import torch

    t, weight = np.polynomial.legendre.leggauss(nodes)
    return Nodes(torch.from_numpy(low + (high - low) * (t + 1) / 2), torch.from_numpy(weight / 2))


def joined(parts: tuple[tuple[float, Nodes], ...]) -> Nodes:
    """A mixture of laws by their shares."""
    import torch

    return Nodes(torch.cat([part.at for _, part in parts]), torch.cat([share * part.weight for share, part in parts]))


def moved(nodes: Nodes, shift: float, scale: float) -> Nodes:
    """The law of shift + scale y."""
    return Nodes(shift + scale * nodes.at, nodes.weight)
