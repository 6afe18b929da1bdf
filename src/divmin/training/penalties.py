"""The penalties that a configuration asks for, with their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from divmin.objectives import penalties
from divmin.training.config import TrainConfig

Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]  # of the critic, and what it sees of data and of samples


def between(critic: nn.Module, real: Tensor, fake: Tensor, *, one_sided: bool) -> Tensor:
    """The gradient penalty at random places between pairs."""
    share = torch.rand(len(real), device=real.device)
    return penalties.gradient_penalty(critic, real, fake, share, one_sided=one_sided)


KINDS: dict[str, Penalty] = {
    "r1": lambda critic, real, fake: penalties.r1(critic, real),
    "r2": lambda critic, real, fake: penalties.r2(critic, fake),
    "gradient_penalty": lambda critic, real, fake: between(critic, real, fake, one_sided=False),
    "one_sided_penalty": lambda critic, real, fake: between(critic, real, fake, one_sided=True),
    "orthogonal": lambda critic, real, fake: penalties.orthogonal(critic),
}


def chosen(config: TrainConfig) -> Sequence[Penalty]:
    """The penalties that are on, each times its weight and the number of critic steps that it stands for."""

    def weighed(weight: float, kind: Penalty) -> Penalty:
        return lambda critic, real, fake: weight * kind(critic, real, fake)

    return [weighed(weight * config.penalty_every, KINDS[name]) for name, weight in config.penalties.items()]
