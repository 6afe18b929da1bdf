"""Section 5: reversing, symmetrising and softening, and what they make of KL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.shannon.line import Floats
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# f'' of each composition in closed form, canonical
CLOSED: dict[str, Callable[[Floats], Floats]] = {
    "kl": lambda u: 1 / u,
    "reverse(kl)": lambda u: 1 / u**2,
    "symmetrize(kl)": lambda u: (u + 1) / (2 * u**2),
    "soften(kl)": lambda u: 4 / (u * (1 + u) ** 2),
    "symmetrize(soften(kl))": lambda u: 2 / (u * (1 + u)),
    "soften(reverse(kl))": lambda u: 2 / (u**2 * (1 + u)),
    "reverse(soften(reverse(kl)))": lambda u: 2 / (1 + u),
    "reverse(soften(kl))": lambda u: 4 / (1 + u) ** 2,
    "reverse(chi2_data_denominator)": lambda u: np.ones_like(u),
    "reverse(power(1.5))": lambda u: u**-2.5,
}
SELF_REVERSE = ("js", "jeffreys", "squared_hellinger")
SOFTENED = ("kl", "reverse_kl", "jeffreys", "chi2_data_denominator", "power(1.5)")


@dataclass(frozen=True)
class Settings:
    """Where f'' is compared.

    Args:
        decades: of u on both sides of 1.
        points: on a logarithmic grid.
    """

    decades: float = 6.0
    points: int = 481


def expectations() -> dict[str, Expected]:
    wanted = {f"{name}: largest relative error of f''": at_most(1e-14, source="section 5") for name in CLOSED}
    wanted |= {f"{name} and its reverse: largest difference of f''": at_most(1e-14) for name in SELF_REVERSE}
    for name in SOFTENED:
        wanted[f"soften({name}): largest error of 8 f''(2u/(1 + u))/(1 + u)^3"] = at_most(1e-13, source="section 5")
        wanted[f"soften({name}): S"] = near(0.0, 1e-12, source="(R, S) -> (R, 0)")
    wanted["jeffreys: R, the larger of both"] = near(2.0, 1e-12, source="tails of sums")
    wanted["jeffreys: coefficient on the left, half of reverse KL's"] = near(0.5, 1e-12, source="tails of sums")
    wanted["kl + 2 js: S, the larger of both"] = near(2.0, 1e-12, source="tails of sums")
    wanted["kl + 2 js: coefficient on the left, a tie"] = near(2.0, 1e-12, source="coefficients add on ties")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    u = np.geomspace(10.0**-settings.decades, 10.0**settings.decades, settings.points)
    numbers, drawn = {}, []
    for name, closed in CLOSED.items():
        f = divergence(name).canonical()
        got, true = f.d2f(u), closed(u)
        numbers[f"{name}: largest relative error of f''"] = largest(got / true - 1)
        drawn.append(u**2 * got)
    for name in SELF_REVERSE:
        f = divergence(name)
        numbers[f"{name} and its reverse: largest difference of f''"] = largest(f.reverse().d2f(u) / f.d2f(u) - 1)
    for name in SOFTENED:
        f = divergence(name).canonical()
        soft = f.soften()
        wanted = 8 / (1 + u) ** 3 * f.d2f(2 * u / (1 + u))
        numbers[f"soften({name}): largest error of 8 f''(2u/(1 + u))/(1 + u)^3"] = largest(soft.d2f(u) / wanted - 1)
        numbers[f"soften({name}): S"] = soft.tails.S
    jeffreys = divergence("jeffreys").canonical().tails
    numbers["jeffreys: R, the larger of both"] = jeffreys.R
    numbers["jeffreys: coefficient on the left, half of reverse KL's"] = jeffreys.C
    both = (divergence("kl") + 2 * divergence("js")).tails
    numbers["kl + 2 js: S, the larger of both"] = both.S
    numbers["kl + 2 js: coefficient on the left, a tie"] = both.C
    return Found(numbers, {"d": np.log(u), "w": np.stack(drawn)})


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(list(CLOSED)[:8]):
        colour, dash = line_style(i)
        ax.semilogy(found.arrays["d"], found.arrays["w"][i], dash, color=colour, label=name)
    ax.set(xlabel="d = log p/q (nats)", ylabel="w(d) = u² f''(u)", ylim=(1e-6, 1e6))
    ax.legend(frameon=False, fontsize="small", loc="upper center", ncols=2)


register(
    Item(
        name="shannon-operations",
        paper=SHANNON,
        title="Section 5: reverse, symmetrise, soften",
        claim="Three operations make the whole family from KL: reverse KL = reverse(KL), Jeffreys = symmetrise(KL), softened KL = "
        "soften(KL) = 4 KL(p||m), 4 JS = symmetrise(soften(KL)), SRKL = soften(reverse(KL)) = 4 KL(m||p).",
        settings=Settings(),
        quick=Settings(points=121),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7.5, 5),
        caption="Weights w(d) on a logarithmic axis: slopes are the tail weights, 2 - R on the left and S - 1 on the right. "
        "Softening lowers the right slope to -1 and leaves the left one.",
        slips=("The reversed second derivative is printed as f'_R where f''_R is meant.",),
    )
)
