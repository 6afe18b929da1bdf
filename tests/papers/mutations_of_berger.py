"""What breaks the items of Berger & Sebag."""

from __future__ import annotations

from dataclasses import replace

from mutation import Mutation, scaled

from divmin.papers.berger.line import nothing
from divmin.papers.berger.splits import SHIFTS, split


def _with_loud_data(moment):
    """The second moment with the data's half counted ten times."""

    def wrong(line, loss):
        return moment(line, loss) + 9 * moment(line, replace(loss, fake=nothing))

    return wrong


def _loud(f):
    """A split that is not the quietest."""
    return split(f, SHIFTS["D"])


def _rotated(rows):
    """The same layers with kernels and strides of their neighbours: the grids differ, and the last does not."""
    return tuple((row[0], *other[1:]) for row, other in zip(rows, (*rows[1:], rows[0]), strict=True))


def _without_variances(connected):
    """Fully connected layers of which the encoder's give means alone."""
    return lambda units: connected([*units[:-1], 512 if units[-1] == 1024 else units[-1]])


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
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
}
