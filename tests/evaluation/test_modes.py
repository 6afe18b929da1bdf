"""Modes of mixtures, classes and stacked classes on samples whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from torch import Tensor, nn

from divmin.data import Mixture, densities
from divmin.errors import DivminError
from divmin.evaluation import (
    Classifier,
    Modes,
    Settings,
    mode_coverage,
    mode_histogram,
    of_classes,
    of_mixture,
    stacked,
)
from divmin.evaluation.modes import reverse_kl


class Brightness(nn.Module):
    """Features of an image of one channel: how near its mean is to each of K levels."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.levels = torch.arange(classes).float()

    def forward(self, images: Tensor) -> Tensor:
        return -(images.flatten(1).mean(1, keepdim=True) - self.levels).square()


def by_brightness(classes: int, shares: tuple[float, ...] = ()) -> Classifier:
    shares = shares or (1 / classes,) * classes
    return Classifier(
        Brightness(classes), nn.Identity(), tuple(range(classes)), shares, 1.0, 10, Settings(), "levels", (1, 4, 4)
    )


def test_reach_is_measured_in_each_modes_own_scale() -> None:
    two = of_mixture(Mixture(means=((0.0, 0.0), (10.0, 0.0)), scales=((1.0,), (0.1, 2.0)), weights=(0.25, 0.75)))
    points = [[2.9, 0.0], [2.2, 2.2], [10.0, 5.9], [10.31, 0.0], [9.71, 0.0], [0.0, -3.1]]
    assert two.assign(torch.tensor(points)).tolist() == [0, -1, 1, -1, 1, -1]
    assert two.weights == (0.25, 0.75) and two.judges


def test_constructed_coverage() -> None:
    ring = densities()["ring"]()
    means = torch.tensor(ring.means)
    samples = torch.cat([means[:1].expand(60, 2), means[3:4].expand(20, 2), torch.zeros(20, 2)])
    found = mode_coverage(samples, of_mixture(ring))
    assert (found.found, found.modes, found.n) == (2, 8, 100)
    assert found.counts == (60, 0, 0, 20, 0, 0, 0, 0)
    assert found.high_quality == (0.8, pytest.approx(math.sqrt(0.8 * 0.2 / 100), rel=0.02))
    assert mode_coverage(means[:1], of_mixture(ring)).high_quality[1] > 0.3  # one sample says little
    assert found.reverse_kl[0] == pytest.approx(0.75 * math.log(6) + 0.25 * math.log(2))


def test_the_data_itself_is_perfect() -> None:
    for name in ("ring", "grid"):
        law = densities()[name]()
        found = mode_coverage(law.sample(2500, seed=1), of_mixture(law))
        assert found.found == found.modes
        assert abs(found.high_quality[0] - (1 - math.exp(-4.5))) < 4 * found.high_quality[1]  # two dimensions, 3 sigma


@pytest.mark.parametrize("kept", [1, 2, 5])
def test_reverse_kl_of_missing_modes(kept: int) -> None:
    counts = torch.tensor([10] * kept + [0] * (8 - kept))
    assert reverse_kl(counts, (1 / 8,) * 8)[0] == pytest.approx(math.log(8 / kept))


def test_reverse_kl_against_scipy_and_when_nothing_counts() -> None:
    counts, weights = torch.tensor([3, 0, 12, 5]), (0.1, 0.2, 0.3, 0.4)
    assert reverse_kl(counts, weights)[0] == pytest.approx(entropy(counts.numpy(), weights))
    assert reverse_kl(torch.zeros(4, dtype=torch.int64), weights) == (math.inf, math.inf)
    assert reverse_kl(torch.tensor([10, 20, 30, 40]), weights)[0] == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("model", [(0.1, 0.2, 0.3, 0.4), (0.4, 0.3, 0.2, 0.1), (0.15, 0.2, 0.3, 0.35)])
def test_error_of_reverse_kl_is_its_spread(model: tuple[float, ...]) -> None:
    """Also for a perfect model, where the value is (K - 1)/(2 n) on average."""
    weights, n = (0.1, 0.2, 0.3, 0.4), 2000
    draws = np.random.default_rng(0).multinomial(n, model, size=2000)
    found = np.array([reverse_kl(torch.from_numpy(each), weights) for each in draws])
    assert 0.9 < found[:, 1].mean() / found[:, 0].std() < 1.35
    truth = entropy(model, weights)
    assert found[:, 0].mean() == pytest.approx(truth + 3 / (2 * n), abs=5 * found[:, 0].std() / math.sqrt(2000))


def test_classes_of_labels() -> None:
    images = torch.tensor([0.0, 0.2, 1.1, 1.9])[:, None, None, None].expand(-1, 1, 4, 4)
    modes = of_classes(by_brightness(3, (0.5, 0.25, 0.25)))
    assert mode_histogram(images, modes).tolist() == [2, 1, 1]
    assert mode_coverage(images, modes).reverse_kl[0] == pytest.approx(0, abs=1e-15)
    assert not modes.judges


def test_a_thousand_stacked_modes() -> None:
    digits = torch.cartesian_prod(*[torch.arange(10)] * 3)
    images = digits.float()[:, :, None, None].expand(-1, 3, 4, 4)
    modes = stacked(by_brightness(10))
    assert modes.assign(images).tolist() == list(range(1000))
    whole = mode_coverage(images, modes)
    assert (whole.found, whole.modes) == (1000, 1000) and whole.reverse_kl[0] == pytest.approx(0, abs=1e-12)
    tenth = mode_coverage(images[:100].repeat(3, 1, 1, 1), modes)
    assert tenth.found == 100 and tenth.reverse_kl[0] == pytest.approx(math.log(10))


def test_stacked_shares_are_products() -> None:
    modes = stacked(by_brightness(2, (0.25, 0.75)), channels=2)
    assert modes.weights == (0.0625, 0.1875, 0.1875, 0.5625)


def test_bad_input() -> None:
    with pytest.raises(DivminError, match="no samples"):
        mode_coverage(torch.zeros(0, 2), of_mixture(densities()["ring"]()))
    with pytest.raises(DivminError, match=r"expected \[n, 3, height, width\]"):
        stacked(by_brightness(10)).assign(torch.zeros(5, 1, 4, 4))
    colour = Classifier(nn.Identity(), nn.Identity(), (0, 1), (0.5, 0.5), 1.0, 10, Settings(), "x", (3, 4, 4))
    with pytest.raises(DivminError, match="one channel"):
        stacked(colour)


def test_anybodys_modes() -> None:
    quadrants = Modes("quadrants", (0.25,) * 4, lambda x: 2 * (x[:, 0] > 0).long() + (x[:, 1] > 0).long())
    assert mode_coverage(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), quadrants).found == 2
