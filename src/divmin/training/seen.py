"""What the critic sees of a batch: with noise, changed, and several samples at once; the same for data and samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divmin.errors import DivminError
from divmin.models.packing import pack
from divmin.training.augment import augmentation
from divmin.training.config import TrainConfig
from divmin.training.schedule import annealed


@dataclass(frozen=True)
class Sight:
    """How a batch looks to the critic; every part lets gradients through.

    Args:
        noise: standard deviation of instance noise at step 0.
        noise_steps: steps in which it falls to 0.
        changes: differentiable augmentations.
        packing: samples that make one input.
    """

    noise: float
    noise_steps: int
    changes: Sequence[Callable[[Tensor], Tensor]]
    packing: int

    @classmethod
    def of(cls, config: TrainConfig) -> Sight:
        """What a configuration asks for."""
        steps = config.steps if config.instance_noise_steps is None else config.instance_noise_steps
        return cls(config.instance_noise, steps, augmentation(config.augment), config.packing)

    def __call__(self, x: Tensor, step: int) -> Tensor:
        """Inputs of the critic for samples [n, c, ...]: [n / packing, packing c, ...]."""
        if self.changes and x.dim() != 4:
            raise DivminError(
                f"augment needs images, [n, channels, height, width]; got samples of shape {list(x.shape[1:])}"
            )
        if self.noise and (sd := annealed(self.noise, step, self.noise_steps)):
            x = x + sd * torch.randn_like(x)
        for change in self.changes:
            x = change(x)
        return pack(x, self.packing)


def score(critic: nn.Module, x: Tensor, *, features: bool = False, sd: float = 0.0) -> Tensor:
    """The critic's scores of what it sees, [n]; of draws from N(x, sd^2), or from a normal law around its features of x.

    Args:
        critic: maps inputs to scores; with features(x) and head(h) where `features` is asked for.
        x: inputs.
        features: whether the noise is added to features.
        sd: its standard deviation; 0 for none.
    """
    if sd == 0:
        scores: Tensor = critic(x)
    elif features:
        hidden = critic.features(x)  # type: ignore[operator]
        scores = critic.head(hidden + sd * torch.randn_like(hidden))  # type: ignore[operator]
    else:
        scores = critic(x + sd * torch.randn_like(x))
    return scores.flatten().float()
