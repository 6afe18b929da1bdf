"""Two distances between the laws of features: of normal laws fitted to them, and by a polynomial kernel.

Both are computed by torchmetrics, in float64.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from divmin.data.base import generator_for
from divmin.errors import DivminError
from divmin.evaluation.extractor import Track

SUBSETS, LARGEST = 10, 1000  # at least so many subsets, of at most so many samples


def frechet(x: Tensor, y: Tensor) -> float:
    """The squared Frechet distance between normal laws fitted to two sets of features.

        |m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2))

    It is biased upwards by about 1/n, so that only values from as many samples compare.

    Args:
        x, y: features [n, k] and [m, k], at least 2 of each.

    Returns:
        The distance in squared units of the features, at least 0; rounding leaves about 1e-8 of the traces where n < k.

    Raises:
        DivminError: fewer than 2 samples, or sets of different width.

    Example:
        >>> x = torch.tensor([[0.0], [2.0]])
        >>> round(frechet(x, 3 + 2 * x), 6)  # means 1 and 5, standard deviations sqrt(2) and 2 sqrt(2)
        18.0

    Source: Dowson and Landau 1982; Heusel et al. 2017.
    """
    x, y = _pair(x, y, least=2)
    metric = _torchmetrics("fid").FrechetInceptionDistance(feature=_Given(x.shape[1]))
    middle = x.mean(0)  # the distance does not depend on it, but sums of squares far from 0 lose digits
    metric.update(x - middle, real=True)
    metric.update(y - middle, real=False)
    return max(float(metric.compute()), 0.0)


def kernel(x: Tensor, y: Tensor, *, seed: int = 0, track: Track = iter) -> tuple[float, float]:
    """The unbiased squared kernel distance of two sets of features, and its standard error.

        E k(x, x') + E k(y, y') - 2 E k(x, y),   k(x, y) = (x.y/dim + 1)^3

    The mean over disjoint subsets of equal size: 10 subsets, and more when they would hold over 1,000 samples each. Subsets share
    no sample, so their spread is an honest error. Being unbiased, the value may be below 0.

    Args:
        x, y: features [n, dim] and [m, dim], at least 20 of each.
        seed: names the subsets.
        track: wraps the subsets, for a progress bar.

    Returns:
        Mean and standard error.

    Raises:
        DivminError: fewer than 20 samples, or sets of different width.

    Example:
        >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        >>> mean, error = kernel(x[:100], x[100:])
        >>> abs(mean) < 4 * error
        True

    Source: Binkowski et al. 2018.
    """
    x, y = _pair(x, y, least=2 * SUBSETS)
    subsets, size = subsets_of(min(len(x), len(y)))
    rows = [torch.randperm(len(each), generator=generator_for(seed, side)) for side, each in enumerate((x, y))]
    mmd = _torchmetrics("kid").poly_mmd
    found = []
    for i in track(range(subsets)):
        part = slice(i * size, (i + 1) * size)
        found.append(float(mmd(x[rows[0][part]], y[rows[1][part]])))
    values = torch.tensor(found, dtype=torch.float64)
    return float(values.mean()), float(values.std()) / math.sqrt(subsets)


def subsets_of(n: int) -> tuple[int, int]:
    """How many disjoint subsets `kernel` makes of n samples a side, and of how many samples each.

    Example:
        >>> subsets_of(2500), subsets_of(50_000)
        ((10, 250), (50, 1000))
    """
    subsets = max(SUBSETS, n // LARGEST)
    return subsets, n // subsets


class _Given(nn.Module):
    """Features that are there already, in the form in which torchmetrics takes an extractor."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


def _pair(x: Tensor, y: Tensor, *, least: int) -> tuple[Tensor, Tensor]:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise DivminError(f"features have shapes {tuple(x.shape)} and {tuple(y.shape)}: expected [n, k] and [m, k]")
    if min(len(x), len(y)) < least:
        raise DivminError(f"features of {len(x)} and {len(y)} samples: expected at least {least} of each")
    return x.double(), y.double()


def _torchmetrics(name: str) -> Any:
    """A module of torchmetrics.image; the import takes a second."""
    import importlib

    try:
        module: ModuleType = importlib.import_module(f"torchmetrics.image.{name}")
    # It imports torchvision where there is one, and a torchvision that was built for another torch ends in a RuntimeError.
    except (ImportError, RuntimeError) as error:
        line = " ".join(str(error).split())
        raise DivminError(
            f"torchmetrics cannot be imported ({line}): pip install torchmetrics, and a torchvision built for this torch or none"
        ) from error
    return module
