"""Equation 2: near each other all divergences are the same, half the Fisher quadratic form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES, canonical
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 1e-3
RATIOS = "equation_checks", "eq2_ratio_eps1e-3"
# Those whose ratio differs from 1 by more than rounding; the others are exact.
BENT = tuple(name for name in NAMES if abs(reference(*RATIOS, name) - 1) > 1e-8)


@dataclass(frozen=True)
class Settings:
    """How it is looked at.

    Args:
        steps: distances of the means between 0.03 and 1, at which the rate is measured.
    """

    steps: int = 9


def expectations() -> dict[str, Expected]:
    wanted = {f"{name}: D over eps^2/2": near(reference(*RATIOS, name), 2e-9, source="eq. 2") for name in NAMES}
    # by symmetry of the pair the term of third order is absent: the next one is of fourth
    rates = {f"{name}: order of the error": near(4.0, 0.05, source="derived") for name in BENT}
    return wanted | rates


def compute(settings: Settings, work: Work) -> Found:
    numbers, apart = {}, np.geomspace(0.03, 1.0, settings.steps)
    errors = []
    for name in NAMES:
        f = canonical(name)
        small = exact(f, "normal(0, 1)", f"normal({EPSILON}, 1)").value
        numbers[f"{name}: D over eps^2/2"] = small / (EPSILON**2 / 2)
        if name in BENT:
            gaps = np.array([abs(exact(f, "normal(0, 1)", f"normal({e}, 1)").value - e**2 / 2) for e in apart])
            errors.append(gaps)
            kept = apart < 0.2  # nearer the next term is small too
            slope, _ = np.polyfit(np.log(apart[kept]), np.log(gaps[kept]), 1)
            numbers[f"{name}: order of the error"] = float(slope)
    return Found(numbers, {"apart": apart, "errors": np.stack(errors)})


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(BENT):
        colour, dash = line_style(i)
        label = name.replace("_doc000", "").replace("_", " ")
        ax.loglog(found.arrays["apart"], found.arrays["errors"][i], dash, color=colour, label=label, marker=".")
    ax.set(xlabel="distance ε of the means", ylabel="|D - ε²/2| (nats)")
    ax.legend(frameon=False, fontsize="x-small", ncols=2)


register(
    Item(
        name="shannon-equation-2",
        paper=SHANNON,
        title="Equation 2: local equivalence of all f-divergences",
        claim="D_f(q, q + eps v) = eps^2 f''(1) v'Fv/2 + O(eps^3) with the Fisher information F: close to the optimum the choice "
        "of f does not matter.",
        settings=Settings(),
        quick=Settings(steps=5),
        cost=Cost(quick=3, full=4),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.8),
        caption="What separates each divergence between N(0, 1) and N(ε, 1) from the common ε²/2 falls with the fourth power "
        "of ε; KL, reverse KL and Jeffreys, which are not drawn, have no error here.",
        slips=("The sum over x in F is an integral for densities, and v is a direction of parameters.",),
    )
)
