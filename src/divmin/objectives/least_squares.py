"""Least squares with any three targets."""

from __future__ import annotations

from divmin.grammar import Call, bound, plain
from divmin.objectives.base import Recipe
from divmin.objectives.registry import Named, register
from divmin.objectives.terms import Written


def lsgan(fake: float = 0.0, real: float = 1.0, generator: float = 1.0) -> Recipe:
    """Squared distances to targets: critic (c - real)^2/2 on data, (c - fake)^2/2 on samples; generator (c - generator)^2/2.

    Args:
        fake: the critic's target on model samples.
        real: its target on data.
        generator: what the generator wants the critic to say.

    Returns:
        The recipe. The critic's best output is (real u + fake)/(u + 1).

    Example:
        >>> import torch
        >>> lsgan(-1, 1, 0).generator(torch.tensor([2.0]))
        tensor([2.])

    Source: Mao et al. 2017, eqs. 2 and 8; their a, b, c are fake, real, generator.
    """

    def squared(target: float) -> Written:
        away = f"c - {plain(target)}" if target >= 0 else f"c + {plain(-target)}"
        return Written(f"({away})^2/2" if target else "c^2/2")

    shown = ", ".join(map(plain, (fake, real, generator)))
    return Recipe(f"lsgan({shown})", squared(real), squared(fake), squared(generator), None, "Least squares.")


def _from(call: Call) -> Recipe:
    return lsgan(*bound(call, {"fake": 0.0, "real": 1.0, "generator": 1.0}))


register(
    Named(
        "lsgan(fake, real, generator)", _from,
        "Least squares to three targets, 0, 1 and 1 unless told otherwise; the coding (-1, 1, 0) is no divergence.",
        "Mao et al. 2017", ("least_squares",),
        ("lsgan", "lsgan(-1, 1, 0)", "lsgan(-1, 1, 1)"),
    )
)  # fmt: skip
