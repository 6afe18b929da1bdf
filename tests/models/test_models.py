"""Shapes, seeds, gradients and sizes of every architecture."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import build, models, register
from divmin.models.dcgan import resolutions


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", range(8, 65))
def test_dcgan_makes_every_size(size: int, channels: int) -> None:
    shape = (channels, size, size)
    width = 2 + size % 3
    pair = build("dcgan", shape=shape, latent=5, width=width)
    images = pair.generator(torch.randn(2, 5, generator=torch.Generator().manual_seed(0)))
    assert images.shape == (2, *shape)
    assert images.abs().max() <= 1
    assert pair.critic(images).shape == (2,)


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_dcgan_widths(width: int) -> None:
    for channels in (1, 3):
        pair = build("dcgan", shape=(channels, 16, 16), latent=3, width=width)
        norms = [layer for layer in pair.critic.modules() if isinstance(layer, nn.GroupNorm)]
        assert len(norms) == len(resolutions(16)) - 2
        assert pair.critic(pair.generator(torch.zeros(2, 3))).shape == (2,)


def test_grids_halve_down_to_a_few_pixels() -> None:
    for size in range(8, 65):
        sizes = resolutions(size)
        assert sizes[0] == size
        assert 2 <= sizes[-1] <= 4
        assert all(fine in (2 * coarse, 2 * coarse - 1) for fine, coarse in pairwise(sizes))


@pytest.mark.parametrize("shape", [(1,), (2,), (17,), (1, 8, 8), (3, 6, 4), (2, 3)], ids=str)
@pytest.mark.parametrize("width", [1, 32])
def test_mlp_makes_every_shape(shape: tuple[int, ...], width: int) -> None:
    pair = build("mlp", shape=shape, latent=4, width=width)
    samples = pair.generator(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)))
    assert samples.shape == (6, *shape)
    assert pair.critic(samples).shape == (6,)
    assert isinstance(pair.generator.layers[-1], nn.Tanh) == (len(shape) == 3)  # type: ignore[index, union-attr]


@pytest.mark.parametrize("name", models())
def test_weights_depend_on_the_seed_alone(name: str) -> None:
    before = torch.random.get_rng_state()
    first = build(name, shape=(1, 8, 8), latent=4, width=4, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(3)
    again = build(name, shape=(1, 8, 8), latent=4, width=4, seed=1)
    other = build(name, shape=(1, 8, 8), latent=4, width=4, seed=2)
    for part in ("generator", "critic"):
        one, two, three = (getattr(pair, part).state_dict() for pair in (first, again, other))
        assert all(torch.equal(one[key], two[key]) for key in one)
        assert any(not torch.equal(one[key], three[key]) for key in one)


@pytest.mark.parametrize("name", models())
def test_gradient_reaches_every_parameter(name: str) -> None:
    pair = build(name, shape=(1, 12, 12), latent=4, width=8)
    noise = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))
    pair.critic(pair.generator(noise)).square().sum().backward()
    for network in (pair.generator, pair.critic):
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            assert parameter.grad.any(), key


@pytest.mark.parametrize("name", models())
def test_a_critic_scores_each_sample_on_its_own(name: str) -> None:
    critic = build(name, shape=(1, 16, 16), latent=4, width=8).critic
    images = torch.randn(8, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    together = critic(images)
    assert critic.training
    alone = torch.cat([critic(image) for image in images.split(1)])
    assert torch.allclose(together, alone, atol=1e-6)
    assert together.std() > 0
    assert not list(critic.buffers())


def test_defaults_are_those_of_the_registry() -> None:
    for name, model in models().items():
        pair = build(name, shape=(1, 8, 8))
        assert (pair.name, pair.shape, pair.latent) == (name, (1, 8, 8), model.latent)
        explicit = build(name, shape=(1, 8, 8), latent=model.latent, width=model.width)
        assert count(pair.generator) == count(explicit.generator)
        assert model.summary


def test_parameter_counts() -> None:
    digits = build("dcgan", shape=(1, 8, 8), latent=64, width=32)
    # project 64 * 64 * 4; norms 2 * (64 + 32); 64 * 32 * 16 up; 32 * 16 + 1 to the image.
    assert count(digits.generator) == 16384 + 192 + 32768 + 513
    # 16 * 32 + 32 down; 32 * 64 * 16 + 64 down; norm 2 * 64; 64 * 4 + 1 to the score.
    assert count(digits.critic) == 544 + 32832 + 128 + 257
    plane = build("mlp", shape=(2,), latent=16, width=128)
    assert count(plane.generator) == (16 * 128 + 128) + 2 * (128 * 128 + 128) + (128 * 2 + 2)
    assert count(plane.critic) == (2 * 128 + 128) + 2 * (128 * 128 + 128) + (128 + 1)


@pytest.mark.parametrize(
    ("name", "shape", "sizes", "says"),
    [
        ("dcgna", (1, 8, 8), {}, "did you mean dcgan"),
        ("dcgan", (2,), {}, "square images.*try mlp"),
        ("dcgan", (1, 8, 9), {}, "square images"),
        ("dcgan", (2, 8, 8), {}, "2 channels: it needs 1 or 3"),
        ("dcgan", (1, 7, 7), {}, "7 pixels: it needs 8 to 64"),
        ("dcgan", (3, 65, 65), {}, "65 pixels"),
        ("mlp", (), {}, "sample shape"),
        ("mlp", (0,), {}, "sample shape"),
        ("mlp", (2,), {"latent": 0}, "latent is 0"),
        ("mlp", (2,), {"width": -1}, "width is -1"),
    ],
)
def test_impossible_models(name: str, shape: tuple[int, ...], sizes: dict[str, int], says: str) -> None:
    with pytest.raises(DivminError, match=says) as caught:
        build(name, shape=shape, **sizes)
    assert "\n" not in str(caught.value)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(DivminError, match="two models"):
        register("mlp", "another", width=1, latent=1)(models()["mlp"].make)


def test_weights_are_the_same_in_another_process() -> None:
    code = (
        "from divmin.models import build; p = build('dcgan', shape=(1, 8, 8), latent=4, width=4, seed=3);"
        "print(float(sum(v.double().sum() for v in p.critic.state_dict().values())))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    state = build("dcgan", shape=(1, 8, 8), latent=4, width=4, seed=3).critic.state_dict()
    assert float(found.stdout) == float(sum(value.double().sum() for value in state.values()))
