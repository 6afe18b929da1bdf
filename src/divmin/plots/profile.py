"""Pictures of exact values: the densities of p and q, and what every place costs."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.plots.style import COLOURS, figure, line_style
from divmin.values.profile import Profile
from divmin.values.record import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELS = {"x": "x", "outcome": "outcome", "d": "d = log p/q (nats)"}
CROWDED = 30  # outcomes beyond which they are joined
PEAK = 12.0  # times the height that nine tenths of the places stay below, at which what is higher is cut
DATA, MODEL = COLOURS[6], COLOURS[5]


def draw_densities(record: Profile, ax: Axes) -> None:
    """p and q over their axis: densities as areas, probabilities as points."""
    for name, values, colour in (("p, the data", record.p, DATA), ("q, the model", record.q, MODEL)):
        _draw(record, values, ax, colour, "-", name)
        if record.axis != "outcome":
            ax.fill_between(record.at, values, color=colour, alpha=0.12, linewidth=0)
    _frame(record, [record.p, record.q], ax)
    of = " of d" if record.axis == "d" else ""
    ax.set_ylabel("probability" if record.axis == "outcome" else f"density{of}")
    ax.legend(frameon=False, fontsize="small")


def draw_costs(record: Profile, ax: Axes, values: Sequence[Value] = ()) -> None:
    """max(p, q) s(d) over the axis: the area below a curve, or the sum of its points, is the divergence."""
    found = {each.divergence: f"{each.divergence} = {each.value:.4g} nats" for each in values}
    for i, (name, costs) in enumerate(record.costs.items()):
        colour, dash = line_style(i)
        _draw(record, costs, ax, colour, dash, found.get(name, name))
        if len(record.costs) == 1 and record.axis != "outcome":
            ax.fill_between(record.at, costs, color=colour, alpha=0.15, linewidth=0)
    _frame(record, list(record.costs.values()), ax)
    ax.set(xlabel=LABELS[record.axis], ylabel="cost max(p, q) s(d)")
    ax.legend(frameon=False, fontsize="small")


def save_profile(record: Profile, path: Path, *, values: Sequence[Value] = (), title: str = "") -> None:
    """Densities above costs, to a .png, .svg or .pdf file."""
    with figure(path, 7, 5.6) as drawn:
        above, below = drawn.subplots(2, 1, sharex=True)
        draw_densities(record, above)
        draw_costs(record, below, values)
        if title:
            drawn.suptitle("\n".join(textwrap.fill(line, 95) for line in title.splitlines()), fontsize="small")


def _draw(record: Profile, values: tuple[float, ...], ax: Axes, colour: str, dash: str, label: str) -> None:
    if record.axis == "outcome" and len(values) <= CROWDED:
        ax.plot(record.at, values, dash, color=colour, linewidth=0.6, marker="o", markersize=4, label=label)
    else:
        ax.plot(record.at, values, dash, color=colour, label=label)


def _frame(record: Profile, curves: list[tuple[float, ...]], ax: Axes) -> None:
    """From 0 to the highest value, cut where a density has a pole or a peak would flatten all else."""
    every = sorted(value for curve in curves for value in curve if math.isfinite(value)) or [0.0]
    top = min(every[-1], PEAK * every[len(every) * 9 // 10]) or every[-1] or 1.0
    ax.set_ylim(0, 1.08 * top)
    if len(record.at) > 1 and record.axis != "outcome":
        ax.set_xlim(record.at[0], record.at[-1])
