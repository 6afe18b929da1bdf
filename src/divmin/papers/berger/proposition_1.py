"""Proposition 1: a critic that tells data from near reconstructions is steep between them, and must be."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from divmin.data import Mixture
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.berger.gap import critic, curve, steepness
from divmin.papers.expected import Expected, at_least, near
from divmin.papers.sources import BERGER
from divmin.plots.style import COLOURS, line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEAN_VALUE = "mean value theorem: some point of [x, y] has |grad V| >= 2 log((1 - e)/e) / |x - y|"


@dataclass(frozen=True)
class Settings:
    """Data on a sine curve, reconstructions above it, and critics of three hidden layers.

    Args:
        gaps: distances of reconstructions from data, in the units of x; the largest first.
        stages: Adam steps of the critics that are looked at.
        seeds: of weights, data and z.
    """

    gaps: tuple[float, ...] = (1.0, 0.3, 0.1)
    stages: tuple[int, ...] = (500, 2000, 8000)
    seeds: tuple[int, ...] = (0, 1, 2)


def expectations() -> dict[str, Expected]:
    return {
        "trained critics: lowest steepness over its bound": at_least(1.0, source=MEAN_VALUE),
        "trained critics: share of segments with e < 1/2, smallest gap": at_least(
            0.95, source="the bound says something"
        ),
        "best critic of normal laws: steepness over its bound": near(
            1.0, 1e-10, source="its score is linear: equality in the mean value theorem"
        ),
        "best critic of normal laws: |grad V| over gap / variance": near(1.0, 1e-10, source="closed form"),
        "steepness at the smallest gap over that at the largest": at_least(2.0, source="proposition 1: as 1/|x - y|"),
        "steepness after the longest training over that after the shortest, smallest gap": at_least(
            1.2, source="proposition 1: as log(1/e)"
        ),
    }


def compute(settings: Settings, work: Work) -> Found:
    numbers = normal_laws()
    seen: dict[tuple[float, int], list[dict[str, Any]]] = {}
    cases = [(gap, steps) for gap in settings.gaps for steps in settings.stages]
    for (gap, steps), seed in work.each("critics", [(case, seed) for case in cases for seed in settings.seeds]):
        found = work.piece(f"critic-{gap:g}-{steps}-{seed}", partial(looked_at, gap, steps, seed))
        seen.setdefault((gap, steps), []).append(found)
    joined = {
        case: {name: np.concatenate([np.asarray(each[name], dtype=float) for each in found]) for name in found[0]}
        for case, found in seen.items()
    }
    typical = {case: float(np.median(each["largest"])) for case, each in joined.items()}
    ratios = [each["largest"] / each["bound"] for each in joined.values()]
    numbers["trained critics: lowest steepness over its bound"] = float(
        min(ratio[each["margin"] > 0].min(initial=np.inf) for ratio, each in zip(ratios, joined.values(), strict=True))
    )
    near_by, last = settings.gaps[-1], settings.stages[-1]
    numbers |= {
        "trained critics: share of segments with e < 1/2, smallest gap": float(
            (joined[near_by, last]["margin"] > 0).mean()
        ),
        "steepness at the smallest gap over that at the largest": (
            typical[near_by, last] / typical[settings.gaps[0], last]
        ),
        "steepness after the longest training over that after the shortest, smallest gap": (
            typical[near_by, last] / typical[near_by, settings.stages[0]]
        ),
    }
    rows = [_row(case, joined[case]) for case in cases]
    heads = ("gap", "steps", "median e", "bound on |grad V|, median", "largest |grad V|, median")
    arrays: dict[str, Any] = {"gaps": np.array(settings.gaps)}
    for i, gap in enumerate(settings.gaps):
        parts = [joined[gap, steps] for steps in settings.stages]
        arrays[f"{i}: bound"] = np.concatenate([each["bound"] for each in parts])
        arrays[f"{i}: largest"] = np.concatenate([each["largest"] for each in parts])
        arrays[f"{i}: scores"] = np.median(parts[-1]["scores"], axis=0)
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def looked_at(gap: float, steps: int, seed: int) -> dict[str, Any]:
    """A critic's steepness between data and their reconstructions, away from the ends of the curve."""
    x = curve(torch.linspace(0.05, 0.95, 91).double()).float()
    found = steepness(critic(gap, steps, seed), x, x + torch.tensor([0.0, gap]))
    return {name: getattr(found, name).numpy() for name in ("margin", "bound", "largest", "scores")}


def _row(case: tuple[float, int], seen: dict[str, Any]) -> tuple[str, ...]:
    gap, steps = case
    e = 1 / (1 + np.exp(np.median(seen["margin"])))
    middle = (f"{np.median(seen[name]):.3g}" for name in ("bound", "largest"))
    return (f"{gap:g}", f"{steps}", f"{e:.2g}", *middle)


class _Best(nn.Module):
    """log p/q of two normal laws on the line."""

    def __init__(self, gap: float, sd: float) -> None:
        super().__init__()
        self.p, self.q = (Mixture(((mean,),), ((sd,),)) for mean in (0.0, gap))

    def forward(self, x: Tensor) -> Tensor:
        d: Tensor = self.p.log_prob(x) - self.q.log_prob(x)
        return d


def normal_laws(gap: float = 0.3, sd: float = 0.1) -> dict[str, float]:
    """Equality: N(0, sd^2) and N(gap, sd^2) have the score (gap^2 - 2 gap x) / (2 sd^2), a straight line."""
    x = torch.zeros(1, 1, dtype=torch.float64)
    found = steepness(_Best(gap, sd), x, x + gap)
    return {
        "best critic of normal laws: steepness over its bound": float(found.largest / found.bound),
        "best critic of normal laws: |grad V| over gap / variance": float(found.largest) * sd**2 / gap,
    }


def draw(found: Found, figure: Figure) -> None:
    arrays = found.arrays
    left, right = figure.subplots(1, 2)
    lowest, highest = np.inf, 0.0
    for i, gap in enumerate(arrays["gaps"]):
        bound, largest = arrays[f"{i}: bound"], arrays[f"{i}: largest"]
        shown = bound > 0
        left.loglog(bound[shown], largest[shown], ".", color=COLOURS[i], markersize=2, alpha=0.5)
        left.plot([], [], "o", color=COLOURS[i], label=f"gap {gap:g}")
        lowest, highest = min(lowest, bound[shown].min()), max(highest, largest[shown].max())
        colour, dash = line_style(i)
        scores = arrays[f"{i}: scores"]
        right.plot(np.linspace(0, gap, len(scores)), scores, color=colour, linestyle=dash, label=f"gap {gap:g}")
    left.plot([lowest, highest], [lowest, highest], color="black", linewidth=0.8, label="equality")
    left.set(
        xlabel="2 log((1 - e)/e) / |x - y| (nats per unit of x)",
        ylabel="largest |grad V| between x and y (nats per unit of x)",
        title="segments",
    )
    right.set(
        xlabel="distance from x towards y (units of x)",
        ylabel="score V, median (nats)",
        title="between data and reconstruction",
    )
    for ax in (left, right):
        ax.legend()


register(
    Item(
        name="berger-proposition-1",
        paper=BERGER,
        title="Proposition 1: critics between data and reconstructions are steep",
        claim="Where a critic is sure of data and of reconstructions near them, its gradient between them is large: at least of "
        "the order of log((1 - e)/e) over their distance.",
        settings=Settings(),
        quick=Settings(gaps=(1.0, 0.1), stages=(200, 1000), seeds=(0,)),
        cost=Cost(quick=5, full=140),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(10, 4.2),
        caption="A critic says at least 1 - e of the data x and at most e of the reconstruction y. Left: no segment is below the "
        "line; the nearer the reconstructions and the surer the critic, the steeper it is. Right: the score falls from "
        "data to reconstruction within the gap.",
        slips=(
            "The printed proof loses hats on the way and ends in an order of magnitude; the bound is exact, without constants.",
        ),
    )
)
