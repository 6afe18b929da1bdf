"""Losses that somebody wrote, as functions of whole batches of raw critic scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Own:
    """Two functions of raw critic outputs in the place of a recipe; both are minimised, and more real is higher.

    Args:
        critic_loss: (real, fake) to a scalar.
        generator_loss: (fake) to a scalar, or (fake, real=) where `needs_real` is true.
        name: what the run is called.
        needs_real: whether the generator's loss compares samples with data.

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
    needs_real: bool = False
