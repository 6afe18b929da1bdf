"""Gradients of single moves at weights that stand still, to be compared with exact ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from divmin.data.base import Source
from divmin.training.config import TrainConfig
from divmin.training.ema import frozen_copy
from divmin.training.job import Job, Losses, Networks, rehearse
from divmin.training.launch import launched
from divmin.training.moves import draw_data, move_critic, move_generator
from divmin.training.probes import Probe
from divmin.training.randomness import seed_global, undisturbed
from divmin.training.state import begin

STILL = 1e-30  # a learning rate that moves no weight


def gradients(
    config: TrainConfig,
    recipe: Losses,
    source: Source,
    pair: Networks,
    *,
    of: str = "generator",
    moves: int = 1,
    probes: Sequence[Probe] = (),
) -> dict[str, Tensor]:
    """What each network is told in a move of the generator, or of the critic, as a run of this configuration begins.

    Args:
        config: the settings; no folder is written.
        recipe, source, pair: losses, data and networks, whose weights do not change.
        of: whose move: "generator" (with its encoder) or "critic".
        moves: how many, each with a batch of its own.
        probes: whose `scores` are told of the critic's outputs.

    Returns:
        The gradients of the generator, the critic and the encoder, [moves, weights] each; 0 where a network is told nothing.

    Example:
        >>> import divmin as dm
        >>> pair = dm.models.build("mlp", shape=(2,), latent=3, width=4)
        >>> found = gradients(TrainConfig(data="ring"), dm.recipe("minimax"), dm.data.load("ring"), pair)
        >>> bool(found["generator"].any()), bool(found["critic"].any())
        (True, False)
    """
    config = replace(config, generator_lr=STILL, critic_lr=STILL, steps=max(config.steps, moves), schedule="constant")
    rehearse(config, recipe, source, pair)
    with launched(config) as (fabric, processes):
        job = Job(config, recipe, source, pair, (), fabric, processes, Path(), tuple(probes))
        encoder = getattr(pair, "encoder", None) if job.data_term is not None else None
        networks = {"generator": pair.generator, "critic": pair.critic, "encoder": encoder}
        found: dict[str, list[Tensor]] = {name: [] for name, network in networks.items() if network is not None}
        with undisturbed(fabric.device):
            seed_global(config.seed, fabric.device)
            state = begin(config, pair.generator, pair.critic, encoder, frozen_copy(pair.generator), fabric)
            for _ in range(moves):
                state.critic_rows.clear()
                state.generator_rows.clear()
                (move_critic if of == "critic" else move_generator)(job, state, draw_data(job, state))
                for name, seen in found.items():
                    seen.append(_told(networks[name]))
    for network in networks.values():
        if network is not None:
            network.zero_grad(set_to_none=True)
    return {name: torch.stack(each) for name, each in found.items()}


def _told(network: nn.Module | None) -> Tensor:
    assert network is not None
    slopes = [torch.zeros_like(each) if each.grad is None else each.grad for each in network.parameters()]
    return torch.cat([each.detach().flatten().cpu().double() for each in slopes])
