"""Kernel logistic regression: d in the space of a Gaussian kernel, spanned by some of the samples (Nystroem)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from divmin.estimators.kernels import kernel_features, median_distance, scaled, some
from divmin.estimators.logistic import ridge
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

WIDTHS = (0.35, 0.7, 1.5)  # of the median distance


@dataclass(frozen=True)
class Kernel:
    """Width and penalty with the least leave-one-out loss; the columns themselves are features too."""

    centres: int = 100

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        middle, spread = scaled(x, y)
        x, y = (x - middle) / spread, (y - middle) / spread
        both = np.concatenate([x, y])
        centres, median = some(both, self.centres, seed), median_distance(both, seed)
        fits = (
            ridge(_with_columns(kernel_features(centres, factor * median)), x, y, x_weights, y_weights)
            for factor in WIDTHS
        )
        log_ratio, _ = min(fits, key=lambda fit: fit[1])
        return log_ratio.of(lambda z: (z - middle) / spread)

    def __str__(self) -> str:
        return written("kernel", self)


def _with_columns(features: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    return lambda z: np.concatenate([features(z), z], axis=1)


register_numbers(
    "kernel", Kernel, "logistic regression with a Gaussian kernel, width and penalty by leave-one-out",
    "Zhu and Hastie 2005; Williams and Seeger 2001",
)  # fmt: skip
