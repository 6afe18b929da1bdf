"""Kernel mean matching: the ratio under which samples of q have the same mean features as samples of p.

minimise over theta >= 0   |E_q[r phi] - E_p[phi]|^2 + lambda |theta|^2,   r = theta . K

phi are features whose products are the Gaussian kernel around some samples of both sets, so that the norm is that of the
kernel's space as far as these span it. Writing r by kernels makes it a function of rows; with a weight for every sample of q
instead it could not be told elsewhere. Mean matching has no score of its own to choose a width by: the held-out least-squares
loss E_q[r^2]/2 - E_p[r] does.

Source: Huang et al. 2006; Sugiyama et al. 2012, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import nnls
from scipy.special import logsumexp

from divmin.errors import DivminError
from divmin.estimators.kernels import MULTIPLES, kernel_features, log_kernel, median_distance, scaled, some
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

RIDGES = (1e-6, 1e-4, 1e-2)  # as a share of the mean square of the matched moments
PARTS = 3


@dataclass(frozen=True)
class Kmm:
    """Width and penalty have the least held-out least-squares loss."""

    centres: int = 100

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        middle, spread = scaled(x, y)
        x, y = (x - middle) / spread, (y - middle) / spread
        both = np.concatenate([x, y])
        centres, around, median = (
            some(x, self.centres, seed),
            some(both, self.centres, seed),
            median_distance(both, seed),
        )
        random = np.random.default_rng([seed, 4])
        in_x, in_y = random.permutation(len(x)) % PARTS, random.permutation(len(y)) % PARTS

        def loss(width: float, ridge: float) -> float:
            phi = kernel_features(around, width)
            at_x, at_y = (np.exp(log_kernel(z, centres, width)) for z in (x, y))
            phi_x, phi_y, total = phi(x), phi(y), 0.0
            for one in range(PARTS):
                a, b = in_x != one, in_y != one
                theta = matched(phi_x[a], phi_y[b], at_y[b], x_weights[a], y_weights[b], ridge)
                squares = np.average((at_y[~b] @ theta) ** 2, weights=y_weights[~b] + 1e-300)
                total += float(squares / 2 - np.average(at_x[~a] @ theta, weights=x_weights[~a] + 1e-300))
            return total

        width, ridge = min(product([factor * median for factor in MULTIPLES], RIDGES), key=lambda each: loss(*each))
        phi = kernel_features(around, width)
        theta = matched(phi(x), phi(y), np.exp(log_kernel(y, centres, width)), x_weights, y_weights, ridge)
        if not (theta > 0).any():
            raise DivminError(f"{self} found no positive coefficient: the sets are too far apart for it")
        with np.errstate(divide="ignore"):
            log_theta = np.log(theta)

        def log_ratio(z: Floats) -> Floats:
            d: Floats = logsumexp(log_kernel((z - middle) / spread, centres, width) + log_theta, axis=1)
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("kmm", self)


def matched(phi_x: Floats, phi_y: Floats, at_y: Floats, x_weights: Floats, y_weights: Floats, ridge: float) -> Floats:
    """The non-negative coefficients whose ratio matches the mean features best.

    Args:
        phi_x, phi_y: features of the samples, [n, k] and [m, k].
        at_y: kernels that make up the ratio, at the samples of q, [m, b].
        x_weights, y_weights: of the samples, [n] and [m].
        ridge: of the coefficients, as a share of the mean square of a kernel's moments.
    """
    moments = phi_y.T @ (at_y * (y_weights / y_weights.sum())[:, None])  # [k, b]
    goal = phi_x.T @ (x_weights / x_weights.sum())
    penalty = np.sqrt(ridge * np.square(moments).sum() / moments.shape[1])
    rows = np.concatenate([moments, penalty * np.eye(moments.shape[1])])
    theta: Floats = nnls(rows, np.concatenate([goal, np.zeros(moments.shape[1])]), maxiter=50 * len(rows))[0]
    return theta


register_numbers(
    "kmm", Kmm, "kernel mean matching, width and penalty by held-out least squares",
    "Huang et al. 2006; Sugiyama et al. 2012",
)  # fmt: skip
