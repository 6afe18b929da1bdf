"""What networks promise: a generator turns noise into samples, a critic scores samples, an encoder goes back to noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Pair:
    """A generator and a critic for samples of one shape, and an encoder where one was asked for.

    A critic scores every sample on its own: the score is a function of x, as log p/q is. With packing it is a function
    of `packing` samples at once (`pack`), and stands for the sum of their log p/q.

    Args:
        generator: noise [n, latent] to samples [n, *shape].
        critic: samples [n, *shape] to raw scores [n], higher meaning more real; packed samples if packing > 1.
        latent: length of a noise vector.
        shape: shape of one sample.
        name: what to call the pair.
        encoder: samples [n, *shape] to [n, 2 * latent]: mean and log-variance of q(z|x), one behind the other.
        packing: how many samples the critic looks at in one.

    Example:
        >>> pair = Pair(nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)), latent=3, shape=(2,), name="own")
        >>> pair.encoder is None, pair.packing
        (True, 1)
    """

    generator: nn.Module
    critic: nn.Module
    latent: int
    shape: Shape
    name: str
    encoder: nn.Module | None = None
    packing: int = 1


@runtime_checkable
class FeatureCritic(Protocol):
    """A critic cut in two behind a hidden layer h: critic(x) == head(features(x)).

    A Gaussian around h(x) is a likelihood of samples that forgives what the critic does not see (Larsen et al. 2016,
    Berger & Sebag 2018). All critics of the registry are such critics.
    """

    def features(self, x: Tensor) -> Tensor:
        """Samples [n, *shape] to the hidden layer [n, ...]."""
        ...

    def head(self, h: Tensor) -> Tensor:
        """The hidden layer [n, ...] to raw scores [n]."""
        ...


def scaled(channels: int, width: int, base: int) -> int:
    """Channels of a layer when its network is built `width` wide instead of `base`: at least 1.

    Example:
        >>> scaled(256, 32, 128), scaled(256, 128, 128), scaled(3, 1, 32)
        (64, 256, 1)
    """
    return max(1, channels * width // base)
