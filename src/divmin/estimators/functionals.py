"""From held-out log-ratios to the value of a divergence, with the spread that sampling gives it.

lower bound     E_p[a(d)] - E_q[b(d)]
plug-in         E_q[f(e^d)]
split           E_q[s(d) 1(d < 0)] + E_p[s(d) 1(d > 0)]
fitted laws     D_f of the two laws that were fitted, its first-order bias taken off by the jackknife over folds

The bound is highest at the true d, so an error in d enters it to second order only, and its spread is that of a and b.
The noise of the fit still takes E_q[w(d) var d]/2 off, which the fits of the folds tell by how they differ; it is put back,
and said (`shortfall`). Plug-in and split feel an error in d to first order; their standard error has the spread between their
values by the fits of the folds, the jackknife, as a part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.crossfit import Refits, Scores
from divmin.estimators.method import Laws
from divmin.estimators.samples import Floats, Samples
from divmin.family import Divergence

BOUND, LAWS = "lower bound", "fitted laws"
OFF = 0.25  # how far E_q[e^d] may be from 1 where a bound is to be trusted
NEAR = 200.0  # log-ratios whose ratios, and squares and cubes of these, are ordinary numbers
WIDER = 3.0


@dataclass(frozen=True)
class Value:
    """A number, its standard error and what kind of number it is."""

    value: float
    stderr: float
    kind: str
    shortfall: float = 0.0  # of the value: what the noise of the fit took from a bound, put back


def lower_bound(f: Divergence, scores: Scores, refits: Refits) -> Value:
    """E_p[a(d)] - E_q[b(d)], and what the noise of the fit takes off it put back. Source: Shannon et al., eq. 13."""

    def estimate(part: Scores) -> float:
        return _mean(f.a(part.x), part.x_weights) - _mean(f.b(part.y), part.y_weights)

    value = estimate(scores)
    if math.isnan(value):  # inf - inf, where both sides have ratios beyond all numbers
        return Value(math.inf, math.inf, BOUND)
    variance = _variance(f.a(scores.x), scores.x_weights) + _variance(f.b(scores.y), scores.y_weights)
    # the last is of second order, unless a few samples with large ratios carry the value
    variance += resolution(f, scores) ** 2 + _between(estimate, scores, refits)
    lost = _lost(f, scores, refits.variance)
    back = min(lost, 2 * math.sqrt(variance)) if math.isfinite(lost) and math.isfinite(variance) else 0.0
    return replace(_value(value + back, variance + back * back, BOUND), shortfall=back)


def _lost(f: Divergence, scores: Scores, noise: tuple[Floats, Floats]) -> float:
    """E_q[w(d) v]/2 for the variance v of d, split at 0 so that it is E_p[e^-d w(d) v]/2 where d > 0; 0 where f has a kink."""
    if not f.smooth:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        over_x = np.where(scores.x > 0, np.exp(np.log(f.weight(scores.x)) - scores.x) * noise[0], 0.0)
        over_y = np.where(scores.y <= 0, f.weight(scores.y) * noise[1], 0.0)
    return 0.5 * (_mean(over_x, scores.x_weights) + _mean(over_y, scores.y_weights))


def resolution(f: Divergence, of: Scores | Samples) -> float:
    """What noise alone gives near p = q, where the spread of a and b vanishes: two parameters, f''(1)/2 (1/n + 1/m) each.

    Without a second derivative, as for total variation, the noise of a share.
    """
    rate = sum(float((w**2).sum() / w.sum() ** 2) for w in (of.x_weights, of.y_weights))
    return f.scale * rate if f.smooth else 0.5 * math.sqrt(rate)


def plug_in(f: Divergence, scores: Scores, refits: Refits) -> Value:
    """E_q[f(e^d)]."""

    def estimate(part: Scores) -> float:
        return _mean(_f(f, part.y), part.y_weights)

    variance = _variance(_f(f, scores.y), scores.y_weights) + resolution(f, scores) ** 2
    return _at_its_word(estimate, scores, refits, variance, "plug-in")


def split(f: Divergence, scores: Scores, refits: Refits) -> Value:
    """E_q[s(d) 1(d < 0)] + E_p[s(d) 1(d > 0)]. Source: Shannon et al., eq. 9."""

    def parts(part: Scores) -> tuple[Floats, Floats]:
        return np.where(part.x > 0, cost(f, part.x), 0.0), np.where(part.y < 0, cost(f, part.y), 0.0)

    def estimate(part: Scores) -> float:
        x, y = parts(part)
        return _mean(x, part.x_weights) + _mean(y, part.y_weights)

    x, y = parts(scores)
    variance = _variance(x, scores.x_weights) + _variance(y, scores.y_weights) + resolution(f, scores) ** 2
    return _at_its_word(estimate, scores, refits, variance, "split")


KINDS: dict[str, Callable[[Divergence, Scores, Refits], Value]] = {
    BOUND: lower_bound,
    "plug-in": plug_in,
    "split": split,
}


def fitted_laws(f: Divergence, whole: Laws, parts: list[Laws], samples: Samples) -> Value:
    """D_f of the fitted laws, corrected by the jackknife over folds.

    The bias of a smooth function of fitted parameters goes like 1/n, so fits on (K - 1)/K of the samples show 1/(K - 1) of it.
    """
    plain = whole.divergence(f)
    bias = (len(parts) - 1) * (float(np.mean([part.divergence(f) for part in parts])) - plain)
    if not math.isfinite(plain) or not math.isfinite(bias):
        return Value(plain, math.inf, LAWS)
    # Near an infinite value the expansion behind the jackknife breaks down; near 0 all of the value may be bias.
    rate = 1 / len(samples.x) + 1 / len(samples.y)
    if f.smooth and plain > 4 * f.scale * whole.parameters * rate / 2:
        bias = min(max(bias, -plain / 2), plain / 2)
    x, y = whole.influence(f, samples.x, samples.y)
    variance = _variance(x, samples.x_weights) + _variance(y, samples.y_weights)
    # Near p = q the influence vanishes, and what is left is a quadratic form of the parameters' errors, of mean `bias`; but
    # sets that hold the same rows have no bias, and are known no better for it.
    rest = max(2 * bias * bias / whole.parameters, resolution(f, samples) ** 2 if f.smooth else 0.0)
    return _value(plain - bias, variance + rest, LAWS)


def trusted(f: Divergence, scores: Scores, refits: Refits) -> Value:
    """The lower bound where the log-ratio is good enough on the sides that f looks at, else the split estimate."""
    bound, other = lower_bound(f, scores, refits), split(f, scores, refits)
    if not (math.isfinite(bound.value) and math.isfinite(bound.stderr)) or bound.stderr > WIDER * other.stderr:
        return other
    off = any(not abs(side.mean - 1) <= OFF + 2 * side.stderr for side in sides(f, scores))
    return other if off and math.isfinite(other.value) else bound


@dataclass(frozen=True)
class Side:
    """An expectation that is 1 at the true d, on a side where a divergence is unbounded.

    Args:
        name: what it is.
        set: the set that it is taken over.
        mean, stderr: over held-out samples.
        size, n: the effective sample size of these weights, of how many.
    """

    name: str
    set: str
    mean: float
    stderr: float
    size: float
    n: int


def sides(f: Divergence, scores: Scores) -> list[Side]:
    """E_q[e^d] where f is unbounded on the right, E_p[e^-d] where it is on the left: large ratios count there."""
    found = []
    if not f.right_bounded:
        found.append(("E_q[e^d]", "second", scores.y, scores.y_weights))
    if not f.left_bounded:
        found.append(("E_p[e^-d]", "first", -scores.x, scores.x_weights))
    return [Side(name, who, *mean_ratio(d, w), effective_size(d, w), len(d)) for name, who, d, w in found]


def value(
    f: Divergence,
    kind: str,
    scores: Scores,
    refits: Refits,
    laws: tuple[Laws, list[Laws]] | None,
    samples: Samples,
) -> Value:
    """The estimate of the asked kind; "auto" takes fitted laws where there are some that the samples do not contradict."""
    check_kind(kind)
    if kind == "auto":
        return trusted(f, scores, refits) if laws is None else fitted_laws(f, *laws, samples)
    if kind == LAWS:
        if laws is None:
            raise DivminError(f"kind '{LAWS}' needs a method that fits a law to each set: gaussian or counts")
        return fitted_laws(f, *laws, samples)
    return KINDS[kind](f, scores, refits)


def check_kind(kind: str) -> None:
    """Refuse a kind that there is not."""
    if kind not in ("auto", *KINDS, LAWS):
        raise DivminError(f"unknown kind '{kind}': expected auto, {', '.join(KINDS)} or {LAWS}")


def interval(found: Value, f: Divergence) -> tuple[float, float]:
    """95%: value -+ 1.96 stderr; above, where it is further, on the log scale.

    Estimates of a positive quantity are skewed, and their standard error is small when they are: a low value needs a longer way up.

    A divergence is not negative, so an interval for it ends at 0 without covering it less often; where a value is negative, the
    way up goes from 0. A bound may well be negative, where its log-ratio is no good, and its lower end stays as it is.
    Neither D_f nor what a bound bounds it by is above the supremum of f, so every interval ends there; where a value is above,
    the way down goes from the supremum.
    """
    if not math.isfinite(found.stderr):
        return 0.0, f.sup
    reach = 1.96 * found.stderr
    relative = reach / max(found.value, found.stderr, 1e-300)
    low, high = found.value - reach, max(found.value + reach, found.value * math.exp(min(relative, 1.0)))
    low, high = (low, high) if found.kind == BOUND else (max(low, 0.0), max(high, reach))
    return (low, high) if math.isinf(f.sup) else (min(low, max(f.sup - reach, 0.0)), min(high, f.sup))


def mean_ratio(d: Floats, weights: Floats) -> tuple[float, float]:
    """The mean of e^d and its standard error; inf where it overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        u = np.exp(d)
        mean = float(np.average(u, weights=weights))
        return mean, math.sqrt(_variance(u, weights)) if math.isfinite(mean) else math.inf


def effective_size(d: Floats, weights: Floats) -> float:
    """(sum w)^2 / sum w^2 of the importance weights w = weight e^d, without overflow."""
    with np.errstate(divide="ignore"):
        log = d + np.log(weights)
    if not log.max() > -math.inf:
        return 0.0
    w = np.exp(log - log.max())
    return float(w.sum() ** 2 / (w**2).sum())


def cost(f: Divergence, d: Floats) -> Floats:
    """s(d) as a term of a mean, from a and b: to a few roundings of their size, and faster."""
    near = np.clip(d, -NEAR, NEAR)
    low, high = np.exp(np.minimum(near, 0.0)), np.exp(np.minimum(-near, 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        s = low * f.a(near) - high * f.b(near)
    far = (np.abs(d) > NEAR) | ~np.isfinite(s)  # a and b of steep divergences overflow sooner than s
    if far.any():
        s[far] = f.s(d[far])
    # rounding may leave less than nothing near d = 0
    return np.maximum(s, 0.0)


def _f(f: Divergence, d: Floats) -> Floats:
    """f(e^d) = max(1, e^d) s(d); inf where it is too large a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        s = cost(f, d)
        return np.where(s == 0, 0.0, np.exp(np.maximum(d, 0.0)) * s)


def _at_its_word(
    estimate: Callable[[Scores], float], scores: Scores, refits: Refits, variance: float, kind: str
) -> Value:
    """A read that feels errors of d to first order.

    The penalty that predicts best still takes size off d, where the samples hardly tell how large it is. The read by the next
    freer penalty shows how much that may be: half of the difference is put back, and as much is added to the standard error.
    """
    value = estimate(scores)
    variance += _between(estimate, scores, refits)
    if refits.freer is None:
        return _value(value, variance, kind)
    half = (estimate(refits.freer) - value) / 2
    if not math.isfinite(half):
        return _value(value, math.inf, kind)
    back = min(max(half, -abs(value) / 2), abs(value) / 2)
    return replace(_value(value + back, variance + half * half, kind), shortfall=back)


def _between(estimate: Callable[[Scores], float], scores: Scores, refits: Refits) -> float:
    """The variance that a read has by the noise of the fit: that between the reads by different fits. inf where it is no number."""
    with np.errstate(invalid="ignore", over="ignore"):
        reads = [estimate(replace(scores, x=x, y=y)) for x, y in zip(refits.x, refits.y, strict=True)]
        variance = refits.factor * float(np.var(reads))
    return variance if math.isfinite(variance) else math.inf


def _value(value: float, variance: float, kind: str) -> Value:
    return Value(value, math.sqrt(variance) if variance < math.inf else math.inf, kind)


def _mean(values: Floats, weights: Floats) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.average(values, weights=weights))


def _variance(values: Floats, weights: Floats) -> float:
    """The variance of a weighted mean, from the spread of the values around it."""
    with np.errstate(invalid="ignore", over="ignore"):
        centred = weights * (values - np.average(values, weights=weights))
        n = len(values)
        return float((centred**2).sum() / weights.sum() ** 2 * n / (n - 1))
