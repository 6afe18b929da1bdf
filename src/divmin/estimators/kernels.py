"""Gaussian kernels around some of the samples, and the widths that are worth trying."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.spatial.distance import cdist, pdist

from divmin.estimators.samples import Floats

MULTIPLES = (0.15, 0.3, 0.6, 1.0, 1.6)  # of the median distance


def scaled(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Centre and spread that standardise the columns of both sets together; constant columns keep theirs."""
    both = np.concatenate([x, y])
    spread = both.std(0)
    return both.mean(0), np.where(spread > 0, spread, 1.0)


def some(z: Floats, count: int, seed: int) -> Floats:
    """At most `count` different rows, drawn without replacement."""
    distinct = np.unique(z, axis=0)
    if len(distinct) <= count:
        return distinct
    chosen: Floats = distinct[np.random.default_rng([seed, 3]).permutation(len(distinct))[:count]]
    return chosen


def median_distance(z: Floats, seed: int) -> float:
    """The median distance between different rows, over at most 500 of them."""
    distances = pdist(some(z, 500, seed))
    return float(np.median(distances)) if len(distances) else 1.0


def log_kernel(z: Floats, centres: Floats, width: float) -> Floats:
    """-|z - c|^2 / (2 width^2), [l, centres]."""
    log: Floats = cdist(z, centres, "sqeuclidean") / (-2 * width**2)
    return log


def kernel_features(centres: Floats, width: float) -> Callable[[Floats], Floats]:
    """Rows to features whose products are the kernel, as far as the centres span it; scaled like standardised columns."""
    values, vectors = np.linalg.eigh(np.exp(log_kernel(centres, centres, width)))
    kept = values > 1e-8 * values.max()
    root = vectors[:, kept] / np.sqrt(values[kept])
    size = np.sqrt(kept.sum())

    def features(z: Floats) -> Floats:
        phi: Floats = np.exp(log_kernel(z, centres, width)) @ root * size
        return phi

    return features
