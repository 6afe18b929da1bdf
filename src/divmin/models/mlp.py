"""Fully connected generator and critic, for samples of any shape."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from divmin.models.base import register

DEPTH = 3


class MLPGenerator(nn.Module):
    """Noise [n, latent] to samples [n, *shape]; the output is bounded by tanh for images, free for vectors.

    Args:
        shape: shape of one sample.
        latent: length of a noise vector.
        width: units of a hidden layer.
        depth: number of hidden layers.
    """

    def __init__(self, shape: tuple[int, ...], *, latent: int, width: int, depth: int = DEPTH) -> None:
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


class MLPCritic(nn.Module):
    """Samples [n, *shape] to raw scores [n].

    Args:
        shape: shape of one sample.
        width: units of a hidden layer.
        depth: number of hidden layers.
    """

    def __init__(self, shape: tuple[int, ...], *, width: int, depth: int = DEPTH) -> None:
        super().__init__()
        sizes = [math.prod(shape)] + [width] * depth
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
        layers.append(nn.Linear(sizes[-1], 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, samples: Tensor) -> Tensor:
        scores: Tensor = self.layers(samples.flatten(1))
        return scores.squeeze(1)


@register("mlp", "fully connected pair for vectors and small images", width=128, latent=16)
def mlp(shape: tuple[int, ...], *, latent: int, width: int) -> tuple[nn.Module, nn.Module]:
    """A fully connected generator and critic with three hidden layers each."""
    return MLPGenerator(shape, latent=latent, width=width), MLPCritic(shape, width=width)
