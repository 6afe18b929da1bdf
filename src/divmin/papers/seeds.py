"""Means over seeds, their standard errors, and how both read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def mean_and_error(values: Sequence[float] | NDArray[np.float64]) -> tuple[float, float]:
    """The mean over seeds and its standard error; NaN where there are too few.

    >>> mean_and_error([1.0, 3.0]), mean_and_error([1.0])
    ((2.0, 1.0), (1.0, nan))
    """
    if len(values) == 0:
        return math.nan, math.nan
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return float(np.mean(values)), float(error)


def with_error(mean: float, error: float, *, digits: str = ".3g", of_error: str = ".2g") -> str:
    """A mean with its standard error where there is one; nothing for no mean.

    >>> with_error(2.0, 0.5), with_error(2.0, math.nan), with_error(math.nan, math.nan)
    ('2 ± 0.5', '2', '')
    """
    if math.isnan(mean):
        return ""
    return f"{mean:{digits}}" + ("" if math.isnan(error) else f" ± {error:{of_error}}")
