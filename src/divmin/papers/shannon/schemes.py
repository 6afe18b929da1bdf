"""The two schemes of section 11, what they minimise, and what a generator is told by the best critic that there is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Normal

from divmin.data import densities
from divmin.family import Divergence
from divmin.objectives import recipe
from divmin.papers.reference import reference
from divmin.values.model import field

RECIPES = {"saturating": "minimax", "non-saturating": "nonsaturating"}
MEANT = {"saturating": "js", "non-saturating": "softened_reverse_kl"}  # by the source, up to scale
SHOWN = {"js": "JS", "softened_reverse_kl": "softened reverse KL"}
MIXTURES = {"D_fig5": "two_modes", "A_sym": "symmetric_modes", "B_asym": "far_modes", "C_hard": "uneven_modes"}
STARTS = ((0.5, 2.5), (-0.5, 1.0), (1.0, 0.8), (2.0, 1.0), (-2.0, 0.5))  # those of the reference

NODES, REACH = 4001, 12.0  # of the trapezoids in z


def minimised(scheme: str) -> Divergence:
    """The divergence that the scheme's losses minimise with the best critic, by its recipe.

    >>> minimised("non-saturating").name
    '0.5*softened_reverse_kl'
    """
    found = recipe(RECIPES[scheme]).minimises
    assert found is not None
    return found


def referred(mixture: str, divergence: str) -> list[dict[str, Any]]:
    """The stationary points of the reference."""
    points: list[dict[str, Any]] = reference("minimisers", mixture, divergence)
    return points


def minimum(divergence: str, mixture: str = "D_fig5") -> NDArray[np.float64]:
    """(mu, sigma) of the global minimum, by the reference."""
    best = next(each for each in referred(mixture, divergence) if each.get("global"))
    return np.array([best["mu"], best["sigma"]])


def told(scheme: str, data: str, mu: float, sigma: float) -> NDArray[np.float64]:
    """The gradient [2] of the generator's loss by (mu, log sigma), the critic d = log p/q standing still, over all z.

    E_z[h'(d(x)) d'(x) (1, sigma z)],     x = mu + sigma z
    """
    law, q = densities()[data](), Normal(*torch.tensor([mu, sigma], dtype=torch.float64))
    z = torch.linspace(-REACH, REACH, NODES, dtype=torch.float64)
    weight = (-(z**2) / 2).exp() * (2 * REACH / (NODES - 1)) / math.sqrt(2 * math.pi)
    x = (mu + sigma * z).requires_grad_()
    d = law.log_prob(x[:, None]) - q.log_prob(x)
    (slope,) = torch.autograd.grad(d.sum(), x)
    d = d.detach().requires_grad_()
    (pull,) = torch.autograd.grad(recipe(RECIPES[scheme]).generator_loss(d) * len(d), d)
    return torch.stack([(weight * pull * slope).sum(), (weight * pull * slope * sigma * z).sum()]).numpy()


def gradients(f: Divergence, data: str, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exact gradients [n, 2] of D_f by (mu, log sigma), at (mu, sigma) [n, 2]."""
    at = torch.as_tensor(places, dtype=torch.float64)
    found = field(f, densities()[data](), Normal, ("loc", "scale"), at, True)
    assert found.gradients is not None
    return torch.stack([found.gradients[:, 0], found.gradients[:, 1] * at[:, 1]], 1).numpy()
