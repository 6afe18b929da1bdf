"""Section 8: how the generator's gradient b'(d) = w(d) dies out, or does not, where samples look fake."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

import numpy as np

from divmin.family import Divergence
from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.shannon.catalogue import SHOWN, canonical
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _twice(u: float) -> float:
    """(2u + 1)/(u + 1)^2, IGOG's weight as printed."""
    return (2 * u + 1) / (u + 1) ** 2


# b' at -8 and 8 in closed form, canonical, and (C, R) of b' ~ C e^((2 - R) d) on the left
TRUE = {
    "kl": (exp(-8), exp(8), 1, 1),
    "reverse_kl": (1.0, 1.0, 1, 2),
    "js": (2 / (1 + exp(8)), 2 / (1 + exp(-8)), 2, 1),
    "softened_reverse_kl": (2 / (1 + exp(-8)), 2 / (1 + exp(8)), 2, 2),
    "softened_kl": (4 * exp(-8) / (1 + exp(-8)) ** 2, 4 * exp(8) / (1 + exp(8)) ** 2, 4, 1),
    "chi2_data_denominator": (exp(8), exp(-8), 1, 3),
    "jeffreys": ((1 + exp(-8)) / 2, (1 + exp(8)) / 2, 1 / 2, 2),
    "igog": (4 / 3 * _twice(exp(-8)), 4 / 3 * _twice(exp(8)), 4 / 3, 2),
    "squared_hellinger": (exp(-4), exp(4), 1, 1.5),
    "chi2_model_denominator": (exp(-16), exp(16), 1, 0),
}
DRAWN = ("kl", "reverse_kl", "js", "softened_reverse_kl", "softened_kl", "chi2_data_denominator")
FAR = 40.0


@dataclass(frozen=True)
class Settings:
    """What is drawn: log-ratios from -reach to reach, in nats."""

    reach: float = 8.0


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name, (low, high, constant, weight) in TRUE.items():
        wanted[f"{name}: b'(-8)"] = near(low, relative=1e-13, source="section 8")
        wanted[f"{name}: b'(8)"] = near(high, relative=1e-13, source="section 8")
        wanted[f"{name}: constant C on the left"] = near(constant, 1e-10, source=f"b' ~ C e^({2 - weight:+g} d)")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, 201)
    numbers = {}
    for name, (*_, weight) in TRUE.items():
        f = canonical(name)
        for at in (-8.0, 8.0):
            numbers[f"{name}: b'({at:g})"] = _slope_of_b(f, at)
        numbers[f"{name}: constant C on the left"] = float(f.weight(-FAR)) / exp(-(2 - weight) * FAR)
    curves = [canonical(name).weight(d) for name in DRAWN]
    return Found(numbers, {"d": d, "w": np.stack(curves)})


def _slope_of_b(f: Divergence, at: float) -> float:
    """b' through autograd: what backpropagation gives a generator's sample."""
    import torch

    d = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(f.b(d), d)
    return float(slope)


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(DRAWN):
        colour, dash = line_style(i)
        ax.semilogy(found.arrays["d"], found.arrays["w"][i], dash, color=colour, label=SHOWN[name])
    ax.set(xlabel="d = log p/q (nats)", ylabel="b'(d) = w(d)", ylim=(1e-4, 1e4))
    ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-saturation",
        paper=SHANNON,
        title="Section 8: saturation of the generator's gradient",
        claim="On samples that look fake b' behaves as e^((2 - R) d): it dies out for R = 1 (KL, JS), stays for R = 2 (reverse KL, "
        "SRKL) and grows for R = 3.",
        settings=Settings(),
        quick=Settings(),
        cost=Cost(quick=0.1, full=0.1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.5),
        caption="Left end: what reaches a sample that the critic is sure is fake. Level lines go on pulling; falling ones "
        "saturate.",
        slips=("The text drops the constant C: the gradient of SRKL is twice that of reverse KL there.",),
    )
)
