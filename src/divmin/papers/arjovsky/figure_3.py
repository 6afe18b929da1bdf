"""Figure 3: the gradient of -E log D grows, and its spread with it, but not for a generator that has converged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.arjovsky.fresh_critics import draw_curves
from divmin.papers.arjovsky.parallel_curves import Settings, names, watch
from divmin.papers.expected import Expected, at_least, at_most, between
from divmin.papers.sources import ARJOVSKY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STRICTLY = "at the end, gap {:g} over gap {:g}, asked strictly"
GAPS = (1.0, 0.3, 0.1, 0.0)
ENDS = {"gap 1": 8.8, "gap 0.3": 52.0, "gap 0.1": 195.0}  # of an independent run
CLOSER = {  # the length at the end at one gap over that at a wider one, with how far it may be from an independent run's
    (0.1, 1.0): (8, 40),
    (0.3, 1.0): (3, 12),
    (0.1, 0.3): (2, 8),
}
SETTINGS, QUICK = Settings(gaps=GAPS), Settings(gaps=GAPS, steps=300, seeds=1, held_out=200)


def expectations() -> dict[str, Expected]:
    """Of the worst seed each."""
    wanted = {}
    for name in names(SETTINGS)[:-1]:
        wanted[f"{name}: growth"] = at_least(50, source="figure 3")
        wanted[f"{name}: growth of the spread"] = at_least(5, source="figure 3")
        low, high = ENDS[name] / 3, 3 * ENDS[name]
        wanted[f"{name}: at the end"] = between(low, high, source=f"{ENDS[name]:g} in an independent run", full=True)
    wanted["gap 0: growth"] = at_most(5, source="figure 3: the generator after 25 epochs is stable")
    wanted["at the end, gap 0.1 over gap 1"] = at_least(4, source="Berger & Sebag, proposition 1: about 1/gap")
    for (close, wide), (least, most) in CLOSER.items():
        told = ENDS[f"gap {close:g}"] / ENDS[f"gap {wide:g}"]
        source = f"it grows at least as 1/gap; {told:.2g} in an independent run"
        wanted[STRICTLY.format(close, wide)] = between(least, most, source=source, full=True)
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    seen = watch(settings, work)
    grown, spread, last = seen.growth("nonsaturating"), seen.growth("nonsaturating sd"), seen.last("nonsaturating")
    numbers = {}
    for i, (gap, name) in enumerate(zip(settings.gaps, names(settings), strict=True)):
        numbers[f"{name}: growth"] = float(grown[i].min() if gap else grown[i].max())
        numbers[f"{name}: growth of the spread"] = float(spread[i].min())
        numbers[f"{name}: at the end"] = float(last[i].mean())
    ends = dict(zip(settings.gaps, last, strict=True))
    numbers["at the end, gap 0.1 over gap 1"] = float((ends[0.1] / ends[1.0]).mean())
    for close, wide in CLOSER:
        numbers[STRICTLY.format(close, wide)] = float((ends[close] / ends[wide]).mean())
    both = {"norm": seen.curves["nonsaturating"], "sd": seen.curves["nonsaturating sd"]}
    return Found(numbers, {"step": seen.step, **both})


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    step = found.arrays["step"]
    labels = [*names(SETTINGS)[:-1], "gap 0 (converged)"]
    draw_curves(left, step, found.arrays["norm"], labels)
    left.set(title="length", ylabel=r"length of $\nabla_\theta$ E[-log D]")
    draw_curves(right, step, found.arrays["sd"], labels)
    right.set(title="spread", ylabel="sd of the length between batches of z")
    right.legend()
    left.legend()


register(
    Item(
        name="arjovsky-figure-3",
        paper=ARJOVSKY,
        title="Figure 3 on parallel curves: the gradient of -E log D grows and gets noisier",
        claim="While a fresh critic learns, the gradient that -E log D gives a frozen generator grows fast, and so does its "
        "spread; that of a generator that has converged stays as it is.",
        settings=SETTINGS,
        quick=QUICK,
        cost=Cost(quick=3, full=80),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(9.0, 3.8),
        caption="Where the curves do not meet, length and spread grow by orders of magnitude, and more where they are closer: d "
        "changes within the gap. At gap 0 there is nothing to learn, and both decay. Medians of the seeds, with their range.",
    )
)
