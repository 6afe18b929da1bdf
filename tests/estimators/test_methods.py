"""Laws that every method of the registry obeys, and independent references for what each computes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

import divmin as dm
from divmin.estimators import Laws, method, methods
from divmin.estimators.gaussian import Gaussian
from divmin.estimators.kernels import log_kernel
from divmin.estimators.kliep import log_mixture
from divmin.estimators.kmm import matched
from divmin.estimators.logistic import PENALTIES, _newton, ridge
from divmin.estimators.lsif import _non_negative, left_out_loss, solved
from divmin.estimators.method import Penalised
from divmin.estimators.telescoping import Telescoping

TEXTS = [text for entry in methods().values() for text in (entry.examples or (entry.name,))] + [
    "knn(25)",
    "rulsif(0.3)",
]
SLOW = ("variational(kl)",)  # the same loop as variational(js), which stands for it where only the loop matters
# what depends on the two sets alike, so that swapping them flips the sign exactly
ALIKE = ["logistic", "quadratic", "gaussian", "additive", "kernel", "knn", "counts"]


def ones(*sets):
    return [np.ones(len(each)) for each in sets]


def fitted(text, x, y, seed=0):
    return method(text).fit(x, y, *ones(x, y), seed)


def pair(text, n, m, shift=1.0, seed=0):
    """N(shift, 1) and N(0, 1), rounded for counts."""
    random = np.random.default_rng(seed)
    x, y = random.normal(shift, 1, (n, 1)), random.normal(0, 1, (m, 1))
    return (x.round(), y.round()) if text == "counts" else (x, y)


@pytest.mark.parametrize("text", TEXTS)
def test_finds_the_log_ratio_whatever_the_sizes(text: str) -> None:
    at = np.array([[-1.0], [0.0], [1.0], [2.0]])
    for n, m in ((300, 1500), (1500, 300)):
        error = fitted(text, *pair(text, n, m))(at) - (at[:, 0] - 0.5)
        assert np.sqrt((error**2).mean()) < 0.75
        # classes of other sizes would shift everything by log 5 = 1.6
        assert abs(error.mean()) < 0.4


def test_every_name_that_an_error_offers_is_documented() -> None:
    document = (Path(__file__).parent.parent.parent / "docs" / "estimates.md").read_text()
    with pytest.raises(dm.DivminError, match="unknown method 'foo': known: auto, ") as caught:
        dm.estimators.method("foo")
    offered = str(caught.value).partition("known: auto, ")[2].split(", ")
    assert {*offered} >= {"linear", "tre", "nwj"}
    assert all(re.search(rf"\b{name}\b", document) for name in offered)


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in SLOW])
def test_nothing_to_find(text: str) -> None:
    x, y = pair(text, 400, 300, shift=0.0)
    found = dm.fit_ratio(x, y, method=text, folds=3).divergence("js")
    assert found.interval[0] <= 0 < found.interval[1]
    assert abs(found.value) < 0.05


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in SLOW])
def test_depends_on_the_seed_alone(text: str) -> None:
    x, y = pair(text, 120, 100)
    torch_before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    numpy_before = np.random.get_state()  # noqa: NPY002
    one = dm.fit_ratio(x, y, method=text, seed=3, folds=2)
    np.random.seed(99)  # noqa: NPY002
    torch.manual_seed(99)
    other = dm.fit_ratio(x, y, method=text, seed=3, folds=2)
    np.random.set_state(numpy_before)  # noqa: NPY002
    torch.random.set_rng_state(torch_before)
    assert (one.scores.x == other.scores.x).all() and (one.log_ratio(y) == other.log_ratio(y)).all()
    method(text).fit(x, y, *ones(x, y), 4)
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(numpy_before, after, strict=True))
    assert torch.equal(torch_before, torch.random.get_rng_state()) and torch.get_num_threads() == threads


@pytest.mark.parametrize("text", TEXTS)
def test_reads_back_its_own_name(text: str) -> None:
    assert str(method(str(method(text)))) == str(method(text))


@pytest.mark.parametrize("text", ALIKE)
def test_swapping_the_sets_flips_the_sign(text: str) -> None:
    x, y = pair(text, 200, 150)
    z = pair(text, 50, 50, seed=5)[1]
    np.testing.assert_allclose(fitted(text, x, y)(z), -fitted(text, y, x)(z), atol=2e-5)


@pytest.mark.parametrize(("text", "tolerance"), [("gaussian", 1e-9), ("counts", 1e-12), ("logistic", 0.03)])
def test_weights_are_repetitions(text: str, tolerance: float) -> None:
    x, y = pair(text, 100, 80)
    times = np.random.default_rng(1).integers(1, 4, 100)
    weighted = method(text).fit(x, y, times.astype(float), np.ones(80), 0)
    repeated = fitted(text, np.repeat(x, times, axis=0), y)
    np.testing.assert_allclose(weighted(y), repeated(y), atol=tolerance)


def test_a_classifier_of_scikit_learn() -> None:
    x, y = pair("", 500, 900)
    given = LogisticRegression(C=1e6)
    ratio = dm.fit_ratio(x, y, method=given)
    assert ratio.method == "LogisticRegression" and not hasattr(given, "coef_")
    np.testing.assert_allclose(ratio.log_ratio([-1.0, 2.0]), [-1.5, 1.5], atol=0.35)
    assert abs(dm.fit_ratio(x, y, method=GaussianNB()).log_ratio([0.5])[0]) < 0.2


def test_unknown_methods_are_told() -> None:
    for wrong, words in [("logistik", "did you mean logistic"), ("knn(2.5)", "whole number"), ("2*kl", "not a method")]:
        with pytest.raises(dm.DivminError, match=words):
            method(wrong)
    for wrong in (
        LogisticRegression,
        3,
        "rulsif(1)",
        "variational(tv)",
        "telescoping(knn, 0)",
        "logistic(3)",
        "knn(-1)",
    ):
        with pytest.raises(dm.DivminError):
            method(wrong)


# --- independent references ---------------------------------------------------------------------------------------------------


def test_logistic_is_that_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    phi, label = random.normal(size=(300, 4)), (random.random(300) < 0.4).astype(float)
    beta, _, _ = _newton(np.hstack([np.ones((300, 1)), phi]), label, np.ones(300), 0.0, 3.0, np.zeros(5))
    theirs = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000).fit(phi, label)
    np.testing.assert_allclose(beta, [*theirs.intercept_, *theirs.coef_[0]], atol=1e-4)


def test_leave_one_out_of_the_logistic_fit_is_that_of_refitting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("divmin.estimators.logistic.PENALTIES", (PENALTIES[3],))
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 1, (40, 2)), random.normal(0, 1, (40, 2))
    loss = ridge(lambda z: z, x, y, *ones(x, y))[1]
    phi, label = np.hstack([np.ones((80, 1)), np.vstack([x, y])]), np.repeat([1.0, 0.0], 40)
    losses = []
    for i in range(80):
        kept = np.arange(80) != i
        beta, _, _ = _newton(phi[kept], label[kept], np.ones(79), 0.0, PENALTIES[3], np.zeros(3))
        losses.append(np.logaddexp(0, (1 - 2 * label[i]) * (phi[i] @ beta)))
    assert loss == pytest.approx(np.mean(losses), rel=2e-3)


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_leave_one_out_of_least_squares_is_that_of_refitting(alpha: float) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 1, (15, 1)), random.normal(0, 1, (20, 1))
    at_x, at_y = (np.exp(log_kernel(z, x[:6], 0.8)) for z in (x, y))
    shares, gains = (np.full(15, alpha / 15), np.full(20, (1 - alpha) / 20)), np.full(15, 1 / 15)
    total = 0.0
    for i in range(15):
        without, less = shares[0].copy(), gains.copy()
        without[i] = less[i] = 0
        r = at_x[i] @ np.maximum(solved(at_x, at_y, (without, shares[1]), less, 0.1), 0)
        total += alpha / 15 * r**2 / 2 - r / 15
    for j in range(20):
        without = shares[1].copy()
        without[j] = 0
        r = at_y[j] @ np.maximum(solved(at_x, at_y, (shares[0], without), gains, 0.1), 0)
        total += (1 - alpha) / 20 * r**2 / 2
    assert left_out_loss(at_x, at_y, shares, gains, 0.1) == pytest.approx(total, rel=1e-9)


def test_lsif_solves_its_quadratic_program() -> None:
    random = np.random.default_rng(0)
    at_x, at_y = random.random((30, 5)), random.random((40, 5))
    theta = _non_negative(at_x, at_y, *ones(at_x, at_y), 0.1)
    h, gain = at_y.T @ at_y / 40, at_x.mean(0) - 0.1
    best = minimize(lambda t: t @ h @ t / 2 - gain @ t, np.full(5, 0.1), bounds=[(0, None)] * 5, tol=1e-12)
    np.testing.assert_allclose(theta, best.x, atol=1e-4)


def test_kliep_is_the_maximum_under_its_constraint() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 1, (60, 1)), random.normal(0, 1, (80, 1))
    theta = np.exp(log_mixture(x, y, *ones(x, y), x[:8], 0.7))
    at_x, at_y = (np.exp(log_kernel(z, x[:8], 0.7)) for z in (x, y))
    assert (at_y @ theta).mean() == pytest.approx(1, rel=1e-6)
    # Karush, Kuhn and Tucker: no kernel gains more in likelihood than it costs in the constraint
    gain = (at_x / (at_x @ theta)[:, None]).mean(0) / at_y.mean(0)
    assert gain.max() < 1.02
    np.testing.assert_allclose(gain[theta * at_y.mean(0) > 0.05], 1, atol=0.02)


def test_kmm_solves_its_quadratic_program_and_matches_means() -> None:
    random = np.random.default_rng(0)
    phi_x, phi_y, at_y = random.random((30, 6)), random.random((40, 6)), random.random((40, 5))
    theta = matched(phi_x, phi_y, at_y, *ones(phi_x, phi_y), 1e-3)
    moments = phi_y.T @ at_y / 40
    ridge = 1e-3 * (moments**2).sum() / 5

    def cost(t: np.ndarray) -> float:
        return ((moments @ t - phi_x.mean(0)) ** 2).sum() + ridge * (t**2).sum()

    best = minimize(cost, np.full(5, 0.1), bounds=[(0, None)] * 5, tol=1e-14)
    np.testing.assert_allclose(theta, best.x, atol=1e-4)
    # features that the truth reaches are matched exactly: r = 2 k_0 + k_3
    target = (phi_y * (2 * at_y[:, 0] + at_y[:, 3])[:, None]).mean(0, keepdims=True)
    np.testing.assert_allclose(matched(target, phi_y, at_y, *ones(target, phi_y), 0.0), [2, 0, 0, 1, 0], atol=1e-8)


def test_neighbours_by_sorting() -> None:
    x, y = pair("", 30, 40)
    z = np.array([[0.3]])
    far = [np.sort(np.abs(part - z).ravel())[4] for part in (x, y)]
    assert fitted("knn(5)", x, y)(z)[0] == pytest.approx(np.log(far[1] / far[0]) + np.log(40 / 30), rel=1e-12)


def test_telescoping_adds_up_what_lies_between() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(-4, 1, (2000, 1)), random.normal(4, 1, (2000, 1))
    z = np.array([[-4.0], [0.0], [4.0]])
    found = Telescoping(method("logistic"), 8).fit(x, y, *ones(x, y), 0)(z)
    np.testing.assert_allclose(found, -8 * z[:, 0], atol=3)


# --- laws fitted to the sets -----------------------------------------------------------------------------------------------


def gaussian_pair(columns: int, seed: int = 0) -> Laws:
    random = np.random.default_rng(seed)
    x = random.normal(size=(200, columns)) @ random.normal(size=(columns, columns)) + random.normal(size=columns) / 2
    y = 1.4 * random.normal(size=(300, columns)) @ (np.eye(columns) + 0.2 * random.normal(size=(columns, columns)))
    laws = Gaussian().fit(x, y, *ones(x, y), 0)
    assert isinstance(laws, Laws)
    return laws


@pytest.mark.parametrize(
    "f", ["kl", "reverse_kl", "js", "srkl", "squared_hellinger", "chi2_data_denominator", "tv", "power(1.5)"]
)
def test_divergence_of_fitted_normal_laws_by_quadrature(f: str) -> None:
    x, y = np.random.default_rng(0).normal(0.4, 0.9, (100, 1)), np.random.default_rng(1).normal(0, 1.1, (100, 1))
    laws = Gaussian().fit(x, y, *ones(x, y), 0)
    p, q = stats.norm(x.mean(), x.std()), stats.norm(y.mean(), y.std())
    z = np.linspace(-12, 12, 40_001)
    truth = np.trapezoid(
        np.exp(np.maximum(p.logpdf(z), q.logpdf(z))) * dm.divergence(f).s(p.logpdf(z) - q.logpdf(z)), z
    )
    np.testing.assert_allclose(laws(z[::100, None]), (p.logpdf(z) - q.logpdf(z))[::100], atol=1e-9)
    assert laws.divergence(dm.divergence(f)) == pytest.approx(truth, rel=2e-3 if f == "tv" else 1e-4)


def test_kl_of_fitted_normal_laws_is_the_closed_form() -> None:
    laws = gaussian_pair(8)
    v, mean = laws.variance, laws.mean
    closed = 0.5 * (v + mean**2 - 1 - np.log(v)).sum()
    assert laws.divergence(dm.divergence("kl")) == pytest.approx(closed, rel=1e-9)


def test_infinite_where_it_is() -> None:
    random = np.random.default_rng(0)
    wide, narrow = random.normal(0, 2, (400, 1)), random.normal(0, 1, (400, 1))
    laws = Gaussian().fit(wide, narrow, *ones(wide, narrow), 0)
    assert laws.divergence(dm.divergence("chi2_model_denominator")) == np.inf
    assert laws.divergence(dm.divergence("chi2_data_denominator")) < 10
    x, y = np.repeat([[0.0], [1.0]], 10, axis=0), np.zeros((20, 1))
    plain = method("counts(0)").fit(x, y, *ones(x, y), 0)
    assert plain.divergence(dm.divergence("kl")) == np.inf
    assert plain.divergence(dm.divergence("tv")) == pytest.approx(0.5)


@pytest.mark.parametrize("f", ["kl", "js", "reverse_kl"])
def test_influence_is_the_derivative_in_the_weight_of_a_sample(f: str) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0.5, 1, (60, 2)), random.normal(0, 1.2, (80, 2))
    g = dm.divergence(f)
    on_x, on_y = Gaussian().fit(x, y, *ones(x, y), 0).influence(g, x, y)

    def value(wx: np.ndarray, wy: np.ndarray) -> float:
        return Gaussian().fit(x, y, wx, wy, 0).divergence(g)

    for i in (0, 7):
        for which, influence in ((0, on_x), (1, on_y)):
            weights = ones(x, y), ones(x, y)
            weights[0][which][i] += 1e-3
            weights[1][which][i] -= 1e-3
            slope = (value(*weights[0]) - value(*weights[1])) / 2e-3 * len(influence)
            assert influence[i] == pytest.approx(slope, rel=0.03, abs=0.01)


def test_samples_that_are_not_normal_are_told() -> None:
    random = np.random.default_rng(0)
    x, y = random.exponential(1, 400), random.normal(1, 1, 400)
    ratio = dm.fit_ratio(x, y, method="gaussian")
    assert ratio.laws is None and any("first set is not normal" in each for each in ratio.warnings)
    normal = dm.fit_ratio(random.normal(0, 1, 400), y, method="gaussian")
    assert normal.laws is not None and normal.divergence("kl").kind == "fitted laws"
    with pytest.raises(dm.DivminError, match="singular"):
        dm.fit_ratio(np.repeat(x[:, None], 2, axis=1), np.repeat(y[:, None], 2, axis=1), method="gaussian")


def test_curves_of_columns_see_what_no_quadratic_does() -> None:
    random = np.random.default_rng(0)
    x = random.choice([-1.5, 1.5], (800, 3)) + random.normal(0, 0.6, (800, 3))
    y = np.concatenate([random.normal(0, x.std(), (700, 3)), np.full((700, 1), 2.0)], axis=1)
    x = np.concatenate([x, np.full((800, 1), 2.0)], axis=1)

    def truth(z: np.ndarray) -> np.ndarray:
        each = [stats.norm(at, 0.6).logpdf(z[:, :3]) for at in (-1.5, 1.5)]
        return (np.logaddexp(*each) - np.log(2) - stats.norm(0, x[:, :3].std()).logpdf(z[:, :3])).sum(1)

    errors = {text: np.sqrt(np.mean((fitted(text, x, y)(y) - truth(y)) ** 2)) for text in ("additive", "quadratic")}
    assert errors["additive"] < 0.6 * errors["quadratic"]
    constant = np.ones((30, 2))
    assert (fitted("additive", constant, constant)(constant) == 0).all()
    with pytest.raises(dm.DivminError, match="knots"):
        method("additive(1)")


@pytest.mark.parametrize("text", ["quadratic", "kernel", "additive", "telescoping(quadratic, 2)"])
def test_the_next_freer_penalty_comes_along(text: str) -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(0.5, 1, (300, 2)), random.normal(0, 1.2, (250, 2))
    fit = fitted(text, x, y)
    assert isinstance(fit, Penalised) and np.isfinite(fit.freer(x)).all()
    assert fit.freer(np.concatenate([x, y])).std() >= fit(np.concatenate([x, y])).std()


def test_the_form_gives_the_next_freer_penalty() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(0.1, 1, (400, 24)), random.normal(0, 1, (400, 24))
    fit = fitted("quadratic", x, y)  # too many products for Newton's method
    assert isinstance(fit, Penalised) and 1.05 * fit(x).std() < fit.freer(x).std()
