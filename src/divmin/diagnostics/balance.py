"""Who is ahead: how well the critic tells data from samples, on each side and over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from divmin.diagnostics.bins import SIDE, Counts, Floats, area
from divmin.diagnostics.history import Window

MISS = 2.0  # nats from which on a mismatch is counted: a ratio of 7


@dataclass(frozen=True)
class Balance:
    """How the critic does on its last scores.

    Args:
        auc: the chance that a datum scores higher than a sample, with its standard error.
        right_real, right_fake: shares of data with d > 0 and of samples with d < 0.
        real, fake: mean d on both sides.
    """

    auc: tuple[float, float]
    right_real: float
    right_fake: float
    real: float
    fake: float

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "auc": list(self.auc)}

    def __str__(self) -> str:
        return (
            f"AUC {self.auc[0]:.3f} +- {self.auc[1]:.3f}; right on {self.right_real:.1%} of data and {self.right_fake:.1%} of "
            f"samples; mean d {self.real:.3g} on data, {self.fake:.3g} on samples"
        )


def balance(x: Floats, y: Floats) -> Balance:
    """From log-ratios of data [n] and samples [m].

    >>> balance(np.array([1.0, 2.0, 3.0]), np.array([-1.0, -2.0, 1.5])).right_real
    1.0
    """
    return Balance(auc(x, y), float((x > 0).mean()), float((y < 0).mean()), float(x.mean()), float(y.mean()))


def auc(x: Floats, y: Floats) -> tuple[float, float]:
    """P(d(x) > d(y)) with ties by half, and its standard error by the spread of each sample's own chance (DeLong et al. 1988)."""
    order_y, order_x = np.sort(y), np.sort(x)
    wins_x = (np.searchsorted(order_y, x, "left") + np.searchsorted(order_y, x, "right")) / (2 * len(y))
    wins_y = 1 - (np.searchsorted(order_x, y, "left") + np.searchsorted(order_x, y, "right")) / (2 * len(x))
    spread = float(wins_x.var() / len(x) + wins_y.var() / len(y))
    return float(wins_x.mean()), math.sqrt(spread + 1 / (12 * len(x) * len(y)))


@dataclass(frozen=True)
class Trend:
    """A share of samples at the beginning and at the end of what was seen, with the standard error of the change.

    Args:
        before, after: the shares.
        stderr: of their difference.
    """

    before: float
    after: float
    stderr: float

    @property
    def grows(self) -> bool:
        """Whether it is larger now, beyond chance and by a tenth at least, and by half of what it was."""
        gain = self.after - self.before
        return gain > max(4 * self.stderr, 0.1, 0.5 * self.before)


@dataclass(frozen=True)
class Drift:
    """What changed between the first and the last third of what was seen.

    Args:
        missed: share of data with d > 2: the model has seven times too little there.
        invented: share of samples with d < -2: the model has seven times too much there.
        still_real, still_fake: p-values of no change of the law of d on each side; small where it changed.
        moved_fake: how far the law of d on samples moved, as a total variation.
        auc: before and after.
    """

    missed: Trend
    invented: Trend
    still_real: float
    still_fake: float
    moved_fake: float
    auc: tuple[float, float]

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def drift(windows: Sequence[Window]) -> Drift | None:
    """From windows in the order of time; None for fewer than six."""
    if len(windows) < 6:
        return None
    third = len(windows) // 3
    (real_0, fake_0), (real_1, fake_1) = (
        (np.sum([each.real for each in part], axis=0), np.sum([each.fake for each in part], axis=0))
        for part in (windows[:third], windows[-third:])
    )
    if not all(each.sum() for each in (real_0, real_1, fake_0, fake_1)):
        return None
    far = round(math.asinh(MISS) * 10)  # bins from 0
    return Drift(
        _trend(real_0, real_1, slice(SIDE + far, None)),
        _trend(fake_0, fake_1, slice(None, SIDE - far)),
        _same(real_0, real_1),
        _same(fake_0, fake_1),
        float(np.abs(fake_0 / fake_0.sum() - fake_1 / fake_1.sum()).sum() / 2),
        (area(real_0, fake_0), area(real_1, fake_1)),
    )


def _trend(before: Counts, after: Counts, side: slice) -> Trend:
    shares = [float(each[side].sum() / each.sum()) for each in (before, after)]
    spread = sum(s * (1 - s) / float(each.sum()) for s, each in zip(shares, (before, after), strict=True))
    return Trend(shares[0], shares[1], math.sqrt(spread))


def _same(one: Counts, other: Counts) -> float:
    """The p-value of one law behind two histograms, by chi-square over bins joined until both expect five in each."""
    both, least = one + other, 5 * float((one + other).sum()) / min(float(one.sum()), float(other.sum()))
    groups = np.minimum(np.floor((np.cumsum(both) - both) / max(least, float(both.sum()) / 20)), 1e9).astype(np.int64)
    table = np.stack([np.bincount(np.unique(groups, return_inverse=True)[1], weights=each) for each in (one, other)])
    table = table[:, table.sum(0) > 0]
    return 1.0 if table.shape[1] < 2 else float(stats.chi2_contingency(table).pvalue)
