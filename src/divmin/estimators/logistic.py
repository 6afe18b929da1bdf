"""Logistic regression on features: the log-odds of p against q, less the log of the class sizes, are the log-ratio.

maximise sum over x of log sigma(d + log n/m) + sum over y of log sigma(-d - log n/m) - lambda |beta|^2 / 2,   d = beta . phi
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from divmin.errors import DivminError
from divmin.estimators.method import LogRatio, Penalised, register_numbers
from divmin.estimators.samples import Floats

PENALTIES = (1e3, 1e2, 1e1, 1.0, 1e-1, 1e-3)  # lambda, from stiff to free; features have standard deviation 1
WIDE = 500  # features, from which on the freest penalty is left out
# Features of degree 2, and numbers in them, beyond which Newton's method is slower than `quadratic_form`.
MANY, LONG = 300, 2e7


@dataclass(frozen=True)
class Logistic:
    """d linear in the columns (degree 1), or in columns, squares and products (degree 2)."""

    degree: int = 1
    steady: ClassVar[bool] = True  # the fit depends on the samples alone

    def __post_init__(self) -> None:
        if self.degree not in (1, 2):
            raise DivminError(f"degree of logistic is {self.degree}: expected 1 or 2")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        columns = x.shape[1]
        products = columns * (columns + 3) // 2
        if self.degree == 2 and (products > MANY or products * (len(x) + len(y)) > LONG):
            from divmin.estimators.forms import quadratic_form

            return quadratic_form(x, y, x_weights, y_weights, seed)
        features = standardised(self._features(columns), np.concatenate([x, y]))
        return ridge(features, x, y, x_weights, y_weights)[0]

    def _features(self, columns: int) -> Callable[[Floats], Floats]:
        if self.degree == 1:
            return lambda z: z
        first, second = np.triu_indices(columns)
        return lambda z: np.concatenate([z, z[:, first] * z[:, second]], axis=1)

    def __str__(self) -> str:
        return {1: "logistic", 2: "quadratic"}[self.degree]


def standardised(features: Callable[[Floats], Floats], z: Floats) -> Callable[[Floats], Floats]:
    """Features of standardised columns, themselves brought to mean 0 and standard deviation 1 over the rows z."""
    centre, spread = z.mean(0), z.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    phi = features((z - centre) / spread)
    middle, width = phi.mean(0), phi.std(0)
    width = np.where(width > 1e-12 * (1 + np.abs(middle)), width, 1.0)
    return lambda rows: (features((rows - centre) / spread) - middle) / width


def ridge(
    features: Callable[[Floats], Floats], x: Floats, y: Floats, x_weights: Floats, y_weights: Floats
) -> tuple[Penalised, float]:
    """Logistic regression whose penalty has the least leave-one-out loss; the fit and that loss, nats a sample.

    The loss without a sample is found from its leverage h in one Newton step from the full fit, not by refitting:
    eta_i + h w (sigma - label) / (1 - h w sigma (1 - sigma)).

    Source: Rad and Maleki 2020 (approximate leave-one-out).
    """
    phi = features(np.concatenate([x, y]))
    phi = np.concatenate([np.ones((len(phi), 1)), phi], axis=1)
    weights = np.concatenate([x_weights, y_weights])
    label = (np.arange(len(phi)) < len(x)).astype(np.float64)
    offset = float(np.log(x_weights.sum() / y_weights.sum()))
    path, losses, beta = [], [], np.zeros(phi.shape[1])
    for penalty in PENALTIES if phi.shape[1] < WIDE else PENALTIES[:-1]:
        beta, factor, chance = _newton(phi, label, weights, offset, penalty, beta)
        leverage = (solve_triangular(factor[0], phi.T, lower=True) ** 2).sum(0)
        curve = weights * chance * (1 - chance)
        eta = phi @ beta + offset
        without = eta + leverage * weights * (chance - label) / np.maximum(1 - leverage * curve, 1e-6)
        path.append(beta)
        losses.append(float(np.average(np.logaddexp(0.0, (1 - 2 * label) * without), weights=weights)))
    best = int(np.argmin(losses))

    def log_ratio(at: Floats) -> LogRatio:
        def of(z: Floats) -> Floats:
            d: Floats = at[0] + features(z) @ at[1:]
            return d

        return of

    return Penalised(log_ratio(path[best]), log_ratio(path[min(best + 1, len(path) - 1)])), losses[best]


def _newton(
    phi: Floats, label: Floats, weights: Floats, offset: float, penalty: float, beta: Floats
) -> tuple[Floats, tuple[Floats, bool], Floats]:
    """The minimum of the penalised loss by damped Newton steps; the Cholesky factor of its Hessian and the chances there."""
    ridge = np.full(phi.shape[1], penalty)
    ridge[0] = 1e-8  # the intercept is free; the trace keeps the Hessian regular where classes are separate

    def cost(at: Floats) -> float:
        odds = phi @ at + offset
        return float(weights @ np.logaddexp(0.0, (1 - 2 * label) * odds) + 0.5 * (ridge * at) @ at)

    now = cost(beta)
    for _ in range(60):
        chance = np.exp(-np.logaddexp(0.0, -(phi @ beta + offset)))
        slope = phi.T @ (weights * (chance - label)) + ridge * beta
        curve = (phi * (weights * chance * (1 - chance))[:, None]).T @ phi + np.diag(ridge)
        factor = cho_factor(curve + 1e-12 * np.trace(curve) / len(curve) * np.eye(len(curve)), lower=True)
        step = cho_solve(factor, slope)
        decrement = float(slope @ step)
        if decrement < 1e-9:
            break
        length = 1.0
        while (tried := cost(beta - length * step)) > now - 1e-4 * length * decrement and length > 1e-6:
            length /= 2
        beta, now = beta - length * step, tried
    return beta, factor, chance


@dataclass(frozen=True)
class Quadratic(Logistic):
    """Logistic regression with squares and products: contains the truth for every pair of Gaussians."""

    degree: int = field(default=2, init=False)


register_numbers(
    "logistic", Logistic, "logistic regression on the columns (degree 1) and their products (degree 2)",
    "Sugiyama et al. 2012, chapter 4", ("linear",),
)  # fmt: skip
register_numbers(
    "quadratic", Quadratic, "logistic regression on columns, squares and products", "Sugiyama et al. 2012, chapter 4"
)
