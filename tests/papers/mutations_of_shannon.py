"""What breaks the items of Shannon et al."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mutation import Mutation, scaled

from divmin.objectives import recipe

MUTATIONS = {
    "shannon-figure-2": (
        Mutation("divmin.family.base.Divergence.s", scaled(1.1)),
        Mutation("divmin.family.base.Divergence.s", lambda s: lambda self, d: s(self, d) + 1e-3 * d),
    ),
    "shannon-table-1": (
        Mutation(
            "divmin.family.base.Divergence.weight", lambda weight: lambda self, d: weight(self, d) * np.exp(1e-3 * d)
        ),
        Mutation("divmin.family.base.Divergence.sup", lambda sup: property(lambda self: 1 / sup.func(self))),
    ),
    "shannon-figure-5": (
        Mutation("divmin.papers.shannon.figure_5.DATA", lambda data: "far_modes"),
        Mutation(
            "divmin.objectives.base.Recipe.generator_loss", lambda loss: lambda self, fake: loss(_other(self), fake)
        ),
    ),
    "shannon-traps": (
        Mutation(
            "divmin.papers.shannon.traps.fit", lambda fit: lambda *given: replace(fit("js", *given[1:]), points=())
        ),
        Mutation("divmin.papers.shannon.traps.descend", lambda flow: lambda *given: flow(*given, time=0.5)),
    ),
}


def _other(scheme: object) -> object:
    """The saturating scheme in place of the non-saturating one, and the other way round."""
    return recipe("nonsaturating" if scheme == recipe("minimax") else "minimax")
