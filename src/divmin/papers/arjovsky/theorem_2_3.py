"""Theorems 2.1 to 2.3: on manifolds that do not align, a perfect critic exists, JS is log 2 and KL infinite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Floats = NDArray[np.float64]
LOG_2 = math.log(2)
WAYS = {"KL": "kl", "reverse KL": "reverse_kl"}
PAIRS = ("parallel lines", "disjoint disks", "crossing lines")


@dataclass(frozen=True)
class Settings:
    """Lines in the plane that carry N(0, 1), thickened by N(0, s^2).

    Args:
        gaps: distances of the two parallel lines.
        least, most: s, over the gap.
        widths: s at which each gap is looked at.
        crossing: s of lines that cross at a right angle.
        points: on each support, at which the perfect critics are looked at.
        seed: of them.
    """

    gaps: tuple[float, ...] = (1.0, 0.1, 0.01, 0.001)
    least: float = 0.05
    most: float = 5.0
    widths: int = 41
    crossing: tuple[float, ...] = (0.01, 0.001)
    points: int = 20000
    seed: int = 0


SETTINGS = Settings()


def expectations() -> dict[str, Expected]:
    """Limits, rates, and what is exact."""
    wanted = {
        f"gap {gap:g}: log 2 - JS at s = gap/20": near(0, 1e-12, source="theorem 2.3: log 2 for every gap")
        for gap in SETTINGS.gaps
    }
    wanted |= {
        "largest (log 2 - JS) - log 2 exp(-gap^2 / 8 s^2)": at_most(
            1e-12, source="JS is at least log 2 times Hellinger's, which is 1 - exp(-gap^2 / 8 s^2)"
        ),
        **{
            f"largest |{way} 2 s^2 / gap^2 - 1|": at_most(1e-12, source="theorem 2.3: infinite in the limit")
            for way in WAYS
        },
        "largest |JS in the plane - JS on the line|": at_most(1e-10, source="the law along the lines does not matter"),
        "crossing lines: log 2 - JS at the thinnest": near(0, 0.01, source="theorem 2.3"),
        "crossing lines: power of s in log 2 - JS": near(1, 0.02, source="the crossing of strips of width s"),
        **{
            f"crossing lines: power of s in {way}": near(-2, 0.02, source="theorem 2.3: infinite in the limit")
            for way in WAYS
        },
        "aligned segments that share a half: JS / log 2": near(0.5, 1e-12, source="why theorem 2.3 excludes them"),
    }
    for name in PAIRS:
        wanted[f"{name}: points that D* gets wrong"] = near(0, source="theorems 2.1 and 2.2")
        wanted[f"{name}: largest slope of D* on both supports"] = near(0, source="theorems 2.1 and 2.2")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    from divmin.values import exact

    over = np.geomspace(settings.least, settings.most, settings.widths)
    numbers: dict[str, float] = {}
    js = np.empty((len(settings.gaps), len(over)))
    kl, plane = {way: np.empty_like(js) for way in WAYS}, np.empty(len(settings.gaps))
    for i, gap in enumerate(work.each("gaps", settings.gaps)):
        for k, s in enumerate(gap * over):
            p, q = f"normal(0, {s})", f"normal({gap}, {s})"
            js[i, k] = exact("js", p, q).value
            for way, f in WAYS.items():
                kl[way][i, k] = exact(f, p, q).value
        s = gap * over[len(over) // 2]
        flat = exact("js", f"normal([0, 0], [1, {s}])", f"normal([0, {gap}], [1, {s}])")
        plane[i] = flat.value - js[i, len(over) // 2]
        thin = exact("js", f"normal(0, {gap / 20})", f"normal({gap}, {gap / 20})")
        numbers[f"gap {gap:g}: log 2 - JS at s = gap/20"] = LOG_2 - thin.value
    affinity = np.exp(-1 / (8 * over**2))
    numbers["largest (log 2 - JS) - log 2 exp(-gap^2 / 8 s^2)"] = float(np.max(LOG_2 - js - LOG_2 * affinity))
    for way, values in kl.items():
        numbers[f"largest |{way} 2 s^2 / gap^2 - 1|"] = largest(values * 2 * over**2 - 1)
    numbers["largest |JS in the plane - JS on the line|"] = float(np.max(np.abs(plane)))
    left = LOG_2 - crossing("js", settings)
    numbers["crossing lines: log 2 - JS at the thinnest"] = left[-1]
    numbers["crossing lines: power of s in log 2 - JS"] = power(left, settings)
    for way, f in WAYS.items():
        numbers[f"crossing lines: power of s in {way}"] = power(crossing(f, settings), settings)
    numbers["aligned segments that share a half: JS / log 2"] = (
        exact("js", "uniform(0, 1)", "uniform(0.5, 1.5)").value / LOG_2
    )
    rows = []
    for name, (critic, data, model) in supports(settings).items():
        wrong, slope = judged(critic, data, model)
        numbers[f"{name}: points that D* gets wrong"] = wrong
        numbers[f"{name}: largest slope of D* on both supports"] = slope
        rows.append((name, f"{len(data) + len(model):,}", f"{wrong:g}", f"{slope:g}"))
    heads = ("supports", "points", "wrong", "largest |slope of D*|")
    return Found(
        numbers,
        {"s": np.outer(settings.gaps, over), "js": js, "gap": np.array(settings.gaps)},
        (Table(heads, tuple(rows)),),
    )


def crossing(f: str, settings: Settings) -> Floats:
    """D_f of lines that cross, for every s."""
    from divmin.values import exact

    strips = [(f"normal([0, 0], [1, {s}])", f"normal([0, 0], [{s}, 1])") for s in settings.crossing]
    return np.array([exact(f, p, q).value for p, q in strips])


def power(values: Floats, settings: Settings) -> float:
    """The slope of log values over log s, between the thinnest two."""
    return float(np.diff(np.log(values))[-1] / np.diff(np.log(settings.crossing))[-1])


def supports(settings: Settings) -> dict[str, tuple[Callable[[Tensor], Tensor], Tensor, Tensor]]:
    """Perfect critics, with points of the data and of the model."""
    import torch

    from divmin.papers.arjovsky.perfect_critic import across, between_disks, between_lines

    generator = torch.Generator().manual_seed(settings.seed)
    along = 2 * torch.rand(settings.points, 2, generator=generator, dtype=torch.float64) - 1
    nothing = torch.zeros(settings.points, dtype=torch.float64)
    angle, radius = torch.pi * along[:, 0], along[:, 1].abs().sqrt()
    disk = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    gap = min(settings.gaps)
    lower, upper = (torch.stack([along[:, i], nothing + gap * i], dim=1) for i in (0, 1))
    return {
        "parallel lines": (lambda x: between_lines(x, gap), upper, lower),
        "disjoint disks": (
            lambda x: between_disks(x, gap),
            disk,
            disk + torch.tensor([2 + gap, 0.0], dtype=torch.float64),
        ),
        "crossing lines": (
            across,
            torch.stack([along[:, 0], nothing], dim=1),
            torch.stack([nothing, along[:, 1]], dim=1),
        ),
    }


def judged(critic: Callable[[Any], Any], data: Tensor, model: Tensor) -> tuple[float, float]:
    """How many points D* does not call by their name with certainty, and its largest slope on them."""
    import torch

    wrong, slope = 0, 0.0
    for points, right in ((data, 1.0), (model, 0.0)):
        at = points.clone().requires_grad_()
        found = critic(at)
        wrong += int((found != right).sum())
        (slopes,) = torch.autograd.grad(found.sum(), at)
        slope = max(slope, float(slopes.norm(dim=1).max()))
    return float(wrong), slope


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, gap in enumerate(found.arrays["gap"]):
        colour, dash = line_style(i)
        ax.semilogx(found.arrays["s"][i], found.arrays["js"][i], color=colour, linestyle=dash, label=f"gap {gap:g}")
    ax.axhline(LOG_2, color="0.6", linewidth=0.8)
    ax.set(xlabel="s, standard deviation of the noise (units of the plane)", ylabel="JS (nats)")
    ax.set_yticks([0, 0.2, 0.4, 0.6, LOG_2], ["0", "0.2", "0.4", "0.6", "log 2"])
    ax.legend()


register(
    Item(
        name="arjovsky-theorem-2-3",
        paper=ARJOVSKY,
        title="Theorems 2.1 to 2.3: thin manifolds at any distance are log 2 apart",
        claim="If data and model lie on manifolds of lower dimension that do not align perfectly, some smooth critic is right "
        "almost everywhere and flat on both; JS is log 2 and both KL are infinite, however close the manifolds are.",
        settings=SETTINGS,
        quick=Settings(widths=11, points=2000),
        cost=Cost(quick=2, full=4),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.0),
        caption="JS between parallel lines, thickened by normal noise: for every gap it is log 2 once the noise is some five "
        "times thinner than the gap. The checks tell of what is not drawn: lines that cross are log 2 apart too, but for "
        "a remainder in proportion to s; segments of one line are not.",
    )
)
