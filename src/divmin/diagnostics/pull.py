"""How hard the generator's loss pulls on each model sample: -dh/dc at the critic's outputs, over its size at parity.

the generator's gradient is -E_q[w grad c]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from divmin.diagnostics.bins import Floats
from divmin.errors import DivminError
from divmin.objectives import Recipe

PROBE = 4  # samples of a batch at parity


@dataclass(frozen=True)
class Pull:
    """The pull of a generator's loss.

    Args:
        losses: what has `generator_loss`.
        parity: -dh/dc where data and samples look alike; pulls are told as multiples of it.
    """

    losses: Any
    parity: float

    def __call__(self, fake: Sequence[Tensor], real: Sequence[Tensor]) -> Floats:
        """Pulls on the samples of some batches, [all of them]: 1 is the pull at parity.

        Args:
            fake, real: outputs, one tensor [n] a batch; batches matter where a loss compares samples with each other or with data.
        """
        if isinstance(self.losses, Recipe):  # one sample does not look at another
            return (_pulls(self.losses, torch.cat(list(fake)), None) / self.parity).numpy()
        parts = [_pulls(self.losses, y, x) for y, x in zip(fake, real, strict=True)]
        return (torch.cat(parts) / self.parity).numpy()


def pull(losses: Any, even: float) -> Pull | None:
    """The pull of a recipe or of somebody's losses; None where the loss cannot be asked, or does not pull at parity.

    Args:
        losses: a Recipe, a Relativistic, or two functions as `Own`.
        even: the critic's output at d = 0.

    Example:
        >>> import divmin as dm
        >>> found = pull(dm.recipe("minimax"), 0.0)
        >>> found([torch.tensor([0.0, -10.0])], [torch.zeros(2)]).round(4)
        array([1.e+00, 1.e-04])
    """
    at = torch.full((PROBE,), even, dtype=torch.float64)
    try:
        found = _pulls(losses, at, at.clone())
    except (
        DivminError,
        RuntimeError,
        TypeError,
        ValueError,
        ArithmeticError,
    ):  # somebody's function: it may do anything
        return None
    parity = float(found.mean())
    return Pull(losses, parity) if parity > 0 else None


def _pulls(losses: Any, fake: Tensor, real: Tensor | None) -> Tensor:
    at = fake.detach().double().requires_grad_()
    with torch.enable_grad():
        if real is None or not losses.needs_real:
            loss = losses.generator_loss(at)
        else:
            n = min(len(at), len(real))  # pairs
            at = at.detach()[:n].requires_grad_()
            loss = losses.generator_loss(at, real=real.detach().double()[:n])
        (slope,) = torch.autograd.grad(loss, at)
    return -slope * len(at)
