"""Convolutional networks: every size, normalisation, parameters."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from divmin.models import Parameters, build, count
from divmin.models.dcgan import resolutions


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", range(8, 65))
def test_every_size(size, channels):
    shape = (channels, size, size)
    width = 2 + size % 3
    pair = build("dcgan", shape=shape, latent=5, width=width, encoder=True)
    images = pair.generator(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert pair.critic(images).shape == (2,)
    assert pair.encoder(images).shape == (2, 10)


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_widths(width):
    for channels in (1, 3):
        pair = build("dcgan", shape=(channels, 16, 16), latent=3, width=width)
        norms = [layer for layer in pair.critic.modules() if isinstance(layer, nn.GroupNorm)]
        assert len(norms) == len(resolutions(16)) - 2
        assert pair.critic(pair.generator(torch.zeros(2, 3))).shape == (2,)


def test_grids_halve_down_to_a_few_pixels():
    for size in range(8, 65):
        sizes = resolutions(size)
        assert sizes[0] == size
        assert 2 <= sizes[-1] <= 4
        assert all(fine in (2 * coarse, 2 * coarse - 1) for fine, coarse in pairwise(sizes))


def test_parameters():
    descent = (16 * 32 + 32) + (32 * 64 * 16 + 64) + 2 * 64  # two convolutions, the norm of the second
    assert count("dcgan", shape=(1, 8, 8), latent=64, width=32) == Parameters(
        # project 64 * 64 * 4; norms 2 * (64 + 32); 64 * 32 * 16 up; 32 * 16 + 1 to the image.
        generator=16384 + 192 + 32768 + 513,
        critic=descent + 64 * 4 + 1,
        encoder=descent + (64 * 4 + 1) * 128,
    )


def test_the_encoder_takes_each_image_alone():
    """As the critic does: no statistics of the batch, so that q(z|x) is a function of x in training mode too."""
    encoder = build("dcgan", shape=(1, 8, 8), latent=3, width=4, encoder=True).encoder
    images = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (slope,) = torch.autograd.grad(encoder(images)[0].sum(), images)
    assert slope[0].any()
    assert not slope[1:].any()
