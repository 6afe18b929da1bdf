"""Losses that somebody wrote, as functions of whole batches of raw critic scores."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Own:
    """Two functions of raw critic outputs in the place of a recipe; both are minimised, and more real is higher.

    Args:
        critic_loss: (real, fake) to a scalar.
        generator_loss: (fake) to a scalar; or (real, fake), for losses that compare samples with data.
        name: what the run is called.
        needs_real: whether the generator's loss takes the scores of data too; found out by its arguments when None.

    Example:
        >>> import divmin as dm
        >>> from torch.nn.functional import softplus
        >>> mine = Own(lambda real, fake: softplus(-real).mean() + softplus(fake).mean(), lambda fake: softplus(-fake).mean())
        >>> dm.audit(mine.critic_loss, mine.generator_loss).explanation.name
        '0.5*softened_reverse_kl'
    """

    critic_loss: Callable[..., Tensor]
    generator_loss: Callable[..., Tensor]
    name: str = "own"
    needs_real: bool | None = None

    def __post_init__(self) -> None:
        if self.needs_real is None:
            object.__setattr__(self, "needs_real", _required(self.generator_loss) == 2)
        if self.needs_real:
            object.__setattr__(self, "generator_loss", Both(self.generator_loss))


@dataclass(frozen=True)
class Both:
    """A loss (real, fake) that is also called as (fake, real=...), as recipes are that compare samples with data."""

    loss: Callable[..., Tensor]

    def __call__(self, *scores: Tensor, real: Tensor | None = None) -> Tensor:
        return self.loss(*scores) if real is None else self.loss(real, *scores)


def _required(loss: Any) -> int:
    """Arguments that a function must be given, by position."""
    try:
        parameters = inspect.signature(loss).parameters.values()
    except (TypeError, ValueError):  # some built-in functions do not say
        return 1
    return sum(
        each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
    )
