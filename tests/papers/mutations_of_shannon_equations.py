"""What breaks the equations, operations and simple figures of Shannon et al."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from mutation import Mutation, scaled

DIVERGENCE = "divmin.family.base.Divergence"
ITEMS = "divmin.papers.shannon"


def of_value(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`exact` with another value."""

    def wrong(exact: Any) -> Any:
        def found(*args: Any, **options: Any) -> Any:
            value = exact(*args, **options)
            return replace(value, tensor=change(value.tensor))

        return found

    return wrong


def shifted(by: float) -> Callable[[Any], Any]:
    """A function of d that is off by a constant."""
    return lambda original: lambda self, d: original(self, d) + by


def doubled_tails(tails: Any) -> Any:
    """Tails of sums with twice the weights and constants."""

    def wrong(self: Any) -> Any:
        t = tails.fget(self)
        return replace(t, R=2 * t.R, S=2 * t.S, C=2 * t.C, D=2 * t.D)

    return property(wrong)


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "shannon-figure-1": (
        Mutation("divmin.values.law_of_d.Pushforward.log_density_p", shifted(1e-6)),
        Mutation("divmin.values.law_of_d.Pushforward.log_density_q", shifted(1e-6)),
        Mutation("divmin.values.law_of_d.Pushforward.masses", lambda masses: lambda self: (0.999, 1.0)),
        Mutation(f"{ITEMS}.figure_1.law", lambda law: lambda text: law(text.replace("1.0, 0.3", "1.2, 0.3"))),
    ),
    "shannon-figure-3": (
        Mutation(f"{DIVERGENCE}.a", shifted(1e-3)),
        Mutation(f"{DIVERGENCE}.a", scaled(1.001)),
        Mutation(f"{DIVERGENCE}.b", shifted(1e-3)),
        Mutation(f"{DIVERGENCE}.b", scaled(1.001)),
        Mutation(f"{DIVERGENCE}.weight", scaled(100.0)),
    ),
    "shannon-figure-4": (Mutation(f"{DIVERGENCE}.s", lambda s: lambda self, d: s(self, d) + 1e-3 * d),),
    "shannon-equation-2": (Mutation(f"{ITEMS}.equation_2.exact", of_value(lambda t: 1.001 * t)),),
    "shannon-equations-5-10": (
        Mutation("divmin.values.law_of_d.Pushforward.divergence", scaled(1.001)),
        Mutation("divmin.values.law_of_d.Pushforward.log_density_p", shifted(1e-6)),
        Mutation(f"{DIVERGENCE}.s", lambda s: lambda self, d: 1.01 * s(self, d) + 0.1 * d * np.abs(d)),
    ),
    "shannon-operations": (
        Mutation(f"{DIVERGENCE}.d2f", scaled(1.001)),
        Mutation(f"{DIVERGENCE}.reverse", lambda reverse: lambda self: 1.001 * reverse(self)),
        Mutation(f"{DIVERGENCE}.soften", lambda soften: lambda self: soften(self).reverse()),
        Mutation("divmin.family.algebra.Sum.tails", doubled_tails),
    ),
    "shannon-saturation": (Mutation(f"{DIVERGENCE}.b", scaled(1.001)), Mutation(f"{DIVERGENCE}.weight", scaled(1.001))),
    "shannon-equation-35": (
        Mutation(f"{DIVERGENCE}.b", scaled(1.001)),
        Mutation("divmin.values.exact", of_value(lambda t: 1.001 * t)),
    ),
    "shannon-equation-42": (Mutation(f"{DIVERGENCE}.nonsaturating", lambda map_: lambda self: self),),
    "shannon-equations-43-52": (
        Mutation(f"{ITEMS}.equations_43_52.exact", of_value(lambda t: t.new_tensor(1.0))),
        Mutation(f"{ITEMS}.line.Line.integral", scaled(1.001)),
    ),
    "shannon-equation-53": (
        Mutation(f"{DIVERGENCE}.f", scaled(1.1)),
        Mutation(f"{DIVERGENCE}.b", scaled(1.1)),
        # a generator whose term were f itself would follow D, and one that falls everywhere would push nothing away
        Mutation(f"{DIVERGENCE}.b", lambda b: lambda self, d: -self.f(np.exp(d)) - np.expm1(d) * (self.name == "kl")),
        Mutation(f"{DIVERGENCE}.b", lambda b: lambda self, d: -self.f(np.exp(d)) - 2 * np.exp(d)),
    ),
}
