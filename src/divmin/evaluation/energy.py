"""The energy distance between two sets of samples, which needs no features and no kernel to choose."""

from __future__ import annotations

import torch
from torch import Tensor

from divmin.errors import DivminError


def energy(x: Tensor, y: Tensor) -> float:
    """The unbiased energy distance of two sets.

        2 E|x - y| - E|x - x'| - E|y - y'|

    Zero for equal laws and positive for others; being unbiased, the value may be below 0.

    Args:
        x, y: samples [n, k] and [m, k], at least 2 of each.

    Returns:
        The distance, in units of the samples.

    Raises:
        DivminError: fewer than 2 samples, or sets of different width.

    Example:
        >>> energy(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [4.0]]))
        4.0

    Source: Szekely and Rizzo 2013.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1]:
        raise DivminError(f"samples have shapes {tuple(x.shape)} and {tuple(y.shape)}: expected [n, k] and [m, k]")
    if min(len(x), len(y)) < 2:
        raise DivminError(f"the energy distance of {len(x)} and {len(y)} samples: expected at least 2 of each")
    x, y = x.double(), y.double()
    return float(2 * torch.cdist(x, y).mean() - _within(x) - _within(y))


def _within(x: Tensor) -> Tensor:
    """The mean distance between different samples of a set."""
    return torch.pdist(x).mean()
