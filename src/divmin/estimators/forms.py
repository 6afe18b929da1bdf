"""Quadratic log-ratios in many columns, without writing the products of columns down.

d(z) = c + b.z + (z' B z - tr B)/sqrt 2,   z whitened over both sets

There z_i, z_i z_j and (z_i^2 - 1)/sqrt 2 have variance near 1 and are nearly uncorrelated, so |b|^2 + |B|^2 is the ridge penalty of
logistic regression on them, whatever basis z has, and L-BFGS needs few steps. A step costs two products [n, k] by [k, k];
a step of Newton with k^2/2 features costs k^2/4 times that.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor
from torch.nn.functional import softplus

from divmin.estimators.method import LogRatio, Penalised
from divmin.estimators.samples import Floats

PENALTIES = (1e3, 3e2, 1e2, 3e1, 1e1, 3.0, 1.0, 0.1)  # from stiff to free
HELD = 0.2  # the part of the rows that chooses the penalty
STEPS = 200
SURE = 1e-7  # nats a row: a loss known better than that gains nothing that sampling leaves open
FLAT = 1e-10  # of the largest variance, below which a direction of both sets together counts as constant


def quadratic_form(x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> Penalised:
    """Ridge logistic regression on columns, squares and products, with the penalty of the least held-out loss.

    The penalty is lambda (|b|^2 + |B|^2)/2 against the sum of losses; the search goes from stiff to free, each fit starting from
    the one before, and ends at the first that is worse.

    Args:
        x, y, x_weights, y_weights: as `Method.fit` takes them.
        seed: says which rows are held out.
    """
    both = np.concatenate([x, y])
    middle, root = _whitening(both)
    z = _tensor((both - middle) @ root)
    weights = _tensor(np.concatenate([x_weights, y_weights]))
    label = (torch.arange(len(z)) < len(x)).float()
    # the same rows of a set wherever it stands, so that swapped sets have swapped fits
    held = torch.from_numpy(
        np.concatenate([np.random.default_rng([seed, 6]).permutation(n) < HELD * n for n in (len(x), len(y))])
    )
    offset = math.log(x_weights.sum() / y_weights.sum())
    learn, test = ((z[part], label[part], weights[part]) for part in (~held, held))
    theta = np.zeros(1 + z.shape[1] * (z.shape[1] + 1))
    start, chosen, least = theta, PENALTIES[0], math.inf
    for penalty in PENALTIES:
        theta = _fitted(*learn, offset, penalty * (1 - HELD), theta)
        loss = _cost(theta, *test, offset)[0]
        if loss > least:
            break
        start, chosen, least = theta, penalty, loss
    after = PENALTIES[min(PENALTIES.index(chosen) + 1, len(PENALTIES) - 1)]
    best = _fitted(z, label, weights, offset, chosen, start)
    next_best = best if after == chosen else _fitted(z, label, weights, offset, after, best)

    def log_ratio(theta: Floats) -> LogRatio:
        parts = _split(theta, z.shape[1])

        def of(rows: Floats) -> Floats:
            d: Floats = _d(parts, _tensor((rows - middle) @ root)).double().numpy()
            return d

        return of

    return Penalised(log_ratio(best), log_ratio(next_best))


def _fitted(z: Tensor, label: Tensor, weights: Tensor, offset: float, penalty: float, start: Floats) -> Floats:
    ridge = np.full(len(start), penalty)
    ridge[0] = 0.0  # the intercept is free
    scale = 1 / float(weights.double().sum())

    def target(theta: Floats) -> tuple[float, Floats]:
        loss, slope = _cost(theta, z, label, weights, offset)
        return (loss + 0.5 * float((ridge * theta) @ theta)) * scale, (slope + ridge * theta) * scale

    theta: Floats = minimize(
        target, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS, "ftol": SURE, "gtol": 1e-6}
    ).x
    return theta


def _cost(theta: Floats, z: Tensor, label: Tensor, weights: Tensor, offset: float) -> tuple[float, Floats]:
    """The logistic loss summed over rows, and its derivative; summed in float64, the products in float32."""
    k = z.shape[1]
    odds = _d(_split(theta, k), z) + offset
    push = weights * (torch.sigmoid(odds) - label)
    total = push.double().sum()
    square = ((z * push[:, None]).T @ z).double() - total * torch.eye(k, dtype=torch.float64)
    slope = torch.cat([total[None], (z.T @ push).double(), square.flatten() / math.sqrt(2)])
    return float((weights * softplus((1 - 2 * label) * odds)).double().sum()), slope.numpy()


def _d(parts: tuple[float, Tensor, Tensor], z: Tensor) -> Tensor:
    constant, linear, square = parts
    return constant + z @ linear + ((z @ square * z).sum(1) - square.trace()) / math.sqrt(2)


def _split(theta: Floats, k: int) -> tuple[float, Tensor, Tensor]:
    return float(theta[0]), _tensor(theta[1 : 1 + k]), _tensor(theta[1 + k :].reshape(k, k))


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(values).float()


def _whitening(both: Floats) -> tuple[Floats, Floats]:
    """The mean of all rows, and the matrix that makes their covariance the identity; constant directions are left out."""
    middle = both.mean(0)
    centred = both - middle
    values, vectors = np.linalg.eigh(centred.T @ centred / len(both))
    kept = values > FLAT * max(values.max(), 1e-300)
    return middle, vectors[:, kept] / np.sqrt(values[kept])
