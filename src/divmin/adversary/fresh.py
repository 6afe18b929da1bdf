"""A critic that has seen nothing yet, of a run's own architecture or another."""

from __future__ import annotations

import copy

import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import build, models
from divmin.training import TrainConfig
from divmin.training.job import Networks


def fresh(
    config: TrainConfig,
    shape: tuple[int, ...],
    *,
    pair: Networks | None = None,
    model: str | None = None,
    width: int | None = None,
    seed: int = 0,
) -> tuple[nn.Module, str]:
    """A freshly initialised critic without the regularisers of the run, and its description.

    Args:
        config: the run's settings.
        shape: of one sample.
        pair: the networks of a run that was started with its own.
        model: another architecture, by name.
        width: another width.
        seed: names the initial weights; the global random state is left as it was.

    Raises:
        DivminError: an unknown model or sizes it cannot have, or a network that cannot be initialised anew.

    Example:
        >>> fresh(TrainConfig(model="mlp"), (2,), width=16)[1]
        'mlp of width 16, 609 parameters'
    """
    if pair is not None and model is None:
        if width is not None:
            raise DivminError(
                f"width is for a model by name; {pair.name} is a pair of networks of its own: give model= too"
            )
        if config.packing > 1:
            raise DivminError(
                f"the critic of {pair.name} judges {config.packing} samples together: give model= for a critic of single ones"
            )
        critic, said = renewed(pair.critic, pair.name, seed), pair.name
    else:
        name = config.model if model is None else model
        if width is None and model is None:
            width = config.width
        critic = build(name, shape=shape, latent=1, width=width, seed=seed).critic
        said = f"{name} of width {models()[name].width if width is None else width}"
    return critic, f"{said}, {sum(weight.numel() for weight in critic.parameters())} parameters"


def renewed(network: nn.Module, name: str, seed: int) -> nn.Module:
    """A copy whose layers have drawn their initial weights again.

    Raises:
        DivminError: a layer with weights of its own and no `reset_parameters`, whose initial law nobody knows.
    """
    made = copy.deepcopy(network).requires_grad_(True)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        for layer in made.modules():
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()
            elif next(layer.parameters(recurse=False), None) is not None:
                raise DivminError(
                    f"the critic of {name} cannot be initialised anew: its {type(layer).__name__} has weights and no "
                    "reset_parameters(); add it, or give model= for a critic by name"
                )
    return made
