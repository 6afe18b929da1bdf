"""Nearest neighbours: the k-th neighbour is nearer where the density is higher.

d(z) = columns * (log radius in y - log radius in x) + log(m/n)

Source: Wang, Kulkarni and Verdu 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.spatial import cKDTree

from divmin.errors import DivminError, counted
from divmin.estimators.kernels import scaled
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats


@dataclass(frozen=True)
class Knn:
    """The same number of neighbours in both sets, so that the bias of the logs cancels; 0 takes the root of the smaller set."""

    neighbours: int = 0
    steady: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.neighbours < 0:
            raise DivminError(f"neighbours of knn is {self.neighbours}: expected at least 1, or 0 for a choice by size")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        if np.ptp(x_weights) > 0 or np.ptp(y_weights) > 0:
            raise DivminError("knn takes no sample weights: leave weights= out, or take another method")
        k = self.neighbours or max(3, round(min(len(x), len(y)) ** 0.5))
        if k > min(len(x), len(y)):
            raise DivminError(f"knn({k}) needs at least {counted(k, 'sample')} in each set")
        middle, spread = scaled(x, y)
        trees = [cKDTree((z - middle) / spread) for z in (x, y)]
        log_sizes = np.log(len(y) / len(x))

        def log_ratio(z: Floats) -> Floats:
            near, far = (_log_radius(tree, (z - middle) / spread, k) for tree in trees)
            d: Floats = z.shape[1] * (far - near) + log_sizes
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("knn", self)


def _log_radius(tree: cKDTree, z: Floats, k: int) -> Floats:
    """The log of the distance to the k-th neighbour; where k rows coincide, of the smallest distance that is not 0."""
    radius = np.asarray(tree.query(z, k=[k])[0])[:, 0]
    least = radius[radius > 0].min() if (radius > 0).any() else 1.0
    log: Floats = np.log(np.maximum(radius, least))
    return log


register_numbers("knn", Knn, "distances to the k-th neighbour in each set", "Wang, Kulkarni and Verdu 2009")
