"""Paths between pairs of z: every point has the law that the generator was trained on, in any dimension."""

from __future__ import annotations

import math

import pytest
import torch

from divmin.errors import DivminError
from divmin.training import load
from divmin.training.sampler import between


@pytest.mark.parametrize("latent", [1, 2, 64])
def test_every_point_is_a_draw_of_z(latent):
    """Mean 0, covariance I and E|z|^4 of N(0, I), to five standard errors; straight lines have half the variance."""
    n = 20_000
    first, last = torch.randn(2, n, latent, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for z in between(first, last, 5).unbind(1):
        assert z.mean(0).abs().max() < 5 / math.sqrt(n)
        assert (z.T @ z / n - torch.eye(latent)).abs().max() < 5 * math.sqrt(2 / n)
        fourth = z.square().sum(1).square()
        assert abs(fourth.mean() - latent * (latent + 2)) < 5 * fourth.std() / math.sqrt(n)
    straight = (first + last) / 2
    assert straight.var() == pytest.approx(0.5, rel=0.03)


def test_paths_begin_and_end_where_they_should():
    first, last = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    z = between(first, last, 7)
    assert z.shape == (3, 7, 4)
    assert torch.equal(z[:, 0], first)
    assert torch.allclose(z[:, -1], last, atol=1e-6)
    steps = (z[:, 1:] - z[:, :-1]).norm(dim=2)
    assert steps.max() / steps.min() < 3  # no jumps


def test_the_generator_is_asked_along_the_path(lab):
    sampler = load(lab.train("a").folder, pair=lab.pair())
    paths = sampler.interpolate(3, points=5, seed=2)
    assert paths.shape == (3, 5, *sampler.shape)
    assert torch.equal(paths, sampler.interpolate(3, points=5, seed=2))
    assert torch.allclose(paths, sampler.interpolate(3, points=5, seed=2, batch_size=2), atol=1e-6)
    assert not torch.equal(paths, sampler.interpolate(3, points=5, seed=3))
    assert not torch.equal(paths, sampler.interpolate(3, points=5, seed=2, ema=False))
    assert torch.allclose(paths[:, ::2], sampler.interpolate(3, points=3, seed=2), atol=1e-6)


@pytest.mark.parametrize(
    ("values", "said"), [({"n": 0}, "n must be"), ({"n": 1, "points": 1}, "points must be at least 2")]
)
def test_impossible_requests(lab, values, said):
    sampler = load(lab.train("a").folder, pair=lab.pair())
    with pytest.raises(DivminError, match=said):
        sampler.interpolate(**values)
