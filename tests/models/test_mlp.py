"""Fully connected networks: shapes and parameters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from divmin.models import MLPCritic, Parameters, build, count


@pytest.mark.parametrize("shape", [(1,), (2,), (17,), (1, 8, 8), (3, 6, 4), (2, 3)], ids=str)
@pytest.mark.parametrize("width", [1, 32])
def test_every_shape(shape, width):
    pair = build("mlp", shape=shape, latent=4, width=width, encoder=True)
    samples = pair.generator(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
    assert samples.shape == (6, *shape)
    assert pair.critic(samples).shape == (6,)
    assert pair.encoder(samples).shape == (6, 8)
    assert isinstance(pair.generator.layers[-1], nn.Tanh) == (len(shape) == 3)


def test_parameters():
    hidden = 2 * (128 * 128 + 128)
    assert count("mlp", shape=(2,), latent=16, width=128) == Parameters(
        generator=(16 * 128 + 128) + hidden + (128 * 2 + 2),
        critic=(2 * 128 + 128) + hidden + (128 + 1),
        encoder=(2 * 128 + 128) + hidden + (128 * 32 + 32),
    )


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_features_of_other_depths(depth):
    critic = MLPCritic((2,), width=6, depth=depth)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    h = critic.features(x)
    assert h.shape == (5, 6)
    assert h.min() < 0  # before the activation: leaky values would be far smaller
    inner = critic.layers[0](x) if depth == 1 else critic.layers[2](critic.layers[1](critic.layers[0](x)))
    assert torch.equal(h, inner)
    assert torch.equal(critic.head(h), critic(x))
