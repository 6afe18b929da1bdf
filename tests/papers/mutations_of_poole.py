"""What breaks the items of Poole et al."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mutation import Mutation, both_moves, scaled

from divmin.explanation import explain

TABLE = "divmin.papers.poole.table_objectives"


def loss(wrong: Callable[[Any, Any], Any]) -> Mutation:
    """Another loss of the generator, from the right one and the scores."""

    def broken(original: Any) -> Any:
        def loss(self: Any, fake: Any, **how: Any) -> Any:
            return wrong(original(self, fake, **how), fake if how.get("reduction") == "none" else fake.mean())

        return loss

    return Mutation("divmin.objectives.base.Recipe.generator_loss", broken)


def valued(wrong: Callable[[Any, Any, Any], Any]) -> Mutation:
    """Another f(e^d) + affine (e^d - 1), from the right one, the term and d."""
    return Mutation(
        "divmin.objectives.terms.Valued.__call__", lambda call: lambda self, d: wrong(call(self, d), self, d)
    )


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "poole-affine": (
        valued(lambda right, self, d: right * (1 + 0.1 * self.affine)),
        valued(lambda right, self, d: -d),
        valued(lambda right, self, d: d),
        Mutation("divmin.family.base.Divergence.s", scaled(1.01)),
    ),
    "poole-algorithm": (
        loss(lambda right, d: right + 0.1 * d * d),
        loss(lambda right, d: -d.exp()),
        Mutation(
            "divmin.objectives.base.Recipe.critic_loss",
            lambda original: (
                lambda self, real, fake, **how: (
                    original(self, real, fake, **how) + 0.01 * len(self.name) * (real**2).mean()
                )
            ),
        ),
        Mutation("divmin.training.single.move_critic", both_moves),
    ),
    "poole-appendix-b": (
        Mutation("divmin.models.ali.GENERATOR", lambda rows: rows[:-1]),
        Mutation("divmin.models.ali.CRITIC", lambda rows: rows[:-1]),
        Mutation("divmin.models.ali.ALIGenerator.start_at", lambda original: lambda self, images: None),
        Mutation("divmin.models.ali.initialise", lambda original: lambda layer: None),
        Mutation("divmin.models.ali.ALIGenerator.forward", scaled(0.5)),
        Mutation("divmin.models.layered.LayeredCritic.forward", scaled(0.0)),
    ),
    "poole-cifar": (
        loss(lambda right, d: right * 1e36),
        Mutation("divmin.models.ali.CRITIC", lambda rows: rows[:-1]),
        Mutation("divmin.models.ali.ALIGenerator.forward", lambda forward: lambda self, z: 2 + forward(self, z)),
    ),
    "poole-figure-1": (
        loss(lambda right, d: -d),
        Mutation("divmin.papers.poole.figure_1.fit", lambda original: lambda f, p, model: original("js", p, model)),
        Mutation(
            "divmin.papers.poole.figure_1.fit",
            lambda original: lambda f, p, model: replace(original("igog", p, model), complete=False),
        ),
        Mutation(
            "divmin.objectives.base.Recipe.critic_loss",
            lambda original: lambda self, real, fake, **how: original(self, fake, real, **how),
        ),
    ),
    "poole-ratio": (
        Mutation("divmin.family.base.Divergence.a", scaled(1.01)),
        Mutation("divmin.family.base.Divergence.df", scaled(1.01)),
        Mutation("divmin.family.base.Divergence.f", scaled(1.01)),
        Mutation(
            "divmin.objectives.terms.Bound.__call__",
            lambda bound: lambda self, c: bound(self, c) + (0.5 * (c - 3) ** 2 if self.k == 0 else 0),
        ),
    ),
    "poole-table-objectives": (
        loss(lambda right, d: right + 0.01 * (d + d * d)),
        loss(lambda right, d: -d),
        loss(lambda right, d: d),
        Mutation("divmin.objectives.terms.Valued.__call__", lambda call: lambda self, c: 1.01 * call(self, c)),
        Mutation(f"{TABLE}.explain", lambda original: lambda what: explain("huszar")),
        Mutation(f"{TABLE}.explain", lambda original: lambda what: explain("poole(js)")),
    ),
}
