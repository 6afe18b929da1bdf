"""Probes: what the caller wants to see during training, without touching it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from divmin.data.base import Source
from divmin.training.evaluations import Evaluation
from divmin.training.randomness import seeded, undisturbed
from divmin.training.record import Record
from divmin.training.run import picture_path


@dataclass(frozen=True, eq=False)
class View:
    """A run at one step, as a probe sees it.

    Args:
        step: generator steps done.
        steps: generator steps in all.
        samples: data samples that the critic has seen.
        latest: the last metrics record; None before the first.
        folder: the run folder.
        latent: dimension of z.
        average: the moving average of the generator, in evaluation mode; not to be changed.
        critic: the critic as it trains, on its device; not to be changed.
        seed: the run's seed.
        source: the data.
        evaluation: the last evaluation of samples on the way; None before the first.
    """

    step: int
    steps: int
    samples: int
    latest: Record | None
    folder: Path
    latent: int
    average: nn.Module
    critic: nn.Module
    seed: int
    source: Source
    evaluation: Evaluation | None = None

    @property
    def picture(self) -> Path:
        """Where a picture of this step belongs."""
        return picture_path(self.folder, self.step)

    def noise(self, n: int) -> Tensor:
        """The same z at every step of the run, [n, latent]: for pictures that can be compared."""
        return torch.randn(n, self.latent, generator=seeded(self.seed, "pictures"))

    def real(self, n: int) -> Tensor:
        """The first n samples of the data (all, if there are fewer), on the CPU, [n, *shape]: to look at beside `sample`."""
        return self.source.batch(torch.arange(min(n, self.source.size or n)))

    def sample(self, z: Tensor) -> Tensor:
        """The averaged generator's samples for z [n, latent], on the CPU, [n, *shape]."""
        with undisturbed(device_of(self.average)):
            return draw(self.average, z)


@dataclass(frozen=True)
class Probe:
    """A look at the run at step 0, after every `every` generator steps, and at the end.

    What `act` draws from PyTorch's global generators has no effect on the run.

    Args:
        every: generator steps between looks, at least 1.
        act: receives the view; what it returns is ignored.
        scores: is told of the critic's outputs in each of its moves, before it moves: the generator step that they belong to, and
            joint raw scores of data and of samples, which have a graph and are not to be changed.

    >>> steps = []
    >>> probe = Probe(every=10, act=lambda view: steps.append(view.step))
    """

    every: int
    act: Callable[[View], object]
    scores: Callable[[int, Tensor, Tensor], object] | None = None


def device_of(network: nn.Module) -> torch.device:
    """Where a network computes; one without parameters computes on the CPU."""
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))


def draw(generator: nn.Module, z: Tensor) -> Tensor:
    """Samples of a generator in evaluation mode for z [n, latent], on the CPU."""
    with torch.no_grad():
        samples: Tensor = generator(z.to(device_of(generator))).cpu()
    return samples
