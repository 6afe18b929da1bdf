"""KLIEP: the ratio as a mixture of kernels around samples of p, fitted by maximum likelihood under E_q[ratio] = 1.

With components K_l / E_q[K_l] the constraint says that the shares sum to 1, so that the shares of a mixture are sought and the EM
algorithm finds the one maximum.

Source: Sugiyama et al. 2008.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from divmin.estimators.kernels import MULTIPLES, log_kernel, median_distance, scaled, some
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

PARTS, ROUNDS = 3, 300  # of the cross-validation that picks the width; EM steps


@dataclass(frozen=True)
class Kliep:
    """The width has the highest held-out likelihood E_p[log ratio]."""

    centres: int = 100

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        middle, spread = scaled(x, y)
        x, y = (x - middle) / spread, (y - middle) / spread
        centres, median = some(x, self.centres, seed), median_distance(np.concatenate([x, y]), seed)
        part = np.random.default_rng([seed, 4]).permutation(len(x)) % PARTS

        def held_out(width: float) -> float:
            found = 0.0
            for one in range(PARTS):
                learn = part != one
                log = log_mixture(x[learn], y, x_weights[learn], y_weights, centres, width)
                found += float(x_weights[~learn] @ logsumexp(log_kernel(x[~learn], centres, width) + log, axis=1))
            return found

        width = max((factor * median for factor in MULTIPLES), key=held_out)
        log = log_mixture(x, y, x_weights, y_weights, centres, width)

        def log_ratio(z: Floats) -> Floats:
            d: Floats = logsumexp(log_kernel((z - middle) / spread, centres, width) + log, axis=1)
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("kliep", self)


def log_mixture(x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, centres: Floats, width: float) -> Floats:
    """The logs of the coefficients that maximise E_p[log ratio] under E_q[ratio] = 1, one a kernel."""
    with np.errstate(divide="ignore"):
        log_mean = logsumexp(log_kernel(y, centres, width), b=y_weights[:, None], axis=0) - np.log(y_weights.sum())
    components = log_kernel(x, centres, width) - log_mean
    top = components.max(axis=1, keepdims=True)
    components = np.exp(components - top)
    shares, chance = np.full(len(centres), 1 / len(centres)), x_weights / x_weights.sum()
    for _ in range(ROUNDS):
        before = shares
        shares = shares * (components.T @ (chance / (components @ shares)))
        if np.abs(shares - before).sum() < 1e-6:
            break
    log: Floats = np.log(np.maximum(shares, 1e-300)) - log_mean
    return log


register_numbers(
    "kliep", Kliep, "kernels around p by maximum likelihood, width by cross-validation", "Sugiyama et al. 2008"
)
