"""Additive log-ratios: a smooth curve for each column, and what two columns do together in products.

d(z) = c + sum over i of h_i(u_i) + sum over i <= j of B_ij z_i z_j,   u_i the normal score of the rank of z_i

Source: Hastie and Tibshirani 1986. The curves are in the space of a Gaussian kernel, so the penalty asks for smoothness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.columns import scores_of_ranks
from divmin.estimators.kernels import kernel_features
from divmin.estimators.logistic import Logistic, ridge, standardised
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

WIDTHS = (0.35, 0.7, 1.5)  # of a kernel over normal scores, whose standard deviation is about 1


@dataclass(frozen=True)
class Additive:
    """Contains the truth for independent columns of any laws, and for every pair of normal laws."""

    knots: int = 12

    def __post_init__(self) -> None:
        if self.knots < 2:
            raise DivminError(f"knots of additive is {self.knots}: expected at least 2")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        both = np.concatenate([x, y])
        varied = np.flatnonzero(np.ptp(both, axis=0) > 0)
        if not len(varied):
            return lambda z: np.zeros(len(z))
        x, y, both = x[:, varied], y[:, varied], both[:, varied]
        products = standardised(Logistic(2)._features(len(varied)), both)
        ranked = [scores_of_ranks(column) for column in both.T]
        centres = [
            np.unique(np.quantile(score(column), (np.arange(self.knots) + 0.5) / self.knots))[:, None]
            for score, column in zip(ranked, both.T, strict=True)
        ]

        def features(width: float) -> Callable[[Floats], Floats]:
            curves = [kernel_features(each, width) for each in centres]

            def of(z: Floats) -> Floats:
                parts = [
                    np.concatenate([curve(u[:, None]), u[:, None]], axis=1)
                    for curve, u in ((c, s(column)) for c, s, column in zip(curves, ranked, z.T, strict=True))
                ]
                return np.concatenate([*parts, products(z)], axis=1)

            return of

        fits = (ridge(features(width), x, y, x_weights, y_weights) for width in WIDTHS)
        log_ratio, _ = min(fits, key=lambda fit: fit[1])
        return log_ratio.of(lambda z: z[:, varied])

    def __str__(self) -> str:
        return written("additive", self)


register_numbers(
    "additive", Additive, "logistic regression on a smooth curve for each column, and products of columns",
    "Hastie and Tibshirani 1986",
)  # fmt: skip
