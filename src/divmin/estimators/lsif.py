"""Least-squares fitting of the ratio by kernels: LSIF, uLSIF and relative uLSIF.

With r = theta . K, r_alpha = p / (alpha p + (1 - alpha) q):   minimise theta' H theta / 2 - h' theta + lambda |theta|^2 / 2,
H = alpha E_p[K K'] + (1 - alpha) E_q[K K'],   h = E_p[K].   LSIF has alpha = 0, theta >= 0 and lambda |theta|_1 instead.

Source: Kanamori et al. 2009 (LSIF, uLSIF); Yamada et al. 2011 (relative).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.optimize import nnls
from scipy.special import logsumexp

from divmin.errors import DivminError
from divmin.estimators.kernels import MULTIPLES, log_kernel, median_distance, scaled, some
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
PARTS = 3
ROOM = 1e-3  # how near its ceiling 1/alpha a relative ratio may come, as a share of it


@dataclass(frozen=True)
class Rulsif:
    """Relative uLSIF, width and penalty by leave-one-out in closed form. Its ratio ends at 1/alpha; alpha = 0 is uLSIF."""

    alpha: float = 0.1
    centres: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < 1:
            raise DivminError(f"alpha of rulsif is {self.alpha}: expected 0 <= alpha < 1")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        middle, spread = scaled(x, y)
        x, y = (x - middle) / spread, (y - middle) / spread
        centres, median = some(x, self.centres, seed), median_distance(np.concatenate([x, y]), seed)
        shares = self.alpha * x_weights / x_weights.sum(), (1 - self.alpha) * y_weights / y_weights.sum()
        gains = x_weights / x_weights.sum()

        def loss(choice: tuple[float, float]) -> float:
            width, ridge = choice
            at_x, at_y = (np.exp(log_kernel(z, centres, width)) for z in (x, y))
            return left_out_loss(at_x, at_y, shares, gains, ridge)

        width, penalty = min(product([factor * median for factor in MULTIPLES], RIDGES), key=loss)
        at_x, at_y = (np.exp(log_kernel(z, centres, width)) for z in (x, y))
        theta = solved(at_x, at_y, shares, gains, penalty)
        log_theta = _log_positive(theta, str(self))

        def log_ratio(z: Floats) -> Floats:
            log: Floats = logsumexp(log_kernel((z - middle) / spread, centres, width) + log_theta, axis=1)
            if self.alpha == 0:
                return log
            log = np.minimum(log, np.log1p(-ROOM) - np.log(self.alpha))
            # r_alpha = r / (alpha r + 1 - alpha), solved for r
            d: Floats = log + np.log1p(-self.alpha) - np.log1p(-self.alpha * np.exp(log))
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("rulsif", self)


@dataclass(frozen=True)
class Ulsif(Rulsif):
    """Unconstrained least squares; negative coefficients are set to 0 afterwards."""

    alpha: float = field(default=0.0, init=False)

    def __str__(self) -> str:
        return written("ulsif", self)


@dataclass(frozen=True)
class Lsif:
    """Least squares with non-negative coefficients and a penalty on their sum; width and penalty by cross-validation."""

    centres: int = 100

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        middle, spread = scaled(x, y)
        x, y = (x - middle) / spread, (y - middle) / spread
        centres, median = some(x, self.centres, seed), median_distance(np.concatenate([x, y]), seed)
        random = np.random.default_rng([seed, 4])
        in_x, in_y = random.permutation(len(x)) % PARTS, random.permutation(len(y)) % PARTS

        def loss(choice: tuple[float, float]) -> float:
            width, penalty = choice
            at_x, at_y = (np.exp(log_kernel(z, centres, width)) for z in (x, y))
            total = 0.0
            for one in range(PARTS):
                a, b = in_x != one, in_y != one
                theta = _non_negative(at_x[a], at_y[b], x_weights[a], y_weights[b], penalty)
                squares = np.average((at_y[~b] @ theta) ** 2, weights=y_weights[~b] + 1e-300)
                total += float(squares / 2 - np.average(at_x[~a] @ theta, weights=x_weights[~a] + 1e-300))
            return total

        width, penalty = min(product([factor * median for factor in MULTIPLES], RIDGES[1:4]), key=loss)
        at_x, at_y = (np.exp(log_kernel(z, centres, width)) for z in (x, y))
        log_theta = _log_positive(_non_negative(at_x, at_y, x_weights, y_weights, penalty), str(self))

        def log_ratio(z: Floats) -> Floats:
            d: Floats = logsumexp(log_kernel((z - middle) / spread, centres, width) + log_theta, axis=1)
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("lsif", self)


def left_out_loss(at_x: Floats, at_y: Floats, shares: tuple[Floats, Floats], gains: Floats, ridge: float) -> float:
    """The objective on samples that were left out one by one, in closed form.

    Leaving out a sample takes its term c k k' from H and its share from h; the rest keeps its weight. By Sherman and Morrison
    (A - c k k')^-1 v = A^-1 v + c (k' A^-1 v) A^-1 k / (1 - c k' A^-1 k).

    Args:
        at_x, at_y: kernels at the samples, [n, b] and [m, b].
        shares: the weight of every sample in H.
        gains: the weight of the samples of p in h.
        ridge: lambda.
    """
    a = (at_x * shares[0][:, None]).T @ at_x + (at_y * shares[1][:, None]).T @ at_y + ridge * np.eye(at_x.shape[1])
    theta = np.linalg.solve(a, at_x.T @ gains)
    total = 0.0
    for kernels, share, gain in ((at_x, shares[0], gains), (at_y, shares[1], None)):
        inverse = np.linalg.solve(a, kernels.T).T  # A^-1 k for every sample
        leverage = (kernels * inverse).sum(1)
        along = kernels @ theta if gain is None else kernels @ theta - gain * leverage
        push = share * along / (1 - share * leverage) - (0.0 if gain is None else gain)
        without = np.maximum(theta + push[:, None] * inverse, 0.0)
        predicted = (kernels * without).sum(1)
        total += float(share @ predicted**2) / 2 - (0.0 if gain is None else float(gain @ predicted))
    return total


def solved(at_x: Floats, at_y: Floats, shares: tuple[Floats, Floats], gains: Floats, ridge: float) -> Floats:
    """argmin over theta of theta' H theta / 2 - h' theta + ridge |theta|^2 / 2; arguments as in `left_out_loss`."""
    h = (at_x * shares[0][:, None]).T @ at_x + (at_y * shares[1][:, None]).T @ at_y
    theta: Floats = np.linalg.solve(h + ridge * np.eye(len(h)), at_x.T @ gains).astype(np.float64)
    return theta


def _non_negative(at_x: Floats, at_y: Floats, x_weights: Floats, y_weights: Floats, penalty: float) -> Floats:
    """argmin over theta >= 0 of theta' H theta / 2 - h' theta + penalty sum theta, as a least-squares problem."""
    h = (at_y * y_weights[:, None]).T @ at_y / y_weights.sum()
    lower = np.linalg.cholesky(h + 1e-9 * (1 + np.trace(h)) * np.eye(len(h)))
    gain = at_x.T @ x_weights / x_weights.sum() - penalty
    theta: Floats = nnls(lower.T, np.linalg.solve(lower, gain), maxiter=50 * len(h))[0]
    return theta


def _log_positive(theta: Floats, name: str) -> Floats:
    if not (theta > 0).any():
        raise DivminError(f"{name} found no positive coefficient: the sets are too far apart for it")
    with np.errstate(divide="ignore"):
        log: Floats = np.log(np.maximum(theta, 0.0))
    return log


register_numbers(
    "lsif", Lsif, "non-negative least squares on kernels, width and penalty by cross-validation", "Kanamori et al. 2009"
)
register_numbers(
    "ulsif",
    Ulsif,
    "least squares on kernels, width and penalty by leave-one-out in closed form",
    "Kanamori et al. 2009",
)
register_numbers(
    "rulsif",
    Rulsif,
    "the same for the relative ratio p/(alpha p + (1 - alpha) q), which is bounded",
    "Yamada et al. 2011",
)
