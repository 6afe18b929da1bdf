"""Figure 2: the symmetry-preserving representation s of the divergences of table 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import SHOWN, canonical
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The source draws the first four at least; the others of its table stand beside them.
PANELS = (
    ("kl", "reverse_kl", "js", "jeffreys"),
    ("softened_kl", "softened_reverse_kl", "chi2_data_denominator", "squared_hellinger"),
)
AT = ("-8", "-4", "4", "8")
EVEN = ("js", "jeffreys", "squared_hellinger")
MIRRORED = (("kl", "reverse_kl"), ("chi2_data_denominator", "chi2_model_denominator"))
# Slopes of s far out, per nat, where s has no bound: name, side, slope.
LINEAR = (
    ("kl", 1, 1.0),
    ("reverse_kl", -1, 1.0),
    ("jeffreys", -1, 0.5),
    ("jeffreys", 1, 0.5),
    ("softened_reverse_kl", -1, 2.0),
    ("igog", -1, 4 / 3),
)
EXPONENTIAL = (("chi2_data_denominator", -1), ("chi2_model_denominator", 1))
SIDE = {-1: "left", 1: "right"}


@dataclass(frozen=True)
class Settings:
    """What is drawn.

    Args:
        reach: log-ratios from -reach to reach, in nats.
        points: on each curve.
        far: the log-ratio beyond which slopes are taken, in nats.
    """

    reach: float = 8.0
    points: int = 401
    far: float = 40.0


def expectations() -> dict[str, Expected]:
    """s at four log-ratios, its limits, its tails, and the symmetries."""
    wanted: dict[str, Expected] = {}
    for name in SHOWN:
        for d in AT:
            wanted[f"s of {name} at d = {d}"] = near(
                reference("divergences", name, "d", d, "s"), relative=6e-12, source="reference"
            )
        for sign, end in ((-1, "minus"), (1, "plus")):
            limit = reference("divergences", name, f"s_f_limit_{end}_inf")
            wanted[f"s of {name} at its {SIDE[sign]} end"] = near(limit, relative=6e-12, source="section 4")
    for name in EVEN:
        wanted[f"{name}: largest |s(d) - s(-d)|"] = at_most(1e-12, source="section 4")
    for one, other in MIRRORED:
        wanted[f"{one} and {other}: largest |s(d) - s(-d)|, relative"] = at_most(1e-12, source="section 4")
    for name, side, slope in LINEAR:
        wanted[f"{name}: slope on the {SIDE[side]}, per nat"] = near(slope, 1e-10, source="linear tails")
    for name, side in EXPONENTIAL:
        wanted[f"{name}: growth on the {SIDE[side]}, log per nat"] = near(1, 1e-10, source="not linear: derived")
    wanted["largest |s - d^2/2| / |d|^3 for |d| below 0.01"] = at_most(1.0, source="canonical: all touch d^2/2")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    near_zero = np.linspace(1e-3, 1e-2, 10)
    members = {name: canonical(name) for name in (*SHOWN,)}
    s = {name: f.s(d) for name, f in members.items()}
    numbers = {f"s of {name} at d = {at}": float(f.s(float(at))) for name, f in members.items() for at in AT}
    for name, f in members.items():
        for sign in SIDE:
            numbers[f"s of {name} at its {SIDE[sign]} end"] = float(f.s(sign * inf))
    for name in EVEN:
        numbers[f"{name}: largest |s(d) - s(-d)|"] = largest(s[name] - s[name][::-1])
    for one, other in MIRRORED:
        gaps = (s[one] - s[other][::-1]) / (1 + s[one])
        numbers[f"{one} and {other}: largest |s(d) - s(-d)|, relative"] = largest(gaps)
    for name, side, _ in LINEAR:
        low, high = (float(members[name].s(side * at)) for at in (settings.far, settings.far + 1))
        numbers[f"{name}: slope on the {SIDE[side]}, per nat"] = high - low
    for name, side in EXPONENTIAL:
        low, high = (float(members[name].s(side * at)) for at in (settings.far, settings.far + 1))
        numbers[f"{name}: growth on the {SIDE[side]}, log per nat"] = float(np.log(high / low))
    numbers["largest |s - d^2/2| / |d|^3 for |d| below 0.01"] = max(
        largest((f.s(side * near_zero) - near_zero**2 / 2) / near_zero**3) for f in members.values() for side in SIDE
    )
    return Found(numbers, {"d": d, **{f"s of {name}": s[name] for panel in PANELS for name in panel}})


def draw(found: Found, figure: Figure) -> None:
    for ax, panel in zip(figure.subplots(1, 2, sharey=True), PANELS, strict=True):
        for i, name in enumerate(panel):
            colour, dash = line_style(i)
            ax.plot(found.arrays["d"], found.arrays[f"s of {name}"], color=colour, linestyle=dash, label=SHOWN[name])
        ax.set(xlabel="d = log p/q (nats)", ylim=(0, 8))
        ax.legend(loc="upper center" if panel is PANELS[0] else "upper right")
    figure.axes[0].set_ylabel("s(d), canonical scale")


register(
    Item(
        name="shannon-figure-2",
        paper=SHANNON,
        title="Figure 2: s(d) of KL, reverse KL, Jensen-Shannon, Jeffreys and their relatives",
        claim="Drawn against d with the same scale at d = 0, a divergence and its reverse are mirror images, symmetric ones are "
        "even, and the tails show which mismatches are paid for without bound.",
        settings=Settings(),
        quick=Settings(points=101),
        cost=Cost(quick=0.2, full=0.2),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(9.5, 4.2),
        caption="Left: KL rises to the right (data that the model misses), reverse KL to the left (samples that look fake); "
        "Jensen-Shannon, times 4, levels off on both sides at 2 log 2, and Jeffreys, halved, on neither. Right: the softened "
        "ones level off on the right; Pearson's chi-square leaves the picture, since its left tail grows as exp(-d)/2.",
        slips=('"All unbounded tails are linear in d" does not hold for Pearson\'s: it is exponential.',),
    )
)
