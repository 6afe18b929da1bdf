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
POLE = 2.0  # times the height that all but a few places stay below, at which what is higher is cut
FEW = 200  # one place in so many
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
    ax.legend(fontsize="small", edgecolor="none", framealpha=0.7)


def draw_costs(record: Profile, ax: Axes, values: Sequence[Value] = ()) -> None:
    """max(p, q) s(d) over the axis: the area below a curve, or the sum of its points, is the divergence."""
    found = {each.divergence: each.value for each in values}
    for i, (name, costs) in enumerate(record.costs.items()):
        colour, dash = line_style(i)
        _draw(record, costs, ax, colour, dash, f"{name} = {found[name]:.4g}" if name in found else name)
        if len(record.costs) == 1 and record.axis != "outcome":
            ax.fill_between(record.at, costs, color=colour, alpha=0.15, linewidth=0)
        _mark_infinite(record, name, costs, ax, colour)
    # what is infinite grows without end, and would leave nothing of the others to be seen
    bounded = [costs for name, costs in record.costs.items() if math.isfinite(found.get(name, 0.0))]
    _frame(record, bounded or list(record.costs.values()), ax)
    ax.set(xlabel=LABELS[record.axis], ylabel="cost max(p, q) s(d)")
    ax.legend(fontsize="small", edgecolor="none", framealpha=0.7)


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


def _mark_infinite(record: Profile, name: str, costs: tuple[float, ...], ax: Axes, colour: str) -> None:
    infinite = [math.isinf(cost) for cost in costs]
    if not any(infinite):
        return
    label, along = f"{name}: infinite here", ax.get_xaxis_transform()
    if record.axis == "outcome":
        at = [x for x, there in zip(record.at, infinite, strict=True) if there]
        ax.plot(at, [1.0] * len(at), "^", color=colour, transform=along, clip_on=False, label=label)
    else:
        ax.fill_between(record.at, 0, 1, infinite, transform=along, color=colour, alpha=0.3, linewidth=0, label=label)


def _frame(record: Profile, curves: list[tuple[float, ...]], ax: Axes) -> None:
    """From 0 to the highest value, cut where a density has a pole."""
    top = max(map(_height, curves), default=0.0) or 1.0
    ax.set_ylim(0, 1.08 * top)
    if record.axis == "outcome":
        ax.locator_params(axis="x", integer=True)
    elif len(record.at) > 1:
        ax.set_xlim(record.at[0], record.at[-1])


def _height(curve: tuple[float, ...]) -> float:
    """The highest value, or less where it stands at a pole."""
    finite = sorted(value for value in curve if math.isfinite(value)) or [0.0]
    return min(finite[-1], POLE * finite[-1 - len(finite) // FEW])
