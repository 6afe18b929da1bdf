"""Equation 42: the non-saturating scheme with g follows the divergence f with f'' = g''/u, for the whole catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from divmin.family import Divergence, divergences
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import canonical
from divmin.papers.sources import SHANNON

MAP = reference("equation_checks", "non_saturating_map")
SMOOTH = tuple(name for name, f in divergences().items() if f.smooth)


@dataclass(frozen=True)
class Settings:
    """Where both sides are compared.

    Args:
        reach: log-ratios from -reach to reach, nats.
        points: of them.
        batch: samples in the minibatch whose gradients are compared.
        seed: of it.
    """

    reach: float = 12.0
    points: int = 241
    batch: int = 256
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted = {}
    for name in SMOOTH:
        wanted[f"{name}: largest error of b_f - a_g"] = at_most(1e-12, source="eq. 42")
        wanted[f"{name}: R of f minus R of g"] = near(1.0, 1e-9, source="(R, S) -> (R + 1, S - 1)")
        wanted[f"{name}: S of f minus S of g"] = near(-1.0, 1e-9, source="(R, S) -> (R + 1, S - 1)")
        wanted[f"{name}: gradients of a minibatch"] = at_most(1e-12, source="through autograd")
    for one, other in MAP.items():
        wanted[f"{one} becomes {other}: largest relative error of w"] = at_most(1e-12, source="section 9")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    numbers, rows = {}, []
    for name in SMOOTH:
        g = divergences()[name]
        f = g.nonsaturating()
        a, b = g.a(d), f.b(d)
        # both vanish at 0, and so does their difference
        numbers[f"{name}: largest error of b_f - a_g"] = largest((b - a) / (np.abs(a) + 1e-3 * g.scale))
        left, right = ((f.tails.R - g.tails.R), (f.tails.S - g.tails.S))
        numbers[f"{name}: R of f minus R of g"], numbers[f"{name}: S of f minus S of g"] = left, right
        numbers[f"{name}: gradients of a minibatch"] = _gradients(f, g, settings)
        rows.append((name, f.name, f"({g.tails.R:.4g}, {g.tails.S:.4g})", f"({f.tails.R:.4g}, {f.tails.S:.4g})"))
    for one, other in MAP.items():
        f, wanted = canonical(one).nonsaturating().canonical(), canonical(other)
        numbers[f"{one} becomes {other}: largest relative error of w"] = largest(f.weight(d) / wanted.weight(d) - 1)
    heads = ("critic and generator: g", "what is minimised: f", "tails of g", "tails of f")
    return Found(numbers, tables=(Table(heads, tuple(rows)),))


def _gradients(f: Divergence, g: Divergence, settings: Settings) -> float:
    """How far both losses of one minibatch, -mean a_g(d) and -mean b_f(d), differ in their gradients through a small critic."""
    import torch

    generator = torch.Generator().manual_seed(settings.seed)
    x = torch.randn(settings.batch, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(3, generator=generator, dtype=torch.float64)
    d = torch.tanh(x) @ weights + 0.3 * x.square().sum(1) - 1
    gradients = [torch.autograd.grad(-each(d).mean(), x, retain_graph=True)[0] for each in (g.a, f.b)]
    return float((gradients[0] - gradients[1]).abs().max() / gradients[0].abs().max())


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
