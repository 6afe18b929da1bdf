"""Columns as a network or a quadratic form takes them best: standardised, and those with heavy tails by their ranks.

A divergence does not change when a column of both sets goes through one increasing function, but a network learns much faster
from columns without outliers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

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
    scores = {int(column): _scores(both[:, column]) for column in heavy}

    def tamed(rows: Floats) -> Floats:
        z: Floats = (rows - middle) / spread
        for column, (values, normal) in scores.items():
            z[:, column] = np.interp(rows[:, column], values, normal)
        return z

    return tamed


def _scores(column: Floats) -> tuple[Floats, Floats]:
    """The different values of a column and the normal quantiles of their mean ranks; between them one interpolates."""
    values, where = np.unique(column, return_index=True)
    normal: Floats = ndtri((rankdata(column)[where] - 0.5) / len(column))
    return values, normal
