"""Figure 4: what Jensen-Shannon, reverse KL, the softened reverse KL and Goodfellow's reading of -log D pay for each mismatch."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import canonical
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("js", "reverse_kl", "softened_reverse_kl", "igog")
LEFT = {"reverse_kl": 1.0, "softened_reverse_kl": 2.0, "igog": 4 / 3, "js": 0.0}
RIGHT = {"reverse_kl": 1.0, "softened_reverse_kl": 2 - 2 * log(2), "igog": 2 / 3, "js": 2 * log(2)}
AT = ("-8", "-4", "4", "8")
FAR = 45.0  # nats, beyond which rounding leaves nothing of what is neglected


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
    wanted = {
        f"s of {name} at d = {d}": near(reference("divergences", name, "d", d, "s"), relative=1e-11)
        for name in NAMES
        for d in AT
    }
    wanted |= {f"{name}: slope on the left, per nat": near(-LEFT[name], 1e-10, source="derived") for name in NAMES}
    wanted |= {f"{name}: limit on the right": near(RIGHT[name], 1e-10, source="derived") for name in NAMES}
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    members = {name: canonical(name) for name in NAMES}
    numbers = {f"s of {name} at d = {at}": float(f.s(float(at))) for name, f in members.items() for at in AT}
    for name, f in members.items():
        numbers[f"{name}: slope on the left, per nat"] = float(f.s(-FAR) - f.s(-FAR - 1))
        numbers[f"{name}: limit on the right"] = float(f.s(FAR))
    return Found(numbers, {"d": d, "s": np.stack([f.s(d) for f in members.values()])})


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(NAMES):
        colour, dash = line_style(i)
        ax.plot(found.arrays["d"], found.arrays["s"][i], dash, color=colour, label=name.replace("_", " "))
    ax.set(xlabel="d = log p/q (nats)", ylabel="s(d), canonical scale", ylim=(0, 8))
    ax.legend(frameon=False)


register(
    Item(
        name="shannon-figure-4",
        paper=SHANNON,
        title="Figure 4: s(d) of JS, reverse KL, softened reverse KL and IGOG",
        claim="The softened reverse KL, which non-saturating training minimises, is more mode-seeking than reverse KL: it pays "
        "twice as much for samples that look fake and less for data that the model misses.",
        settings=Settings(),
        quick=Settings(points=101),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.5),
        caption="On the left (samples that look fake) the slopes are 0, 1, 4/3 and 2; on the right (missed data) all level off, "
        "the softened reverse KL lowest, at 2 - 2 log 2.",
        slips=(
            "Equations 28 and 47 have f'(1) different from 0: f'(1)(u - 1) must be subtracted before s is drawn.",
            "IGOG in canonical scale has a factor 4/3, since f''(1) = 3/4 as printed.",
        ),
    )
)
