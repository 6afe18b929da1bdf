"""One fit of the log-ratio that serves every divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from divmin.errors import DivminError
from divmin.estimators import auto, cautions, functionals
from divmin.estimators.calibration import Calibration, calibrate
from divmin.estimators.crossfit import Crossfit, Refits, Scores, crossfit, folds_of
from divmin.estimators.method import Laws, Method
from divmin.estimators.method import method as method_of
from divmin.estimators.record import Estimate, Tried
from divmin.estimators.samples import Floats, Samples, read, rows
from divmin.estimators.watch import watched
from divmin.family import Divergence
from divmin.family.expression import divergence as divergence_of

FOLDS = 5


@dataclass(frozen=True, eq=False)
class Ratio:
    """A fitted log-ratio d = log p/q with held-out scores; made by `fit_ratio`.

    Args:
        method: what learned it, as `method=` reads it.
        samples: what it was learned from.
        fitted: the fits outside of each fold, and the held-out scores.
        laws: the laws fitted to all samples and outside of each fold, where the method has such and the samples allow.
        tried: what `method="auto"` compared.
        warnings: what to know about the samples and the log-ratio.
        seed: names the folds and every random choice.
    """

    method: str
    samples: Samples
    fitted: Crossfit
    laws: tuple[Laws, list[Laws]] | None
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...]
    seed: int
    shape: tuple[int, ...]

    def log_ratio(self, z: Any) -> Floats:
        """d(z) = log p(z)/q(z) at new points: the mean over the fits, shrunk where held-out scores ask for it.

        Args:
            z: points [l, ...], of the shape of the samples.

        Returns:
            Log-ratios [l], float64, nats.

        Raises:
            DivminError: points of another shape.

        Example:
            >>> import divmin as dm, numpy as np
            >>> random = np.random.default_rng(0)
            >>> ratio = dm.fit_ratio(random.normal(1, 1, 500), random.normal(0, 1, 500), method="logistic")
            >>> bool(abs(ratio.log_ratio([0.5])[0]) < 0.1)  # log p/q = z - 1/2
            True
        """
        points = rows("the points", z)
        if points.shape[1:] != self.shape:
            raise DivminError(
                f"a point has shape {points.shape[1:]}: expected that of a sample, {self.shape}; "
                "one point stands in brackets of its own"
            )
        return self.fitted.log_ratio(points.reshape(len(points), -1))

    def ratio(self, z: Any) -> Floats:
        """p(z)/q(z) = e^d; inf where it is too large for a number.

        Args:
            z: points [l, ...].

        Returns:
            Ratios [l], float64.
        """
        with np.errstate(over="ignore"):
            return np.exp(self.log_ratio(z))

    def weights(self, z: Any) -> Floats:
        """Importance weights that turn samples z of q into samples of p: e^d divided by its mean, without overflow.

        Args:
            z: samples of q [l, ...].

        Returns:
            Weights [l] of mean 1.
        """
        d = self.log_ratio(z)
        w = np.exp(d - d.max())
        weights: Floats = w / w.mean()
        return weights

    @property
    def scores(self) -> Scores:
        """Held-out log-ratios of both sets."""
        return self.fitted.scores

    @cached_property
    def _refits(self) -> Refits:
        return self.fitted.refits(self.samples)

    @property
    def effective_size(self) -> float:
        """(sum w)^2 / sum w^2 of the second set reweighted to the first, in samples."""
        return functionals.effective_size(self.scores.y, self.scores.y_weights)

    def divergence(self, f: str | Divergence, *, kind: str = "auto") -> Estimate:
        """D_f(p, q) from this fit.

            lower bound   E_p[a(d)] - E_q[b(d)]
            plug-in       E_q[f(e^d)]
            split         E_q[s(d) 1(d < 0)] + E_p[s(d) 1(d > 0)]
            fitted laws   D_f of the two fitted laws, for methods that fit such

        Args:
            f: a divergence, or its name or expression.
            kind: one of the above; "auto" takes fitted laws where the samples don't contradict them, else the lower bound,
                else, where the ratio is too uncertain for that, the split estimate.

        Returns:
            The estimate with standard error and 95% interval, nats.

        Raises:
            DivminError: an unknown divergence or kind.

        Example:
            >>> import divmin as dm, numpy as np
            >>> random = np.random.default_rng(0)
            >>> ratio = dm.fit_ratio(random.normal(1, 1, 500), random.normal(0, 1, 500), method="logistic")
            >>> found = ratio.divergence("kl")  # the truth is 1/2
            >>> found.kind, found.interval[0] < 0.5 < found.interval[1]
            ('lower bound', True)

        Source: Shannon et al., eqs. 9 and 13; docs/estimates.md for the intervals.
        """
        g = divergence_of(f) if isinstance(f, str) else f
        found = functionals.value(g, kind, self.scores, self._refits, self.laws, self.samples)
        return Estimate(
            divergence=g.name,
            value=found.value,
            stderr=found.stderr,
            interval=functionals.interval(found, g),
            kind=found.kind,
            shortfall=found.shortfall,
            method=self.method,
            n=(len(self.samples.x), len(self.samples.y)),
            seed=self.seed,
            tried=self.tried,
            warnings=(*self.warnings, *cautions.about_the_value(g, found, self.scores)),
        )

    def calibration(self, *, bins: int = 10) -> Calibration:
        """Whether held-out log-ratios mean what they say: counts against claims, E_q[e^d], E_p[e^-d], slope and intercept.

        Args:
            bins: ranges of d with about as many samples each.

        Returns:
            A record; `divmin.plots.draw_calibration` draws it.

        Source: Shannon et al., eq. 7.
        """
        return calibrate(self.scores, bins=bins, label=self.method)

    def __str__(self) -> str:
        line = f"log-ratio by {self.method} from {len(self.samples.x)} and {len(self.samples.y)} samples, "
        lines = [line + f"held-out JS bound {self.scores.score:.4f} nats"]
        lines += [f"  {each}" for each in self.tried]
        return "\n".join(lines + [f"  warning: {warning}" for warning in self.warnings])


def fit_ratio(
    x: Any,
    y: Any,
    *,
    method: Any = "auto",
    seed: int = 0,
    weights: tuple[Any, Any] | None = None,
    folds: int = FOLDS,
    progress: bool = False,
) -> Ratio:
    """Learn d = log p/q from samples x of p and y of q, once for every divergence.

    Args:
        x, y: samples [n, ...] of p (the data) and [m, ...] of q (the model): NumPy, tensors, pandas, lists.
        method: "auto" chooses by held-out score; or a name or expression of `divmin.estimators.methods()`, a method, or a
            classifier in the manner of scikit-learn.
        seed: same seed, same answer; no global random state is read or changed.
        weights: importance weights ([n], [m]), either None; rescaled to mean 1.
        folds: how many parts the samples are dealt to; each is scored by a fit on the others.
        progress: draw a bar on standard error, on a terminal, for fits of over two seconds.

    Returns:
        The fitted log-ratio.

    Raises:
        DivminError: samples that cannot be used, an unknown method.

    Example:
        >>> import divmin as dm, numpy as np
        >>> random = np.random.default_rng(0)
        >>> ratio = dm.fit_ratio(random.normal(1, 1, (400, 2)), random.normal(0, 1, (300, 2)), method="quadratic", seed=0)
        >>> ratio.log_ratio(np.zeros((3, 2))).shape
        (3,)
    """
    samples = read(x, y, weights)
    learner = settled(method, seed, folds, min(len(samples.x), len(samples.y)))
    dealt = folds_of(samples, folds, seed)
    if learner is None:
        with watched(folds * auto.candidates(samples), progress) as tick:
            fitted, tried, said = auto.chosen(samples, dealt, seed, tick)
    else:
        with watched(folds, progress) as tick:
            fitted, tried, said = crossfit(learner, samples, dealt, seed, tick), (), []
    laws, doubts = _laws(fitted, samples, seed)
    return Ratio(
        method=str(fitted.method),
        samples=samples,
        fitted=fitted,
        laws=laws,
        tried=tried,
        warnings=(*samples.facts, *said, *doubts, *cautions.about_the_ratio(fitted.scores)),
        seed=seed,
        shape=rows("x", x).shape[1:],
    )


def settled(method: Any, seed: int, folds: int, fewest: float = math.inf) -> Method | None:
    """The method that is asked for, None for "auto"; what can be said of the settings before anything is fitted.

    Args:
        method, seed, folds: as `fit_ratio` takes them.
        fewest: samples in the smaller set, where they are known.

    Raises:
        DivminError: an unknown method, a seed or a number of folds that cannot be.
    """
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= fewest:
        raise DivminError(f"folds is {folds}: expected a whole number from 2 to the number of samples of a set")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DivminError(f"seed is {seed!r}: expected a whole number of at least 0")
    return None if isinstance(method, str) and method.strip().lower() == "auto" else method_of(method)


def estimate(
    f: str | Divergence,
    x: Any,
    y: Any,
    *,
    method: Any = "auto",
    kind: str = "auto",
    seed: int = 0,
    weights: tuple[Any, Any] | None = None,
    folds: int = FOLDS,
    progress: bool = False,
) -> Estimate:
    """D_f(p, q) from samples x of p and y of q, with a standard error and a 95% interval.

    Args:
        f: a divergence, or its name or expression.
        x, y, method, seed, weights, folds, progress: as `fit_ratio` takes them.
        kind: as `Ratio.divergence` takes it.

    Returns:
        The estimate, nats.

    Raises:
        DivminError: samples that cannot be used, an unknown divergence, method or kind.

    Example:
        >>> import divmin as dm, numpy as np
        >>> random = np.random.default_rng(0)
        >>> found = dm.estimate("js", random.normal(1, 1, 500), random.normal(0, 1, 500), method="gaussian")
        >>> found.kind, found.interval[0] < 0.111 < found.interval[1]
        ('fitted laws', True)
    """
    g = divergence_of(f) if isinstance(f, str) else f
    functionals.check_kind(kind)
    ratio = fit_ratio(x, y, method=method, seed=seed, weights=weights, folds=folds, progress=progress)
    return ratio.divergence(g, kind=kind)


def _laws(fitted: Crossfit, samples: Samples, seed: int) -> tuple[tuple[Laws, list[Laws]] | None, list[str]]:
    """The laws of all samples and of the folds, unless the samples contradict them; what to say about it."""
    parts = [fit for fit in fitted.fits if isinstance(fit, Laws)]
    if len(parts) < len(fitted.fits):
        return None, []
    whole = fitted.method.fit(samples.x, samples.y, samples.x_weights, samples.y_weights, seed)
    assert isinstance(whole, Laws)  # a method gives one type
    doubt = whole.contradicted(samples)
    return (None, [doubt]) if doubt else ((whole, parts), [])
