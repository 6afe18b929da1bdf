"""Quadratic forms in many columns, what networks add to them, columns with heavy tails, and telescoping over them."""

from __future__ import annotations

import math

import numpy as np
import pytest

import divmin as dm
from divmin.estimators import forms, method
from divmin.estimators.columns import taming
from divmin.estimators.logistic import _newton


def ones(*sets):
    return [np.ones(len(each)) for each in sets]


def correlated(pairs, information, n, seed, cubed=False):
    """Pairs of correlation r, r^2 = 1 - e^(-2 MI/pairs), against independent ones: KL is the mutual information."""
    random = np.random.default_rng(seed)
    r = math.sqrt(1 - math.exp(-2 * information / pairs))
    first, noise, one, two = random.normal(size=(4, n, pairs))
    second = r * first + math.sqrt(1 - r * r) * noise
    power = 3 if cubed else 1
    return np.hstack([first, second**power]), np.hstack([one, two**power])


def test_the_form_is_newtons_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "PENALTIES", (3.0,))
    monkeypatch.setattr(forms, "SURE", 1e-13)
    random = np.random.default_rng(0)
    x, y = random.normal(0.4, 1, (150, 3)), random.normal(0, 1.3, (250, 3)) @ random.normal(size=(3, 3))
    weights = random.uniform(0.5, 2, 150)
    found = forms.quadratic_form(x, y, weights, np.ones(250), 0)
    middle, root = forms._whitening(np.concatenate([x, y]))
    z = (np.concatenate([x, y]) - middle) @ root
    i, j = np.triu_indices(3, 1)
    phi = np.hstack([np.ones((400, 1)), z, z[:, i] * z[:, j], (z**2 - 1) / math.sqrt(2)])
    offset = math.log(weights.sum() / 250)
    beta, _, _ = _newton(
        phi, np.repeat([1.0, 0.0], [150, 250]), np.r_[weights, np.ones(250)], offset, 3.0, np.zeros(10)
    )
    np.testing.assert_allclose(found(np.concatenate([x, y])), phi @ beta, atol=2e-3)


def test_the_form_leaves_out_what_is_constant_and_flips_with_the_sets() -> None:
    x, y = correlated(15, 3.0, 2000, 0)
    x, y = (np.hstack([z, np.full((2000, 1), 7.0), z[:, :1] + z[:, 1:2]]) for z in (x, y))
    one, other = (method("quadratic").fit(*sets, *ones(x, y), 0)(x) for sets in ((x, y), (y, x)))
    np.testing.assert_allclose(one, -other, atol=0.02)
    assert np.isfinite(one).all() and one.mean() > 2


def test_a_column_by_its_ranks_only_where_its_tails_are_heavy() -> None:
    random = np.random.default_rng(0)
    plain, cubed = random.normal(0, 1, (3000, 2)), random.normal(0, 1, (3000, 2))
    x, y = np.stack([plain[:, 0], cubed[:, 0] ** 3], 1), np.stack([8 * plain[:, 1], cubed[:, 1] ** 3], 1)
    tame = taming(x, y, *ones(x, y))
    z = tame(x)
    assert np.corrcoef(z[:, 0], x[:, 0])[0, 1] == pytest.approx(1)  # kurtosis near 6: two normal laws, kept
    np.testing.assert_allclose(np.cbrt(x[:, 1]), z[:, 1], atol=0.4)
    assert (np.diff(tame(np.stack([np.zeros(50), np.linspace(-99, 99, 50)], 1))[:, 1]) >= 0).all()
    ties = np.repeat([[0.0], [0.0], [0.0], [1e9]], 20, axis=0)
    assert len(np.unique(taming(ties, ties[:70], *ones(ties, ties[:70]))(ties))) == 2


def test_the_network_only_corrects() -> None:
    x, y = correlated(8, 2.0, 8000, 0, cubed=True)
    neural = dm.fit_ratio(x, y, method="neural", folds=2).divergence("kl")
    assert abs(neural.value - 2) < 0.35
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, 3000)  # what no quadratic sees: three bumps on a circle
    angle += 0.3 * np.sin(3 * angle)
    ring, other = np.stack([np.cos(angle), np.sin(angle)], 1), random.uniform(0, 2 * np.pi, 3000)
    even = np.stack([np.cos(other), np.sin(other)], 1)
    noise = random.normal(0, 0.1, (2, 3000, 2))
    scores = {
        text: dm.fit_ratio(ring + noise[0], even + noise[1], method=text, folds=2).scores.score
        for text in ("quadratic", "neural")
    }
    assert scores["quadratic"] < 0.01 and scores["neural"] > 0.03


def test_an_interval_reaches_over_what_the_penalty_takes_off() -> None:
    inside, low, splits = 0, 0, []
    for seed in range(3):
        for information in (4.0, 8.0):
            ratio = dm.fit_ratio(*correlated(12, information, 15_000, seed + 1), method="quadratic", folds=2)
            found = ratio.divergence("kl")
            inside += found.interval[0] < information < found.interval[1]
            low += found.value < 0.8 * information
            splits += [found] * (found.kind == "split" and information > 5)
    assert inside >= 5 and low == 0 and len(splits) >= 2
    for found in splits:
        assert found.shortfall > 0 and any("next freer one" in each for each in found.warnings)
        assert any("nothing held out checks" in each for each in found.warnings)
    near = dm.fit_ratio(*correlated(4, 0.5, 4000, 0), method="quadratic", folds=2)
    assert not near.divergence("kl").warnings and not any("beyond those" in each for each in near.warnings)


def test_a_telescope_sees_farther_than_one_classifier() -> None:
    x, y = correlated(12, 9.0, 30_000, 0)
    alone, telescope = (
        dm.fit_ratio(x, y, method=text, folds=2).divergence("kl").value
        for text in ("quadratic", "telescoping(quadratic, 6)")
    )
    assert alone < 8 < telescope and abs(telescope - 9) < 0.9
