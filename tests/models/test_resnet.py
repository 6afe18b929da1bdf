"""Residual networks: parameters of the published ones, grids, initial weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate

from divmin.models import Parameters, build, count
from divmin.models.resnet import Down, Up


def test_parameters_of_the_published_networks():
    # The authors' generator for 32 pixels has 4,276,739; ours has no bias before the second norm of each block.
    # Their critic has 1,053,824; ours has a bias at the end.
    assert count("resnet", shape=(3, 32, 32)) == Parameters(4276739 - 3 * 256, 1053824 + 1, None)
    up = [(1024, 512), (512, 256), (256, 128), (128, 64)]
    generator = 128 * 1024 * 16 + 1024 * 16 + 2 * 64 + (64 * 3 * 9 + 3)
    generator += sum(2 * a + 9 * a * b + 2 * b + 9 * b * b + b + a * b + b for a, b in up)
    critic = (3 * 64 * 9 + 64) + (64 * 64 * 9 + 64) + (3 * 64 + 64) + 1024 + 1
    critic += sum(9 * a * a + a + 9 * a * b + b + a * b + b for b, a in up)
    assert count("resnet", shape=(3, 64, 64)) == Parameters(generator, critic, None)


@pytest.mark.parametrize(("size", "doublings", "coarsest"), [(16, 2, 4), (32, 3, 8), (64, 4, 2)])
def test_grids(size, doublings, coarsest):
    pair = build("resnet", shape=(1, size, size), latent=3, width=4)
    ups = [block for block in pair.generator.modules() if isinstance(block, Up)]
    downs = [block for block in pair.critic.modules() if isinstance(block, Down)]
    assert len(ups) == doublings
    h = torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(0))
    for block in downs:
        h = block(h)
    assert h.shape[2:] == (coarsest, coarsest)
    relu, pool, last = list(pair.critic.layers)[-3:]
    torch.testing.assert_close(last(pool(relu(h))), last(h.clamp(min=0).sum((2, 3))))
    assert h.any()


def test_cheaper_shortcuts_are_the_same_function():
    generator = torch.Generator().manual_seed(0)
    up, down = Up(3, 5), Down(3, 5, halve=True)
    x = torch.randn(2, 3, 6, 6, generator=generator)
    shortcut = up.shortcut(interpolate(x, scale_factor=2))
    torch.testing.assert_close(up(x), up.residual(x) + shortcut, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(down(x), avg_pool2d(down.residual(x) + down.shortcut(x), 2), rtol=1e-5, atol=1e-6)


def test_initial_weights():
    pair = build("resnet", shape=(3, 32, 32), latent=4, width=16)
    for network in (pair.generator, pair.critic):
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                reach = layer.weight[0, 0].numel() if layer.weight.dim() > 2 else 1
                bound = math.sqrt(6 / (reach * (layer.weight.shape[0] + layer.weight.shape[1])))
                bound *= math.sqrt(2) if "residual" in name else 1
                assert 0.8 * bound < layer.weight.abs().max() <= bound
                assert layer.bias is None or not layer.bias.any()
