"""All that changes while a run trains, and nothing else: what a checkpoint stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from divmin.training.config import TrainConfig
from divmin.training.metrics import Record, Table
from divmin.training.randomness import seeded


@dataclass
class State:
    """The moving parts of a run.

    Args:
        generator, critic: the networks, wrapped for their device and precision; `.module` is the plain one.
        average: the moving average of the generator, in evaluation mode.
        generator_optimizer, critic_optimizer: one Adam each.
        noise: the source of z.
        critic_rows: critic_loss, mean and variance of d on data and on fakes, a row for each micro-batch.
        generator_rows: generator_loss, a row for each micro-batch.
        step: generator steps done.
        samples: data samples that the critic has seen, which is also the position in the stream of data.
        seconds: training time, and `seconds_at_record` what it was at the last record.
        latest: the last record.
        saved_step: the step of the checkpoint on disk.
    """

    generator: Any
    critic: Any
    average: nn.Module
    generator_optimizer: Any
    critic_optimizer: Any
    noise: torch.Generator
    critic_rows: Table
    generator_rows: Table
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    seconds_at_record: float = 0.0
    latest: Record | None = field(default=None)
    saved_step: int | None = None

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """What must stay finite: parameters, their average, and the optimisers' moments.

        Buffers are left out, since a network may keep an infinity there on purpose (an attention mask).
        """
        for owner, module in (("generator", self.generator.module), ("critic", self.critic.module)):
            yield from ((f"{owner} parameter {name}", value) for name, value in module.named_parameters())
        yield from ((f"averaged parameter {name}", value) for name, value in self.average.named_parameters())
        for owner, optimizer in (("generator", self.generator_optimizer), ("critic", self.critic_optimizer)):
            for index, moments in optimizer.state_dict()["state"].items():
                yield from ((f"{owner} optimiser's {name} {index}", value) for name, value in moments.items())


def begin(config: TrainConfig, generator: nn.Module, critic: nn.Module, average: nn.Module, fabric: Any) -> State:
    """The state at step 0, on the device.

    Args:
        config: learning rates, betas and sizes.
        generator, critic: plain networks, trained in place.
        average: see `frozen_copy`.
        fabric: a `lightning_fabric.Fabric`, which places networks and casts.
    """
    betas = (config.beta1, config.beta2)
    generator_optimizer = torch.optim.Adam(trainable(generator), lr=config.generator_lr, betas=betas, fused=True)
    critic_optimizer = torch.optim.Adam(trainable(critic), lr=config.critic_lr, betas=betas, fused=True)
    wrapped_generator, generator_optimizer = fabric.setup(generator.train(), generator_optimizer)
    wrapped_critic, critic_optimizer = fabric.setup(critic.train(), critic_optimizer)
    rows = min(config.log_every, config.steps) * config.accumulate
    return State(
        generator=wrapped_generator,
        critic=wrapped_critic,
        average=average.to(fabric.device),
        generator_optimizer=generator_optimizer,
        critic_optimizer=critic_optimizer,
        noise=seeded(config.seed, "noise"),
        critic_rows=Table(rows * config.critic_steps, 5, fabric.device),
        generator_rows=Table(rows, 1, fabric.device),
    )


@contextmanager
def frozen(weights: Sequence[nn.Parameter]) -> Iterator[None]:
    """Let gradients pass through the network of `weights` without being computed for them."""
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def trainable(module: nn.Module) -> list[nn.Parameter]:
    """The parameters that the owner of the network left open to training."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]
