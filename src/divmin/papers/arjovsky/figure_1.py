"""Figure 1: a fresh critic against a frozen generator: its loss goes to zero and its accuracy to one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.arjovsky.fresh_critics import draw_curves
from divmin.papers.arjovsky.parallel_curves import Settings, names, watch
from divmin.papers.expected import Expected, at_least, at_most, between
from divmin.papers.sources import ARJOVSKY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTINGS, QUICK = Settings(), Settings(steps=300, seeds=1, held_out=1000)

SOON = {"gap 1": (100, 30), "gap 0.3": (100, 30), "gap 0.1": (1000, 300)}  # at most, and in an independent run


def expectations() -> dict[str, Expected]:
    """Of the worst seed each, but for the soonest."""
    blind = 2 * math.log(2)
    wanted = {
        "loss before the first step": between(0.85 * blind, 1.15 * blind, source="2 log 2 at D = 1/2"),
        "steps until accuracy is 1, soonest of all": at_most(50, source="figure 1: sometimes below 50"),
    }
    for name in names(SETTINGS):
        wanted[f"{name}: loss at the end"] = at_most(0.2, source="figure 1")
        wanted[f"{name}: accuracy at the end"] = at_least(0.98, source="figure 1")
        wanted[f"{name}: loss at the end, asked strictly"] = at_most(1e-3, source="figure 1", full=True)
        wanted[f"{name}: accuracy at the end, asked strictly"] = at_least(1, source="figure 1", full=True)
        wanted[f"{name}: steps until accuracy is 1"] = at_most(
            SOON[name][0], source=f"{SOON[name][1]} in an independent run", full=True
        )
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    seen = watch(settings, work)
    soonest = seen.right_from()
    numbers = {
        "loss before the first step": float(seen.first("loss").mean()),
        "steps until accuracy is 1, soonest of all": float(soonest.min()),
    }
    for i, name in enumerate(names(settings)):
        loss, accuracy = float(seen.last("loss")[i].max()), float(seen.last("accuracy")[i].min())
        numbers |= {f"{name}: loss at the end{how}": loss for how in ("", ", asked strictly")}
        numbers |= {f"{name}: accuracy at the end{how}": accuracy for how in ("", ", asked strictly")}
        numbers[f"{name}: steps until accuracy is 1"] = float(soonest[i].max())
    return Found(numbers, {"step": seen.step, "loss": seen.curves["loss"], "accuracy": seen.curves["accuracy"]})


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    step = found.arrays["step"]
    draw_curves(left, step, found.arrays["loss"], names(SETTINGS))
    left.set(title="critic's loss", ylabel="nats, held out")
    left.axhline(2 * math.log(2), color="0.75", linewidth=0.8, zorder=0)
    left.legend()
    draw_curves(right, step, found.arrays["accuracy"], names(SETTINGS), log=False)
    right.set(title="critic's accuracy", ylabel="share, held out", ylim=(0.45, 1.02))
    right.legend()


register(
    Item(
        name="arjovsky-figure-1",
        paper=ARJOVSKY,
        title="Figure 1 on parallel curves: a fresh critic becomes perfect",
        claim="Against a generator that stands still a freshly drawn critic reaches loss zero and accuracy one, since both laws "
        "lie on manifolds of measure zero that do not meet, however close they are.",
        settings=SETTINGS,
        quick=QUICK,
        cost=Cost(quick=2, full=80),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(9.0, 3.8),
        caption="Data on (t, sin t) and samples on the same curve moved up by a gap. The closer, the later, but each critic "
        "becomes perfect: medians of the seeds, with their range; the grey line is 2 log 2, the loss of D = 1/2.",
    )
)
