"""Fully connected networks, for samples of any shape."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from divmin.models.base import Shape
from divmin.models.layered import LayeredCritic
from divmin.models.registry import Model, register

DEPTH = 3


class MLPGenerator(nn.Module):
    """Noise [n, latent] to samples [n, *shape]; the output is bounded by tanh for images, free for vectors.

    Args:
        shape: shape of one sample.
        latent: length of a noise vector.
        width: units of a hidden layer.
        depth: number of hidden layers.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int, depth: int = DEPTH) -> None:
        super().__init__()
        self.shape = shape
        sizes = [latent] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        layers.append(nn.Linear(sizes[-1], math.prod(shape)))
        if len(shape) == 3:
            layers.append(nn.Tanh())
        self.layers = nn.Sequential(*layers)

    def forward(self, noise: Tensor) -> Tensor:
        flat: Tensor = self.layers(noise)
        samples: Tensor = flat.unflatten(1, self.shape)
        return samples


class MLPCritic(LayeredCritic):
    """Samples [n, *shape] to raw scores [n]; the features are the second hidden layer before its activation, [n, width].

    Args:
        shape: shape of one sample.
        width: units of a hidden layer.
        depth: number of hidden layers; with a single one, that one gives the features.
    """

    def __init__(self, shape: Shape, *, width: int, depth: int = DEPTH) -> None:
        sizes = [math.prod(shape)] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        layers.append(nn.Linear(sizes[-1], 1))
        super().__init__(layers, cut=3 if depth > 1 else 1)

    def features(self, samples: Tensor) -> Tensor:
        """Samples [n, *shape] to the hidden layer [n, width]."""
        return super().features(samples.flatten(1))


class MLPEncoder(nn.Module):
    """Samples [n, *shape] to mean and log-variance [n, 2 * latent]: the generator's layers the other way round.

    Args:
        shape: shape of one sample.
        latent: length of a noise vector.
        width: units of a hidden layer.
        depth: number of hidden layers.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int, depth: int = DEPTH) -> None:
        super().__init__()
        sizes = [math.prod(shape)] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 2 * latent))

    def forward(self, samples: Tensor) -> Tensor:
        codes: Tensor = self.layers(samples.flatten(1))
        return codes


register(
    Model(
        "mlp",
        "fully connected, three hidden layers, for vectors and small images",
        MLPGenerator,
        MLPCritic,
        MLPEncoder,
        width=128,
        latent=16,
    )
)
