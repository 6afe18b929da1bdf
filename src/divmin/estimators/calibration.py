"""Whether held-out log-ratios mean what they say, with no ground truth: the pushforwards of d obey p~(d) = e^d q~(d).

Source: Shannon et al., eq. 7.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from divmin.estimators.crossfit import Scores, free_line
from divmin.estimators.functionals import mean_ratio
from divmin.estimators.samples import Floats


@dataclass(frozen=True)
class Bin:
    """Held-out samples whose d lies between `low` and `high`.

    Args:
        low, high: the range of d, nats.
        said: the log-ratio that d claims for the whole range: the log-odds of the mean of sigma(d), sets weighing the same.
        seen: log of the share of x over the share of y in it; infinite where one set is absent.
        stderr: of `seen`, from the counts.
        x, y: how many samples of each set.
    """

    low: float
    high: float
    said: float
    seen: float
    stderr: float
    x: int
    y: int


@dataclass(frozen=True)
class Calibration:
    """Reliability of held-out log-ratios; those of a perfect model have slope 1, intercept 0 and both means 1.

    Args:
        bins: counts against claims, from low to high d.
        slope, intercept: the logistic recalibration d -> intercept + slope d that the samples ask for, each with its
            standard error; a slope below 1 means overconfident. The slope is held softly at 1 where classes are separate.
        mean_ratio: E_q[e^d] and its standard error.
        mean_inverse: E_p[e^-d] and its standard error.
        label: what was calibrated.
    """

    bins: tuple[Bin, ...]
    slope: tuple[float, float]
    intercept: tuple[float, float]
    mean_ratio: tuple[float, float]
    mean_inverse: tuple[float, float]
    label: str = ""

    @property
    def worst(self) -> float:
        """The largest distance of a bin from what it claims, in standard errors."""
        return max(
            (abs(each.seen - each.said) / each.stderr for each in self.bins if math.isfinite(each.seen)), default=0
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is infinite is text."""
        return {key: plain(value) for key, value in asdict(self).items()}

    def __str__(self) -> str:
        lines = [
            f"calibration of {self.label}" if self.label else "calibration",
            f"  slope {self.slope[0]:.3f} +- {self.slope[1]:.3f}, intercept {self.intercept[0]:.3f} +- {self.intercept[1]:.3f}",
            f"  E_q[e^d] = {self.mean_ratio[0]:.4g} +- {self.mean_ratio[1]:.2g}, "
            f"E_p[e^-d] = {self.mean_inverse[0]:.4g} +- {self.mean_inverse[1]:.2g}",
            f"  {'d from':>9}{'to':>9}{'said':>9}{'seen':>9}{'+-':>8}{'x':>8}{'y':>8}",
        ]
        return "\n".join(
            lines
            + [
                f"  {b.low:>9.3f}{b.high:>9.3f}{b.said:>9.3f}{b.seen:>9.3f}{b.stderr:>8.3f}{b.x:>8}{b.y:>8}"
                for b in self.bins
            ]
        )


def calibrate(scores: Scores, *, bins: int = 10, label: str = "") -> Calibration:
    """Compare held-out log-ratios with counts.

    Args:
        scores: held-out log-ratios of both sets.
        bins: how many ranges of d, with about as many samples each.
        label: what to call it.
    """
    d = np.concatenate([scores.x, scores.y])
    d = np.where(np.isfinite(d), d, np.sign(d) * 1e300)
    edges = np.unique(np.quantile(d, np.linspace(0, 1, bins + 1)))
    inner = edges[1:-1]
    in_x, in_y = np.searchsorted(inner, scores.x, side="right"), np.searchsorted(inner, scores.y, side="right")
    found = tuple(_bin(scores, in_x == i, in_y == i) for i in range(len(inner) + 1))
    slope, intercept = free_line(scores)
    return Calibration(
        tuple(each for each in found if each is not None),
        slope,
        intercept,
        mean_ratio(scores.y, scores.y_weights),
        mean_ratio(-scores.x, scores.x_weights),
        label,
    )


def _bin(scores: Scores, x: np.ndarray, y: np.ndarray) -> Bin | None:
    if not x.any() and not y.any():
        return None
    d = np.concatenate([scores.x[x], scores.y[y]])
    wx, wy = scores.x_weights[x] / scores.x_weights.sum(), scores.y_weights[y] / scores.y_weights.sum()
    weights = np.concatenate([wx, wy])
    # the two logs apart, so that a chance that rounds to 0 or 1 keeps its log-odds
    said = _log_mean(-np.logaddexp(0.0, -d), weights) - _log_mean(-np.logaddexp(0.0, d), weights)
    with np.errstate(divide="ignore"):
        seen = float(np.log(wx.sum()) - np.log(wy.sum()))
    spread = [(w**2).sum() / w.sum() ** 2 if w.sum() > 0 else 1.0 for w in (wx, wy)]
    return Bin(float(d.min()), float(d.max()), said, seen, math.sqrt(sum(spread)), int(x.sum()), int(y.sum()))


def _log_mean(logs: Floats, weights: Floats) -> float:
    return float(np.logaddexp.reduce(logs + np.log(np.maximum(weights, 1e-300))))


def plain(value: Any) -> Any:
    """A value for JSON: numbers that are not finite become text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
