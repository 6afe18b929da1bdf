"""A panel of pictures over (mu, sigma): contours of a divergence, and axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.distributions import Normal

from divmin.data import densities
from divmin.values import landscape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOW, HIGH = 0.25, 3.2  # sigma


def values(divergence: str, data: str, places: int, reach: float) -> dict[str, NDArray[Any]]:
    """D over mu from -reach to reach and over sigma, by the names "mu", "sigma" and "values"."""
    grid = {
        "loc": torch.linspace(-reach, reach, places, dtype=torch.float64),
        "scale": torch.logspace(np.log10(LOW), np.log10(HIGH), places, dtype=torch.float64),
    }
    found = landscape(divergence, densities()[data](), Normal, grid)
    return {"mu": grid["loc"].numpy(), "sigma": grid["scale"].numpy(), "values": found.values.numpy()}


def contours(ax: Axes, mu: NDArray[Any], sigma: NDArray[Any], values: NDArray[Any]) -> None:
    """Grey lines that lie closer near the minimum, on axes with names."""
    low, high = float(values.min()), float(np.quantile(values, 0.97))
    levels = low + (high - low) * np.linspace(0.005, 1, 22) ** 2
    ax.contour(mu, sigma, values.T, levels, colors="0.75", linewidths=0.7)
    ax.set(xlabel="mu", ylabel="sigma", yscale="log", xlim=(mu[0], mu[-1]), ylim=(sigma[0], sigma[-1]))
    ax.set_yticks([0.3, 0.5, 1, 2, 3], labels=["0.3", "0.5", "1", "2", "3"])
    ax.minorticks_off()
