"""Estimates: intervals cover, errors shrink as they should, kinds and warnings say what is what."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import divmin as dm
from divmin.estimators.crossfit import Refits, Scores, folds_of
from divmin.estimators.functionals import Value, interval, lower_bound, plug_in, split
from divmin.estimators.samples import read

HELLINGER = 1 - math.exp(-1 / 8)  # N(1, 1) against N(0, 1)


def shifted(n: int, m: int, shift: float = 1.0, seed: int = 0, columns: int = 1):
    random = np.random.default_rng([seed, 3])
    return random.normal(shift, 1, (n, columns)), random.normal(0, 1, (m, columns))


@pytest.mark.parametrize("method", ["gaussian", "logistic", "quadratic"])
def test_intervals_cover(method: str) -> None:
    truths = {"kl": 0.5, "reverse_kl": 0.5, "js": 0.111422, "squared_hellinger": HELLINGER}
    inside = dict.fromkeys(truths, 0)
    repeats = 50
    for seed in range(repeats):
        ratio = dm.fit_ratio(*shifted(200, 300, seed=seed), method=method, seed=seed)
        for f, truth in truths.items():
            low, high = ratio.divergence(f).interval
            inside[f] += low <= truth <= high
    # three standard errors of 50 draws below 95%; a tenth missed every time would fail
    assert min(inside.values()) >= 0.86 * repeats
    # an interval that always covers is too long to be 95%
    assert sum(inside.values()) < 4 * repeats


@pytest.mark.parametrize("method", ["logistic", "gaussian"])
def test_intervals_of_bounded_divergences_end_at_their_supremum(method: str) -> None:
    random = np.random.default_rng(0)
    ratio = dm.fit_ratio(random.normal(6, 1, 300), random.normal(0, 1, 300), method=method, seed=0)
    for f in map(dm.divergence, ("js", "total_variation", "squared_hellinger", "kl")):
        low, high = ratio.divergence(f).interval
        assert low <= high <= f.sup and f.bounded == (f.name != "kl")
    assert ratio.divergence("js").interval[1] == dm.divergence("js").sup  # its own reach goes beyond


def test_an_interval_for_a_divergence_ends_at_0_and_that_of_a_bound_need_not() -> None:
    negative = 0
    for seed in range(20):
        ratio = dm.fit_ratio(*shifted(100, 100, shift=0.0, seed=seed), method="gaussian", seed=seed)
        for kind in ("fitted laws", "split", "plug-in"):
            found = ratio.divergence("kl", kind=kind)
            assert found.interval[0] == max(found.value - 1.96 * found.stderr, 0.0)
            assert found.interval[1] > max(found.value, 0.0) + 1.9 * found.stderr
            negative += found.value < 0
        bound = ratio.divergence("kl", kind="lower bound")
        assert bound.interval[0] == pytest.approx(bound.value - 1.96 * bound.stderr) and bound.interval[0] < 0
    assert negative > 0  # the values themselves are not cut, or their mean would be off


BOUNDED = {"js": math.log(2), "total_variation": 1.0, "squared_hellinger": 1.0, "0.5*js": math.log(2) / 2}


@pytest.mark.parametrize("kind", ["lower bound", "plug-in", "split", "fitted laws"])
def test_an_interval_ends_at_the_supremum(kind: str) -> None:
    cut = 0
    for seed in range(6):  # from near to far: plug-in is cut where the sets still meet, the others where they don't
        ratio = dm.fit_ratio(*shifted(20, 20, shift=1.5 + 0.5 * seed, seed=seed), method="gaussian", seed=seed)
        for f, sup in BOUNDED.items():
            found = ratio.divergence(f, kind=kind)
            low, high = found.interval
            assert low < high <= sup * (1 + 1e-12)
            if found.value + 1.96 * found.stderr > sup:
                cut += 1
                assert high == pytest.approx(sup, rel=1e-12)
    assert cut > 0


def test_a_critics_interval_ends_at_the_supremum() -> None:
    cut = 0
    for seed in range(10):
        x, y = (5 * each[:, 0] - 12.5 for each in shifted(100, 100, shift=5.0, seed=seed))
        for found in dm.evaluation.from_critic(list(BOUNDED), x, y).estimates:
            sup = BOUNDED[found.divergence]
            cut += found.value + 1.96 * found.stderr > sup
            assert found.interval[0] < found.interval[1] <= sup * (1 + 1e-12)
    assert cut > 0


def test_what_is_cut_off_never_held_the_truth() -> None:
    f, unbounded = dm.divergence("tv"), dm.divergence("kl")
    for kind in ("lower bound", "split"):
        for value in np.linspace(-0.3, 1.4, 18):
            for stderr in (0.0, 0.01, 0.1, 0.6, math.inf):
                found = Value(float(value), stderr, kind)
                (low, high), (below, above) = interval(found, f), interval(found, unbounded)
                assert low <= high <= 1
                for truth in np.linspace(0, 1, 101):
                    assert low <= truth <= high or not below <= truth <= above
    # above the supremum an interval is as long as it would be there
    assert interval(Value(1.3, 0.1, "split"), f) == pytest.approx((1 - 0.196, 1))


def test_a_set_against_itself_is_said_and_known_no_better_than_others() -> None:
    x, _ = shifted(200, 200)
    for method in ("gaussian", "logistic", "auto"):
        found = dm.estimate("js", x, x, method=method)
        assert any("200 rows of the first set are also in the second" in each for each in found.warnings)
        assert abs(found.value) < 1e-9 and found.stderr > 2e-3
    alone = np.concatenate([x[:1], x[:1] + np.arange(1, 30)[:, None] / 7])
    assert read(alone, np.concatenate([x[:1], alone + 50])).facts == (
        "1 row repeats another: equal rows are kept in one fold",
        "1 row of the first set is also in the second: the sets are not independent",
    )


@pytest.mark.parametrize("method", ["gaussian", "quadratic"])
def test_the_error_falls_like_the_root_of_n(method: str) -> None:
    sizes = (100, 400, 1600)
    errors = []
    for n in sizes:
        found = [dm.estimate("js", *shifted(n, n, seed=seed), method=method).value for seed in range(30)]
        errors.append(np.sqrt(np.mean((np.array(found) - 0.111422) ** 2)))
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] <= -0.45


def test_one_fit_serves_every_divergence() -> None:
    ratio = dm.fit_ratio(*shifted(400, 500), method="quadratic")
    for name, f in dm.divergences().items():
        for kind in ("auto", "lower bound", "plug-in", "split"):
            found = ratio.divergence(f, kind=kind)
            assert not math.isnan(found.value) and not math.isnan(found.stderr), (name, kind)
            json.dumps(found.to_dict(), allow_nan=False)
    composite = ratio.divergence("0.5*kl + 0.5*reverse(kl)", kind="lower bound")
    apart = [ratio.divergence(f, kind="lower bound") for f in ("kl", "reverse_kl")]
    assert composite.value - composite.shortfall == pytest.approx(sum(0.5 * (e.value - e.shortfall) for e in apart))


def test_kinds_are_their_formulas() -> None:
    x, y = np.array([2.0, 0.5, -0.3]), np.array([-1.0, 0.2, -2.0])
    scores = Scores(x, y, np.array([1.0, 2.0, 0.0]), np.ones(3), np.array([0, 1, 1]), np.array([0, 1, 1]))
    same = Refits(x[None], y[None], 2.0)
    kl, u = dm.divergence("kl"), np.exp(y)
    bound = (2.0 + 2 * 0.5) / 3 - (u - 1).mean()
    assert lower_bound(kl, scores, same).value == pytest.approx(bound)
    assert plug_in(kl, scores, same).value == pytest.approx((u * y - u + 1).mean())
    low = np.where(y < 0, u * y - u + 1, 0).mean()
    high = ((2 - 1 + math.exp(-2)) + 2 * (0.5 - 1 + math.exp(-0.5))) / 3
    assert split(kl, scores, same).value == pytest.approx(low + high)
    # the noise of d, of variance 0.1 everywhere, takes E_q[w(d)] 0.1/2 off the bound; w = e^d, seen from p where d > 0
    lost = 0.05 * ((1 + 2) / 3 + np.where(y <= 0, u, 0).mean())
    apart = Refits(np.stack([x - 0.5, x + 0.5]), np.stack([y - 0.5, y + 0.5]), 0.4)
    assert lower_bound(kl, scores, apart).shortfall == pytest.approx(lost)
    # what takes d at its word varies as it does from fit to fit
    reads = [split(kl, replace(scores, x=x + by, y=y + by), same).value for by in (-0.5, 0.5)]
    more = split(kl, scores, apart).stderr ** 2 - split(kl, scores, same).stderr ** 2
    assert more == pytest.approx(0.4 * np.var(reads))
    # what the next freer penalty reads more: half is put back, and as much is added to the standard error
    freer = replace(same, freer=replace(scores, x=1.2 * x, y=1.2 * y))
    for kind in (split, plug_in):
        half = (kind(kl, freer.freer, same).value - kind(kl, scores, same).value) / 2
        found, plain = kind(kl, scores, freer), kind(kl, scores, same)
        assert found.shortfall == pytest.approx(half) == pytest.approx(found.value - plain.value)
        assert found.stderr**2 - plain.stderr**2 == pytest.approx(half**2)


def test_no_overflow_far_out() -> None:
    x, y = np.array([5e3, 1.0, 30.0]), np.array([-5e3, 800.0, -1.0])
    scores = Scores(x, y, np.ones(3), np.ones(3), np.array([0, 1, 1]), np.array([0, 1, 1]))
    for f in ("kl", "js", "srkl", "chi2_model_denominator", "power(5)", "power(-4)"):
        for kind in (lower_bound, plug_in, split):
            for near in (1.0, 0.03, 0.02):  # at 150, a and b of the last two overflow, and s does not
                part, freer = (replace(scores, x=by * near * x, y=by * near * y) for by in (1.0, 1.1))
                found = kind(dm.divergence(f), part, Refits(part.x[None], part.y[None], 2.0, freer))
                assert not math.isnan(found.value) and not math.isnan(found.stderr), (f, kind, near)


def test_any_container_and_shape_gives_the_same() -> None:
    x, y = shifted(80, 90, columns=4)
    wanted = dm.estimate("js", x, y, method="logistic")
    for a, b in [
        (x.reshape(80, 2, 2), y.reshape(90, 2, 2)),
        (torch.from_numpy(x), torch.from_numpy(y).requires_grad_()),
        (pd.DataFrame(x), pd.DataFrame(y)),
        (x.tolist(), y.tolist()),
    ]:
        assert dm.estimate("js", a, b, method="logistic") == wanted
    column = dm.estimate("js", x[:, 0], y[:, 0], method="logistic")
    assert dm.estimate("js", pd.Series(x[:, 0]), y[:, :1], method="logistic") == column


def test_importance_weights_move_the_law() -> None:
    random = np.random.default_rng(0)
    z, y = random.normal(0, 1.5, (4000, 1)), random.normal(0, 1, (2000, 1))
    log = -0.5 * (z[:, 0] - 1) ** 2 + 0.5 * (z[:, 0] / 1.5) ** 2
    for method in ("gaussian", "quadratic"):
        found = dm.estimate("kl", z, y, weights=(np.exp(log), None), method=method)
        assert found.interval[0] < 0.5 < found.interval[1] and abs(found.value - 0.5) < 0.15


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.full((20, 2), np.nan), "NaN or infinite numbers in 20 of 20"),
        (np.zeros((20, 3)), "shapes must agree"),
        (np.zeros((4, 2)), "4 samples: expected at least 10"),
        (np.zeros((1, 2)), "1 sample: expected at least 10"),
        (np.array([["a", "b"]] * 20), "text"),
        (pd.DataFrame({"size": [1.0] * 20, "colour": ["red"] * 20}), "colour"),
        (np.zeros((20, 2), dtype=complex), "complex"),
        ([[1, 2], [3]] * 10, "ragged"),
        (3.0, "expected \\[samples"),
    ],
)
def test_bad_samples_are_told(x, words: str) -> None:
    with pytest.raises(dm.DivminError, match=words):
        dm.fit_ratio(x, np.zeros((20, 2)))


def test_bad_settings_are_told() -> None:
    x, y = shifted(20, 20)
    for settings, words in [
        ({"folds": 1}, "folds"),
        ({"folds": 40}, "folds"),
        ({"seed": -1}, "seed"),
        ({"weights": (np.ones(3), None)}, "expected \\(20,\\)"),
        ({"weights": (-np.ones(20), None)}, "non-negative"),
        ({"method": "knn", "weights": (np.arange(20.0), None)}, "no sample weights"),
    ]:
        with pytest.raises(dm.DivminError, match=words):
            dm.fit_ratio(x, y, **{"method": "logistic", **settings})
    ratio = dm.fit_ratio(x, y, method="logistic")
    for call in (
        lambda: ratio.divergence("kl", kind="guess"),
        lambda: ratio.divergence("kl", kind="fitted laws"),
        lambda: ratio.log_ratio(np.zeros((3, 2))),
        lambda: dm.estimate("no such", x, y),
        lambda: dm.fit_ratio(x, y, method=3),
    ):
        with pytest.raises(dm.DivminError):
            call()


def test_equal_rows_share_a_fold() -> None:
    x, y = shifted(50, 60)
    samples = read(np.concatenate([x, x[:30]]), np.concatenate([y, x[:5]]))
    in_x, in_y = folds_of(samples, 5, 0)
    assert (in_x[:30] == in_x[50:]).all() and (in_x[:5] == in_y[60:]).all()
    assert np.bincount(in_x).min() >= 10
    assert any("35 rows repeat" in each for each in samples.facts) and any(
        "also in the second" in e for e in samples.facts
    )
    assert not read(x, y).facts


def test_every_sample_is_scored_by_a_fit_that_did_not_see_it() -> None:
    class Memory:
        steady = True

        def fit(self, x, y, x_weights, y_weights, seed):
            seen = {float(value) for value in np.concatenate([x, y])[:, 0]}
            return lambda z: np.array([float(value) in seen for value in z[:, 0]], dtype=float)

    scores = dm.fit_ratio(*shifted(60, 70), method=Memory()).scores
    assert not scores.x.any() and not scores.y.any()


def test_warnings_say_what_is_wrong() -> None:
    x, y = shifted(200, 200, shift=12.0)
    apart = dm.estimate("kl", x, y, method="quadratic")
    assert any("almost perfectly separate" in each for each in apart.warnings)
    constant = dm.fit_ratio(
        np.hstack([shifted(50, 50)[0], np.ones((50, 1))]), np.hstack([shifted(50, 50)[1], np.ones((50, 1))])
    )
    assert any("1 of 2 columns is constant" in each for each in constant.warnings)
    assert not dm.estimate("js", *shifted(300, 300), method="logistic").warnings

    class Wrong:
        def fit(self, x, y, x_weights, y_weights, seed):
            return lambda z: z[:, 0] - 0.5 + 3.0 + 0 * z[:, 0]

    wrong = dm.estimate("chi2_model_denominator", *shifted(300, 300), method=Wrong(), kind="plug-in")
    assert any("plug-in" in each for each in wrong.warnings)
    assert dm.fit_ratio(*shifted(300, 300), method=Wrong()).calibration().intercept[0] == pytest.approx(-3, abs=0.4)


def test_log_n_is_a_ceiling_without_laws() -> None:
    far = dm.fit_ratio(*shifted(100, 100, shift=6.0), method="telescoping(logistic, 6)").divergence("kl")
    assert far.value > math.log(100) and any("log n" in each for each in far.warnings)


def test_weights_reweight() -> None:
    x, y = shifted(3000, 3000)
    ratio = dm.fit_ratio(x, y, method="logistic")
    weights = ratio.weights(y)
    assert weights.mean() == pytest.approx(1) and (weights * y[:, 0]).mean() == pytest.approx(1, abs=0.2)
    assert ratio.effective_size == pytest.approx(3000 / math.e, rel=0.3)  # E_q[e^2d] = e
    assert ratio.ratio([0.5])[0] == pytest.approx(1, abs=0.15)


def test_prints_and_becomes_json() -> None:
    found = dm.estimate("kl", *shifted(100, 100))
    assert "tried" in str(found) and "nats" in str(found)
    assert json.loads(json.dumps(found.to_dict()))["divergence"] == "kl"
