"""Appendix B: the layers of both networks, read off the networks themselves, and their parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from divmin.models import build
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.sources import POOLE

if TYPE_CHECKING:
    from torch import Tensor, nn

SHAPE, LATENT, WIDTH = (3, 32, 32), 64, 32


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Args:
        kernel, stride, maps: of the convolution; maps are before maxout, which halves them.
        side: of what comes out, in pixels.
        normalised: whether batch norm follows.
        dropout: of what goes in.
        activation: what follows.
        biases: the same for every pixel, one each, or none.
    """

    kernel: int
    stride: int
    maps: int
    side: int
    normalised: bool = False
    dropout: float = 0.0
    activation: str = "maxout"
    biases: str = "none"

    def parameters(self, before: int, maps: int) -> int:
        """Weights, biases, and the gains and shifts of batch norm.

        Args:
            before: channels that come in.
            maps: channels that the convolution makes.
        """
        biases = {"none": 0, "shared": maps, "untied": maps * self.side**2}[self.biases]
        return before * maps * self.kernel**2 + biases + 2 * maps * self.normalised


GENERATOR = (
    Row(4, 1, 256, 4, True, 0.0, "leaky ReLU"), Row(4, 2, 128, 10, True, 0.0, "leaky ReLU"),
    Row(4, 1, 64, 13, True, 0.0, "leaky ReLU"), Row(4, 2, 32, 28, True, 0.0, "leaky ReLU"),
    Row(5, 1, 32, 32, True, 0.0, "leaky ReLU"), Row(1, 1, 32, 32, True, 0.0, "leaky ReLU"),
    Row(1, 1, 3, 32, False, 0.0, "sigmoid", "untied"),
)  # fmt: skip
CRITIC = (
    Row(5, 1, 32, 28, dropout=0.2, biases="shared"), Row(4, 2, 64, 13, dropout=0.5), Row(4, 1, 128, 10, dropout=0.5),
    Row(4, 2, 256, 4, dropout=0.5), Row(4, 1, 512, 1, dropout=0.5), Row(1, 1, 1024, 1, dropout=0.5, biases="shared"),
    Row(1, 1, 1024, 1, dropout=0.5, biases="shared"), Row(1, 1, 1, 1, dropout=0.5, activation="none", biases="shared"),
)  # fmt: skip
TABLES = {"generator": GENERATOR, "critic": CRITIC}


def parameters(network: str, width: int = WIDTH) -> int:
    """What a network has by the table, all channels in proportion to its width.

    >>> parameters("generator"), parameters("critic")
    (981152, 2184065)
    """
    before, total = (LATENT, 0) if network == "generator" else (SHAPE[0], 0)
    for i, row in enumerate(TABLES[network]):
        last = i == len(TABLES[network]) - 1
        maps = row.maps if last else row.maps * width // WIDTH
        total += row.parameters(before, maps)
        before = maps // 2 if row.activation == "maxout" else maps
    return total


@dataclass(frozen=True)
class Settings:
    """What is built.

    Args:
        width: of the networks; 32 is the published one.
        images: that pass through them.
    """

    width: int = 32
    images: int = 16


def expectations() -> dict[str, Expected]:
    given = "appendix B; numbers of Dumoulin et al. (ALI), whose model it is but for the part that sees z"
    return {
        "layers that differ from the table": near(0, source=given),
        "parameters of the generator": near(981_152, source="the sum of the table"),
        "parameters of the critic": near(2_184_065, source="the sum of the table"),
        "initial weights: standard deviation over 0.01": near(1, 0.01, source="N(0, 0.01^2)"),
        "largest |initial bias|": near(0, source="zero"),
        "last biases at the data's log-odds: mean |pixel - data's mean| of an untrained generator": at_most(
            0.05, source="ALI's code, on request (`start_at`); the runs of poole-cifar begin at 0"
        ),
        "largest |pixel| of an untrained generator": at_most(0.3, source="a sigmoid of nearly 0 is grey"),
        "largest |pixel| for weights 10,000 times as large": near(1, 1e-3, source="a sigmoid ends at 0 and 1"),
        "score of an image, alone and among others": at_most(1e-5, source="no batch norm in the critic"),
        "share of scores that dropout changes": near(1, source="dropout on the input of every layer"),
    }


def compute(settings: Settings, work: Work) -> Found:
    import torch

    pair = build("ali", shape=SHAPE, latent=LATENT, width=settings.width, seed=0)
    noise = torch.randn(settings.images, LATENT, generator=torch.Generator().manual_seed(0))
    images = torch.rand(settings.images, *SHAPE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found = {
        "generator": layers(pair.generator, noise),
        "critic": layers(pair.critic, images),
    }
    wrong = sum(
        one != other for name, rows in TABLES.items() for one, other in _beside(found[name], rows, settings.width)
    )
    weights = _convolutions(pair.generator) + _convolutions(pair.critic)
    numbers = {
        "layers that differ from the table": float(wrong),
        "parameters of the generator": float(_count(pair.generator)),
        "parameters of the critic": float(_count(pair.critic)),
        "initial weights: standard deviation over 0.01": float(
            torch.cat([each.weight.detach().flatten() for each in weights]).std() / 0.01
        ),
        "largest |initial bias|": max(float(each.detach().abs().max()) for each in _biases(pair)),
    }
    numbers |= _behaviour(pair, noise, images)
    rows = [
        (name, str(row.kernel), str(row.stride), str(row.maps), f"{row.side} x {row.side}", "yes" if row.normalised else "no",
         f"{row.dropout:g}", row.activation, row.biases)
        for name, every in found.items()
        for row in every
    ]  # fmt: skip
    heads = ("network", "kernel", "stride", "maps", "out", "batch norm", "dropout of its input", "then", "biases")
    return Found(
        numbers, tables=(Table(heads, tuple(rows), "Maps are before maxout, which halves them; nothing is padded."),)
    )


def layers(network: nn.Module, given: Tensor) -> tuple[Row, ...]:
    """The rows of a network, as its modules and the shapes that pass through it say."""
    import torch
    from torch import nn

    sides: list[int] = []
    hooks = [
        each.register_forward_hook(lambda layer, inputs, out: sides.append(out.shape[-1]))
        for each in _convolutions(network)
    ]
    with torch.no_grad():
        network(given)
    for hook in hooks:
        hook.remove()
    rows = []
    modules = [each for each in network.modules() if not list(each.children())]
    places = [i for i, each in enumerate(modules) if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]
    for place, after, side in zip(places, [*places[1:], len(modules)], sides, strict=True):
        layer: Any = modules[place]
        dropout = next((each.p for each in modules[max(0, place - 1) : place] if isinstance(each, nn.Dropout)), 0.0)
        follow = {type(each).__name__: each for each in modules[place + 1 : after]}
        padded = any(np.atleast_1d(layer.padding))
        rows.append(
            Row(
                layer.kernel_size[0],
                layer.stride[0],
                -1 if padded else layer.out_channels,
                side,
                "BatchNorm2d" in follow,
                dropout,
                _activation(follow, network),
                "shared" if layer.bias is not None else "untied" if after == len(modules) else "none",
            )
        )
    return tuple(rows)


def _activation(follow: dict[str, Any], network: nn.Module) -> str:
    if "LeakyReLU" in follow and follow["LeakyReLU"].negative_slope == 0.1:
        return "leaky ReLU"
    return "maxout" if "Maxout" in follow else "sigmoid" if hasattr(network, "bias") else "none"


def _beside(found: tuple[Row, ...], table: tuple[Row, ...], width: int) -> list[tuple[Row | None, Row | None]]:
    """Rows of a network beside those of the table at its width; None where one has more of them."""
    scaled = [
        row if i == len(table) - 1 else replace(row, maps=row.maps * width // WIDTH) for i, row in enumerate(table)
    ]
    return list(zip_longest(found, scaled))


def _convolutions(network: nn.Module) -> list[Any]:
    from torch import nn

    return [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)]


def _count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def _biases(pair: Any) -> list[Tensor]:
    shared = [each.bias for network in (pair.generator, pair.critic) for each in _convolutions(network)]
    return [pair.generator.bias, *(each for each in shared if each is not None)]


def _behaviour(pair: Any, noise: Tensor, images: Tensor) -> dict[str, float]:
    """What comes out of untrained networks."""
    import torch

    with torch.no_grad():
        grey = float(pair.generator(noise).abs().max())
        plain = pair.generator.bias.clone()
        pair.generator.start_at(images)
        off = float((pair.generator(noise) - images.mean(0)).abs().mean())
        pair.generator.bias.copy_(plain)
        pair.generator.layers[-1].weight.mul_(1e4)
        white = float(pair.generator(noise).abs().max())
        first, second = pair.critic.train()(images), pair.critic(images)
        pair.critic.eval()
        among, alone = pair.critic(images)[:1], pair.critic(images[:1])
    return {
        "last biases at the data's log-odds: mean |pixel - data's mean| of an untrained generator": off,
        "largest |pixel| of an untrained generator": grey,
        "largest |pixel| for weights 10,000 times as large": white,
        "score of an image, alone and among others": float((among - alone).abs().max() / among.abs().max()),
        "share of scores that dropout changes": float((first != second).float().mean()),
    }


register(
    Item(
        name="poole-appendix-b",
        paper=POOLE,
        title="Appendix B: the networks for CIFAR-10",
        claim="Generator and critic are slightly modified from those of ALI: unpadded convolutions, batch norm in the "
        "generator alone, maxout and dropout in the critic.",
        settings=Settings(),
        quick=Settings(images=4),
        cost=Cost(quick=1, full=2),
        expected=expectations(),
        compute=compute,
        slips=(
            "The table at hand has the kinds of layers without their numbers, which are taken from ALI's: likely, not certain.",
        ),
    )
)
