"""Equation 42: the non-saturating scheme with g follows the divergence f with f'' = g''/u, for the whole catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from divmin.family import Divergence, divergence, divergences
from divmin.objectives import Recipe, fgan, hybrid
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES
from divmin.papers.shannon.line import Floats
from divmin.papers.sources import SHANNON

# From g to f, each with a closed form of its own: those of the reference, a sum, and a step down the family of powers.
MAP = {NAMES[one]: NAMES[other] for one, other in reference("equation_checks", "non_saturating_map").items()} | {
    "jeffreys": "0.5*reverse_kl + 0.25*chi2_data_denominator",
    "power(3)": "power(2)",
    "power(0.5)": "power(-0.5)",
    "power(-1)": "power(-2)",
}
SMOOTH = tuple(name for name, f in divergences().items() if f.smooth)
ORDER = 12  # of Gauss's rule between neighbouring log-ratios


@dataclass(frozen=True)
class Settings:
    """Where both sides are compared.

    Args:
        reach: log-ratios from -reach to reach, nats.
        points: of them, an odd number, so that 0 is one.
        batch: samples in the minibatch whose gradients are compared.
        seed: of it, and of both networks.
    """

    reach: float = 12.0
    points: int = 241
    batch: int = 256
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted = {}
    for name in SMOOTH:
        wanted[f"{name}: a_g against the integral of u g''(u)"] = at_most(1e-12, source="eq. 42")
        wanted[f"{name}: b_f against the integral of u g''(u)"] = at_most(1e-12, source="eq. 42")
        wanted[f"{name}: R of f minus R of g"] = near(1.0, 1e-9, source="(R, S) -> (R + 1, S - 1)")
        wanted[f"{name}: S of f minus S of g"] = near(-1.0, 1e-9, source="(R, S) -> (R + 1, S - 1)")
        wanted[f"{name}: gradient of a minibatch"] = at_most(1e-12, source="w_f = u g''(u), through autograd")
    for one, other in MAP.items():
        wanted[f"{one} becomes {other}: largest error of b_f - a_g"] = at_most(1e-12, source="section 9")
        wanted[f"{one} becomes {other}: gradients of both losses"] = at_most(1e-12, source="eqs. 37 and 41")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    batch = Batch.of(settings)
    numbers, rows = {}, []
    for name in SMOOTH:
        g = divergences()[name]
        f = g.nonsaturating()
        area = _area(d, lambda x, g=g: np.exp(x) * g.d2f(np.exp(x)))  # type: ignore[misc]
        size = np.abs(area) + 1e-3 * g.scale
        numbers[f"{name}: a_g against the integral of u g''(u)"] = largest((g.a(d) - area) / size)
        numbers[f"{name}: b_f against the integral of u g''(u)"] = largest((f.b(d) - area) / size)
        numbers[f"{name}: R of f minus R of g"] = f.tails.R - g.tails.R
        numbers[f"{name}: S of f minus S of g"] = f.tails.S - g.tails.S
        followed = batch.gradient(fgan(g, nonsaturating=True))
        numbers[f"{name}: gradient of a minibatch"] = _apart(followed, batch.weighted(g))
        rows.append((name, f.name, f"({g.tails.R:.4g}, {g.tails.S:.4g})", f"({f.tails.R:.4g}, {f.tails.S:.4g})"))
    for one, other in MAP.items():
        g, f = divergence(one).canonical(), divergence(other).canonical()
        a, b = g.a(d), f.b(d)  # both vanish at 0, and so does their difference
        key = f"{one} becomes {other}"
        numbers[f"{key}: largest error of b_f - a_g"] = largest((b - a) / (np.abs(a) + 1e-3))
        both = [batch.gradient(each) for each in (fgan(g, nonsaturating=True), hybrid(f, g))]
        numbers[f"{key}: gradients of both losses"] = _apart(*both)
    heads = ("critic and generator: g", "what is minimised: f", "tails of g", "tails of f")
    return Found(numbers, tables=(Table(heads, tuple(rows)),))


def _area(d: Floats, integrand: Callable[[Floats], Floats]) -> Floats:
    """The integral from 0 to each of the equally spaced log-ratios, whose middle one is 0."""
    nodes, shares = np.polynomial.legendre.leggauss(ORDER)
    half = (d[1] - d[0]) / 2
    pieces = (integrand((d[:-1] + half)[:, None] + half * nodes) * shares).sum(1) * half
    middle = len(d) // 2
    right = np.cumsum(pieces[middle:])
    left = -np.cumsum(pieces[:middle][::-1])[::-1]
    return np.concatenate([left, [0.0], right])


@dataclass(frozen=True, eq=False)
class Batch:
    """A minibatch on its way through a small generator and a critic that stands still.

    Args:
        parameters: of the generator.
        d: the critic's outputs [n], with a graph to them.
    """

    parameters: tuple[torch.Tensor, ...]
    d: torch.Tensor

    @classmethod
    def of(cls, settings: Settings) -> Batch:
        random = torch.Generator().manual_seed(settings.seed)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=random, dtype=torch.float64)

        parameters = (normal(3, 8), normal(8, 2))
        for each in parameters:
            each.requires_grad_()
        x = torch.tanh(normal(settings.batch, 3) @ parameters[0]) @ parameters[1]
        d = torch.tanh(x @ normal(2, 8)) @ normal(8)
        return cls(parameters, d)

    def gradient(self, recipe: Recipe) -> torch.Tensor:
        """Of the recipe's generator loss, by all parameters of the generator in a row."""
        return self._by_parameters(recipe.generator_loss(self.d))

    def weighted(self, g: Divergence) -> torch.Tensor:
        """-mean of u g''(u) grad d, which eq. 42 says it is."""
        u = self.d.detach().exp()
        return self._by_parameters(-(u * g.d2f(u) * self.d).mean())

    def _by_parameters(self, loss: torch.Tensor) -> torch.Tensor:
        parts = torch.autograd.grad(loss, self.parameters, retain_graph=True)
        return torch.cat([part.reshape(-1) for part in parts])


def _apart(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


register(
    Item(
        name="shannon-equation-42",
        paper=SHANNON,
        title="Equation 42: what non-saturating training with any g minimises",
        claim="A generator that descends -E_q[a_g(d)] follows the divergence f with f'' = g''/u: KL becomes reverse KL, reverse KL "
        "half of Pearson's chi-square, and 4 JS the softened reverse KL. Tail weights (R, S) become (R + 1, S - 1).",
        settings=Settings(),
        quick=Settings(points=61, batch=64),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        slips=('A sentence of section 9 lost the words "reverse KL is".',),
    )
)
