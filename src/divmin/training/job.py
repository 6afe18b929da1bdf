"""All that stays fixed while a run trains, and the check that its parts fit together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from divmin.data.base import Source
from divmin.errors import DivminError
from divmin.training.config import TrainConfig
from divmin.training.data_term import DataTerm, data_term, plays
from divmin.training.fingerprint import fingerprint
from divmin.training.judge import Judge
from divmin.training.parallel import Processes
from divmin.training.penalties import Penalty, chosen
from divmin.training.probes import Probe
from divmin.training.randomness import seeded, undisturbed
from divmin.training.seen import Sight


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

    # and, where a loss has a data term, `encoder`: [n, *shape] -> [n, 2 latent], means and log-variances


@dataclass(frozen=True, eq=False)
class Job:
    """The fixed parts of a run.

    Args:
        config: the settings.
        recipe, source, pair: losses, data and networks.
        supplied: which of recipe, source and pair the caller built, so that their names alone cannot.
        fabric: a `lightning_fabric.Fabric`.
        processes: which process this is, of how many.
        folder: the run folder.
        probes: the caller's looks at the run.
        judge: what measures samples on the way.
        identity: names the run, also when its folder is moved or copied.
    """

    config: TrainConfig
    recipe: Losses
    source: Source
    pair: Networks
    supplied: tuple[str, ...]
    fabric: Any
    processes: Processes
    folder: Path
    probes: Sequence[Probe]
    judge: Judge | None = None
    identity: str | None = None

    @property
    def needs_real(self) -> bool:
        """Whether the generator's loss compares samples with data."""
        return bool(getattr(self.recipe, "needs_real", False))

    @cached_property
    def hearers(self) -> Sequence[Callable[[int, Tensor, Tensor], object]]:
        """What is told of the critic's scores; of several processes the first hears them all."""
        return [probe.scores for probe in self.probes if probe.scores is not None] if self.processes.first else []

    @cached_property
    def sight(self) -> Sight:
        """What the critic sees of a batch."""
        return Sight.of(self.config)

    @cached_property
    def penalties(self) -> Sequence[Penalty]:
        """The penalties that are on."""
        return chosen(self.config)

    @cached_property
    def plays(self) -> bool:
        """Whether the generator's loss depends on the critic at all."""
        return plays(self.recipe)

    @cached_property
    def data_term(self) -> DataTerm | None:
        """The term in -log q on data; None for a purely adversarial loss."""
        return data_term(self.recipe)

    @property
    def about(self) -> Mapping[str, Any]:
        """What a checkpoint says of the run besides its state."""
        return {
            "config": self.config.to_json(),
            "supplied": list(self.supplied),
            "shape": list(self.source.shape),
            "size": self.source.size,
            "fingerprint": self.fingerprint,
            "latent": self.pair.latent,
            "run": self.identity,
        }

    @cached_property
    def fingerprint(self) -> Tensor:
        """What tells these data from others."""
        return fingerprint(self.source)


def rehearse(config: TrainConfig, recipe: Losses, source: Source, pair: Networks) -> None:
    """Pass one micro-batch through all parts before training, in evaluation mode, and change nothing.

    Raises:
        DivminError: one line that says which part returned what, and what it should have returned.
    """
    fits(config, recipe, pair)
    n, sight, term = config.micro_batch, Sight.of(config), data_term(recipe)
    cpu = torch.device("cpu")
    z = torch.randn(n, pair.latent, generator=seeded(config.seed, "rehearsal"))
    data = source.batch(torch.arange(n) % (source.size or n))
    _expect("the data source", data, (n, *source.shape))
    encoder = getattr(pair, "encoder", None)
    networks = [network for network in (pair.generator, pair.critic, encoder) if network is not None]
    modes = [(module, module.training) for network in networks for module in network.modules()]
    try:
        with torch.no_grad(), undisturbed(cpu):
            for network in networks:
                network.eval()
            fake = _call("the generator", pair.generator, z)
            _expect("the generator", fake, (n, *source.shape))
            seen = [sight(x, 0) for x in (data, fake)]
            scores = [_call("the critic", pair.critic, x) for x in seen]
            judged = n // config.packing
            for one in scores:
                # [n, 1] is taken as [n]; anything else is not one score a sample.
                _expect("the critic", one.flatten() if one.shape == (judged, 1) else one, (judged,))
            real, fake = (one.flatten() for one in scores)
            compared = {"real": real} if getattr(recipe, "needs_real", False) else {}
            for what, loss in (
                ("critic_loss", recipe.critic_loss(real, fake)),
                ("generator_loss", recipe.generator_loss(fake, **compared)),
            ):
                _expect(f"the recipe's {what}", loss, ())
            if encoder is not None and (term is not None or config.fakes != "prior"):
                _expect("the encoder", _call("the encoder", encoder, data), (n, 2 * pair.latent))
            if term is not None and config.likelihood == "features":
                hidden = pair.critic.features(data)  # type: ignore[operator]
                parts = pair.critic.head(hidden).flatten()  # type: ignore[operator]
                if not torch.allclose(parts, pair.critic(data).flatten(), rtol=1e-4, atol=1e-5):
                    raise DivminError("the critic's head(features(x)) differs from critic(x): they must be equal")
    finally:
        for module, training in modes:
            module.training = training
    for what, trained in (("generator", pair.generator), ("critic", pair.critic)):
        if not any(parameter.requires_grad for parameter in trained.parameters()):
            raise DivminError(f"the {what} has no parameter to train: every one has requires_grad=False")


def fits(config: TrainConfig, recipe: Losses, pair: Networks) -> None:
    """Refuse settings that this recipe and these networks cannot have together."""
    encoder, term = getattr(pair, "encoder", None), data_term(recipe)
    splits = hasattr(pair.critic, "features") and hasattr(pair.critic, "head")
    wants_encoder = term is not None or config.fakes != "prior"
    gaussian = (("likelihood", "pixels"), ("likelihood_sd", 1.0))
    idle = [f"{name}={getattr(config, name)}" for name, usual in gaussian if getattr(config, name) != usual]
    unfit = {
        f"{recipe.name} has a term in the model's likelihood of the data, which needs an encoder; {pair.name} has none: "
        "choose a model with one, or Pair(..., encoder=)": term is not None and encoder is None,
        f"fakes={config.fakes} is for recipes with a data term, whose encoder makes reconstructions; {recipe.name} has none": (
            config.fakes != "prior" and term is None
        ),
        f"{' and '.join(idle)} would do nothing: the Gaussian is that of a data term, which {recipe.name} has not, or of "
        "likelihood_noise; leave them out, or choose a recipe such as sdkl": (
            term is None and not config.likelihood_noise and bool(idle)
        ),
        f"a likelihood of features needs a critic with features(x) and head(h); that of {pair.name} has none": (
            (wants_encoder or config.likelihood_noise) and config.likelihood == "features" and not splits
        ),
        "packing judges several samples at once, and a data term needs one score each: leave one of them out": (
            config.packing > 1 and wants_encoder
        ),
        f"{recipe.name} compares with averages over the whole batch: accumulate must be 1": (
            config.accumulate > 1 and bool(getattr(recipe, "average", False))
        ),
        f"{recipe.name} needs a critic: critic_steps must be at least 1": (
            config.critic_steps == 0 and (plays(recipe) or (term is not None and term.constant is None))
        ),
    }
    for message, true in unfit.items():
        if true:
            raise DivminError(message)


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
