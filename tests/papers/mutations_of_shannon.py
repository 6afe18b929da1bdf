"""What breaks the items of Shannon et al."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from mutation import Mutation, scaled
from torch import Tensor
from torch.nn.functional import softplus

from divmin.objectives import recipe


def _with(value: Any) -> Any:
    """Another value in place of a constant."""
    return lambda original: value


def _tilted(function: Any) -> Any:
    """A function of d or u that is off by a factor which grows with its argument."""
    return lambda self, d: function(self, d) * (1 + 1e-3 * d)


def _shifted(function: Any) -> Any:
    """A function of d that is off by a line."""
    return lambda self, d: function(self, d) + 1e-2 * (d + 0.5)


def _ending(s: Any) -> Any:
    """A cost that never exceeds a thousand."""
    return lambda self, d: np.minimum(s(self, d), 1e3)


def _heavier(build: Any) -> Any:
    """Tails of which everything is a tenth too large."""

    def wrong(self: Any, R: float, S: float, C: float, D: float, confidence: float | None = None) -> None:
        build(self, R + 0.1, S + 0.1, 1.1 * C, 1.1 * D, confidence)

    return wrong


def _weighted(**changed: float) -> Any:
    """Tails whose weights and constants are off by so much."""

    def wrong(tails: Any) -> Any:
        def read(self: Any) -> Any:
            found = (getattr(tails, "fget", None) or tails.func)(self)
            return replace(found, **{name: getattr(found, name) + by for name, by in changed.items()})

        return property(read)

    return wrong


def _far(law: Any) -> Any:
    """Normal laws whose means lie a tenth farther out."""

    def wrong(text: str) -> Any:
        found = law(text)
        return type(found)(1.1 * found.mean, found.covariance_matrix)

    return wrong


def _heavy(integral: Any) -> Any:
    """Integrals over the law of d that are off by a thousandth."""

    def wrong(*args: Any) -> Any:
        found = integral(*args)
        return replace(found, tensor=1.001 * found.tensor)

    return wrong


def _skewed(evaluate: Any) -> Any:
    """Functions of u that are off by a parabola."""
    return lambda tree, given: evaluate(tree, given) + 1e-3 * (given["u"] + given["u"] ** 2)


def _one_answer(exact: Any) -> Any:
    """Values that are all the same."""

    def wrong(*args: Any) -> Any:
        found = exact(*args)
        return replace(found, tensor=torch.full_like(found.tensor, 0.05))

    return wrong


def _mixed(exact: Any) -> Any:
    """Every divergence with a tenth of KL added."""

    def wrong(f: Any, p: str, q: str) -> Any:
        found = exact(f, p, q)
        return replace(found, tensor=found.tensor + 0.1 * exact("kl", p, q).tensor)

    return wrong


def _uneven(exact: Any) -> Any:
    """Values that grow with the name of the first law."""

    def wrong(f: Any, p: str, q: str) -> Any:
        found = exact(f, p, q)
        return replace(found, tensor=found.tensor * (1 + 1e-3 * len(p)) + (0.1 if f == "kl" else 0.0))

    return wrong


def _louder(call: Any) -> Any:
    """a(c), what data add to the bound, a thousandth too large."""
    return lambda self, c: (1.001 if self.k else 1.0) * call(self, c)


def _moved(fit: Any) -> Any:
    """Searches whose first point is a little off."""

    def wrong(*given: Any) -> Any:
        found = fit(*given)
        first = found.points[0]
        moved = replace(first, parameters={name: value + 1e-4 for name, value in first.parameters.items()})
        return replace(found, points=(moved, *found.points[1:]))

    return wrong


BASE = "divmin.family.base.Divergence"
PUSHFORWARD = "divmin.values.law_of_d.Pushforward"
SHANNON = "divmin.papers.shannon"

MUTATIONS = {
    "shannon-figure-1": (
        Mutation(f"{SHANNON}.figure_1.law", _far),
        Mutation(f"{PUSHFORWARD}._integral", _heavy),
    ),
    "shannon-equation-1": (
        Mutation(f"{BASE}.f", _tilted),
        Mutation(f"{BASE}.df", _shifted),
        Mutation(f"{BASE}.d2f", _tilted),
        Mutation(f"{SHANNON}.equation_1.canonical", scaled(1.001)),
        Mutation(f"{SHANNON}.equation_1.exact", _one_answer),
    ),
    "shannon-figure-2": (Mutation(f"{BASE}.s", _shifted), Mutation(f"{BASE}.s", _ending)),
    "shannon-table-1": (
        Mutation(f"{BASE}.weight", lambda weight: lambda self, d: weight(self, d) * np.exp(1e-3 * d)),
        Mutation(f"{BASE}.weight", scaled(1.1)),
        Mutation(f"{BASE}.sup", lambda sup: property(lambda self: 1 / sup.func(self))),
        Mutation(f"{BASE}.s", _shifted),
        Mutation(f"{BASE}.s", _ending),
        Mutation("divmin.family.tails.Tails.__init__", _heavier),
    ),
    "shannon-figure-3": (
        Mutation(f"{BASE}.a", _tilted),
        Mutation(f"{BASE}.a", _shifted),
        Mutation(f"{BASE}.b", _shifted),
        Mutation(f"{BASE}.weight", scaled(10)),
        Mutation(f"{BASE}.d2f", _tilted),
        Mutation(f"{BASE}.a", lambda a: lambda self, d: d),  # KL's, which is f-GAN's activation for Pearson
        Mutation(f"{BASE}.a", lambda a: lambda self, d: -np.expm1(-d)),  # reverse KL's, f-GAN's for squared Hellinger
    ),
    "shannon-equations-20-33": (
        Mutation(f"{BASE}.a", _shifted),
        Mutation(f"{BASE}.b", _shifted),
        Mutation(f"{SHANNON}.line.Line.integral", scaled(1.001)),
        Mutation(f"{SHANNON}.equations_20_33.evaluate", _skewed),
        Mutation(f"{BASE}.f", _shifted),
    ),
    "shannon-equations-36-41": (
        Mutation("divmin.objectives.terms.Bound.__call__", scaled(1.001)),
        Mutation(f"{SHANNON}.equations_36_41._differences", scaled(-1)),
    ),
    "shannon-figure-4": (Mutation(f"{BASE}.s", _shifted),),
    "shannon-equation-2": (
        Mutation(f"{SHANNON}.equation_2.canonical", scaled(1.001)),
        Mutation(f"{SHANNON}.equation_2.exact", _mixed),
    ),
    "shannon-equations-5-10": (
        Mutation(f"{PUSHFORWARD}.divergence", scaled(1.001)),
        Mutation(f"{PUSHFORWARD}.log_density_p", scaled(1.001)),
        Mutation(f"{BASE}.s", lambda s: lambda self, d: s(self, d) + 1e-2 * d * abs(d)),
        Mutation(f"{BASE}.s", scaled(1.001)),
    ),
    "shannon-operations": (
        Mutation(f"{BASE}.d2f", _tilted),
        Mutation("divmin.family.algebra.Reversed._tilted", scaled(1.001)),
        Mutation("divmin.family.algebra.Skewed._tilted", scaled(1.001)),
        Mutation("divmin.family.algebra.Skewed.tails", _weighted(S=1)),
        Mutation("divmin.family.algebra.Sum.tails", _weighted(R=1, S=1, C=0.1)),
        Mutation("divmin.family.algebra.Skewed.tails", _weighted(R=1)),
        Mutation(f"{BASE}.weight", scaled(1.001)),
        Mutation(f"{SHANNON}.operations.exact", _uneven),
    ),
    "shannon-saturation": (Mutation(f"{BASE}.b", scaled(1.001)), Mutation(f"{BASE}.weight", scaled(1.001))),
    "shannon-equation-35": (Mutation(f"{BASE}.b", _shifted), Mutation(f"{BASE}.weight", _shifted)),
    "shannon-equation-42": (
        Mutation("divmin.family.algebra.Tilted._integral", scaled(1.001)),
        Mutation(f"{BASE}.a", _shifted),
        Mutation("divmin.objectives.terms.Bound.__call__", _louder),
        Mutation("divmin.family.algebra.Tilted.tails", _weighted(R=1, S=1)),
    ),
    "shannon-equations-43-52": (
        Mutation(f"{SHANNON}.line.Line.integral", scaled(1.001)),
        Mutation(f"{SHANNON}.equations_43_52.exact", _one_answer),
    ),
    "shannon-equation-53": (
        Mutation("divmin.objectives.terms.Valued._steep", scaled(1.001)),
        Mutation("divmin.objectives.terms.Valued.__call__", lambda call: lambda self, c: -self.f.b(c)),
        Mutation("divmin.objectives.terms.Valued._value", scaled(1.001)),
        Mutation(f"{BASE}.b", lambda b: lambda self, d: -b(self, d)),
    ),
    "shannon-figure-5": (
        Mutation("divmin.papers.shannon.figure_5.DATA", lambda data: "far_modes"),
        Mutation(
            "divmin.objectives.base.Recipe.generator_loss", lambda loss: lambda self, fake: loss(_other(self), fake)
        ),
    ),
    "shannon-traps": (
        Mutation(
            "divmin.papers.shannon.traps.fit", lambda fit: lambda *given: replace(fit("js", *given[1:]), points=())
        ),
        Mutation("divmin.papers.shannon.traps.fit", _moved),
        Mutation("divmin.papers.shannon.stall.gradients", scaled(1.1)),
        Mutation("divmin.papers.shannon.traps.descend", lambda flow: lambda *given: flow(*given, time=0.5)),
    ),
    "shannon-learned-pushforward": (
        Mutation(  # data weigh twice: d is off by log 2
            "divmin.objectives.base.Recipe.critic_loss",
            lambda loss: lambda self, real, fake: loss(self, real, fake) + softplus(-real).mean(),
        ),
        Mutation(
            "divmin.papers.shannon.learned_pushforward.trained",
            lambda train: lambda *given: _halved(train(*given)),
        ),
    ),
    "shannon-minimisers": (
        Mutation("divmin.papers.shannon.minimisers.fit", lambda fit: lambda *given: replace(fit(*given), points=())),
        Mutation("divmin.data.mixture.Mixture._log_density", lambda log: lambda self, x: log(self, x - 1e-3)),
        Mutation("divmin.family.base.Divergence.canonical", lambda canonical: lambda self: 1.001 * canonical(self)),
    ),
}


def _other(scheme: object) -> object:
    """The saturating scheme in place of the non-saturating one, and the other way round."""
    return recipe("nonsaturating" if scheme == recipe("minimax") else "minimax")


def _halved(critic: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: 0.5 * critic(x)
