"""The choice of a method, calibration, and the two-sample test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

import divmin as dm
from divmin import plots
from divmin.estimators import Laws, method
from divmin.estimators.calibration import calibrate
from divmin.estimators.crossfit import Scores
from divmin.estimators.samples import read


def note(ratio, method: str) -> str:
    return next(each.note for each in ratio.tried if each.method == method)


def test_normal_laws_are_found() -> None:
    random = np.random.default_rng(0)
    ratio = dm.fit_ratio(random.normal(1, 1 / 8, 200), random.normal(1, 1 / 2, 200))
    assert ratio.method == "gaussian" and note(ratio, "gaussian") == "chosen"
    assert ratio.tried[0].method == "constant" and ratio.tried[0].score == 0
    assert "not tried" in note(ratio, "neural")
    more = dm.fit_ratio(random.normal(0, 1, (500, 2)), random.normal(0.5, 1, (500, 2)))
    assert more.method == "gaussian" and "laws that nothing contradicts" in note(more, "neural")
    found = ratio.divergence("kl")
    assert found.kind == "fitted laws" and found.interval[0] < 0.9175 < found.interval[1]


def test_a_mixture_is_not_taken_for_normal() -> None:
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(-2, 0.3, 150), random.normal(2, 0.3, 150)])
    ratio = dm.fit_ratio(x, random.normal(0, 2, 300))
    assert ratio.method not in ("gaussian", "quadratic", "logistic") and ratio.scores.score > 0.25


def test_contradicted_laws_win_no_tie() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0, 1, 390), random.standard_t(3, 390)  # too few for networks, which are slow
    ratio = dm.fit_ratio(x, y)
    assert next(each for each in ratio.tried if each.method == "gaussian").score is not None
    assert ratio.method != "gaussian" and ratio.scores.score > 0


def test_far_apart() -> None:
    random = np.random.default_rng(0)
    found = dm.estimate("kl", random.normal(-5, 1, 300), random.normal(5, 1, 300))
    assert found.method == "gaussian" and abs(found.value - 50) < 10
    assert any("rests on the fitted laws" in each for each in found.warnings)
    skewed = dm.fit_ratio(random.exponential(1, 300), 40 + random.exponential(1, 300))
    assert skewed.scores.score > 0.69 and skewed.method != "gaussian"
    assert any("almost perfectly separate" in each for each in skewed.warnings)
    assert any(each.method == "telescoping(quadratic)" and each.score is not None for each in skewed.tried)


def test_no_difference() -> None:
    random = np.random.default_rng(0)
    ratio = dm.fit_ratio(random.normal(0, 1, (200, 2)), random.normal(0, 1, (200, 2)))
    assert any("no difference was found" in each for each in ratio.warnings)
    for f in ("kl", "js", "total_variation", "srkl"):
        low, high = ratio.divergence(f).interval
        assert low <= 0 < high


def test_categories_are_counted() -> None:
    random = np.random.default_rng(0)
    p, q = [0.2, 0.6, 0.2], [0.5, 0.2, 0.3]
    ratio = dm.fit_ratio(random.choice(3, 2000, p=p), random.choice(3, 3000, p=q))
    truth = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    found = ratio.divergence("kl")
    assert ratio.method == "counts" and found.interval[0] < truth < found.interval[1]
    np.testing.assert_allclose(ratio.log_ratio([0, 1, 2]), np.log(np.array(p) / q), atol=0.2)
    assert ratio.log_ratio([7])[0] == 0


def scores_of(d_x: np.ndarray, d_y: np.ndarray) -> Scores:
    def folds(d: np.ndarray) -> np.ndarray:
        return np.arange(len(d)) % 5

    return Scores(d_x, d_y, np.ones(len(d_x)), np.ones(len(d_y)), folds(d_x), folds(d_y))


def test_calibration_of_the_truth_and_of_a_boast() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(1, 1, 20_000) - 0.5, random.normal(0, 1, 20_000) - 0.5
    true = calibrate(scores_of(x, y))
    assert true.slope[0] == pytest.approx(1, abs=4 * true.slope[1]) and true.worst < 4
    assert true.mean_ratio[0] == pytest.approx(1, abs=4 * true.mean_ratio[1])
    assert true.mean_inverse[0] == pytest.approx(1, abs=4 * true.mean_inverse[1])
    assert sum(each.x for each in true.bins) == 20_000
    boast = calibrate(scores_of(2 * x, 2 * y))
    assert boast.slope[0] == pytest.approx(0.5, abs=0.05) and boast.worst > 10


def test_the_picture_shows_the_record() -> None:
    random = np.random.default_rng(0)
    ratio = dm.fit_ratio(random.normal(1, 1, 300), random.normal(0, 1, 300), method="logistic")
    record, ax = ratio.calibration(bins=5), Figure().subplots()
    plots.draw_calibration(record, ax)
    points = ax.containers[0].lines[0]
    assert list(points.get_ydata()) == [each.seen for each in record.bins if math.isfinite(each.seen)]
    ax = Figure().subplots()
    found = [ratio.divergence(f) for f in ("kl", "js")]
    plots.draw_estimates(found, ax)
    assert list(ax.lines[0].get_xdata()) == list(found[0].interval)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["kl", "js"]
    assert "slope" in str(record)


def test_p_values_are_uniform_for_one_law() -> None:
    found = []
    for seed in range(200):
        random = np.random.default_rng(seed)
        found.append(
            dm.two_sample_test(
                random.normal(0, 1, (30, 2)), random.normal(0, 1, (45, 2)), permutations=99, seed=seed
            ).p_value
        )
    shares = [np.mean(np.array(found) <= level) for level in (0.05, 0.25, 0.5, 0.75)]
    assert np.abs(np.array(shares) - (0.05, 0.25, 0.5, 0.75)).max() < 0.1 and shares[0] < 0.1


@pytest.mark.parametrize("other", ["shift", "scale", "correlation"])
def test_differences_are_found(other: str) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0, 1, (200, 2)), random.normal(0, 1, (250, 2))
    y = {"shift": y + 0.6, "scale": 2 * y, "correlation": y @ [[1, 0.8], [0, 0.6]]}[other]
    found = dm.two_sample_test(x, y)
    assert found.p_value <= 0.005 and found == dm.two_sample_test(x, y) and "differ" in str(found)
    with pytest.raises(dm.DivminError, match="permutations"):
        dm.two_sample_test(x, y, permutations=3)


def test_normal_laws_in_many_columns_stay_normal() -> None:
    contradicted = 0
    for seed in range(40):
        random = np.random.default_rng([seed, 8])
        x, y = random.normal(0, 1, (300, 16)), random.normal(0, 1, (300, 16)) @ random.normal(size=(16, 16))
        # laws of other samples of the same: what speaks against normality must not be the noise of their covariances
        fit = method("gaussian").fit(x[:200], y[:200], np.ones(200), np.ones(200), 0)
        assert isinstance(fit, Laws)
        contradicted += fit.contradicted(read(x, y, None)) is not None
    assert contradicted <= 3
