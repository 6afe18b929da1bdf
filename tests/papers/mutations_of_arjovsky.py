"""What breaks the items of Arjovsky and Bottou."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from mutation import Mutation, scaled

HERE = "divmin.papers.arjovsky"


def _off(factor: float, where: Callable[[Any], bool] = lambda q: True) -> Callable[[Any], Any]:
    """`exact` whose values are off by a factor for some models q."""

    def wrong(exact: Any) -> Any:
        def found(f: Any, p: Any, q: Any, **options: Any) -> Any:
            value = exact(f, p, q, **options)
            return replace(value, tensor=value.tensor * factor) if where(q) else value

        return found

    return wrong


def _shifted(density: Any) -> Any:
    """Densities of a law that has moved."""
    return lambda self, x, noise: density(self, x - 0.01, noise)


def _always_noisy(felt: Any) -> Any:
    """Noise on the generator's samples whether asked for or not."""
    return lambda self, noisy: felt(self, noisy=True)


def _exchanged(factors: Any) -> Any:
    """a for b, and b for a."""
    return lambda self, x: factors(self, x)[::-1]


def _wider(noise: Any) -> Any:
    """A density at points that are nearer than they should be."""
    return lambda scale: lambda e: noise(scale)(0.999 * e)


def _below_zero(disturbed: Any) -> Any:
    """A critic that is no probability."""

    def wrong(ripple: Any, eps: float) -> Any:
        critic = disturbed(ripple, eps)
        return lambda x: critic(x) - 1e-3

    return wrong


def _forced(normal: bool) -> Callable[[Any], Any]:
    """Normal gradients for Cauchy ones, or the other way round."""
    return lambda draw: lambda rng, jacobian, draws, **asked: draw(rng, jacobian, draws, normal=normal)


def _off_centre(draw: Any) -> Any:
    """Gradients moved by a tenth of their quartile."""

    def wrong(*given: Any, **asked: Any) -> Any:
        found = draw(*given, **asked)
        return found + 0.1 * np.median(np.abs(found))

    return wrong


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "arjovsky-lemma-1": (
        Mutation(f"{HERE}.jacobians.local_sizes", lambda sizes: lambda *given: sizes(*given) + 1e-3),
        Mutation(f"{HERE}.jacobians.boxes", lambda boxes: lambda *given: boxes(*given) ** 1.5),
    ),
    "arjovsky-theorem-2-3": (
        Mutation("divmin.values.exact", _off(0.9)),
        Mutation("divmin.values.exact", _off(0.9, lambda q: "[" in q)),
        Mutation("divmin.values.exact", _off(0.9, lambda q: "[0.001, 1]" in q)),
        Mutation(f"{HERE}.perfect_critic.step", lambda step: lambda t: (t / 1000).sigmoid()),
        Mutation(f"{HERE}.perfect_critic.across", lambda across: lambda x: across(x) + 1e-3 * x.sum(1)),
    ),
    "arjovsky-theorem-2-4": (
        Mutation("divmin.objectives.Recipe.generator_loss", scaled(1e4)),
        Mutation("divmin.objectives.Recipe.generator_loss", scaled(1e-7)),
        Mutation(f"{HERE}.theorem_2_4.disturbed", lambda critic: lambda r, eps: critic(r, eps**2)),
        Mutation(f"{HERE}.theorem_2_4.disturbed", _below_zero),
        Mutation(f"{HERE}.perfect_critic.step", lambda step: lambda t: (t / 1000).sigmoid()),
    ),
    "arjovsky-theorem-2-5": (
        Mutation("divmin.objectives.Recipe.generator_loss", scaled(1.001)),
        Mutation("divmin.values.exact", _off(-1.0)),
    ),
    "arjovsky-theorem-2-6": (
        Mutation(f"{HERE}.theorem_2_6.draw_gradients", scaled(1.1)),
        Mutation(f"{HERE}.theorem_2_6.draw_gradients", _forced(True)),
        Mutation(f"{HERE}.theorem_2_6.draw_gradients", _forced(False)),
        Mutation(f"{HERE}.theorem_2_6.draw_gradients", _off_centre),
    ),
    "arjovsky-theorem-3-2": (
        Mutation("divmin.objectives.Recipe.generator_loss", scaled(1.001)),
        Mutation("divmin.values.exact", _off(0.9)),
        Mutation(f"{HERE}.noise.Nodes.density", _shifted),
        Mutation(f"{HERE}.theorem_3_2.Pair.felt", _always_noisy),
        Mutation(f"{HERE}.theorem_3_2.Pair.factors", _exchanged),
        Mutation(f"{HERE}.noise_in_the_plane.cauchy_noise", _wider),
        Mutation("divmin.values.exact", _off(-1.0)),
        Mutation(f"{HERE}.theorem_3_2.Pair.js_slope", lambda slope: lambda self: slope(self) + 1e-3),
    ),
    "arjovsky-theorem-3-3": (
        Mutation("divmin.values.exact", _off(1e-3)),
        Mutation("divmin.values.exact", _off(1e6)),
        Mutation(f"{HERE}.theorem_3_3.deviation", scaled(0.5)),
        Mutation(f"{HERE}.theorem_3_3.between", scaled(0.5)),
    ),
}
