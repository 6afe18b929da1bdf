"""The networks of Poole et al.: the table row by row, and what ALI's code settles."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import ALIGenerator, Parameters, build, count
from divmin.models.ali import Maxout

GENERATOR = [
    (4, 1, 256, 4),
    (4, 2, 128, 10),
    (4, 1, 64, 13),
    (4, 2, 32, 28),
    (5, 1, 32, 32),
    (1, 1, 32, 32),
    (1, 1, 3, 32),
]
CRITIC = [
    (5, 1, 32, 28),
    (4, 2, 64, 13),
    (4, 1, 128, 10),
    (4, 2, 256, 4),
    (4, 1, 512, 1),
    (1, 1, 1024, 1),
    (1, 1, 1024, 1),
    (1, 1, 1, 1),
]
ENCODER = [
    (5, 1, 32, 28),
    (4, 2, 64, 13),
    (4, 1, 128, 10),
    (4, 2, 256, 4),
    (4, 1, 512, 1),
    (1, 1, 512, 1),
    (1, 1, 128, 1),
]


def rows(network: nn.Module, x: torch.Tensor) -> list[tuple[int, int, int, int]]:
    """Kernel, stride, channels and side of what each convolution gives, in the order of a forward pass."""
    found = []

    def note(layer, _, output):
        found.append((layer.kernel_size[0], layer.stride[0], output.shape[1], output.shape[2]))

    handles = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    network(x)
    for handle in handles:
        handle.remove()
    return found


def test_the_table():
    pair = build("ali", shape=(3, 32, 32), encoder=True)
    images = torch.zeros(2, 3, 32, 32)
    assert rows(pair.generator, torch.zeros(2, 64)) == GENERATOR
    assert rows(pair.critic, images) == CRITIC
    assert rows(pair.encoder, images) == ENCODER
    assert [layer.p for layer in pair.critic.modules() if isinstance(layer, nn.Dropout)] == [0.2] + 7 * [0.5]
    assert sum(isinstance(layer, Maxout) for layer in pair.critic.modules()) == 7
    for network, norms in ((pair.generator, 6), (pair.encoder, 6)):
        found = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert [(layer.eps, layer.momentum) for layer in found] == norms * [(1e-4, 0.05)]
        assert {layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)} == {0.1}
        assert not any(isinstance(layer, nn.Dropout) for layer in network.modules())


def weights(rows, before, halved=False):
    total = 0
    for kernel, _, channels, _ in rows:
        total += before * channels * kernel**2
        before = channels // 2 if halved else channels
    return total


def test_parameters():
    norms = 2 * (256 + 128 + 64 + 32 + 32 + 32)
    assert count("ali", shape=(3, 32, 32)) == Parameters(
        generator=weights(GENERATOR, 64) + norms + 3 * 32 * 32,  # a bias for each pixel
        critic=weights(CRITIC, 3, halved=True) + 32 + 1024 + 1024 + 1,
        encoder=weights(ENCODER, 3) + 2 * (32 + 64 + 128 + 256 + 512 + 512) + 128,
    )


def test_initial_weights():
    pair = build("ali", shape=(3, 32, 32), width=16, encoder=True)
    for network in (pair.generator, pair.critic, pair.encoder):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                n = layer.weight.numel()
                assert abs(layer.weight.std().item() / 0.01 - 1) < 4 / (2 * n) ** 0.5  # four standard errors
                assert layer.bias is None or not layer.bias.any()
    assert not pair.generator.bias.any()


def test_dropout_is_for_training():
    critic = build("ali", shape=(1, 32, 32), width=8).critic
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert not torch.equal(critic(images), critic(images))
    critic.eval()
    assert torch.equal(critic(images), critic(images))


def test_maxout_takes_the_larger_of_two_neighbours():
    x = torch.tensor([1.0, 2.0, -1.0, -3.0]).reshape(1, 4, 1, 1)
    assert Maxout()(x).flatten().tolist() == [2.0, -1.0]


def test_training_can_start_at_the_mean_image():
    generator = build("ali", shape=(3, 32, 32), width=4, latent=3).generator
    mean = torch.linspace(-0.8, 0.8, 3 * 32 * 32).reshape(3, 32, 32)
    images = mean + 0.2 * (torch.rand(40, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5)
    images[:, :, 0, 0] = -1  # a pixel that is always black has log-odds of minus infinity, but for the clip
    generator.start_at(images)
    assert generator.bias.isfinite().all()
    assert generator.bias.requires_grad
    with torch.no_grad():
        samples = generator(torch.randn(5, 3, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(samples, images.mean(0).expand(5, -1, -1, -1), atol=0.1, rtol=0)
    with pytest.raises(DivminError, match=r"images have shape \[2, 1, 32, 32\]: expected \[n, 3, 32, 32\]"):
        generator.start_at(torch.zeros(2, 1, 32, 32))


def test_the_output_is_a_logistic_one():
    generator = ALIGenerator((1, 32, 32), latent=2, width=2).eval()
    generator.bias.data.fill_(1.5)
    for parameter in generator.layers.parameters():
        parameter.data.zero_()
    images = generator(torch.zeros(1, 2))
    torch.testing.assert_close(images, torch.full_like(images, 2 / (1 + 2.718281828459045**-1.5) - 1))
