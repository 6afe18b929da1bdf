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
from divmin.values import exact

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
    "reverse(power(3))": lambda u: u**-4.0,
    "reverse(reverse_kl)": lambda u: 1 / u,
    "reverse(chi2_model_denominator)": lambda u: u**-3.0,
}
SELF_REVERSE = ("js", "jeffreys", "squared_hellinger")
REVERSED = ("kl", "softened_kl", "softened_reverse_kl", "igog", "power(1.5)")  # finite on the pair both ways round
P, Q = "normal(0, 1)", "normal(0.5, 1.2)"
M = f"0.5*{P} + 0.5*{Q}"
# A composition, and what it is in terms of KL: its factor and two laws for each part.
IN_KL = {
    "reverse(kl)": ((1, Q, P),),
    "symmetrize(kl)": ((1 / 2, P, Q), (1 / 2, Q, P)),
    "soften(kl)": ((4, P, M),),
    "soften(reverse(kl))": ((4, M, P),),
    "symmetrize(soften(kl))": ((2, P, M), (2, Q, M)),
}
FAR = 40.0  # nats: where tails are measured
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
    wanted |= {
        f"{name} and its reverse: largest difference of f''": at_most(1e-14, source="f'' = u^-3 f''(1/u)")
        for name in SELF_REVERSE
    }
    for name in SOFTENED:
        wanted[f"soften({name}): largest error of 8 f''(2u/(1 + u))/(1 + u)^3"] = at_most(1e-13, source="section 5")
        wanted[f"soften({name}): R less that of {name}"] = near(0.0, 1e-12, source="(R, S) -> (R, 0)")
        wanted[f"soften({name}): C over 2^(3 - R) C, measured"] = near(1.0, 1e-12, source="derived")
        wanted[f"soften({name}): D over 8 f''(2), measured"] = near(1.0, 1e-12, source="derived")
        wanted[f"soften({name}): S"] = near(0.0, 1e-12, source="(R, S) -> (R, 0)")
    wanted |= {
        f"reverse({name}): D(p, q) less D(q, p) of {name}": at_most(1e-12, source="section 5") for name in REVERSED
    }
    wanted |= {f"{name} less what it is of KL": at_most(1e-12, source="section 5") for name in IN_KL}
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
        weights = float(soft.weight(-FAR)), float(soft.weight(FAR))
        left = 2 ** (3 - f.tails.R) * f.tails.C * float(np.exp((f.tails.R - 2) * FAR))
        numbers[f"soften({name}): R less that of {name}"] = soft.tails.R - f.tails.R
        numbers[f"soften({name}): C over 2^(3 - R) C, measured"] = weights[0] / left
        numbers[f"soften({name}): D over 8 f''(2), measured"] = weights[1] / (8 * f.d2f(2.0) * float(np.exp(-FAR)))
        numbers[f"soften({name}): S"] = soft.tails.S
    for name in REVERSED:
        f = divergence(name)
        gap = exact(f.reverse(), P, Q).value - exact(f, Q, P).value
        numbers[f"reverse({name}): D(p, q) less D(q, p) of {name}"] = abs(gap)
    for name, parts in IN_KL.items():
        whole = sum(factor * exact("kl", one, other).value for factor, one, other in parts)
        numbers[f"{name} less what it is of KL"] = abs(exact(divergence(name), P, Q).value - whole)
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
        cost=Cost(quick=0.2, full=0.2),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7.5, 5),
        caption="Weights w(d) on a logarithmic axis: slopes are the tail weights, 2 - R on the left and S - 1 on the right. "
        "Softening lowers the right slope to -1 and leaves the left one.",
        slips=("The reversed second derivative is printed as f'_R where f''_R is meant.",),
    )
)
