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
        Mutation(f"{HERE}.perfect_critic.step", lambda step: lambda t: (t / 1000).sigmoid()),
        Mutation(f"{HERE}.perfect_critic.across", lambda across: lambda x: across(x) + 1e-3 * x.sum(1)),
    ),
    "arjovsky-dcgan": (
        Mutation("divmin.training.critic.TrainedCritic.score", _deaf),
        Mutation("divmin.adversary.contest.norms", _constant),
    ),
    "arjovsky-noise": (
        Mutation("divmin.adversary.contest.norms", _constant),
        Mutation("divmin.papers.arjovsky.sine_curves.exact_gradient", lambda exact: lambda *asked: (0.0, 2.0)),
    ),
}
