"""Figure 2: the symmetry-preserving representation s of four divergences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("kl", "reverse_kl", "js", "jeffreys")
AT = ("-8", "-4", "4", "8")


@dataclass(frozen=True)
class Settings:
    """What is drawn.

    Args:
        reach: log-ratios from -reach to reach, in nats.
        points: on each curve.
    """

    reach: float = 8.0
    points: int = 401


def expectations() -> dict[str, Expected]:
    """s at four log-ratios, and the symmetries."""
    wanted = {
        f"s of {name} at d = {d}": near(reference("divergences", name, "d", d, "s"), relative=1e-10)
        for name in NAMES
        for d in AT
    }
    for name in ("js", "jeffreys"):
        wanted[f"{name}: largest |s(d) - s(-d)|"] = at_most(1e-12, source="section 4")
    wanted["largest |s of kl at d - s of reverse kl at -d|"] = at_most(1e-12, source="section 4")
    wanted["largest |s - d^2/2| / |d|^3 for |d| below 0.01"] = at_most(1.0, source="canonical: all touch d^2/2")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    near_zero = np.linspace(1e-3, 1e-2, 10)
    curves = {name: divergence(name).canonical() for name in NAMES}
    s = {name: f.s(d) for name, f in curves.items()}
    numbers = {f"s of {name} at d = {at}": float(curves[name].s(float(at))) for name in NAMES for at in AT}
    for name in ("js", "jeffreys"):
        numbers[f"{name}: largest |s(d) - s(-d)|"] = largest(s[name] - s[name][::-1])
    numbers["largest |s of kl at d - s of reverse kl at -d|"] = largest(s["kl"] - s["reverse_kl"][::-1])
    numbers["largest |s - d^2/2| / |d|^3 for |d| below 0.01"] = max(
        largest((f.s(side * near_zero) - near_zero**2 / 2) / near_zero**3) for f in curves.values() for side in (-1, 1)
    )
    return Found(numbers, {"d": d, "s": np.stack([s[name] for name in NAMES])})


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(NAMES):
        colour, dash = line_style(i)
        ax.plot(found.arrays["d"], found.arrays["s"][i], color=colour, linestyle=dash, label=name.replace("_", " "))
    ax.set(xlabel="d = log p/q (nats)", ylabel="s(d), canonical scale", ylim=(0, 8))
    ax.legend()


register(
    Item(
        name="shannon-figure-2",
        paper=SHANNON,
        title="Figure 2: s(d) of KL, reverse KL, Jensen-Shannon and Jeffreys",
        claim="Drawn against d with the same scale at d = 0, a divergence and its reverse are mirror images, symmetric ones are "
        "even, and the tails show which mismatches are paid for without bound.",
        settings=Settings(),
        quick=Settings(points=101),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.5),
        caption="KL rises to the right (data that the model misses), reverse KL to the left (samples that look fake); "
        "Jensen-Shannon, times 4, levels off on both sides at 2 log 2, and Jeffreys, halved, on neither.",
    )
)
