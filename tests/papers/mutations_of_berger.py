"""What breaks the items of Berger & Sebag."""

from __future__ import annotations

from mutation import Mutation


def _rotated(rows):
    """The same layers with kernels and strides of their neighbours: the grids differ, and the last does not."""
    return tuple((row[0], *other[1:]) for row, other in zip(rows, (*rows[1:], rows[0]), strict=True))


def _without_variances(connected):
    """Fully connected layers of which the encoder's give means alone."""
    return lambda units: connected([*units[:-1], 512 if units[-1] == 1024 else units[-1]])


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "berger-architecture": (
        Mutation("divmin.models.berger.scaled", lambda scaled: lambda *sizes: scaled(*sizes) + 1),
        *(Mutation(f"divmin.models.berger.{name}", _rotated) for name in ("ENCODER", "GENERATOR", "CRITIC")),
        Mutation("divmin.models.berger._connected", _without_variances),
    ),
}
