"""Columns as a network or a quadratic form takes them best: standardised, and those with heavy tails by their ranks.

A divergence does not change when a column of both sets goes through one increasing function, but a network learns much faster
from columns without outliers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from divmin.estimators.samples import Floats

# Two normal laws, mixed equally, have kurtosis at most 6, whatever their means and variances.
HEAVY = 8.0


def taming(x: Floats, y: Floats, x_weights: Floats, y_weights: Floats) -> Callable[[Floats], Floats]:
    """Rows to standardised rows; a column of kurtosis above `HEAVY` becomes the normal scores of its ranks.

    Args:
        x, y: rows [n, k] and [m, k], which are pooled.
        x_weights, y_weights: [n] and [m]; both sets count alike in the kurtosis, and ranks are of rows.

    Returns:
        An increasing function of each column, of rows [l, k].
    """
    both = np.concatenate([x, y])
    shares = np.concatenate([x_weights / x_weights.sum(), y_weights / y_weights.sum()]) / 2
    middle, spread = both.mean(0), both.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    centred = both - shares @ both
    variance = shares @ centred**2
    heavy = np.flatnonzero(shares @ centred**4 > HEAVY * variance**2)
    scores = {int(column): scores_of_ranks(both[:, column]) for column in heavy}

    def tamed(rows: Floats) -> Floats:
        z: Floats = (rows - middle) / spread
        for column, score in scores.items():
            z[:, column] = score(rows[:, column])
        return z

    return tamed


def scores_of_ranks(column: Floats) -> Callable[[Floats], Floats]:
    """The normal quantile of the mean rank of a value [n], as a function of values [l]; between two it interpolates."""
    from scipy.stats import rankdata

    values, where = np.unique(column, return_index=True)
    normal: Floats = ndtri((rankdata(column)[where] - 0.5) / len(column))

    def score(z: Floats) -> Floats:
        u: Floats = np.interp(z, values, normal)
        return u

    return score
