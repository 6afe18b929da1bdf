"""Where two laws meet at all: what a critic says of their overlap, and in how many dimensions each of them lives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from divmin.diagnostics.bins import Floats
from divmin.errors import DivminError

FEWEST, MOST = 20, 2000  # samples: fewer say nothing, and more take time like their square
KEPT = 0.9  # share of the ratios of distances that are used: the largest break the assumption of a constant density


@dataclass(frozen=True)
class Dimension:
    """How many numbers a sample needs, near any of them.

    Args:
        value: the estimate, and its standard error.
        ambient: numbers in a sample.
        n: distinct samples.
    """

    value: float
    stderr: float
    ambient: int
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1f} +- {self.stderr:.1f} of {self.ambient}"


def intrinsic_dimension(samples: Tensor | np.ndarray) -> Dimension:
    """The dimension of the surface that samples lie on, from the distances to their two nearest neighbours.

        log(r2/r1) has the exponential law of rate D where the density hardly changes between neighbours

    Args:
        samples: [n, ...], at least 20 distinct ones; the first 2,000 of them are used.

    Returns:
        The estimate, without the largest tenth of the ratios. It is low where D is large and n is not exponentially larger.

    Raises:
        DivminError: too few distinct samples.

    Example:
        >>> angle = 2 * torch.pi * torch.rand(1000, generator=torch.Generator().manual_seed(0))
        >>> circle = torch.stack([angle.cos(), angle.sin(), 0 * angle], 1)
        >>> found = intrinsic_dimension(circle)
        >>> bool(abs(found.value - 1) < 3 * found.stderr), found.ambient
        (True, 3)

    Source: Facco et al., Estimating the intrinsic dimension of datasets by a minimal neighborhood information, 2017.
    """
    rows = torch.as_tensor(samples).detach().cpu()[:MOST].flatten(1).double()
    rows = rows.unique(dim=0)
    n = len(rows)
    if n < FEWEST:
        raise DivminError(f"{n} distinct samples: expected at least {FEWEST} to tell a dimension")
    distances = torch.cdist(rows, rows).fill_diagonal_(math.inf)
    nearest = distances.topk(2, dim=1, largest=False).values
    logs = (nearest[:, 1] / nearest[:, 0]).log().sort().values
    kept = max(2, int(KEPT * n))
    # the mean of the smallest of n exponential variables, the rest known to be larger
    total = float(logs[:kept].sum() + (n - kept) * logs[kept - 1])
    value = (kept - 1) / total if total > 0 else math.inf
    return Dimension(value, value / math.sqrt(kept), rows.shape[1], n)


@dataclass(frozen=True)
class Support:
    """Whether the two laws meet.

    Args:
        overlap: an upper bound on 1 - TV(p, q), from the critic's mistakes: the share of mass that both laws have.
        overlap_stderr: of it.
        real, fake: dimensions of data and of samples, where batches were given.
    """

    overlap: float
    overlap_stderr: float
    real: Dimension | None = None
    fake: Dimension | None = None

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "overlap": self.overlap,
            "overlap_stderr": self.overlap_stderr,
            "dimension_real": None if self.real is None else [self.real.value, self.real.stderr],
            "dimension_fake": None if self.fake is None else [self.fake.value, self.fake.stderr],
        }

    def __str__(self) -> str:
        said = f"p and q share at most {self.overlap:.1%} +- {self.overlap_stderr:.1%} of their mass"
        if self.real is not None and self.fake is not None:
            said += f"; dimension of the data {self.real}, of samples {self.fake}"
        return said


def overlap(x: Floats, y: Floats) -> Support:
    """The share of mass that data and samples have in common, from above: the mistakes of any critic.

        1 - TV(p, q) <= P_p(d < 0) + P_q(d >= 0)

    Args:
        x, y: log-ratios of data [n] and of samples [m].

    Example:
        >>> overlap(np.array([1.0, 2.0, -1.0, 3.0]), np.array([-1.0, -2.0, -3.0, -4.0])).overlap
        0.25
    """
    shares = float((x < 0).mean()), float((y >= 0).mean())
    spread = sum((s * (1 - s) + 1 / (4 * n)) / n for s, n in zip(shares, (len(x), len(y)), strict=True))
    return Support(min(1.0, sum(shares)), math.sqrt(spread))
