"""Derivatives of generators by their weights, and how many dimensions their images have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = NDArray[np.float64]


def by_weights(generator: nn.Module, z: Tensor) -> Tensor:
    """The Jacobian of g(z) by all weights, [n, dim, weights], of z [n, latent]."""
    import torch
    from torch.func import functional_call, jacrev, vmap

    weights = {name: weight.detach() for name, weight in generator.named_parameters()}

    def place(weights: dict[str, Tensor], z: Tensor) -> Tensor:
        found: Tensor = functional_call(generator, weights, (z[None],))
        return found[0]

    found = vmap(jacrev(place), in_dims=(None, 0))(weights, z)
    return torch.cat([each.flatten(2) for each in found.values()], dim=2)


def local_sizes(generator: nn.Module, z: Tensor, reach: float, directions: Tensor) -> Floats:
    """Singular values of the image of a small ball around each z, [n, directions], the largest 1.

    Args:
        generator: in float64.
        z: centres [n, latent].
        reach: radius of the ball.
        directions: from its centre to its surface, [directions, latent], of length 1.
    """
    import torch

    n, k = len(z), len(directions)
    with torch.no_grad():
        centre = generator(z).flatten(1)
        around = generator((z[:, None] + reach * directions).flatten(0, 1)).flatten(1).unflatten(0, (n, k))
        sizes = torch.linalg.svdvals(around - centre[:, None])
    found: Floats = (sizes / sizes[:, :1]).numpy()
    return found


def boxes(points: Floats, halvings: int) -> int:
    """How many boxes hold a point, where the smallest box around all points is halved so often in every direction."""
    low, high = points.min(0), points.max(0)
    cells = np.minimum(((points - low) / (high - low) * 2**halvings).astype(np.int64), 2**halvings - 1)
    return len(np.unique(cells @ (2**halvings) ** np.arange(points.shape[1])))
