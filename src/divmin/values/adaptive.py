"""Integrals of positive functions over boxes by Gauss-Lobatto rules on boxes that are cut where two sizes disagree.

The nodes come back with the value, so that the same sum can be taken again with a graph for derivatives. Every box may belong to
another integral, so that a whole grid of them is one computation.
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


@dataclass(frozen=True)
class Integrals:
    """Many integrals at once: values and errors [owners], and the nodes of boxes [boxes, nodes, dim] with their owners."""

    values: Tensor
    errors: Tensor
    points: Tensor
    weights: Tensor
    owner: Tensor
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

    def one(at: Tensor, owner: Tensor) -> Tensor:
        return function(at.reshape(-1, dim)).reshape(at.shape[:-1])

    found = integrate_all(one, low, high, torch.zeros(len(low), dtype=torch.long), 1, tolerance, most)
    return Integral(
        float(found.values),
        float(found.errors),
        found.points.reshape(-1, dim),
        found.weights.reshape(-1),
        found.evaluations,
    )


def integrate_all(
    function: Callable[[Tensor, Tensor], Tensor],
    low: Tensor,
    high: Tensor,
    owner: Tensor,
    owners: int,
    tolerance: float = 1e-13,
    most: int = MOST,
) -> Integrals:
    """Integrals of non-negative functions, each over the boxes that it owns.

    Args:
        function: from points [boxes, nodes, dim] and the owners [boxes] of their boxes to values [boxes, nodes], float64.
        low, high: opposite corners of boxes, [boxes, dim].
        owner: to which integral a box belongs, [boxes].
        owners: how many integrals there are.
        tolerance: relative error at which a box is no longer cut.
        most: points after which no box is cut, whatever the error.

    Returns:
        Values, errors and nodes.

    Example:
        >>> edges = torch.linspace(-9, 9, 5, dtype=torch.float64)[:, None]
        >>> low, high, owner = edges[:-1].repeat(2, 1), edges[1:].repeat(2, 1), torch.tensor([0] * 4 + [1] * 4)
        >>> scale = torch.tensor([1.0, 0.5], dtype=torch.float64)
        >>> found = integrate_all(lambda x, k: (-((x[..., 0] / scale[k, None]) ** 2) / 2).exp(), low, high, owner, 2)
        >>> found.values / (2 * torch.pi) ** 0.5
        tensor([1.0000, 0.5000], dtype=torch.float64)
    """
    dim = low.shape[1]
    points, weights = _rule(dim)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 0.5], dtype=torch.float64)] * dim).reshape(-1, dim)

    def nodes(low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        half = (high - low) / 2
        return (low + half)[:, None] + half[:, None] * points, half.prod(1)[:, None] * weights

    at, weight = nodes(low, high)
    coarse = (function(at, owner) * weight).sum(1)
    seen = low.shape[0] * len(points)
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    values, errors = torch.zeros(2, owners, dtype=torch.float64)
    counts: list[int] = []
    for level in range(DEEPEST):
        if not len(low):
            break
        size = (high - low)[:, None]
        lows = (low[:, None] + size * corners).reshape(-1, dim)
        highs = lows + (size / 2).expand(-1, len(corners), -1).reshape(-1, dim)
        theirs = owner.repeat_interleave(len(corners))
        at, weight = nodes(lows, highs)
        fine = (function(at, theirs) * weight).sum(1)
        seen += len(lows) * len(points)
        together = fine.reshape(-1, len(corners)).sum(1)
        change = (together - coarse).abs()
        whole = values.index_add(0, owner, together)
        boxes = torch.zeros(owners, dtype=torch.float64).index_add(0, owner, torch.ones_like(together))
        good = change <= torch.maximum((tolerance * whole / (boxes + len(kept) + 10))[owner], 8 * ROUNDING * together)
        counts.append(int((~good).sum()))
        # kinks leave boxes along them: one in one dimension, twice as many a level in two; noise leaves all that are cut
        noisy = level >= NOISY and counts[-1] > 2 * 4 ** (dim - 1) * counts[-3]
        if level == DEEPEST - 1 or seen > most or noisy:
            good = torch.ones_like(good)
        parts = good.repeat_interleave(len(corners))
        inner = at[parts] + INSIDE * ((lows + highs)[parts, None] / 2 - at[parts])
        kept.append((inner, weight[parts], theirs[parts]))
        values = values.index_add(0, owner[good], together[good])
        errors = errors.index_add(0, owner[good], change[good])
        low, high, coarse, owner = lows[~parts], highs[~parts], fine[~parts], theirs[~parts]
    nothing = (at[:0], weight[:0], owner[:0])
    kept_at, kept_weights, kept_owner = (torch.cat(each) for each in zip(nothing, *kept, strict=True))
    return Integrals(values, errors + 4 * ROUNDING * values, kept_at, kept_weights, kept_owner, seen)
