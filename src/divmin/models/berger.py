"""Encoder, generator and critic of Berger & Sebag (2018), for 64 pixels, and the same tables for 32 and 16.

Given (and tested): 18,927,040, 18,155,715 and 40,560,145 parameters, biases included, for 64x64 colour images and 512
latents; the grids 64-64-32-16-16-8, 8-16-16-32-64-64 and 64-32-32-16-16-8; 16,384 values after the encoder's last
convolution and 24,576 after the critic's; 2 * 512 outputs of the encoder; 96x32x32 after the critic's second convolution;
ELU everywhere, tanh at the end of the generator.
Inferred: kernels, channels and the widths of the fully connected layers. Kernels of 4 where the grid changes and of 3, 5
or 7 elsewhere, channels that never shrink on the way to the coarsest grid, and fully connected layers of the widths that
tests/models/test_berger.py tries leave one table for each of the three counts: the ones below.
(Kernels of 1 would allow a second critic, 48-96-128-384-384 with 4-1-4-1-4 and layers of 1536 and 128.)
Not known, and settled here: PyTorch's own initial weights, and that layers which keep the grid are plain convolutions in
the generator too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from divmin.models.base import Shape, scaled
from divmin.models.layered import LayeredCritic
from divmin.models.registry import Model, register

WIDTH = 32
REDUCTION = 8  # from the image to the coarsest grid

# channels, kernel, stride
Row = tuple[int, int, int]
ENCODER: tuple[Row, ...] = ((32, 3, 1), (64, 4, 2), (128, 4, 2), (128, 5, 1), (256, 4, 2))
GENERATOR: tuple[Row, ...] = ((128, 4, 2), (128, 3, 1), (64, 4, 2), (32, 4, 2))  # then 3x3 to the colours
CRITIC: tuple[Row, ...] = ((48, 4, 2), (96, 5, 1), (192, 4, 2), (192, 5, 1), (384, 4, 2))
ENCODER_HIDDEN = (1024,)
GENERATOR_HIDDEN, GENERATOR_START = (1024,), 256
CRITIC_HIDDEN = (1536, 192)


class BergerGenerator(nn.Module):
    """Noise [n, latent] to images [n, channels, size, size] in [-1, 1].

    Args:
        shape: (channels, size, size); size is 16, 32 or 64.
        latent: length of a noise vector.
        width: 32 for the published network; all channels and hidden layers keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        size = shape[1] // REDUCTION
        start = scaled(GENERATOR_START, width, WIDTH)
        layers = _connected([latent, *_widths(GENERATOR_HIDDEN, width), start * size**2])
        layers += [nn.ELU(), nn.Unflatten(1, (start, size, size))]
        layers += _convolutions(start, GENERATOR, width, up=True)
        layers += [nn.Conv2d(scaled(GENERATOR[-1][0], width, WIDTH), shape[0], 3, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor) -> Tensor:
        images: Tensor = self.layers(noise)
        return images


class BergerCritic(LayeredCritic):
    """Images [n, channels, size, size] to raw scores [n].

    The features are the output of the second convolution, [n, 3 * width, size / 2, size / 2]: the layer on which the
    paper's likelihood is Gaussian. Whether before or after its ELU is not known.

    Args:
        shape: (channels, size, size); size is 16, 32 or 64.
        width: 32 for the published network; all channels and hidden layers keep their proportion to it.
        activated: features after the ELU instead of before.
    """

    def __init__(self, shape: Shape, *, width: int, activated: bool = False) -> None:
        units = scaled(CRITIC[-1][0], width, WIDTH) * (shape[1] // REDUCTION) ** 2
        layers = [*_convolutions(shape[0], CRITIC, width), nn.Flatten()]
        super().__init__([*layers, *_connected([units, *_widths(CRITIC_HIDDEN, width), 1])], cut=4 if activated else 3)


class BergerEncoder(nn.Module):
    """Images [n, channels, size, size] to mean and log-variance [n, 2 * latent].

    Args:
        shape: (channels, size, size); size is 16, 32 or 64.
        latent: length of a noise vector.
        width: 32 for the published network; all channels and hidden layers keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        units = scaled(ENCODER[-1][0], width, WIDTH) * (shape[1] // REDUCTION) ** 2
        layers = [*_convolutions(shape[0], ENCODER, width), nn.Flatten()]
        self.layers = nn.Sequential(*layers, *_connected([units, *_widths(ENCODER_HIDDEN, width), 2 * latent]))

    def forward(self, images: Tensor) -> Tensor:
        codes: Tensor = self.layers(images)
        return codes


def _widths(channels: Sequence[int], width: int) -> list[int]:
    return [scaled(each, width, WIDTH) for each in channels]


def _connected(units: Sequence[int]) -> list[nn.Module]:
    """Fully connected layers with ELU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(units):
        layers += [nn.Linear(before, after), nn.ELU()]
    return layers[:-1]


def _convolutions(before: int, rows: Sequence[Row], width: int, *, up: bool = False) -> list[nn.Module]:
    """Convolutions with an ELU behind each; stride 2 halves the grid, or doubles it if `up`."""
    layers: list[nn.Module] = []
    for channels, kernel, stride in rows:
        after = scaled(channels, width, WIDTH)
        kind = nn.ConvTranspose2d if up and stride > 1 else nn.Conv2d
        layers += [kind(before, after, kernel, stride, padding=(kernel - 1) // 2), nn.ELU()]
        before = after
    return layers


register(
    Model(
        "berger",
        "ELU everywhere, for likelihoods on a hidden layer of the critic",
        BergerGenerator,
        BergerCritic,
        BergerEncoder,
        width=WIDTH,
        latent=512,
        sizes=(16, 32, 64),
        source="Berger & Sebag 2018",
    )
)
