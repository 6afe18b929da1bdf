"""Equation 2: near each other all divergences are the same, half the Fisher quadratic form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES, SHOWN, canonical
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 1e-3
RATIOS = "equation_checks", "eq2_ratio_eps1e-3"
# f'''(1), on which the term of third order depends; -3/2 for symmetric ones.
THIRD = {
    "kl": -1.0,
    "reverse_kl": -2.0,
    "js": -1.5,
    "softened_kl": -2.0,
    "softened_reverse_kl": -2.5,
    "squared_hellinger": -1.5,
    "chi2_model_denominator": 0.0,
}
SHIFT = 0.01  # of log sigma
# Those whose ratio differs from 1 by more than rounding; the others are exact.
BENT = tuple(name for name in NAMES if abs(reference(*RATIOS, name) - 1) > 1e-8)

DRAWN = (
    "power(3)",
    "chi2_data_denominator",
    "softened_reverse_kl",
    "js",
    "squared_hellinger",
    "igog",
)  # others lie on these


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
    scales = {}
    for name, third in THIRD.items():
        # between N(0, 1) and N(0, e^(2 eps)) v'Fv = 2, and the next term is -(4/3)(f'''(1) + 3/2) eps^3
        scales[f"{name}: D over eps^2 along log sigma, both ways"] = near(1.0, 1e-3, source="eq. 2")
        scales[f"{name}: third order along log sigma"] = near(4 / 3 * (-1.5 - third), 2e-3, source="O(eps^3), derived")
    return wanted | rates | scales


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
    for name in THIRD:
        there, back = (exact(canonical(name), "normal(0, 1)", f"normal(0, exp({e}))").value for e in (SHIFT, -SHIFT))
        numbers[f"{name}: D over eps^2 along log sigma, both ways"] = (there + back) / (2 * SHIFT**2)
        numbers[f"{name}: third order along log sigma"] = (there - back) / (2 * SHIFT**3)
    return Found(numbers, {"apart": apart, "errors": np.stack(errors)})


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(DRAWN):
        colour, dash = line_style(i)
        errors = found.arrays["errors"][BENT.index(name)]
        label = SHOWN.get(name, name.replace("_", " "))
        ax.loglog(found.arrays["apart"], errors, dash, color=colour, label=label, marker=".")
    ax.set(xlabel="distance ε of the means", ylabel="|D - ε²/2| (nats)")
    ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-equation-2",
        paper=SHANNON,
        title="Equation 2: local equivalence of all f-divergences",
        claim="D_f(q_t, q_(t + eps v)) = eps^2 f''(1) v'Fv/2 + O(eps^3) with the Fisher information F: close to the optimum the "
        "choice of f does not matter.",
        settings=Settings(),
        quick=Settings(steps=5),
        cost=Cost(quick=1.7, full=1.9),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.8),
        caption="What separates each divergence between N(0, 1) and N(ε, 1) from the common ε²/2 falls with the fourth power "
        "of ε; KL, reverse KL and Jeffreys have no error here; divergences that are not drawn have the same errors as one that is.",
        slips=("The sum over x in F is an integral for densities, and v is a direction of parameters.",),
    )
)
