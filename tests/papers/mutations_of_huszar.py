"""What breaks the items of Huszar."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from mutation import Mutation, scaled


def _halves(call: Any) -> Any:
    """Losses that have lost their sigmoid: #0 and #1 become halves of #2."""
    return lambda self, c: -c / 2 if "softplus" in str(self) else call(self, c)


def _forgetful(noise: Any) -> Any:
    """Another z in every look."""
    import torch

    def forgotten(self: Any, n: int) -> torch.Tensor:
        generator = torch.Generator()
        generator.seed()
        return torch.randn(n, self.latent, generator=generator)

    return forgotten


def _capped(exact: Any) -> Any:
    """Values that are too small, as of a mean over samples that share points."""
    return lambda *args: SimpleNamespace(value=0.9 * min(exact(*args).value, 3.0), tensor=exact(*args).tensor)


@dataclass(frozen=True)
class _Off:
    """A method whose log-ratios are off by a nat, and bent."""

    inner: Any

    def fit(self, *args: Any) -> Any:
        d = self.inner.fit(*args)
        return lambda z: d(z) + 1 + z[:, 0]


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "huszar-disjoint": (
        Mutation("divmin.papers.huszar.disjoint.exact", _capped),
        Mutation("divmin.objectives.terms.Written.__call__", _halves),
        Mutation("divmin.papers.huszar.disjoint.gradient", scaled(1.01)),
        Mutation(
            "divmin.papers.huszar.disjoint.loss_of",
            lambda loss_of: lambda rule: lambda *args: loss_of(rule)(*args) / (2 if rule == "#0" else 1),
        ),
    ),
    "huszar-importance": (
        Mutation("divmin.family.base.Divergence.b", scaled(1.1)),
        Mutation("divmin.papers.huszar.importance.log_mixture", lambda log: lambda *args: log(*args) + 0.5),
        Mutation(
            "divmin.papers.huszar.importance.solved", lambda solved: lambda *args: 1.5 * np.roll(solved(*args), 1)
        ),
        Mutation("divmin.papers.huszar.importance.matched", scaled(1.5)),
        Mutation("divmin.estimators.logistic.Logistic._features", lambda _: lambda self, columns: lambda z: z),
    ),
    "huszar-importance-rates": (
        Mutation("divmin.papers.huszar.importance_rates.method", lambda method: lambda name: _Off(method(name))),
    ),
    "huszar-importance-generator": (
        Mutation("divmin.papers.huszar.importance_generator.method", lambda method: lambda name: _Off(method(name))),
    ),
    "huszar-rules": (
        Mutation(
            "divmin.objectives.terms.Written.__call__", lambda call: lambda self, c: call(self, c) + 1e-3 * c**2 / 2
        ),
        Mutation("divmin.objectives.terms.Written.__call__", _halves),
        Mutation("divmin.papers.huszar.rules.explain", lambda explain: lambda rule: explain("fgan(kl)")),
    ),
    "huszar-swiss-roll": (
        Mutation("divmin.objectives.terms.Written.__call__", lambda call: lambda self, c: 1e-3 * c**2),
        Mutation("divmin.training.probes.View.noise", _forgetful),
    ),
}
