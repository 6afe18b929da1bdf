"""What breaks the items of Arjovsky and Bottou."""

from __future__ import annotations

from typing import Any

import torch
from mutation import Mutation


def _deaf(score: Any) -> Any:
    """A critic that says the same of everything."""
    return lambda self, samples, **options: torch.full((len(samples),), 3.0)


def _constant(norms: Any) -> Any:
    """Gradients of one length."""
    from divmin.adversary import Norm

    return lambda generator, critic, batches, real, pulls: {name: Norm(1.0, 0.1) for name in pulls}


def _exchanged(norms: Any) -> Any:
    """The gradient of each loss under the other's name."""

    def wrong(generator: Any, critic: Any, batches: Any, real: Any, pulls: Any) -> Any:
        return norms(generator, critic, batches, real, dict(zip(pulls, reversed(pulls.values()), strict=True)))

    return wrong


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "arjovsky-figure-1": (Mutation("divmin.training.critic.TrainedCritic.score", _deaf),),
    "arjovsky-figure-2": (
        Mutation("divmin.adversary.contest.norms", _constant),
        Mutation("divmin.adversary.contest.norms", _exchanged),
    ),
    "arjovsky-figure-3": (
        Mutation("divmin.adversary.contest.norms", _constant),
        Mutation("divmin.papers.arjovsky.parallel_curves.frozen", lambda frozen: lambda gap: frozen(gap + 1.0)),
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
