"""Pictures of explanations: what the best critic says, the pull on model samples, and what mismatches cost."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.explanation.curves import Line, Lines
from divmin.plots.style import figure, line_style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# Pulls beyond the first would dwarf all others on a linear axis; beyond the second they are cut.
TALL, LARGEST = 5.0, 1e4


def draw_link(record: Lines, ax: Axes) -> None:
    """The best critic's output over the log-ratio; the diagonal is a critic that says the log-ratio itself."""
    drawn = [(i, line.link) for i, line in enumerate(record.members) if line.link is not None]
    ax.plot(record.d, record.d, color="0.8", linewidth=1.5, zorder=0)
    for i, link in drawn:
        colour, dash = line_style(i)
        ax.plot(record.d, link, dash, color=colour, label=record.members[i].name)
    ax.set(title="best critic c*(d)", xlabel="d = log p/q (nats)", ylabel="c (grey: c = d)")
    _frame(record, ax)
    ax.set_ylim(record.d[0], record.d[-1])
    if not drawn:
        _say("no best critic to draw", ax)


def draw_pull(record: Lines, ax: Axes) -> None:
    """w(d): the pull on a model sample; below 0, in the shaded part, samples are pushed away from the data."""
    values = [(i, line.weight) for i, line in enumerate(record.members) if line.weight is not None]
    for i, weight in values:
        colour, dash = line_style(i)
        ax.plot(record.d, weight, dash, color=colour, label=record.members[i].name)
        for at, size in record.members[i].masses:
            ax.annotate("", (at, size), (at, 0), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 1.5})
            ax.text(at, size, f" point mass {size:.3g}", color=colour, va="bottom", fontsize="small")
    if not values:
        _say("no pull to draw", ax)
    sizes = [abs(w) for _, weight in values for w in weight] + [
        abs(x) for each in record.members for _, x in each.masses
    ]
    lowest = min((min(weight) for _, weight in values), default=0.0)
    largest = max(sizes, default=1.0)
    if largest > TALL:  # logarithmic above 1 on both sides of 0
        ax.set_yscale("symlog", linthresh=1.0, linscale=1.5)
        ax.axhline(1, color="0.8", linewidth=0.8, linestyle=":", zorder=0)
    limit = min(max(largest, 1e-3), LARGEST) * 1.15
    ax.set_ylim(max(1.15 * min(lowest, 0.0), -limit), limit)
    if lowest < 0:
        ax.axhspan(ax.get_ylim()[0], 0, color="#D55E00", alpha=0.10, zorder=0)
        ax.text(0.02, 0.03, "pushed away from the data", transform=ax.transAxes, fontsize="small", color="#A04500")
    _frame(record, ax)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(
        title="w(d): pull on a model sample",
        xlabel="← looks fake       missed data →\nd = log p/q (nats)",
        ylabel="w (linear to 1, then logarithmic)" if largest > TALL else "w",
    )


def draw_cost(record: Lines, ax: Axes) -> None:
    """s(d): what each mismatch costs; f(u) left of 0 and f(u)/u right of it."""
    values = [(i, line.s) for i, line in enumerate(record.members) if line.s is not None]
    for i, s in values:
        colour, dash = line_style(i)
        ax.plot(record.d, s, dash, color=colour, label=record.members[i].name)
    if not values:
        _say("no cost to draw", ax)
    _frame(record, ax)
    top = max((max(s) for _, s in values), default=1.0)
    low = min((min(s) for _, s in values), default=0.0)
    ax.set_ylim(max(min(0.0, low), -8.0) * 1.05, min(max(top, 0.1), 8.0) * 1.05)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title="s(d): cost of a mismatch", xlabel="d = log p/q (nats)", ylabel=_cost_label(record))


def save_explanations(record: Lines, path: Path, *, caption: str = "") -> None:
    """The three panels beside each other, one legend and a caption, to a .png, .svg or .pdf file."""
    with figure(path, 11, 4.1 if caption else 3.7) as drawn:
        axes = drawn.subplots(1, 3)
        for draw, ax in zip((draw_link, draw_pull, draw_cost), axes, strict=True):
            draw(record, ax)
        if caption:
            drawn.suptitle(textwrap.fill(caption, 130), fontsize="small")
        if len(record.members) > 1:
            handles = [_handle(i, line) for i, line in enumerate(record.members)]
            drawn.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)


def _cost_label(record: Lines) -> str:
    """Nats are of what has a curve; what has kinks only, as the total variation, is a share of probability."""
    kinked = [bool(line.masses) and not any(line.weight or ()) for line in record.members if line.s is not None]
    return "s (no unit)" if kinked and all(kinked) else "s (nats; kinks: no unit)" if any(kinked) else "s (nats)"


def _handle(i: int, line: Line) -> Artist:
    from matplotlib.lines import Line2D

    colour, dash = line_style(i)
    label = line.name + ("" if line.weight is not None else " (no pull to draw)")
    return Line2D([], [], color=colour, label=label, linestyle=dash)  # type: ignore[arg-type]  # a dash is any text


def _say(text: str, ax: Axes) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", color="0.4", backgroundcolor="white")


def _frame(record: Lines, ax: Axes) -> None:
    ax.set_xlim(record.d[0], record.d[-1])
    ax.set_xticks([record.d[0], record.d[0] / 2, 0, record.d[-1] / 2, record.d[-1]])
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
