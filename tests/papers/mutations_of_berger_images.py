"""What breaks the comparison of Berger & Sebag's five models."""

from __future__ import annotations

from mutation import Mutation, scaled

MUTATIONS = {
    "berger-figures-1-7": (
        Mutation("divmin.objectives.base.Recipe.generator_loss", scaled(1e36)),
        Mutation("divmin.papers.berger.models.MODELS", lambda models: {**models, "SDKL": models["GAN"]}),
        Mutation("divmin.training.data_term.prior_gap", scaled(-1.0)),
        Mutation("divmin.models.berger.BergerGenerator.forward", lambda forward: lambda self, z: 2 + forward(self, z)),
    ),
}
