"""Integrals of positive functions over boxes by Gauss-Lobatto rules on boxes that are cut where two sizes disagree.

The nodes come back with the value, so that the same sum can be taken again with a graph for derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

ORDER = 10  # points a side of a box
DEEPEST = 60
MOST = 4_000_000  # points in all
ROUNDING = 2.3e-16
NOISY = 8  # the level from which boxes that multiply are taken for rounding noise
INSIDE = 1e-10  # of half a box


@dataclass(frozen=True)
class Integral:
    """A value, a bound of its error, and points [m, dim] and weights [m] of the same rule for derivatives.

    Where boxes meet at a kink their common nodes have two slopes, so every point is moved a hair into its box.
    """

    value: float
    error: float
    points: Tensor
    weights: Tensor
    evaluations: int


@lru_cache(maxsize=4)
def _rule(dim: int) -> tuple[Tensor, Tensor]:
    """Points in [-1, 1]^dim and weights; with the ends of a box, beside which a kink would hide from other rules."""
    import numpy as np

    last = np.polynomial.legendre.Legendre.basis(ORDER - 1)
    inner = np.concatenate([[-1.0], last.deriv().roots().real, [1.0]])
    x, w = torch.from_numpy(inner), torch.from_numpy(2 / (ORDER * (ORDER - 1) * last(inner) ** 2))
    points = torch.cartesian_prod(*[x] * dim).reshape(-1, dim)
    weights = torch.cartesian_prod(*[w] * dim).reshape(-1, dim).prod(1)
    return points, weights


def integrate(
    function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, tolerance: float = 1e-13, most: int = MOST
) -> Integral:
    """The integral of a non-negative function over disjoint boxes.

    Args:
        function: from points [m, dim] to values [m], float64.
        low, high: opposite corners of boxes, [boxes, dim].
        tolerance: relative error at which a box is no longer cut.
        most: points after which no box is cut, whatever the error.

    Returns:
        Value, error and nodes. The error is the sum of what cutting changed last, so the cut boxes are better than it.

    Example:
        >>> edges = torch.linspace(-9, 9, 5, dtype=torch.float64)[:, None]
        >>> found = integrate(lambda x: (-x[:, 0] ** 2 / 2).exp(), edges[:-1], edges[1:])
        >>> abs(found.value - (2 * torch.pi) ** 0.5) < 1e-13
        True
    """
    dim = low.shape[1]
    points, weights = _rule(dim)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 0.5], dtype=torch.float64)] * dim).reshape(-1, dim)

    def nodes(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        half = (high - low) / 2
        return (low + half)[:, None] + half[:, None] * points, half.prod(1)[:, None] * weights

    def sums(at: Tensor, weight: Tensor) -> Tensor:
        return (function(at.reshape(-1, dim)).reshape(weight.shape) * weight).sum(1)

    coarse = sums(*nodes(low, high))
    seen = low.shape[0] * len(points)
    kept: list[tuple[Tensor, Tensor]] = []
    total, error = 0.0, 0.0
    counts: list[int] = []
    for level in range(DEEPEST):
        if not len(low):
            break
        size = (high - low)[:, None]
        lows = (low[:, None] + size * corners).reshape(-1, dim)
        highs = lows + (size / 2).expand(-1, len(corners), -1).reshape(-1, dim)
        at, weight = nodes(lows, highs)
        fine = sums(at, weight)
        seen += len(lows) * len(points)
        together = fine.reshape(-1, len(corners)).sum(1)
        change = (together - coarse).abs()
        whole = total + float(together.sum())
        good = change <= torch.maximum(
            torch.full_like(change, tolerance * whole / (len(low) + len(kept) + 10)), 8 * ROUNDING * together
        )
        counts.append(int((~good).sum()))
        # kinks leave boxes along them: one in one dimension, twice as many a level in two; noise leaves all that are cut
        noisy = level >= NOISY and counts[-1] > 2 * 4 ** (dim - 1) * counts[-3]
        if level == DEEPEST - 1 or seen > most or noisy:
            good = torch.ones_like(good)
        parts = good.repeat_interleave(len(corners))
        inner = at + INSIDE * ((lows + highs)[:, None] / 2 - at)
        kept.append((inner[parts].reshape(-1, dim), weight[parts].reshape(-1)))
        total += float(together[good].sum())
        error += float(change[good].sum())
        low, high, coarse = lows[~parts], highs[~parts], fine[~parts]
    rounding = 4 * ROUNDING * total
    return Integral(
        total, error + rounding, torch.cat([each[0] for each in kept]), torch.cat([each[1] for each in kept]), seen
    )
