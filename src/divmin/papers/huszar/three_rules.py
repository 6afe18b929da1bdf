"""The three update rules of the note by their numbers, and what each is now known to minimise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from divmin.objectives import Recipe, recipe

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.papers.huszar.normal_generator import Loss

RULES = ("#0", "#1", "#2")
# The recipe of each rule; the divergence that it descends with an optimal critic, with its factor; the reference's name of that.
RECIPE = {"#0": "minimax", "#1": "nonsaturating", "#2": "huszar"}
MINIMISES = {"#0": "2*js", "#1": "0.5*softened_reverse_kl", "#2": "reverse_kl"}
REFERRED = {"#0": "js", "#1": "softened_reverse_kl", "#2": "reverse_kl"}
LOSS = {"#0": "E log(1 - D)", "#1": "-E log D", "#2": "-E log D/(1 - D)"}
CUT = math.exp(-20)
FAR = "; PyTorch's softplus(V) is V beyond 20, where that is off by e^-20"


def recipe_of(rule: str) -> Recipe:
    """The recipe of #0, #1 or #2."""
    found = recipe(RECIPE[rule])
    assert isinstance(found, Recipe)
    return found


def loss_of(rule: str) -> Loss:
    """The generator's loss of #0, #1 or #2, as a weighted mean."""

    def loss(c: Tensor, weights: Tensor) -> Tensor:
        return recipe_of(rule).generator_loss(c, weight=weights)

    return loss
