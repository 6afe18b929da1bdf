"""All that changes while a run trains, and nothing else: what a checkpoint stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from divmin.training.config import TrainConfig
from divmin.training.evaluations import Evaluation
from divmin.training.judge import Best
from divmin.training.metrics import CRITIC_COLUMNS, GENERATOR_COLUMNS, Record, Table
from divmin.training.randomness import seeded


@dataclass
class State:
    """The moving parts of a run.

    Args:
        generator, critic: the networks.
        encoder: the network of q(z|x); None where no loss needs one.
        average: the moving average of the generator, in evaluation mode.
        generator_optimizer, critic_optimizer: one Adam each; the first also moves the encoder.
        noise: the source of z.
        critic_rows, generator_rows: see `CRITIC_COLUMNS` and `GENERATOR_COLUMNS`, a row for each micro-batch.
        step: generator steps done.
        samples: data samples that were seen, which is also the position in the stream of data.
        seconds: training time, and `seconds_at_record` what it was at the last record.
        latest: the last record.
        evaluation: the last evaluation of samples, in the process that evaluates.
        saved_step: the step of the checkpoint on disk.
        best: the best value of the metric that decides.
    """

    generator: nn.Module
    critic: nn.Module
    encoder: nn.Module | None
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
    evaluation: Evaluation | None = None
    saved_step: int | None = None
    best: Best = field(default_factory=Best)

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by the names that a checkpoint gives them."""
        encoder = {} if self.encoder is None else {"encoder": self.encoder}
        return {"generator": self.generator, "critic": self.critic, "average": self.average, **encoder}

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """What must stay finite: parameters, their average, and the optimisers' moments.

        Buffers are left out, since a network may keep an infinity there on purpose (an attention mask).
        """
        for owner, module in self.networks.items():
            kind = "averaged parameter" if owner == "average" else f"{owner} parameter"
            yield from ((f"{kind} {name}", value) for name, value in module.named_parameters())
        for owner, optimizer in (("generator", self.generator_optimizer), ("critic", self.critic_optimizer)):
            for index, moments in optimizer.state_dict()["state"].items():
                yield from ((f"{owner} optimiser's {name} {index}", value) for name, value in moments.items())


def begin(
    config: TrainConfig,
    generator: nn.Module,
    critic: nn.Module,
    encoder: nn.Module | None,
    average: nn.Module,
    fabric: Any,
) -> State:
    """The state at step 0, on the device.

    Args:
        config: learning rates, betas and sizes.
        generator, critic, encoder: plain networks, trained in place.
        average: see `frozen_copy`.
        fabric: a `lightning_fabric.Fabric`, which knows the device and the precision.
    """
    networks = (generator, critic) if encoder is None else (generator, critic, encoder)
    for network in networks:
        network.to(fabric.device).train()
        if config.compile:
            network.compile()
    betas = (config.beta1, config.beta2)
    drawn = [weight for network in networks if network is not critic for weight in trainable(network)]
    optimizers = (
        torch.optim.Adam(drawn, lr=config.generator_lr, betas=betas, fused=True),
        torch.optim.Adam(trainable(critic), lr=config.critic_lr, betas=betas, fused=True),
    )
    generator_optimizer, critic_optimizer = fabric.setup_optimizers(*optimizers)
    rows = min(config.log_every, config.steps) * config.accumulate
    return State(
        generator=generator,
        critic=critic,
        encoder=encoder,
        average=average.to(fabric.device),
        generator_optimizer=generator_optimizer,
        critic_optimizer=critic_optimizer,
        noise=seeded(config.seed, "noise"),
        critic_rows=Table(rows * config.critic_steps, len(CRITIC_COLUMNS), fabric.device),
        generator_rows=Table(rows, len(GENERATOR_COLUMNS), fabric.device),
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
