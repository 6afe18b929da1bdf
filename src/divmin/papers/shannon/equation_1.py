"""Equation 1 and section 2: what of f a divergence depends on, its canonical form, and its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.family import divergence, entries
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES, SHOWN, WITH_THIRD, canonical, values
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEMBERS = tuple(name for name in NAMES if name in reference("divergences"))
FUNCTIONS = {"f": "f", "df": "f1", "d2f": "f2"}  # ours, the reference's
DIGITS = 6e-12  # relative: what twelve digits leave
SUMS = (("kl", "reverse_kl"), ("js", "softened_kl"), ("igog", "squared_hellinger"))


@dataclass(frozen=True)
class Settings:
    """How the invariances are tried.

    Args:
        scale: factor of f.
        constant: k of f + k + l u.
        slope: l of it.
        nodes: of the trapezoid rule.
        points: of u at which a form is compared with the canonical one.
    """

    scale: float = 3.0
    constant: float = 0.7
    slope: float = -1.3
    nodes: int = 8001
    points: int = 61


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in MEMBERS:
        for function in FUNCTIONS:
            wanted[f"{name}: {function} against the reference, relative"] = at_most(DIGITS, source="closed forms")
        wanted[f"{name}: f''(1)"] = near(1, 1e-14, source="canonical")
    for name in SHOWN:
        wanted[f"{name}: canonical form of another f with the same f''"] = at_most(1e-9, source="f'' decides")
        wanted[f"{name}: E_q of f + k + l u, less k + l and D"] = at_most(1e-12, source="eq. 1")
    for pair in WITH_THIRD:
        for name, value in values(pair).items():
            wanted[f"{name}, {pair}"] = near(value, relative=DIGITS, source="eq. 1")
    wanted["largest |D of f + 2 g - D of f - 2 D of g|"] = at_most(1e-12, source="linear in f")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    for name in MEMBERS:
        f, known = canonical(name), reference("divergences", name, "u")
        for ours, theirs in FUNCTIONS.items():
            gaps = [(float(getattr(f, ours)(float(u))) - each[theirs], each[theirs]) for u, each in known.items()]
            numbers[f"{name}: {ours} against the reference, relative"] = max(abs(g) / (abs(v) or 1) for g, v in gaps)
        numbers[f"{name}: f''(1)"] = float(f.d2f(1.0))
    u = np.geomspace(0.02, 50, settings.points)
    pair, laws = next(iter(WITH_THIRD.items()))
    line = Line.of(*laws, nodes=settings.nodes)
    for name in SHOWN:
        f = canonical(name)
        text = f"{settings.scale!r}*({_written(name)}) + {settings.constant!r} + ({settings.slope!r})*u"
        same = divergence(text).canonical()
        numbers[f"{name}: canonical form of another f with the same f''"] = largest((same.f(u) - f.f(u)) / (1 + f.f(u)))
        mean = line.integral(line.q * f.f(np.exp(line.d)) + settings.constant * line.q + settings.slope * line.p)
        left = mean - settings.constant - settings.slope - exact(f, *laws).value
        numbers[f"{name}: E_q of f + k + l u, less k + l and D"] = abs(left)
    for each, (p, q) in WITH_THIRD.items():
        for name in values(each):
            numbers[f"{name}, {each}"] = exact(canonical(name), p, q).value
    gaps_of_sums = [
        exact(canonical(one) + 2 * canonical(other), *laws).value
        - numbers[f"{one}, {pair}"]
        - 2 * numbers[f"{other}, {pair}"]
        for one, other in SUMS
    ]
    numbers["largest |D of f + 2 g - D of f - 2 D of g|"] = largest(gaps_of_sums)
    rows = tuple(
        (SHOWN[name], *(f"{numbers[f'{name}, {each}']:.12g}" for each in WITH_THIRD), f"{canonical(name).f(2.0):.12g}")
        for name in SHOWN
    )
    drawn = np.linspace(0.01, 4, 200)
    arrays: dict[str, Floats] = {"u": drawn, "f": np.stack([canonical(name).f(drawn) for name in SHOWN])}
    return Found(numbers, arrays, (Table(("canonical", *WITH_THIRD, "f(2)"), rows, "values in nats"),))


def _written(name: str) -> str:
    """f(u) of the catalogue as text, in the scale of its name."""
    return entries()[NAMES[name]].f


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, label in enumerate(SHOWN.values()):
        colour, dash = line_style(i)
        ax.plot(found.arrays["u"], found.arrays["f"][i], color=colour, linestyle=dash, label=label)
    ax.set(xlabel="u = p/q", ylabel="f(u), canonical", ylim=(0, 2.5), xlim=(0, 4))
    figure.legend(loc="outside right upper", frameon=False)


register(
    Item(
        name="shannon-equation-1",
        paper=SHANNON,
        title="Equation 1: the canonical form, invariances and values",
        claim="D_f is linear in f, does not see l (u - 1), and depends on f'' alone: each has one canonical form with "
        "f(1) = f'(1) = 0 and f''(1) = 1.",
        settings=Settings(),
        quick=Settings(nodes=4001, points=21),
        cost=Cost(quick=2, full=2),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(8, 4.5),
        caption="In canonical form all touch the axis at u = 1 with the same curvature, and differ in how they go on.",
    )
)
