"""Bounds from a critic hold whatever it has learned, are tight at the log-ratio, and its link is undone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import divmin as dm
from divmin.errors import DivminError
from divmin.evaluation import from_critic, log_ratios

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(1, 1, 20_000), RANDOM.normal(0, 1, 20_000)  # log p/q = x - 1/2
TRUTH = {
    name: dm.exact(name, "normal(1, 1)", "normal(0, 1)").value
    for name in ("kl", "reverse_kl", "js", "squared_hellinger")
}


def test_the_log_ratio_reaches_the_divergence() -> None:
    found = from_critic(list(TRUTH), X - 0.5, Y - 0.5)
    for each, truth in zip(found.estimates, TRUTH.values(), strict=True):
        assert abs(each.value - truth) < 4 * each.stderr and each.stderr < 0.05
        assert (each.kind, each.method, each.n) == ("lower bound", "trained critic", (20_000, 20_000))
    assert abs(found.calibration.mean_ratio[0] - 1) < 4 * found.calibration.mean_ratio[1]
    assert abs(found.calibration.slope[0] - 1) < 4 * found.calibration.slope[1]


@pytest.mark.parametrize(
    "critic", [lambda x: 0.3 * x, lambda x: np.sin(3 * x), lambda x: x + 1, lambda x: -x, lambda x: 0 * x]
)
@pytest.mark.parametrize("name", TRUTH)
def test_no_critic_exceeds_it(critic: object, name: str) -> None:
    (found,) = from_critic(name, critic(X), critic(Y)).estimates  # type: ignore[operator]
    assert found.value < TRUTH[name] + 4 * found.stderr


def test_nothing_is_put_back_for_a_fit_that_cannot_be_seen() -> None:
    (found,) = from_critic("kl", X - 0.5, Y - 0.5).estimates
    kl = dm.divergence("kl")
    assert found.shortfall == 0
    assert found.value == pytest.approx(float(np.mean(kl.a(X - 0.5)) - np.mean(kl.b(Y - 0.5))), rel=1e-12)


@pytest.mark.parametrize("recipe", ["lsgan", "lsgan(-1, 1, 0)", "fgan(kl)", "nonsaturating", "poole(kl)"])
def test_the_link_of_a_recipe_is_undone(recipe: str) -> None:
    link = dm.explain(recipe).link
    d = np.linspace(-4, 4, 33)
    scores = link(torch.from_numpy(d)).numpy()
    convert, _ = log_ratios(link)
    assert convert(scores) == pytest.approx(d, abs=1e-3)
    x, y = X[:1000] - 0.5, Y[:1000] - 0.5
    js = from_critic("js", link(torch.from_numpy(x)), link(torch.from_numpy(y)), link=link).estimates[0]
    assert js.value == pytest.approx(from_critic("js", x, y).estimates[0].value, abs=1e-4)


def test_outputs_beyond_all_best_ones_get_the_end() -> None:
    convert, words = log_ratios(dm.explain("lsgan").link)  # best outputs lie between 0 and 1
    d = convert(np.array([-3.0, 0.0, 1.0, 3.0]))
    assert np.isfinite(d).all() and d[0] == d[1] < -15 and d[2] == d[3] > 15
    assert "inverse of the recipe's link" in words


def test_a_critic_that_does_not_tell_the_ratio_is_taken_as_it_is() -> None:
    convert, words = log_ratios(dm.explain("hinge").link)
    assert convert(X) is X and "does not tell every ratio" in words


def test_what_is_printed_and_recorded() -> None:
    found = from_critic(["kl", "js"], X - 0.5, Y - 0.5, warnings=["seen before"])
    said = str(found)
    for part in (
        "n = 20000 data and m = 20000 samples",
        "lower bound by trained critic",
        "E_q[e^d]",
        "warning: seen before",
    ):
        assert part in said
    record = found.to_record()
    assert [each["divergence"] for each in record["estimates"]] == ["kl", "js"] and record["warnings"] == [
        "seen before"
    ]


@pytest.mark.parametrize(
    ("real", "fake", "says"),
    [
        (np.zeros(9), np.zeros(99), "9 scores of data: expected at least 10"),
        (np.zeros(99), np.full(99, math.nan), "99 of 99 scores of samples are not finite"),
    ],
)
def test_one_line_says_what_is_wrong(real: np.ndarray, fake: np.ndarray, says: str) -> None:
    with pytest.raises(DivminError, match=says):
        from_critic("kl", real, fake)


def test_some_divergence_must_be_named() -> None:
    with pytest.raises(DivminError, match="no divergence is named"):
        from_critic([], X, Y)
