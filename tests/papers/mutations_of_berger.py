"""What breaks the items of Berger & Sebag."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace

import torch
from mutation import Mutation, both_moves, scaled

from divmin.papers.berger.gap import curve
from divmin.papers.berger.line import nothing
from divmin.papers.berger.splits import SHIFTS, split


def _wrong_critic(forward):
    """A best critic for other data: those of e^(x + x^2) times the density."""
    return lambda self, x: forward(self, x) + x[:, 0] + x[:, 0] ** 2


def _noise_on_both_sides(of):
    """Noise that data get too where samples are to have it."""
    return classmethod(
        lambda cls, config: replace(of.__func__(cls, config), noise=float(config.likelihood_noise), noise_steps=9)
    )


def _blind_to_the_critic(slopes):
    """Gradients of losses without those by the critic's weights."""

    def wrong(loss, pair):
        found = slopes(loss, pair)
        return found | {"critic": 0 * found["critic"]}

    return wrong


def _with_loud_data(moment):
    """The second moment with the data's half counted ten times."""

    def wrong(line, loss):
        return moment(line, loss) + 9 * moment(line, replace(loss, fake=nothing))

    return wrong


def _loud(f):
    """A split that is not the quietest."""
    return split(f, SHIFTS["D"])


def _half_as_steep(steepness):
    """Slopes off by a factor of two."""

    def wrong(network, x, y):
        found = steepness(network, x, y)
        return replace(found, largest=found.largest / 2)

    return wrong


def _far_away(self, z):
    """Reconstructions that do not know their gap."""
    return curve((1 + torch.erf(z[:, 0] / math.sqrt(2))) / 2) + torch.tensor([0.0, 1.0]) + 0 * self.up


def _rotated(rows):
    """The same layers with kernels and strides of their neighbours: the grids differ, and the last does not."""
    return tuple((row[0], *other[1:]) for row, other in zip(rows, (*rows[1:], rows[0]), strict=True))


def _without_variances(connected):
    """Fully connected layers of which the encoder's give means alone."""
    return lambda units: connected([*units[:-1], 512 if units[-1] == 1024 else units[-1]])


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "berger-algorithm-1": (
        Mutation("divmin.training.moves.pay", scaled(1.3)),
        Mutation("divmin.training.data_term.squared_error", scaled(1.5)),
        Mutation("divmin.training.data_term.reparameterised", lambda z: lambda code, noise: z(code, noise) + 1),
        Mutation("divmin.papers.berger.toy.BestCritic.forward", _wrong_critic),
        Mutation("divmin.papers.berger.algorithm_1.exact_gradient", scaled(0.01)),
        Mutation("divmin.training.moves.frozen", lambda frozen: nullcontext),
        Mutation("divmin.training.single.move_critic", both_moves),
        Mutation("divmin.objectives.base.Recipe.critic_loss", scaled(1.1)),
        Mutation("divmin.training.moves.score_fakes", lambda score: lambda job, state, x: state.critic(x).flatten()),
        Mutation("divmin.training.seen.Sight.of", _noise_on_both_sides),
        Mutation("divmin.papers.berger.routing._slopes", _blind_to_the_critic),
    ),
    "berger-identities": (
        Mutation("divmin.family.base.Divergence.b", scaled(1.01)),
        Mutation("divmin.explanation.record.Link.__call__", scaled(1.01)),
        Mutation("divmin.explanation.record.Explanation.weight", scaled(1.01)),
        Mutation("divmin.papers.berger.identities.exact_gradient", scaled(1.01)),
        Mutation("divmin.papers.berger.line.OnTheLine.slopes", scaled(1.01)),
        Mutation("divmin.papers.berger.line.OnTheLine.second_moment", _with_loud_data),
        Mutation("divmin.papers.berger.line.OnTheLine.estimates", scaled(1.2)),
        Mutation("divmin.papers.berger.identities.quietest", lambda quietest: lambda f: _loud(f)),
        Mutation(
            "divmin.values.record.Value.value", lambda value: property(lambda self: 1.01 * float(self.tensor.detach()))
        ),
    ),
    "berger-architecture": (
        Mutation("divmin.models.berger.scaled", lambda scaled: lambda *sizes: scaled(*sizes) + 1),
        *(Mutation(f"divmin.models.berger.{name}", _rotated) for name in ("ENCODER", "GENERATOR", "CRITIC")),
        Mutation("divmin.models.berger._connected", _without_variances),
    ),
    "berger-proposition-1": (
        Mutation("divmin.papers.berger.proposition_1.steepness", _half_as_steep),
        Mutation("divmin.papers.berger.gap.Reconstructions.forward", lambda forward: _far_away),
        Mutation("divmin.papers.berger.gap.Settings", lambda settings: lambda **how: settings(**how | {"steps": 50})),
    ),
}
