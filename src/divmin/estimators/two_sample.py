"""Whether two sets come from one law: a permutation test with a classifier that is fitted anew for every permutation.

A least-squares classifier is linear in its labels, so that its leave-one-out predictions for a thousand permutations are one
product of matrices: (y_hat_i - h_i y_i)/(1 - h_i). Its features depend on no label, so the p-value is exact.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.kernels import log_kernel, median_distance, scaled, some
from divmin.estimators.samples import Floats, Samples, read
from divmin.estimators.threads import one_thread

CENTRES = 40  # of each of the two kernel widths
SMALL = 20_000  # samples, up to which one thread is faster than several
FREEDOM = 0.05  # of the samples, as effective parameters of the classifier at most


@dataclass(frozen=True)
class TwoSampleTest:
    """The outcome of `two_sample_test`.

    Args:
        statistic: mean leave-one-out prediction on x less that on y: 2 for a perfect classifier, about 0 for one law.
        p_value: the chance of so large a statistic if both sets came from one law.
        permutations: how many relabellings it was compared with.
        n: samples of x and of y.
        seed: names the permutations and the kernel centres.
    """

    statistic: float
    p_value: float
    permutations: int
    n: tuple[int, int]
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "n": list(self.n)}

    def __str__(self) -> str:
        verdict = "differ" if self.p_value <= 0.05 else "no difference found"
        return (
            f"two-sample test: p = {self.p_value:.4g} ({verdict} at 5%), statistic {self.statistic:.4g}, "
            f"{self.permutations} permutations, n = {self.n[0]}, m = {self.n[1]}, seed {self.seed}"
        )


def two_sample_test(x: Any, y: Any, *, permutations: int = 999, seed: int = 0) -> TwoSampleTest:
    """Test whether x and y are samples of one law.

        p = (1 + permutations with a statistic at least as large)/(1 + permutations)

    Args:
        x, y: samples [n, ...] and [m, ...]; independent of each other.
        permutations: relabellings; the least p-value is 1/(permutations + 1).
        seed: same seed, same answer.

    Returns:
        Statistic and p-value, which is valid at every sample size.

    Raises:
        DivminError: samples that cannot be used, fewer than 19 permutations.

    Example:
        >>> import numpy as np
        >>> random = np.random.default_rng(0)
        >>> two_sample_test(random.normal(0, 1, 200), random.normal(0, 2, 200)).p_value < 0.01
        True

    Source: Lopez-Paz and Oquab 2017 for classifiers as tests; Phipson and Smyth 2010 for the p-value.
    """
    if isinstance(permutations, bool) or not isinstance(permutations, int) or permutations < 19:
        raise DivminError(f"permutations is {permutations}: expected a whole number of at least 19")
    samples = read(x, y)
    with one_thread(small=len(samples.x) + len(samples.y) < SMALL):
        observed, beyond = _permuted(samples, permutations, seed)
    n = (len(samples.x), len(samples.y))
    return TwoSampleTest(observed, (1 + beyond) / (1 + permutations), permutations, n, seed)


def _permuted(samples: Samples, permutations: int, seed: int) -> tuple[float, int]:
    """The statistic, and how many relabellings reach it."""
    middle, spread = scaled(samples.x, samples.y)
    z = (np.concatenate([samples.x, samples.y]) - middle) / spread
    hat, leverage = _smoother(_features(z, seed))
    n, m = len(samples.x), len(samples.y)
    labels = np.concatenate([np.full(n, 1.0), np.full(m, -1.0)])
    random = np.random.default_rng([seed, 6])
    observed = _statistic(labels[:, None], hat, leverage)[0]
    beyond = 0
    for done in range(0, permutations, 250):
        block = min(250, permutations - done)
        shuffled = random.permuted(np.tile(labels, (block, 1)), axis=1).T
        # equal up to rounding counts as equal
        beyond += int((_statistic(shuffled, hat, leverage) >= observed - 1e-12 * abs(observed)).sum())
    return float(observed), beyond


def _features(z: Floats, seed: int) -> Floats:
    centres, median = some(z, CENTRES, seed), median_distance(z, seed)
    kernels = [np.exp(log_kernel(z, centres, factor * median)) for factor in (0.5, 1.0)]
    phi = np.concatenate([*kernels, z] if z.shape[1] <= len(z) else kernels, axis=1)
    centred: Floats = phi - phi.mean(0)
    return centred


def _smoother(phi: Floats) -> tuple[Floats, Floats]:
    """A matrix U with predictions U U' y, and its leverages; the ridge leaves a twentieth of the samples as parameters."""
    left, sizes, _ = np.linalg.svd(phi, full_matrices=False)
    squares = sizes**2
    low, high = 1e-12 * squares[0], 1e6 * squares[0]
    for _ in range(100):
        ridge = np.sqrt(low * high)
        if (squares / (squares + ridge)).sum() > min(FREEDOM * len(phi), 0.5 * len(squares)):
            low = ridge
        else:
            high = ridge
    root = left * np.sqrt(squares / (squares + high))
    return root, (root**2).sum(1) + 1 / len(phi)


def _statistic(labels: Floats, root: Floats, leverage: Floats) -> Floats:
    """Labels [n + m, permutations] of +-1 to the difference of mean leave-one-out predictions between the labels."""
    mean = labels.mean(0)
    predicted = mean + root @ (root.T @ labels)
    left_out = (predicted - leverage[:, None] * labels) / (1 - leverage)[:, None]
    # each prediction is told how it does against its own label; classes weigh the same
    share = np.where(labels > 0, 1 / (labels > 0).sum(0), -1 / (labels < 0).sum(0))
    statistic: Floats = (share * left_out).sum(0)
    return statistic
