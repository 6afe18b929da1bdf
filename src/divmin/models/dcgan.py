"""Deep convolutional networks for square images of 8 to 64 pixels (Radford et al. 2016)."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from divmin.models.base import Shape
from divmin.models.layered import LayeredCritic
from divmin.models.registry import Model, register


def resolutions(size: int) -> list[int]:
    """Side lengths from the image down to the coarsest grid (2 to 4 pixels), each half of the one before, rounded up.

    Example:
        >>> resolutions(64), resolutions(28)
        ([64, 32, 16, 8, 4], [28, 14, 7, 4])
    """
    sizes = [size]
    while sizes[-1] > 4 or len(sizes) < 3:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def kernel(fine: int) -> int:
    """The kernel that, with stride 2 and padding 1, joins grids of `fine` pixels and of half as many, rounded up."""
    return 3 if fine % 2 else 4


class DCGANGenerator(nn.Module):
    """Noise [n, latent] to images [n, channels, size, size] in [-1, 1].

    Args:
        shape: (channels, size, size).
        latent: length of a noise vector.
        width: channels of the finest hidden grid; they double at every coarser one.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        sizes = resolutions(shape[1])[::-1]
        channels = [width * 2**power for power in range(len(sizes) - 2, -1, -1)]
        self.coarsest = (channels[0], sizes[0], sizes[0])
        self.project = nn.Linear(latent, channels[0] * sizes[0] ** 2, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(channels[0]), nn.ReLU()]
        for (before, after), fine in zip(pairwise(channels), sizes[1:-1], strict=True):
            layers += [
                nn.ConvTranspose2d(before, after, kernel(fine), stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        layers += [nn.ConvTranspose2d(channels[-1], shape[0], kernel(sizes[-1]), stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, noise: Tensor) -> Tensor:
        images: Tensor = self.layers(self.project(noise).unflatten(1, self.coarsest))
        return images


class DCGANCritic(LayeredCritic):
    """Images [n, channels, size, size] to raw scores [n]; the features are the output of the second convolution.

    Args:
        shape: (channels, size, size).
        width: channels of the finest hidden grid; they double at every coarser one.
    """

    def __init__(self, shape: Shape, *, width: int) -> None:
        layers, units = descent(shape, width)
        super().__init__([*layers, nn.Linear(units, 1)], cut=3)
        self.apply(initialise)


class DCGANEncoder(nn.Module):
    """Images [n, channels, size, size] to mean and log-variance [n, 2 * latent], by the grids of the generator.

    Args:
        shape: (channels, size, size).
        latent: length of a noise vector.
        width: channels of the finest hidden grid; they double at every coarser one.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        layers, units = descent(shape, width)
        self.layers = nn.Sequential(*layers, nn.Linear(units, 2 * latent))
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        codes: Tensor = self.layers(images)
        return codes


def descent(shape: Shape, width: int) -> tuple[list[nn.Module], int]:
    """Layers from images down to a flat vector, and the length of that vector."""
    sizes = resolutions(shape[1])
    channels = [shape[0], *(width * 2**power for power in range(len(sizes) - 1))]
    layers: list[nn.Module] = []
    for (before, after), fine in zip(pairwise(channels), sizes[:-1], strict=True):
        layers.append(nn.Conv2d(before, after, kernel(fine), stride=2, padding=1))
        # The critic of the DCGAN paper normalises over the batch. Then the score of an image depends on the images
        # beside it, which gives real and fake batches away as batches and is no estimate of log p/q. One group
        # normalises each image on its own; with no normalisation the digits fell into one class early in training.
        # The layer that sees the pixels is spared, so that brightness and contrast stay visible.
        if fine != sizes[0]:
            layers.append(nn.GroupNorm(1, after))
        layers.append(nn.LeakyReLU(0.2))
    return [*layers, nn.Flatten()], channels[-1] * sizes[-1] ** 2


def initialise(layer: nn.Module) -> None:
    """Weights from N(0, 0.02^2), gains of normalisations from N(1, 0.02^2), biases zero (Radford et al. sect. 4)."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d | nn.GroupNorm):
        nn.init.normal_(layer.weight, 1.0, 0.02)
    else:
        return
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


register(
    Model(
        "dcgan",
        "convolutions with stride, for square images",
        DCGANGenerator,
        DCGANCritic,
        DCGANEncoder,
        width=32,
        latent=64,
        sizes=range(8, 65),
        source="Radford et al. 2016",
    )
)
