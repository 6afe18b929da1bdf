"""Corollary 3.1 in the plane: noise of any covariance, and noise whose density decays as 1/|x|^3."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from divmin.papers.item import largest

if TYPE_CHECKING:
    from torch import Tensor


def corollary() -> dict[str, float]:
    """Corollary 3.1 in two dimensions, with normal noise of some covariance and with Cauchy noise."""
    import torch
    from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

    from divmin.papers.arjovsky.noise import Nodes

    at = torch.tensor([[-1.0, 0.5], [0.2, -0.7], [1.5, 1.0]], dtype=torch.float64)
    share = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    covariance = torch.tensor([[0.5, 0.2], [0.2, 0.3]], dtype=torch.float64)
    line = torch.linspace(-3, 3, 25, dtype=torch.float64)
    x = torch.cartesian_prod(line, line)
    closed = MixtureSameFamily(Categorical(share), MultivariateNormal(at, covariance)).log_prob(x).exp()
    by_atoms = Nodes(at, share).density(x, normal_noise(covariance))
    return {
        "atoms in the plane, normal noise: largest relative difference of densities": largest(by_atoms / closed - 1),
        "Cauchy noise in the plane: its mass": mass(cauchy_noise(0.5)),
    }


def normal_noise(covariance: Tensor) -> Callable[[Tensor], Tensor]:
    """The density of N(0, covariance) at points of the plane [..., 2]."""
    inverse, size = covariance.inverse(), 2 * math.pi * covariance.det().sqrt()
    return lambda e: (-((e @ inverse) * e).sum(-1) / 2).exp() / size


def cauchy_noise(scale: float) -> Callable[[Tensor], Tensor]:
    """The density c / (2 pi (c^2 + |e|^2)^(3/2)) at points of the plane [..., 2]: it decays as 1/|e|^3."""
    return lambda e: scale / (2 * math.pi * (scale**2 + (e**2).sum(-1)) ** 1.5)


def mass(noise: Callable[[Tensor], Tensor], nodes: int = 60, angles: int = 16) -> float:
    """The integral of a density over the plane, in polar coordinates with the radius t / (1 - t)."""
    import torch

    from divmin.papers.arjovsky.noise import uniform

    t, weight = uniform(0, 1, nodes).at, uniform(0, 1, nodes).weight
    angle = 2 * math.pi * torch.arange(angles, dtype=torch.float64) / angles
    around = torch.stack([angle.cos(), angle.sin()], -1)
    radius = t / (1 - t)
    ring = 2 * math.pi * radius * noise(radius[:, None, None] * around).mean(1)
    return float((weight * ring / (1 - t) ** 2).sum())
