"""The choice of a method by held-out score: every candidate is cross-fitted on the same folds, and ties go to the simpler one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.cautions import difference, separate
from divmin.estimators.crossfit import Crossfit, crossfit
from divmin.estimators.method import Laws, method
from divmin.estimators.record import Tried
from divmin.estimators.samples import Samples, Whole

# Standard errors of the difference of two scores within which the simpler method is taken; more for laws that no test contradicts.
# A whole one takes methods that leave out what is there as often as not; none at all makes a find of noise where p = q.
TIE, TIE_OF_LAWS = 0.5, 2.0
CHANCE = 1.0  # standard errors of a score, up to which it may be chance


@dataclass(frozen=True)
class Candidate:
    """A method as the registry reads it, and the sizes for which it is worth its time."""

    text: str
    fewest: int = 0  # samples in the smaller set
    most: float = math.inf  # numbers in both sets together
    widest: float = math.inf  # columns
    slow: bool = (
        False  # left out where the sets are separate, or normal laws do as well as all others: it could not do better
    )


# From simple to flexible: the order in which ties are broken.
CONTINUOUS = (
    Candidate("logistic", widest=1000, most=5e7),
    Candidate("gaussian", widest=200),
    Candidate("quadratic", widest=100, most=5e7),
    Candidate("additive", widest=10, most=1e6),
    Candidate("kernel", widest=200, most=1e7),
    Candidate("knn", most=1e6),
    Candidate("trees", most=2e7, fewest=100),
    Candidate("neural", fewest=400, slow=True),
)
DISCRETE = (Candidate("counts"), Candidate("logistic", widest=1000, most=5e7), Candidate("trees", most=2e7, fewest=100))
FAR_APART = Candidate("telescoping(quadratic)", widest=100, most=5e7)


def chosen(
    samples: Samples, folds: tuple[Whole, Whole], seed: int, tick: Callable[[], None]
) -> tuple[Crossfit, tuple[Tried, ...], list[str]]:
    """The best candidate, what was tried, and what to say about the choice.

    Raises:
        DivminError: when no candidate could be fitted.
    """
    fitted: dict[str, tuple[Crossfit, float]] = {}
    skipped: dict[str, str] = {}

    def consider(candidate: Candidate) -> None:
        reason = _unfit(candidate, samples)
        if candidate.slow and reason is None:
            if any(separate(fit.scores.score) for fit, _ in fitted.values()):
                reason = "others separate the sets already"
            elif fitted and _lawful(samples, fitted) is not None:
                reason = "laws that nothing contradicts predict as well as others"
        if reason is None:
            started = time.perf_counter()
            try:
                fit = crossfit(method(candidate.text), samples, folds, seed, tick)
                fitted[candidate.text] = fit, time.perf_counter() - started
            except (DivminError, np.linalg.LinAlgError) as error:
                reason = str(error)
        if reason is not None:
            skipped[candidate.text] = f"not tried: {reason}"

    for candidate in DISCRETE if samples.discrete else CONTINUOUS:
        consider(candidate)
    if not fitted:
        raise DivminError("no method can be fitted: " + "; ".join(f"{key} {why}" for key, why in skipped.items()))
    best = max(fitted, key=lambda text: fitted[text][0].scores.score)
    said = []
    if separate(fitted[best][0].scores.score) and not samples.discrete:
        consider(FAR_APART)
        winner = _far_apart(samples, fitted, best)
    else:
        # laws that nothing contradicts use the samples best, and say what lies beyond them
        tied = _within(fitted, TIE)
        free = [
            text for text in tied if not isinstance(fitted[text][0].fits[0], Laws)
        ]  # contradicted laws are no simple answer
        winner = _lawful(samples, fitted) or (free or tied)[0]
        if fitted[best][0].scores.score <= CHANCE * _spread(fitted[best][0]):
            said.append("no method tells the sets apart better than chance: no difference was found with these samples")
    best = max(fitted, key=lambda text: fitted[text][0].scores.score)
    tried = [Tried("constant", 0.0, (fitted[best][0].scores.score, _spread(fitted[best][0])), 0.0)]
    tried += [
        Tried(
            text, fit.scores.score, difference(fitted[best][0].scores, fit.scores), seconds,
            "chosen" if text == winner else "",
        )
        for text, (fit, seconds) in fitted.items()
    ]  # fmt: skip
    tried += [Tried(text, None, None, 0.0, why) for text, why in skipped.items()]
    return fitted[winner][0], tuple(tried), said


def candidates(samples: Samples) -> int:
    """How many methods `chosen` will fit, for a progress bar."""
    return sum(_unfit(each, samples) is None for each in (DISCRETE if samples.discrete else CONTINUOUS))


def _within(fitted: dict[str, tuple[Crossfit, float]], errors: float) -> list[str]:
    """The methods whose score is within so many standard errors of the best, from simple to flexible."""
    best = max((fit for fit, _ in fitted.values()), key=lambda fit: fit.scores.score)
    behind = {text: difference(best.scores, fit.scores) for text, (fit, _) in fitted.items()}
    return [text for text, (gap, stderr) in behind.items() if gap <= errors * stderr]


def _lawful(samples: Samples, fitted: dict[str, tuple[Crossfit, float]]) -> str | None:
    """A method of laws that nothing contradicts: neither the samples nor a better score."""
    return next((text for text in _within(fitted, TIE_OF_LAWS) if _sound(fitted[text][0], samples)), None)


def _far_apart(samples: Samples, fitted: dict[str, tuple[Crossfit, float]], best: str) -> str:
    """Scores are saturated, so they no longer choose: normal laws where nothing contradicts them, else telescoping."""
    if "gaussian" in fitted and _sound(fitted["gaussian"][0], samples):
        return "gaussian"
    way = fitted.get(FAR_APART.text)
    if way is not None and separate(way[0].scores.score):
        return FAR_APART.text
    others = [t for t, (fit, _) in fitted.items() if separate(fit.scores.score) and not isinstance(fit.fits[0], Laws)]
    return others[0] if others else best


def _sound(fit: Crossfit, samples: Samples) -> bool:
    laws = fit.fits[0]
    return isinstance(laws, Laws) and laws.contradicted(samples) is None


def _spread(fit: Crossfit) -> float:
    """The standard error of a score as a difference to the constant, whose loss is log 2 everywhere."""
    x, y = fit.scores.losses
    return float(np.sqrt(np.var(x, ddof=1) / (4 * len(x)) + np.var(y, ddof=1) / (4 * len(y))))


def _unfit(candidate: Candidate, samples: Samples) -> str | None:
    n, columns = min(len(samples.x), len(samples.y)), samples.x.shape[1]
    if n < candidate.fewest:
        return f"needs {candidate.fewest} samples a set"
    if columns > candidate.widest:
        return f"too slow for {columns} columns"
    if (len(samples.x) + len(samples.y)) * columns > candidate.most:
        return "too slow for so many numbers"
    return None
