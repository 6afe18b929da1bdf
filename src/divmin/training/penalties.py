"""The penalties that a configuration asks for, with their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divmin.objectives import penalties
from divmin.training.config import TrainConfig


@dataclass(frozen=True)
class Judged:
    """What the critic has seen, and its scores where they are in float32 with a graph to it."""

    x: Tensor
    scores: Tensor | None


Penalty = Callable[[nn.Module, Judged, Judged], Tensor]  # of the critic, on data and on samples


def between(critic: nn.Module, real: Judged, fake: Judged, *, one_sided: bool) -> Tensor:
    """The gradient penalty at random places between pairs."""
    share = torch.rand(len(real.x), device=real.x.device)
    return penalties.gradient_penalty(critic, real.x, fake.x, share, one_sided=one_sided)


KINDS: dict[str, Penalty] = {
    "r1": lambda critic, real, fake: penalties.r1(critic, real.x, real.scores),
    "r2": lambda critic, real, fake: penalties.r2(critic, fake.x, fake.scores),
    "gradient_penalty": lambda critic, real, fake: between(critic, real, fake, one_sided=False),
    "one_sided_penalty": lambda critic, real, fake: between(critic, real, fake, one_sided=True),
    "orthogonal": lambda critic, real, fake: penalties.orthogonal(critic),
}
NEEDS_SLOPES = {"r1", "r2"}  # of the very scores that the loss needs too


def chosen(config: TrainConfig) -> Sequence[Penalty]:
    """The penalties that are on, each times its weight and the number of critic steps that it stands for."""

    def weighed(weight: float, kind: Penalty) -> Penalty:
        return lambda critic, real, fake: weight * kind(critic, real, fake)

    return [weighed(weight * config.penalty_every, KINDS[name]) for name, weight in config.penalties.items()]
