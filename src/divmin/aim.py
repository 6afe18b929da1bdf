"""What a run minimises, by its settings: the explanation of its recipe with all that its regularisers do to it."""

from __future__ import annotations

from divmin import training
from divmin.errors import DivminError
from divmin.explanation import Explanation, audit, explain
from divmin.explanation.record import tails_text
from divmin.objectives import Own, Recipe, Relativistic
from divmin.training import TrainConfig


def explained(config: TrainConfig, recipe: object = None) -> Explanation | None:
    """What a run minimises, and what its regularisers do to that; None for losses that cannot be asked.

    Args:
        config: the settings, which name the recipe and the regularisers.
        recipe: the object of a run that was started with one.
    """
    if config.fakes != "prior":
        return None  # the critic compares data with reconstructions: it says nothing of the model's samples
    try:
        losses = training.losses(config, recipe)
        if isinstance(losses, Own):
            return audit(losses.critic_loss, losses.generator_loss).explanation
        if not isinstance(losses, Recipe | Relativistic):
            return None
        named = recipe is None and not config.label_smoothing  # an answer for a name is remembered
        return explain(
            config.recipe if named else losses, penalty=(*config.regularisers, *_of_data_term(config, losses))
        )
    except DivminError:  # the run has trained with these losses, so they are no reason to fail now
        return None


def _of_data_term(config: TrainConfig, losses: Recipe | Relativistic) -> tuple[str, ...]:
    """What the settings of a likelihood do to the answer."""
    if getattr(losses, "likelihood", None) is None:
        return ()
    features = ("likelihood_of_features",) if config.likelihood == "features" else ()
    return features if config.likelihood_noise else (*features, "mean_of_likelihood")


def sentences(config: TrainConfig, found: Explanation | None) -> list[str]:
    """What a run minimises: the answer, its tails, what to look out for.

    Args:
        config: the settings.
        found: what `explained` says of them.
    """
    if found is None:
        reconstructs = config.fakes != "prior"
        why = ": its critic compares data with reconstructions, not with the model's samples" if reconstructs else ""
        return [f"{config.recipe}: what it minimises is not known{why}"]
    tails = [] if found.tails is None else [f"tail weights (R, S) = {tails_text(found.tails)}"]
    return [f"{found.subject}: {found.sentence}", *tails, *(f"note: {warning}" for warning in found.warnings)]
