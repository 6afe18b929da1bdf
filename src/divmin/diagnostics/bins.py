"""The bins of log-ratios that histograms share: equal steps of asinh(d), fine near 0 and wide far out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

STEP, SIDE = 0.1, 100  # of asinh(d), and bins on each side of 0: up to |d| = 11,013 nats, and all beyond in the last
COUNT = 2 * SIDE
EDGES: Floats = np.sinh(STEP * np.arange(-SIDE, SIDE + 1))


def counted(d: Floats) -> Counts:
    """How many of finite log-ratios [n] lie in each bin, [COUNT].

    >>> int(counted(np.array([-1e9, 0.0, 0.05, 1e9])).sum()), int(counted(np.array([0.05]))[SIDE])
    (4, 1)
    """
    place = np.floor(np.arcsinh(d) / STEP).astype(np.int64) + SIDE
    found: Counts = np.bincount(place.clip(0, COUNT - 1), minlength=COUNT)
    return found


def area(real: Counts, fake: Counts) -> float:
    """The chance that a datum scores higher than a sample, ties by half: the area under the curve of both error rates.

    >>> float(area(counted(np.array([1.0, 2.0])), counted(np.array([-1.0, -2.0]))))
    1.0
    """
    below = np.cumsum(fake) - fake / 2
    total = float(real.sum()) * float(fake.sum())
    return float((real * below).sum()) / total if total else 0.5
