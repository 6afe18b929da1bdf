"""Berger & Sebag's networks: what was published, and that the inferred tables are the only ones of their kind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import pytest
import torch
from torch import nn

from divmin.models import Parameters, build, count
from divmin.models import berger as tables

ENCODER_COUNT, GENERATOR_COUNT, CRITIC_COUNT = 18_927_040, 18_155_715, 40_560_145


def test_parameters():
    assert count("berger", shape=(3, 64, 64)) == Parameters(GENERATOR_COUNT, CRITIC_COUNT, ENCODER_COUNT)


def grids(network: nn.Module, x: torch.Tensor) -> tuple[list[tuple[int, ...]], list[int]]:
    """Shapes after each convolution, and inputs of each fully connected layer, in the order of a forward pass."""
    convolved: list[tuple[int, ...]] = []
    connected: list[int] = []

    def note(layer, inputs, output):
        if isinstance(layer, nn.Linear):
            connected.append(inputs[0].shape[1])
        else:
            convolved.append(tuple(output.shape[1:]))

    handles = [
        layer.register_forward_hook(note)
        for layer in network.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    ]
    network(x)
    for handle in handles:
        handle.remove()
    return convolved, connected


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_grids(size, channels):
    pair = build("berger", shape=(channels, size, size), width=32 if size == 64 else 8, encoder=True)
    images = torch.zeros(1, channels, size, size)
    found = {}
    for part, x in (("encoder", images), ("generator", torch.zeros(1, 512)), ("critic", images)):
        convolved, connected = grids(getattr(pair, part), x)
        found[part] = [shape[1] * 64 // size for shape in convolved], convolved, connected
    assert found["encoder"][0] == [64, 32, 16, 16, 8]
    assert found["generator"][0] == [16, 16, 32, 64, 64]
    assert found["critic"][0] == [32, 32, 16, 16, 8]
    if size == 64:
        assert found["encoder"][2] == [16384, 1024]
        assert found["generator"][2] == [512, 1024]
        assert found["critic"][2] == [24576, 1536, 192]
        assert found["critic"][1][1] == (96, 32, 32)
        assert pair.critic.features(images).shape == (1, 96, 32, 32)
        assert pair.encoder(images).shape == (1, 2 * 512)
    kinds = {type(layer) for network in (pair.generator, pair.critic, pair.encoder) for layer in network.modules()}
    activations = {kind for kind in kinds if kind.__module__ == "torch.nn.modules.activation"}
    assert activations == {nn.ELU, nn.Tanh}
    assert isinstance(pair.generator.layers[-1], nn.Tanh)


# How the tables were found: all with kernels of 4 where the grid changes and of 3, 5 or 7 elsewhere, these channels, and
# these fully connected layers. Their ends are given.
CHANNELS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
HIDDEN = ((), (256,), (512,), (768,), (1024,), (1536,), (2048,), (4096,))
TWICE = tuple((h, k) for (h,) in HIDDEN[1:] for k in CHANNELS)


def connected(units: tuple[int, ...]) -> int:
    return sum(before * after + after for before, after in pairwise(units))


def stacks(ends: tuple[int, int], strides: tuple[int, ...], fixed: dict[int, int]) -> Iterator[tuple[tuple, tuple]]:
    """Channels that never shrink towards the coarsest grid, with kernels."""
    inner = [(fixed[i],) if i in fixed else CHANNELS for i in range(len(strides) - 1)]
    kernels = list(product(*((4,) if stride == 2 else (3, 5, 7) for stride in strides)))
    for middle in product(*inner):
        channels = (ends[0], *middle, ends[1])
        grow = channels if ends[0] < ends[1] else channels[::-1]
        if list(grow) == sorted(grow):
            for kernel in kernels:
                yield channels, kernel


def solutions(total, ends, strides, layers, fixed=None) -> list[tuple]:
    """All tables with that many parameters."""
    left = {total - connected(units): units for units in layers}
    found = []
    for channels, kernel in stacks(ends, strides, fixed or {}):
        size = sum(a * b * k * k + b for a, b, k in zip(channels[:-1], channels[1:], kernel, strict=True))
        if size in left:
            found.append((channels[1:], kernel, left[size][1:-1]))
    return found


def written(rows, last=()) -> tuple[tuple, tuple]:
    channels, kernels, _ = zip(*rows, *last, strict=True)
    return channels, kernels


def test_the_encoder_is_the_only_one_of_its_kind():
    layers = [(16384, *hidden, 1024) for hidden in (*HIDDEN, *TWICE)]
    found = solutions(ENCODER_COUNT, (3, 256), (1, 2, 2, 1, 2), layers)
    assert found == [(*written(tables.ENCODER), tables.ENCODER_HIDDEN)]


def test_the_critic_is_the_only_one_of_its_kind():
    layers = [(24576, *hidden, 1) for hidden in (*HIDDEN, *TWICE)]
    found = solutions(CRITIC_COUNT, (3, 384), (2, 1, 2, 1, 2), layers, {1: 96})
    assert found == [(*written(tables.CRITIC), tables.CRITIC_HIDDEN)]


def test_the_generator_is_the_only_one_of_its_kind():
    found = []
    for start in CHANNELS:
        layers = [(512, *hidden, start * 64) for hidden in HIDDEN]
        for channels, kernel, hidden in solutions(GENERATOR_COUNT, (start, 3), (2, 1, 2, 2, 1), layers):
            found.append((start, channels, kernel, hidden))
    last = ((3, 3, 1),)
    assert found == [(tables.GENERATOR_START, *written(tables.GENERATOR, last), tables.GENERATOR_HIDDEN)]
