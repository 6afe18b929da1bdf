"""All that stays fixed while a run trains, and the check that its parts fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from divmin.data.base import Source
from divmin.errors import DivminError
from divmin.training.config import TrainConfig
from divmin.training.probes import Probe
from divmin.training.randomness import seeded, undisturbed


class Losses(Protocol):
    """Two losses of raw critic scores, both minimised: what the loop needs of a recipe.

    One whose `needs_real` is true gets the scores of data in its generator loss too, as `real`.
    """

    @property
    def name(self) -> str: ...

    @property
    def critic_loss(self) -> Callable[..., Tensor]: ...

    @property
    def generator_loss(self) -> Callable[..., Tensor]: ...


class Networks(Protocol):
    """A generator [n, latent] -> [n, *shape] and a critic [n, *shape] -> [n]: what the loop needs of a pair."""

    @property
    def name(self) -> str: ...

    @property
    def generator(self) -> nn.Module: ...

    @property
    def critic(self) -> nn.Module: ...

    @property
    def latent(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Job:
    """The fixed parts of a run.

    Args:
        config: the settings.
        recipe, source, pair: losses, data and networks.
        supplied: which of recipe, source and pair the caller built, so that their names alone cannot.
        fabric: a `lightning_fabric.Fabric`.
        folder: the run folder.
        probes: the caller's looks at the run.
    """

    config: TrainConfig
    recipe: Losses
    source: Source
    pair: Networks
    supplied: tuple[str, ...]
    fabric: Any
    folder: Path
    probes: Sequence[Probe]

    @property
    def needs_real(self) -> bool:
        """Whether the generator's loss compares samples with data."""
        return bool(getattr(self.recipe, "needs_real", False))

    def about(self) -> Mapping[str, Any]:
        """What a checkpoint says of the run besides its state."""
        return {
            "config": self.config.to_json(),
            "supplied": list(self.supplied),
            "shape": list(self.source.shape),
            "size": self.source.size,
            "latent": self.pair.latent,
        }


def rehearse(config: TrainConfig, recipe: Losses, source: Source, pair: Networks) -> None:
    """Pass one micro-batch through all parts before training, in evaluation mode, and change nothing.

    Raises:
        DivminError: one line that says which part returned what, and what it should have returned.
    """
    if getattr(recipe, "likelihood", None) is not None:
        raise DivminError(
            f"{recipe.name} has a term in the model's likelihood of the data, which these generators do not have: "
            "it can be explained but not trained"
        )
    n = config.micro_batch
    cpu = torch.device("cpu")
    z = torch.randn(n, pair.latent, generator=seeded(config.seed, "rehearsal"))
    data = source.batch(torch.arange(n) % (source.size or n))
    _expect("the data source", data, (n, *source.shape))
    modes = [(module, module.training) for network in (pair.generator, pair.critic) for module in network.modules()]
    try:
        with torch.no_grad(), undisturbed(cpu):
            pair.generator.eval(), pair.critic.eval()
            fake = _call("the generator", pair.generator, z)
            _expect("the generator", fake, (n, *source.shape))
            scores = [_call("the critic", pair.critic, x) for x in (data, fake)]
            for score in scores:
                # [n, 1] is taken as [n]; anything else is not one score a sample.
                _expect("the critic", score.flatten() if score.shape == (n, 1) else score, (n,))
            real, fake = (score.flatten() for score in scores)
            compared = {"real": real} if getattr(recipe, "needs_real", False) else {}
            for what, loss in (
                ("critic_loss", recipe.critic_loss(real, fake)),
                ("generator_loss", recipe.generator_loss(fake, **compared)),
            ):
                _expect(f"the recipe's {what}", loss, ())
    finally:
        for module, training in modes:
            module.training = training
    for what, network in (("generator", pair.generator), ("critic", pair.critic)):
        if not any(parameter.requires_grad for parameter in network.parameters()):
            raise DivminError(f"the {what} has no parameter to train: every one has requires_grad=False")


def _call(what: str, network: nn.Module, x: Tensor) -> Tensor:
    try:
        result: Tensor = network(x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        line = " ".join(str(error).split())
        raise DivminError(f"{what} fails on an input of shape {list(x.shape)}: {line}") from error
    return result


def _expect(what: str, value: object, shape: tuple[int, ...]) -> None:
    if not isinstance(value, Tensor):
        raise DivminError(f"{what} returned {type(value).__name__}, expected a tensor of shape {list(shape)}")
    if tuple(value.shape) != shape:
        raise DivminError(f"{what} returned shape {list(value.shape)}, expected {list(shape)}")
    if not bool(torch.isfinite(value).all()):
        raise DivminError(f"{what} returned a value that is not finite on its first batch")
