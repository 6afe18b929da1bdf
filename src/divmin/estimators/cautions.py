"""What a reader should know before quoting a number, in sentences."""

from __future__ import annotations

import math

import numpy as np

from divmin.estimators.crossfit import Scores
from divmin.estimators.functionals import LAWS, OFF, Value, cost, sides
from divmin.family import Divergence

SEPARATE = 0.02  # nats below log 2, within which the sets hardly overlap
UNREACHED = 0.25  # of a value, from log-ratios beyond those of the other set, that goes without saying
FEW = 30.0  # effective samples, below which a mean over importance weights says little


def separate(score: float) -> bool:
    """Whether a held-out JS bound says that the sets hardly overlap."""
    return score > math.log(2) - SEPARATE


def about_the_ratio(scores: Scores) -> list[str]:
    """Doubts that hold for every divergence read from these log-ratios."""
    said = []
    if separate(scores.score):
        said.append(
            "the sets are almost perfectly separate: where they don't overlap the samples say nothing about how large "
            "the ratio is, so an unbounded divergence is known from below only"
        )
    return said


def about_the_value(f: Divergence, found: Value, scores: Scores) -> list[str]:
    """Doubts about one number."""
    said = []
    for side in [] if found.kind == LAWS else sides(f, scores):
        if not abs(side.mean - 1) <= OFF + 2 * side.stderr:
            said.append(f"{side.name} is {side.mean:.3g} +- {side.stderr:.2g} on these samples and should be 1")
        if side.size < FEW:
            said.append(
                f"effective sample size {side.size:.1f} of {side.n}, the {side.set} set reweighted to the other"
            )
    if found.kind in ("plug-in", "split"):
        said.append(
            f"{found.kind}: takes the log-ratio at its word, and its error leaves out what all folds get wrong alike"
        )
        if abs(found.shortfall) > found.stderr / 2:
            said.append(
                f"the penalty that predicts best may take size off the log-ratio: the next freer one reads "
                f"{2 * found.shortfall:+.3g}; half of that was added, and the interval reaches over all of it"
            )
    share = 0.0 if found.kind == LAWS else unreached(f, scores)
    if share > UNREACHED:
        said.append(
            f"{share:.0%} of the value comes from log-ratios beyond those of all samples of the other set: nothing held out "
            "checks how large they are"
        )
    if found.value < 0:
        laws = "the fitted laws differ by less than the bias that was taken off"
        ratio = "the log-ratio found predicts no better than none"
        said.append(f"a negative estimate: {laws if found.kind == LAWS else ratio}; the divergence is at least 0")
    if not math.isfinite(found.value) or not math.isfinite(found.stderr):
        said.append("not finite: too few samples where the ratio is large, or the divergence is infinite")
    ceiling = math.log(min(len(scores.x), len(scores.y)))
    if not f.bounded and found.kind != LAWS and found.value / _unit(f) > ceiling:
        said.append(
            f"beyond log n = {ceiling:.1f} nats: no bound from n samples holds there without assumptions about the laws"
        )
    if separate(scores.score) and found.kind == LAWS:
        said.append("the value rests on the fitted laws far out, where there are no samples to check them")
    return said


def unreached(f: Divergence, scores: Scores) -> float:
    """The share of the split estimate that log-ratios have which the other set does not reach, on sides where f is unbounded."""
    x, y = (np.where(side, cost(f, d), 0.0) * w / w.sum() for side, d, w in (
        (scores.x > 0, scores.x, scores.x_weights), (scores.y < 0, scores.y, scores.y_weights),
    ))  # fmt: skip
    far = 0.0
    if not f.right_bounded:
        far += float(x[scores.x > scores.y.max()].sum())
    if not f.left_bounded:
        far += float(y[scores.y < scores.x.min()].sum())
    total = float(x.sum() + y.sum())
    return far / total if math.isfinite(total) and total > 0 else 0.0


def _unit(f: Divergence) -> float:
    """The scale of a divergence, so that log n is compared with the canonical one at half its size, as for KL."""
    return float(f.scale) if f.smooth else 1.0


def difference(one: Scores, other: Scores) -> tuple[float, float]:
    """How far the score of `other` is below that of `one`, and the standard error of the difference, sample by sample."""
    total, variance = 0.0, 0.0
    pairs = zip(one.losses, other.losses, (one.x_weights, one.y_weights), strict=True)
    for best, loss, weights in pairs:
        with np.errstate(invalid="ignore"):
            gap = (loss - best) / 2
        mean = float(np.average(gap, weights=weights))
        total += mean
        variance += float(((weights * (gap - mean)) ** 2).sum() / weights.sum() ** 2)
    return total, math.sqrt(variance)
