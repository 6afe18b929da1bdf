"""Residual generator and critic for 16, 32 and 64 pixels (Miyato et al. 2018, SNGAN).

The tables are those of the authors' networks for 32 pixels (CIFAR-10) and 64 pixels; 16 pixels is the table of 32 with
one doubling less. Two differences: convolutions before a batch norm have no bias, which the norm would take off again,
and the last layer of the critic has one, because a log-ratio needs a level. The critic is not normalised: the paper
puts `spectral_norm` on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from divmin.models.base import Shape, scaled
from divmin.models.layered import LayeredCritic
from divmin.models.registry import Model, register

WIDTH = 128
COARSEST = 4


@dataclass(frozen=True)
class Layout:
    """Channels of the published networks for one size.

    Args:
        generator: from the grid of 4 pixels on, each twice as fine as the one before.
        critic: after each block.
        halvings: how many of the critic's blocks, from the first on, halve the grid.
    """

    generator: tuple[int, ...]
    critic: tuple[int, ...]
    halvings: int


LAYOUTS = {
    16: Layout((256, 256, 256), (128, 128, 128, 128), halvings=2),
    32: Layout((256, 256, 256, 256), (128, 128, 128, 128), halvings=2),
    64: Layout((1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), halvings=5),
}


class ResNetGenerator(nn.Module):
    """Noise [n, latent] to images [n, channels, size, size] in [-1, 1].

    Args:
        shape: (channels, size, size); size is 16, 32 or 64.
        latent: length of a noise vector.
        width: 128 for the published network; all channels keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        channels = [scaled(each, width, WIDTH) for each in LAYOUTS[shape[1]].generator]
        self.project = nn.Linear(latent, channels[0] * COARSEST**2)
        self.layers = nn.Sequential(
            *(Up(before, after) for before, after in pairwise(channels)),
            nn.BatchNorm2d(channels[-1]),
            nn.ReLU(),
            nn.Conv2d(channels[-1], shape[0], 3, padding=1),
            nn.Tanh(),
        )
        self.apply(initialise)
        _widen(self)

    def forward(self, noise: Tensor) -> Tensor:
        images: Tensor = self.layers(self.project(noise).unflatten(1, (-1, COARSEST, COARSEST)))
        return images


class ResNetCritic(LayeredCritic):
    """Images [n, channels, size, size] to raw scores [n]; the features are the output of the second block.

    Args:
        shape: (channels, size, size); size is 16, 32 or 64.
        width: 128 for the published network; all channels keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, width: int) -> None:
        layout = LAYOUTS[shape[1]]
        channels = [shape[0], *(scaled(each, width, WIDTH) for each in layout.critic)]
        blocks = [
            Down(before, after, halve=i < layout.halvings, first=i == 0)
            for i, (before, after) in enumerate(pairwise(channels))
        ]
        super().__init__([*blocks, nn.ReLU(), SumPool(), nn.Linear(channels[-1], 1)], cut=2)
        self.apply(initialise)
        _widen(self)


class Up(nn.Module):
    """Doubles the grid: batch norm, ReLU, nearest pixels, convolution, twice, beside a shortcut."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        # A 1x1 convolution and copied pixels commute; convolving first takes a quarter of the work.
        doubled: Tensor = self.residual(x) + interpolate(self.shortcut(x), scale_factor=2)
        return doubled


class Down(nn.Module):
    """ReLU, convolution, twice, beside a shortcut; the mean of 2x2 pixels if `halve`.

    The first block sees images and starts without the ReLU. Means are taken before the shortcut, where there are fewer
    channels; the two commute.
    """

    def __init__(self, before: int, after: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        hidden = after if first else before
        layers = [nn.ReLU(), nn.Conv2d(before, hidden, 3, padding=1), nn.ReLU(), nn.Conv2d(hidden, after, 3, padding=1)]
        self.residual = nn.Sequential(*layers[first:])
        self.shortcut = nn.Conv2d(before, after, 1) if halve or before != after else nn.Identity()
        self.halve = halve

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.residual(x)
        if self.halve:
            residual, x = avg_pool2d(residual, 2), avg_pool2d(x, 2)
        shortcut: Tensor = self.shortcut(x)
        return residual + shortcut


class SumPool(nn.Module):
    """The sum over the grid: [n, channels, h, w] to [n, channels]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))


def initialise(layer: nn.Module) -> None:
    """Glorot's uniform weights, biases zero."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _widen(network: nn.Module) -> None:
    """The convolutions of a residual start larger by sqrt(2), which makes up for what ReLU takes away."""
    for block in network.modules():
        if isinstance(block, Up | Down):
            for layer in block.residual:
                if isinstance(layer, nn.Conv2d):
                    layer.weight.data.mul_(math.sqrt(2))


register(
    Model(
        "resnet",
        "residual blocks",
        ResNetGenerator,
        ResNetCritic,
        width=WIDTH,
        latent=128,
        sizes=tuple(LAYOUTS),
        source="Miyato et al. 2018",
    )
)
