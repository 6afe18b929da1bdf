"""How varied images are: entropies of known histograms, hues of known colours, distances of known pairs."""

from __future__ import annotations

import colorsys
import math

import pytest
import torch

from divmin.errors import DivminError
from divmin.evaluation import colour_entropy, hue_share, mean_distance


def test_entropy_of_even_colours() -> None:
    levels = (torch.arange(8) + 0.5) / 4 - 1
    every = torch.cartesian_prod(levels, levels, levels).T.reshape(1, 3, 8, 64)
    assert colour_entropy(every) == pytest.approx(3 * math.log(8), abs=1e-12)
    assert colour_entropy(every, bins=1) == 0
    assert colour_entropy(torch.full((2, 3, 4, 4), 1.0)) == 0  # the largest value lies in the last bin
    assert colour_entropy(levels.reshape(1, 1, 1, 8)) == pytest.approx(math.log(8), abs=1e-12)


def test_hues_are_those_of_the_colour_wheel() -> None:
    degrees = torch.arange(5, 360, 10.0)
    colours = torch.tensor([colorsys.hsv_to_rgb(each / 360, 0.8, 0.7) for each in degrees.tolist()])
    image = (2 * colours - 1).T.reshape(1, 3, 1, -1)
    for low in (0, 60, 120, 180, 240, 300):  # where both wheels agree
        assert hue_share(image, low, low + 60) == pytest.approx(1 / 6)
    assert math.isnan(hue_share(torch.zeros(1, 3, 2, 2), 0, 360))


def test_distance_is_the_root_of_the_mean_square() -> None:
    x = torch.randn(20000, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    assert mean_distance(x) == pytest.approx(math.sqrt(2) * math.sqrt(12 - 0.5) / math.sqrt(12), rel=5e-3)
    assert mean_distance(torch.ones(5, 3, 2, 2)) == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DivminError, match="at least one"):
        colour_entropy(torch.zeros(0, 3, 2, 2))
    with pytest.raises(DivminError, match="no hue"):
        hue_share(torch.zeros(1, 1, 2, 2), 0, 60)
    with pytest.raises(DivminError, match="two of them"):
        mean_distance(torch.zeros(1, 3))
