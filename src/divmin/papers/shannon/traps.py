"""Three mixtures on which section 11 would have looked different, and why: a study beside figure 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch.distributions import Normal

from divmin.data import densities
from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, between, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.minimisers import NAMES
from divmin.papers.shannon.panel import contours, values
from divmin.papers.shannon.schemes import MEANT, MIXTURES, SHOWN, STARTS, minimised, referred, told
from divmin.papers.shannon.stall import FLOOR, SHELF, known_slopes, slopes, stalled
from divmin.papers.shannon.stall import expectations as stall_expectations
from divmin.papers.sources import SHANNON
from divmin.plots.style import COLOURS
from divmin.values import Fit, Stationary, descend, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MINIMA = {  # of the two divergences, and of all stationary points
    "A_sym": {"js": (1, 1), "softened_reverse_kl": (3, 5)},
    "B_asym": {"js": (2, 3), "softened_reverse_kl": (2, 3)},
    "C_hard": {"js": (1, 1), "softened_reverse_kl": (1, 1)},
}
TRAPS = (("A_sym", "softened_reverse_kl"), ("B_asym", "js"), ("C_hard", "softened_reverse_kl"))
OTHERS = tuple(name for name in NAMES if name not in MEANT.values())  # on C_hard, for comparison
SPLIT, TWO = "softened_kl", (2, 3)  # the only one of all eight with two minima there
SPLIT_AT = (  # (mu, sigma, D) of its minima and of its saddle
    (-0.93220718, 0.56803774, 0.2528338181),
    (-0.15118721, 1.26001777, 0.3115286067),
    (-0.45874785, 1.04016518, 0.3183722430),
)
KNOWN = ("A_sym", "B_asym")  # to the reference
REACH = 3.2  # of the picture


@dataclass(frozen=True)
class Settings:
    """The starts, and the learned critic of C_hard.

    Args:
        starts: (mu, sigma) of the model at first; (0.5, 2.5) is among them.
        seeds: of the learned critic's runs by the non-saturating scheme; none: it is left out.
        steps: of the generator, at the settings of figure 5.
        every: whether the best critic is followed where there is no trap, too.
        patient: the same with a critic of 48 units, 15 critic steps and batches of 1024, from (0.5, 2.5), first seed.
        places: values of mu, and of sigma, of the contours.
    """

    starts: tuple[tuple[float, float], ...] = STARTS
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 2500
    patient: int = 3000
    every: bool = True
    places: int = 81


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for mixture, divergences in MINIMA.items():
        for name, (minima, points) in divergences.items():
            at, full = f"{mixture}, {name}: ", (mixture, name) not in TRAPS
            wanted[at + "minima"] = near(minima, source="reference")
            wanted[at + "stationary points"] = near(points, source="reference")
            wanted[at + "minima - saddles + maxima"] = near(1, source="Poincare and Hopf")
            if mixture in KNOWN:
                wanted[at + "largest difference of a stationary point from the reference"] = at_most(
                    1e-8, source="reference"
                )
                wanted[at + "best critic, largest difference of an end from the reference"] = at_most(
                    1e-6, source="eq. 35: descent of D", full=full
                )
            else:
                wanted[at + "slope that the best critic leaves at the minimum"] = at_most(1e-8, source="eq. 35")
                wanted[at + "best critic, farthest end from the minimum"] = at_most(
                    1e-6, source="eq. 35: descent of D", full=full
                )
    wanted["C_hard: least exact slope on the way through the valley"] = between(
        0.005, FLOOR, source="less than beside the way at (0.15, 1.2), but no stationary point"
    )
    for name in OTHERS:
        minima, points = TWO if name == SPLIT else (1, 1)
        at, full = f"C_hard, {name}: ", name != SPLIT
        wanted[at + "minima"] = near(minima, source="an independent search", full=full)
        wanted[at + "stationary points"] = near(points, source="an independent search", full=full)
        wanted[at + "minima - saddles + maxima"] = near(1, source="Poincare and Hopf", full=full)
    wanted[f"C_hard, {SPLIT}: largest difference of mu, sigma or D"] = at_most(2e-8, source="an independent search")
    return wanted | stall_expectations()


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    arrays: dict[str, NDArray[Any]] = {}
    rows: list[tuple[str, ...]] = []
    pairs = [(mixture, scheme) for mixture in MINIMA for scheme in MEANT]
    for mixture, scheme in work.each("best critics", pairs):
        name, p = MEANT[scheme], densities()[MIXTURES[mixture]]()
        at, f = f"{mixture}, {name}: ", minimised(scheme)
        found = fit(f, p, Normal)
        numbers[at + "minima"], numbers[at + "stationary points"] = len(found.minima), len(found.points)
        numbers[at + "minima - saddles + maxima"] = found.count
        if mixture in KNOWN:
            numbers[at + "largest difference of a stationary point from the reference"] = _apart(found, mixture, name)
        elif found.points:
            best = _where(found.points)[0]
            numbers[at + "slope that the best critic leaves at the minimum"] = largest(
                told(scheme, MIXTURES[mixture], *best)
            )
        drawn = values(name, MIXTURES[mixture], settings.places, REACH)
        arrays |= {"mu": drawn["mu"], "sigma": drawn["sigma"], at + "values": drawn["values"]}
        arrays |= {at + "minima": _where(found.minima), at + "saddles": _where(found.saddles)}
        if not settings.every and (mixture, name) not in TRAPS:
            continue
        flow = descend(f, p, Normal, dict(zip(("loc", "scale"), zip(*settings.starts, strict=True), strict=True)))
        arrays |= {at + "loc": flow.paths["loc"], at + "scale": flow.paths["scale"]}
        ends = np.stack([flow.ends["loc"], flow.ends["scale"]], 1)
        if mixture in KNOWN:
            known = _ends(settings, mixture, name)
            numbers[at + "best critic, largest difference of an end from the reference"] = largest(ends - known)
        elif found.points:
            numbers[at + "best critic, farthest end from the minimum"] = largest(ends - best)
        rows += [(mixture, SHOWN[name], *_said(*place)) for place in zip(settings.starts, ends, strict=True)]
    numbers["C_hard: least exact slope on the way through the valley"] = _least_slope(settings, arrays)
    numbers |= known_slopes()
    tables = [Table(("mixture", "divergence", "start (mu, sigma)", "end with the best critic"), tuple(rows))]
    tables.append(_others(settings, work, numbers))
    if settings.seeds:
        best = arrays["C_hard, softened_reverse_kl: minima"][0]
        found_there, arrays["learned"], table = stalled(settings, work, best)
        numbers |= found_there
        tables.append(table)
    return Found(numbers, arrays, tuple(tables))


def _others(settings: Settings, work: Work, numbers: dict[str, float]) -> Table:
    """The stationary points of the other divergences on C_hard; their counts go into the numbers."""
    rows: list[tuple[str, ...]] = []
    for name in work.each("other divergences", OTHERS if settings.every else (SPLIT,)):
        found = fit(divergence(name).canonical(), densities()[MIXTURES["C_hard"]](), Normal)
        at = f"C_hard, {name}: "
        numbers[at + "minima"], numbers[at + "stationary points"] = len(found.minima), len(found.points)
        numbers[at + "minima - saddles + maxima"] = found.count
        places = [(*_where([each])[0], each.value) for each in found.points]
        if name == SPLIT and len(places) == len(SPLIT_AT):
            numbers[at + "largest difference of mu, sigma or D"] = largest(np.array(places) - SPLIT_AT)
        rows += [
            (name, point.kind, *(f"{each:.8f}" for each in place))
            for point, place in zip(found.points, places, strict=True)
        ]
    return Table(("divergence, canonical, on C_hard", "point", "mu", "sigma", "D (nats)"), tuple(rows))


def _where(points: Sequence[Stationary]) -> NDArray[np.float64]:
    """(mu, sigma) of stationary points [n, 2]."""
    return np.array([[each.parameters["loc"], each.parameters["scale"]] for each in points]).reshape(-1, 2)


def _apart(found: Fit, mixture: str, name: str) -> float:
    """The largest distance between points and their neighbours in the reference; NaN where their number differs."""
    ours, theirs = _where(found.points), np.array([[each["mu"], each["sigma"]] for each in referred(mixture, name)])
    if ours.shape != theirs.shape:
        return float("nan")
    away = np.abs(ours[:, None] - theirs).max(2)
    return float(max(away.min(0).max(), away.min(1).max()))


def _ends(settings: Settings, mixture: str, name: str) -> NDArray[np.float64]:
    """Where the reference's descent with the best critic ends from the same starts."""
    known = {tuple(each["start_mu_sigma"]): each[name] for each in reference("optimal_critic_flow", mixture)}
    return np.array([[known[start]["mu"], known[start]["sigma"]] for start in settings.starts])


def _said(start: tuple[float, float], end: NDArray[np.float64]) -> tuple[str, str]:
    return f"({start[0]:g}, {start[1]:g})", f"({end[0] + 0.0:.4f}, {end[1]:.4f})"


def _least_slope(settings: Settings, arrays: dict[str, NDArray[Any]]) -> float:
    """Of the softened reverse KL, before the last stretch of the way, where it falls towards the minimum."""
    k, at = settings.starts.index(SHELF), "C_hard, softened_reverse_kl: "
    way = np.stack([arrays[at + "loc"][k], arrays[at + "scale"][k]], 1)
    return float(slopes(way[way[:, 0] > -0.5]).min())


def _ways(arrays: Mapping[str, NDArray[Any]], at: str) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """The paths of mu and sigma that were followed with the best critic."""
    return list(zip(arrays[at + "loc"], arrays[at + "scale"], strict=True)) if at + "loc" in arrays else []


def draw(found: Found, figure: Figure) -> None:
    from matplotlib.lines import Line2D

    arrays = found.arrays
    panels = figure.subplots(2, len(MINIMA), sharex=True, sharey=True)
    for column, mixture in enumerate(MINIMA):
        for row, name in enumerate(MEANT.values()):
            ax, at = panels[row, column], f"{mixture}, {name}: "
            contours(ax, arrays["mu"], arrays["sigma"], arrays[at + "values"])
            for k, way in enumerate(_ways(arrays, at)):
                ax.plot(*way, ":", color=COLOURS[k % len(COLOURS)], linewidth=2)
                ax.plot(way[0][0], way[1][0], "o", color=COLOURS[k % len(COLOURS)], markersize=5)
            if mixture == "C_hard" and name == "softened_reverse_kl" and "learned" in arrays:
                for k, path in enumerate(arrays["learned"]):
                    ax.plot(*path.T, color=COLOURS[k % len(COLOURS)], linewidth=1.1)
            ax.plot(*arrays[at + "minima"].T, "*", color="black", markersize=11, zorder=5)
            ax.plot(*arrays[at + "saddles"].T, "x", color="black", zorder=5)
            ax.set_title(f"{mixture}: {SHOWN[name]}", fontsize="medium")
            ax.label_outer()
    kinds = (
        ({"linestyle": ":", "linewidth": 2}, "best critic"),
        ({"linestyle": "-"}, "learned critic"),
        ({"linestyle": "", "marker": "o"}, "start"),
        ({"linestyle": "", "marker": "*", "markersize": 11}, "minimum"),
        ({"linestyle": "", "marker": "x"}, "saddle"),
    )
    handles = [Line2D([], [], color="black", label=label, **style) for style, label in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)


register(
    Item(
        name="shannon-traps",
        paper=SHANNON,
        title="Three mixtures that trap: other minima, and a valley beside which a learned critic stays",
        claim="The source does not name the mixture of figure 5. On others a start decides which minimum is reached, also with "
        "the best critic, or a learned critic never arrives; the figure needs a mixture with one minimum and a steep way there.",
        settings=Settings(),
        quick=Settings(starts=(SHELF, (-2.0, 0.5)), seeds=(), every=False, places=31),
        cost=Cost(quick=12, full=400),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(12, 7.5),
        caption="A_sym: the softened reverse KL has minima at both modes and a third between them. B_asym: Jensen-Shannon has a "
        "local minimum that spans both modes, which broad starts reach. C_hard: one minimum each, but the way from the "
        "right leads through a valley whose floor is nearly flat, and the learned critic (solid, at full size) comes to rest "
        "beside the floor, where the exact slope is not small. One minimum is what both schemes' divergences have there; the "
        "softened KL has two, at (-0.932, 0.568) and (-0.151, 1.260).",
    )
)
