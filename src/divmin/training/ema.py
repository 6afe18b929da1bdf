"""The moving average of the generator: what is sampled from, while the last weights go on being trained."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


def frozen_copy(module: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose parameters ask for no gradient: the average before the first step.

    >>> frozen_copy(nn.Dropout()).training
    False
    """
    return copy.deepcopy(module).requires_grad_(False).eval()


def decay_at(step: int, decay: float) -> float:
    """The decay used after generator step `step`, counted from 1.

    min(decay, step / (step + 9)): the average covers about the last tenth of the run until its memory of
    1 / (1 - decay) steps is full, so that the random weights of the start fade from it early on.

    Args:
        step: generator steps done, at least 1.
        decay: the final decay, in [0, 1).

    >>> decay_at(1, 0.999), decay_at(10**6, 0.999)
    (0.1, 0.999)
    """
    return min(decay, step / (step + 9))


class Follower:
    """Moves an average towards a module: average <- decay average + (1 - decay) module.

    Parameters and floating-point buffers (batch-norm statistics) are averaged; counters are copied.

    Args:
        average: the module that is changed, from `frozen_copy`.
        module: the module that is followed.

    >>> module = nn.Linear(1, 1, bias=False)
    >>> average = frozen_copy(module)
    >>> before = average.weight.item()
    >>> _ = nn.init.constant_(module.weight, before + 1)
    >>> Follower(average, module).update(0.75)
    >>> round(average.weight.item() - before, 6)
    0.25
    """

    def __init__(self, average: nn.Module, module: nn.Module) -> None:
        pairs = list(zip(_tensors(average), _tensors(module), strict=True))
        self._mixed = [(a, m) for a, m in pairs if a.is_floating_point()]
        self._copied = [(a, m) for a, m in pairs if not a.is_floating_point()]
        self._averages = [a for a, _ in self._mixed]
        self._sources = [m for _, m in self._mixed]

    def update(self, decay: float) -> None:
        """One step of the average, in place; all tensors in one call, since there are many small ones."""
        torch._foreach_lerp_(self._averages, self._sources, 1 - decay)
        for average, source in self._copied:
            average.copy_(source)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
