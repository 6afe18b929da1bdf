"""What a configuration names: losses, data and networks."""

from __future__ import annotations

import warnings
from typing import Any

from divmin.data.base import Source
from divmin.data.sets import Track
from divmin.errors import DivminError, DivminWarning
from divmin.training.config import TrainConfig
from divmin.training.data_term import data_term
from divmin.training.job import Losses, Networks
from divmin.training.launch import first_process


def parts(
    config: TrainConfig,
    recipe: Losses | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    *,
    track: Track = iter,
) -> tuple[Losses, Source, Networks]:
    """Losses, data and networks of a run; what is given is taken in the place of a name.

    `track` wraps the numbers of the pictures while data are read, to show progress.

    Example:
        >>> losses, source, pair = parts(TrainConfig(recipe="minimax", data="ring", model="mlp", label_smoothing=0.1))
        >>> losses.name, source.shape, pair.name
        ('smoothed(minimax, 0.9)', (2,), 'mlp')
    """
    from divmin import data, models

    recipe = losses(config, recipe)
    if source is None:
        with warnings.catch_warnings():
            if not first_process():  # one of several that read the same says it
                warnings.simplefilter("ignore", DivminWarning)
            source = data.load(
                config.data,
                seed=config.seed,
                image_size=config.image_size,
                channels=config.channels,
                corrupt=config.corrupt,
                track=track,
            )
    if pair is None:
        pair = models.build(
            config.model,
            shape=tuple(source.shape),
            latent=config.latent,
            width=config.width,
            seed=config.seed,
            packing=config.packing,
            encoder=data_term(recipe) is not None,
        )
    if config.spectral_norm:
        models.spectral_norm(pair.critic)
    return recipe, source, pair


def losses(config: TrainConfig, recipe: Any = None) -> Losses:
    """The losses, with smoothed labels where the configuration asks for them.

    Raises:
        DivminError: a name that is not known, or losses whose labels cannot be smoothed.
    """
    from divmin.objectives import Recipe
    from divmin.objectives import recipe as named
    from divmin.objectives.modifiers import smoothed

    found: Any = named(config.recipe) if recipe is None else recipe
    if not config.label_smoothing:
        return found  # type: ignore[no-any-return]
    if not isinstance(found, Recipe):
        raise DivminError(f"label_smoothing needs a recipe with one loss a sample; {found.name} has none")
    return smoothed(found, 1 - config.label_smoothing)
