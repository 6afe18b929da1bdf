"""The minimisers of a normal model on three mixtures, by eight divergences: every stationary point against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch.distributions import Normal

from divmin.data import densities
from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.shannon.schemes import MIXTURES, referred
from divmin.papers.sources import SHANNON
from divmin.plots.style import COLOURS
from divmin.values import fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALL = ("A_sym", "B_asym", "D_fig5")
SHADES = (*COLOURS, "0.55")  # one each
KINDS = ("minimum, the lowest", "minimum, not the lowest", "saddle")
NAMES = ("js", "softened_reverse_kl", "kl", "reverse_kl", "jeffreys", "softened_kl", "squared_hellinger", "igog")


@dataclass(frozen=True)
class Settings:
    """What is searched.

    Args:
        pairs: mixture and divergence; the search for one takes about half a second.
    """

    pairs: tuple[tuple[str, str], ...] = tuple((mixture, name) for mixture in ALL for name in NAMES)


QUICK = (("A_sym", "reverse_kl"), ("B_asym", "squared_hellinger"), ("D_fig5", "kl"))


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for mixture, name in Settings().pairs:
        at, full = f"{mixture}, {name}: ", (mixture, name) not in QUICK
        wanted[at + "stationary points"] = near(len(referred(mixture, name)), source="reference", full=full)
        wanted[at + "largest difference of mu or sigma"] = at_most(1e-8, source="reference", full=full)
        wanted[at + "largest relative difference of D"] = at_most(1e-9, source="reference", full=full)
        wanted[at + "minima - saddles + maxima"] = near(1, source="Poincare and Hopf", full=full)
    wanted["A_sym, reverse_kl: |mu| of the lowest minimum"] = at_most(1e-8, source="mode-seeking is no law")
    wanted["B_asym, js: mu of the lowest minimum"] = near(-0.9924102373, 1e-8, source="reference", full=True)
    wanted["D_fig5, kl: mu of the minimum"] = near(-0.45, 1e-8, source="the mean of the data")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    rows: list[tuple[str, ...]] = []
    arrays: dict[str, NDArray[np.float64]] = {}
    for mixture, name in work.each("searches", settings.pairs):
        found = fit(divergence(name).canonical(), densities()[MIXTURES[mixture]](), Normal)
        ours = np.array([(*each.parameters.values(), each.value) for each in found.points]).reshape(-1, 3)
        theirs = np.array([(each["mu"], each["sigma"], each["D"]) for each in referred(mixture, name)])
        at = f"{mixture}, {name}: "
        numbers[at + "stationary points"] = len(ours)
        numbers[at + "minima - saddles + maxima"] = found.count
        if not len(ours):
            continue
        near_theirs = theirs[np.abs(ours[:, None, :2] - theirs[:, :2]).max(2).argmin(1)]
        numbers[at + "largest difference of mu or sigma"] = largest(ours[:, :2] - near_theirs[:, :2])
        numbers[at + "largest relative difference of D"] = largest(ours[:, 2] / near_theirs[:, 2] - 1)
        numbers[at + "|mu| of the lowest minimum"] = abs(found.best.parameters["loc"])
        numbers[at + "mu of the lowest minimum"] = numbers[at + "mu of the minimum"] = found.best.parameters["loc"]
        kinds = [0 if point.lowest else 1 if point.kind == "minimum" else 2 for point in found.points]
        arrays[f"{mixture}, {name}"] = np.column_stack([ours[:, :2], kinds])
        rows += _rows(mixture, name, [(point.lowest, point.kind, *ours[i]) for i, point in enumerate(found.points)])
    heads = ("mixture", "divergence, canonical", "point", "mu", "sigma", "D (nats)")
    note = (
        "Minima, the lowest first, then saddles; the search counts minima - saddles + maxima = 1 where none is missing."
    )
    return Found(numbers, arrays, tables=(Table(heads, tuple(rows), note),))


def _rows(mixture: str, name: str, points: Sequence[tuple[bool, str, float, float, float]]) -> list[tuple[str, ...]]:
    ordered = sorted(points, key=lambda each: (each[1], each[4]))
    return [
        (mixture, name, "minimum, the lowest" if lowest else kind, f"{mu:.10f}", f"{sigma:.10f}", f"{value:.10f}")
        for lowest, kind, mu, sigma, value in ordered
    ]


def draw(found: Found, figure: Figure) -> None:
    """Mean and standard deviation of every stationary point; colours name the divergence, marks the kind."""
    panels = figure.subplots(1, len(ALL), sharey=True)
    for ax, mixture in zip(panels, ALL, strict=True):
        for i, name in enumerate(NAMES):
            colour = SHADES[i]
            points = found.arrays.get(f"{mixture}, {name}", np.zeros((0, 3)))
            for kind, mark in enumerate(("*", "o", "x")):
                at = points[points[:, 2] == kind]
                face = "none" if mark == "o" else colour
                ax.plot(
                    at[:, 0], at[:, 1], mark, color=colour, markerfacecolor=face, markersize=10 if mark == "*" else 6
                )
        ax.set(xlabel="mean", title=mixture)
    panels[0].set_ylabel("standard deviation")
    for i, name in enumerate(NAMES):
        panels[0].plot([], [], "s", color=SHADES[i], label=name.replace("_", " "))
    for label, mark in zip(KINDS, "*ox", strict=True):
        panels[0].plot([], [], mark, color="black", markerfacecolor="none" if mark == "o" else "black", label=label)
    figure.legend(loc="outside lower center", ncols=4, fontsize=9)


register(
    Item(
        name="shannon-minimisers",
        paper=SHANNON,
        title="Where a normal model ends on three mixtures, by eight divergences",
        claim="Which divergence is minimised decides where a model ends that cannot fit the data: on a mode, or over all of them. "
        "By computation it is a tendency and no law: between two equal modes reverse KL is lowest in the middle, and "
        "with a far, smaller mode Jensen-Shannon is lowest on the larger one.",
        settings=Settings(),
        quick=Settings(pairs=QUICK),
        cost=Cost(quick=2, full=20),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(11, 5),
        caption="Every stationary point of eight divergences over mean and standard deviation of a normal model. On A_sym most "
        "are lowest in the middle, the softened reverse KL and IGOG on a mode; on B_asym some are lowest on the larger mode, "
        "Jensen-Shannon too, the others span both; on D_fig5 all have one minimum, near the data's moments or on the larger mode.",
    )
)
