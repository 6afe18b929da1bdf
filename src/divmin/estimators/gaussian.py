"""The Gaussian plug-in: one normal law fitted to each set. d is quadratic, and every divergence can be had without samples.

In coordinates where q = N(0, I) and p = N(mu, diag(v)), d(z) = sum of -log(v)/2 - (z - mu)^2/(2v) + z^2/2. The geometric mixtures
p^t q^(1-t) are normal too, and the integral of p^t q^(1-t) is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from scipy.linalg import LinAlgError, eigh
from scipy.special import ndtri

from divmin.errors import DivminError
from divmin.estimators.functionals import cost
from divmin.estimators.method import LogRatio, register_numbers
from divmin.estimators.samples import Floats, Samples
from divmin.family import Divergence

POINTS, NUMBERS = 2048, 2**21  # nodes for each mixture, and the most numbers that they may hold together
UNLIKELY = 1e-4  # a chance below which samples are said not to be normal
WIDE = 40  # columns from which on the projection of the influence onto quadratic functions is too noisy


@dataclass(frozen=True)
class Gaussian:
    """Means and covariances of both sets."""

    steady: ClassVar[bool] = True

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        if min(len(x), len(y)) <= x.shape[1] + 1:
            raise DivminError(
                f"gaussian needs more samples than columns: got {min(len(x), len(y))} with {x.shape[1]} columns"
            )
        spread = np.concatenate([x, y]).std(0)
        used = spread > 0  # a column that is the same everywhere tells nothing
        if not used.any():
            raise DivminError("gaussian needs a column that is not constant")
        (mean_p, cov_p), (mean_q, cov_q) = (
            _moments(z[:, used] / spread[used], w) for z, w in ((x, x_weights), (y, y_weights))
        )
        try:
            values, vectors = eigh(cov_p, cov_q)
            singular = values.min() <= 1e-12 * values.max()
        except LinAlgError:
            singular = True
        if singular:
            raise DivminError("gaussian: a covariance is singular; leave out columns that others determine")
        return GaussianPair(used, spread[used], mean_q, vectors, (mean_p - mean_q) @ vectors, values)

    def __str__(self) -> str:
        return "gaussian"


@dataclass(frozen=True, eq=False)
class GaussianPair:
    """Two fitted normal laws, in coordinates where q is standard and p has means `mean` and variances `variance`."""

    used: np.ndarray
    spread: Floats
    origin: Floats
    vectors: Floats
    mean: Floats
    variance: Floats

    @property
    def parameters(self) -> int:
        k = len(self.mean)
        return k * (k + 3) // 2

    def __call__(self, z: Floats) -> Floats:
        return self._d(self._moved(z))

    def divergence(self, f: Divergence) -> float:
        """D_f between the two laws: quasi-random nodes from a mixture of tilted laws, with every known integral as a control.

        KL, its reverse and the power divergences are reproduced to rounding; infinite where an integral of a tail is.
        """
        nodes = self._nodes(_tilts(f))
        if nodes is None:
            return math.inf
        z, log_mix, controls, known = nodes
        d = self._d(z)
        with np.errstate(over="ignore", invalid="ignore"):
            values = cost(f, d) * np.exp(np.maximum(d, 0.0) + _log_standard(z) - log_mix)
        if not np.isfinite(values).all():
            return math.inf  # beyond all numbers
        design = np.concatenate([np.ones((len(z), 1)), controls - known], axis=1)
        return float(np.linalg.lstsq(design, values, rcond=None)[0][0])

    def influence(self, f: Divergence, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """The influence of a sample on the divergence of fitted laws: a(d) and -b(d) projected onto quadratic functions."""
        p, q = (self._moved(x) - self.mean) / np.sqrt(self.variance), self._moved(y)
        nodes = self._nodes(_tilts(f)) if len(self.mean) <= WIDE else None
        if nodes is None:
            a, b = f.a(self(x)), f.b(self(y))
            return a - a.mean(), b.mean() - b
        z, log_mix, *_ = nodes
        d = self._d(z)
        log_q = _log_standard(z) - log_mix
        with np.errstate(over="ignore", invalid="ignore"):  # beyond all numbers: NaN, and so an infinite standard error
            at_p = _project(f.a(d) * np.exp(d + log_q), np.exp(d + log_q), (z - self.mean) / np.sqrt(self.variance))
            at_q = _project(-f.b(d) * np.exp(log_q), np.exp(log_q), z)
            return _quadratic(at_p, p), _quadratic(at_q, q)

    def contradicted(self, samples: Samples) -> str | None:
        p = (self._moved(samples.x) - self.mean) / np.sqrt(self.variance)
        q = self._moved(samples.y)
        for name, z, weights in (("first", p, samples.x_weights), ("second", q, samples.y_weights)):
            chance = _chance_if_normal(z, weights)
            if chance < UNLIKELY:
                return f"gaussian: the {name} set is not normal (p = {chance:.1g}), so its fitted law is not relied on"
        return None

    def _moved(self, z: Floats) -> Floats:
        moved: Floats = (z[:, self.used] / self.spread - self.origin) @ self.vectors
        return moved

    def _d(self, z: Floats) -> Floats:
        terms = z**2 - (z - self.mean) ** 2 / self.variance - np.log(self.variance)
        d: Floats = terms.sum(1) / 2
        return d

    def _tilted(self, t: float) -> tuple[Floats, Floats, float] | None:
        """Mean, variance and log of the integral of p^t q^(1-t); None where it diverges."""
        precision = (1 - t) + t / self.variance
        if (precision <= 0).any():
            return None
        middle = t * self.mean / self.variance / precision
        log = -0.5 * (np.log(precision) + t * np.log(self.variance) + t * self.mean**2 / self.variance)
        return middle, 1 / precision, float((log + 0.5 * precision * middle**2).sum())

    @cached_property
    def _kept(self) -> dict[tuple[float, ...], tuple[Floats, Floats, Floats, Floats] | None]:
        return {}

    def _nodes(self, tilts: tuple[float, ...]) -> tuple[Floats, Floats, Floats, Floats] | None:
        """Nodes, the log-density of their mixture, and control variates with the means that they should have."""
        if tilts not in self._kept:
            self._kept[tilts] = self._drawn(tilts)
        return self._kept[tilts]

    def _drawn(self, tilts: tuple[float, ...]) -> tuple[Floats, Floats, Floats, Floats] | None:
        from scipy.stats import qmc

        laws = [self._tilted(t) for t in tilts]
        k = len(self.mean)
        if any(law is None for law in laws):
            return None
        points = 2 ** int(math.log2(max(256, min(POINTS, NUMBERS // (k * len(tilts))))))
        uniform = qmc.Sobol(k, rng=np.random.default_rng(0)).random(points)
        normal = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12))
        z = np.concatenate([law[0] + np.sqrt(law[1]) * normal for law in laws if law is not None])
        d, standard = self._d(z), _log_standard(z)
        each = np.stack([t * d - law[2] + standard for t, law in zip(tilts, laws, strict=True) if law is not None])
        log_mix = np.logaddexp.reduce(each, axis=0) - math.log(len(tilts))
        shares = np.exp(each - log_mix)[:-1]  # the last is 1 less the others
        kl = 0.5 * (self.variance + self.mean**2 - 1 - np.log(self.variance)).sum()
        reverse = 0.5 * ((1 + self.mean**2) / self.variance - 1 + np.log(self.variance)).sum()
        moments = np.stack([d * np.exp(d + standard - log_mix), d * np.exp(standard - log_mix)])
        return z, log_mix, np.concatenate([shares, moments]).T, np.array([1.0] * len(shares) + [kl, -reverse])


def _chance_if_normal(z: Floats, weights: Floats) -> float:
    """The p-value of skewness and kurtosis of rows under a normal law, whitened first: coordinates one by one, and lengths.

    Rows that another sample whitened are longer by the noise of its covariance, which would speak against normal laws.

    Source: Mardia 1970 for the lengths; the smallest of three p-values, times three.
    """
    from scipy.stats import chi2

    k, n = z.shape[1], weights.sum() ** 2 / (weights**2).sum()
    share = weights / weights.sum()
    z = z - share @ z
    values, vectors = eigh((share[:, None] * z).T @ z)
    z = z @ (vectors / np.sqrt(np.maximum(values, 1e-12 * values.max()))) @ vectors.T
    skewness, kurtosis = share @ z**3, share @ z**4 - 3 * (share @ z**2) ** 2
    lengths = share @ (z**2).sum(1) ** 2 - k * (k + 2) * (n - 1) / (n + 1)
    p = (
        chi2.sf(n / 6 * (skewness**2).sum(), k),
        chi2.sf(n / 24 * (kurtosis**2).sum(), k),
        chi2.sf(lengths**2 * n / (8 * k * (k + 2)), 1),
    )
    return float(min(1.0, 3 * min(p)))


def _tilts(f: Divergence) -> tuple[float, ...]:
    """The exponents t whose laws p^t q^(1-t) cover the integrand: u^(2-R) on the left, u^(S-1) on the right."""
    tails = f.tails
    left = {round(2 - tails.R, 12), round((2 - tails.R) / 2, 12)} if tails.R > 2 else set()
    right = {round(tails.S - 1, 12), round(tails.S / 2, 12)} if tails.S > 2 else set()
    return tuple(sorted({0.0, 0.5, 1.0} | left | right))


def _log_standard(z: Floats) -> Floats:
    log: Floats = -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * math.log(2 * math.pi)
    return log


def _moments(z: Floats, weights: Floats) -> tuple[Floats, Floats]:
    mean = np.average(z, axis=0, weights=weights)
    centred = z - mean
    return mean, (centred * weights[:, None]).T @ centred / weights.sum()


def _project(values: Floats, density: Floats, z: Floats) -> tuple[Floats, Floats]:
    """E[z g] and E[(z z' - I) g] / 2: the Hermite coefficients of g under the standard normal law of z."""
    centre = values.sum() / density.sum()
    weighted = (values - centre * density) / len(values)
    linear = weighted @ z
    square = (z * weighted[:, None]).T @ z - weighted.sum() * np.eye(z.shape[1])
    return linear, square / 2


def _quadratic(coefficients: tuple[Floats, Floats], z: Floats) -> Floats:
    linear, square = coefficients
    values: Floats = z @ linear + ((z @ square) * z).sum(1)
    centred: Floats = values - values.mean()
    return centred


register_numbers(
    "gaussian", Gaussian, "one normal law fitted to each set; every divergence of the two laws", "textbook plug-in"
)
