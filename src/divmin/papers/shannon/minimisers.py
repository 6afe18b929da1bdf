"""The minimisers of a normal model on three mixtures, by eight divergences: every stationary point against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch.distributions import Normal

from divmin.data import densities
from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.shannon.schemes import MIXTURES, referred
from divmin.papers.sources import SHANNON
from divmin.values import fit

ALL = ("A_sym", "B_asym", "D_fig5")
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
        rows += _rows(mixture, name, [(point.lowest, point.kind, *ours[i]) for i, point in enumerate(found.points)])
    heads = ("mixture", "divergence, canonical", "point", "mu", "sigma", "D (nats)")
    note = (
        "Minima, the lowest first, then saddles; the search counts minima - saddles + maxima = 1 where none is missing."
    )
    return Found(numbers, tables=(Table(heads, tuple(rows), note),))


def _rows(mixture: str, name: str, points: Sequence[tuple[bool, str, float, float, float]]) -> list[tuple[str, ...]]:
    ordered = sorted(points, key=lambda each: (each[1], each[4]))
    return [
        (mixture, name, "minimum, the lowest" if lowest else kind, f"{mu:.10f}", f"{sigma:.10f}", f"{value:.10f}")
        for lowest, kind, mu, sigma, value in ordered
    ]


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
    )
)
