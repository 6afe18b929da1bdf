"""Cross-fitting: every sample is scored by a model that did not see it, and the scores are shrunk where they are overconfident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.method import LogRatio, Method, Penalised
from divmin.estimators.samples import Floats, Samples, Whole
from divmin.estimators.threads import one_thread

# What a slope that differs from 1 pays: so little that twenty samples outweigh it, enough to hold it where classes are separate.
HOLD = 0.05
SURE = 1.5  # standard errors that a slope must be below 1, before log-ratios are called overconfident
SMALL = 2_000_000  # numbers, up to which one thread is faster than several


@dataclass(frozen=True, eq=False)
class Scores:
    """Held-out log-ratios of both sets, with their weights (mean 1) and folds."""

    x: Floats
    y: Floats
    x_weights: Floats
    y_weights: Floats
    x_folds: Whole
    y_folds: Whole

    @property
    def losses(self) -> tuple[Floats, Floats]:
        """The logistic loss of each sample, classes balanced: log(1 + e^-d) on x, log(1 + e^d) on y."""
        return np.logaddexp(0.0, -self.x), np.logaddexp(0.0, self.y)

    @property
    def score(self) -> float:
        """The lower bound on JS that these log-ratios reach, nats: log 2 minus the mean balanced logistic loss.

        A proper score: no d has a higher expectation than the true log-ratio, and a constant has 0.
        """
        x, y = self.losses
        return float(np.log(2) - np.average(x, weights=self.x_weights) / 2 - np.average(y, weights=self.y_weights) / 2)

    def part(self, fold: int) -> Scores:
        """The scores of one fold."""
        x, y = self.x_folds == fold, self.y_folds == fold
        return Scores(self.x[x], self.y[y], self.x_weights[x], self.y_weights[y], self.x_folds[x], self.y_folds[y])


@dataclass(frozen=True, eq=False)
class Crossfit:
    """A method fitted once for each fold, on the samples outside of it.

    Args:
        method: what was fitted.
        fits: a log-ratio for each fold.
        scores: held-out log-ratios, shrunk where they were found overconfident, along lines that were found on the other folds.
        line: intercept and slope of that shrinking found on all folds, for new points; (0, 1) where there was no need.
        freer: held-out log-ratios by fits of the next freer penalty; None where no penalty was chosen.
    """

    method: Method
    fits: tuple[LogRatio, ...]
    scores: Scores
    line: tuple[float, float]
    freer: Scores | None = None

    def log_ratio(self, z: Floats) -> Floats:
        """The mean of the fits at new rows, shrunk."""
        return along(self.line, np.mean([fit(z) for fit in self.fits], axis=0))

    def refits(self, samples: Samples) -> Refits:
        """What the fit of every fold says of all samples."""
        folds = len(self.fits)
        x, y = (np.stack([along(self.line, fit(z)) for fit in self.fits]) for z in (samples.x, samples.y))
        # The jackknife over folds, and K/(K - 1) more for fits that saw only (K - 1)/K of the samples. Of methods that depend on
        # chance too (networks, trees) the fits differ by that as well, which the jackknife would multiply; for them it is the
        # plain variance between fits, which is less than the truth.
        return Refits(x, y, folds if getattr(self.method, "steady", False) else folds / (folds - 1), self.freer)


@dataclass(frozen=True, eq=False)
class Refits:
    """Log-ratios of fits that saw different parts of the samples, so that their differences tell the noise of a fit.

    Args:
        x, y: log-ratios of each fit at all samples, [folds, n] and [folds, m].
        factor: from the variance between fits to that of what comes of a fit.
        freer: held-out log-ratios by fits of the next freer penalty, where one was chosen.
    """

    x: Floats
    y: Floats
    factor: float
    freer: Scores | None = None

    @property
    def variance(self) -> tuple[Floats, Floats]:
        """That of the log-ratio at each sample."""
        with np.errstate(invalid="ignore"):
            return self.factor * self.x.var(axis=0), self.factor * self.y.var(axis=0)


def folds_of(samples: Samples, folds: int, seed: int) -> tuple[Whole, Whole]:
    """A fold for every row, balanced in each set; equal rows share one, unless the values are categories."""
    random = np.random.default_rng([seed, 1])
    n, m = len(samples.x), len(samples.y)
    if samples.discrete:
        return _dealt(n, folds, random), _dealt(m, folds, random)
    x, y = samples.groups
    fold = np.zeros(samples.distinct, dtype=np.int64)
    in_x, in_y = np.isin(np.arange(samples.distinct), x), np.isin(np.arange(samples.distinct), y)
    for chosen in (in_x & ~in_y, in_y & ~in_x, in_x & in_y):
        fold[chosen] = _dealt(int(chosen.sum()), folds, random)
    return fold[x], fold[y]


def crossfit(
    method: Method,
    samples: Samples,
    folds: tuple[Whole, Whole],
    seed: int,
    tick: Callable[[], None] = lambda: None,
) -> Crossfit:
    """Fit a method outside of each fold and score that fold.

    Raises:
        DivminError: folds without samples, or a method whose log-ratio is not a number.
    """
    held_x, held_y = folds
    d_x, d_y = np.zeros(len(samples.x)), np.zeros(len(samples.y))
    freer_x, freer_y = np.zeros(len(samples.x)), np.zeros(len(samples.y))
    fits = []
    with one_thread(small=samples.x.size + samples.y.size < SMALL):
        for fold in range(int(max(held_x.max(), held_y.max())) + 1):
            x, y = held_x != fold, held_y != fold
            if not x.any() or not y.any() or x.all() or y.all():
                raise DivminError("a fold is empty: too few distinct samples for so many folds; pass a smaller folds=")
            one = int(np.random.SeedSequence([seed, 2, fold]).generate_state(1)[0])
            fit = method.fit(samples.x[x], samples.y[y], samples.x_weights[x], samples.y_weights[y], one)
            d_x[~x], d_y[~y] = fit(samples.x[~x]), fit(samples.y[~y])
            if isinstance(fit, Penalised):
                freer_x[~x], freer_y[~y] = fit.freer(samples.x[~x]), fit.freer(samples.y[~y])
            fits.append(fit)
            tick()
    if np.isnan(d_x).any() or np.isnan(d_y).any():
        raise DivminError(f"the log-ratio of {method} is NaN at some samples: rescale them or take another method")
    raw = Scores(d_x, d_y, samples.x_weights, samples.y_weights, held_x, held_y)
    slope, _ = free_line(raw)
    shrunk = slope[0] + SURE * slope[1] < 1
    line = line_of(raw) if shrunk else (0.0, 1.0)
    freer = None
    if all(isinstance(fit, Penalised) for fit in fits):
        freer = replace(raw, x=along(line, freer_x), y=along(line, freer_y))
    return Crossfit(method, tuple(fits), _shrunk(raw) if shrunk else raw, line, freer)


def along(line: tuple[float, float], d: Floats) -> Floats:
    """intercept + slope d."""
    return d if line == (0.0, 1.0) else line[0] + line[1] * d


def line_of(scores: Scores, hold: float = HOLD, steepest: float = 1.0) -> tuple[float, float]:
    """The intercept and slope that recalibrate log-ratios, by logistic regression on them with class sizes as offset.

    Args:
        scores: log-ratios; where some are infinite nothing is changed.
        hold: what a slope away from 1 or an intercept away from 0 pays, as half its square.
        steepest: the largest slope; the smallest is 0.
    """
    if not (np.isfinite(scores.x).all() and np.isfinite(scores.y).all()):
        return 0.0, 1.0
    d = np.concatenate([scores.x, scores.y])
    weights = np.concatenate([scores.x_weights, scores.y_weights])
    is_x = np.arange(len(d)) < len(scores.x)
    offset = np.log(len(scores.x) / len(scores.y))
    line, moves = np.array([0.0, 1.0]), np.array([True, True])
    design = np.stack([np.ones_like(d), d])
    for _ in range(100):
        odds = line @ design + offset
        chance = np.exp(-np.logaddexp(0.0, -odds))
        slope = design @ (weights * (chance - is_x)) + hold * (line - [0.0, 1.0])
        curve = (design * (weights * chance * (1 - chance))) @ design.T + hold * np.eye(2)
        moves[1] = not (line[1] >= steepest and slope[1] < 0) and not (line[1] <= 0 and slope[1] > 0)
        step = np.zeros(2)
        step[moves] = np.linalg.solve(curve[np.ix_(moves, moves)], slope[moves])
        step *= min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))  # far from the optimum a full step may overshoot
        line = line - step
        line[1] = min(max(line[1], 0.0), steepest)
        if np.abs(step).max() < 1e-10:
            break
    return float(line[0]), float(line[1])


def free_line(scores: Scores) -> tuple[tuple[float, float], tuple[float, float]]:
    """Slope and intercept that held-out samples ask for, also above 1, each with its standard error."""
    intercept, slope = line_of(scores, steepest=np.inf)
    d, weights = np.concatenate([scores.x, scores.y]), np.concatenate([scores.x_weights, scores.y_weights])
    if not np.isfinite(d).all():
        return (slope, np.inf), (intercept, np.inf)
    odds = intercept + slope * d + np.log(len(scores.x) / len(scores.y))
    curve = weights * np.exp(-np.logaddexp(0.0, odds) - np.logaddexp(0.0, -odds))
    design = np.stack([np.ones_like(d), d])
    spread = np.sqrt(np.diag(np.linalg.inv((design * curve) @ design.T + HOLD * np.eye(2))))
    return (slope, float(spread[1])), (intercept, float(spread[0]))


def _shrunk(raw: Scores) -> Scores:
    """Every fold along the line of the other folds."""
    x, y = raw.x.copy(), raw.y.copy()
    for fold in np.unique(raw.x_folds):
        in_x, in_y = raw.x_folds == fold, raw.y_folds == fold
        others = Scores(
            raw.x[~in_x], raw.y[~in_y], raw.x_weights[~in_x], raw.y_weights[~in_y],
            raw.x_folds[~in_x], raw.y_folds[~in_y],
        )  # fmt: skip
        line = line_of(others)
        x[in_x], y[in_y] = along(line, raw.x[in_x]), along(line, raw.y[in_y])
    return Scores(x, y, raw.x_weights, raw.y_weights, raw.x_folds, raw.y_folds)


def _dealt(count: int, folds: int, random: np.random.Generator) -> Whole:
    """`count` things dealt to folds in random order."""
    fold = np.empty(count, dtype=np.int64)
    fold[random.permutation(count)] = np.arange(count) % folds
    return fold
