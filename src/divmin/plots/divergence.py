"""Pictures of divergences: s, the weight, and f'' over the log-ratio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from divmin.family.curves import Curves
from divmin.plots.style import figure, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Beyond this the weight of an unbounded divergence dwarfs everything near d = 0, so its axis is logarithmic.
TALL = 50.0
_PLATE = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}


def draw_s(record: Curves, ax: Axes) -> None:
    """s(d): the cost of each mismatch. Swapping p and q mirrors the curve."""
    for i, member in enumerate(record.members):
        colour, dash = line_style(i)
        ax.plot(record.d, member.s, dash, color=colour, label=member.name)
    ax.set(
        title="s(d): cost of a mismatch",
        xlabel="← looks fake       missed data →\nd = log p/q (nats)",
        ylabel="s (nats)",
    )
    ax.set_ylim(0, min(8.0, max(max(member.s) for member in record.members) * 1.05))
    ax.set_xlim(record.d[0], record.d[-1])
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)


def draw_weight(record: Curves, ax: Axes) -> None:
    """w(d): the pull that a model sample with log-ratio d feels."""
    _draw(record, [member.weight for member in record.members], ax)
    ax.set(title="w(d): pull on a model sample", xlabel="d = log p/q (nats)", ylabel="w")


def draw_curvature(record: Curves, ax: Axes) -> None:
    """f''(u) over d = log u."""
    _draw(record, [member.d2f for member in record.members], ax)
    ax.set(title="f''(u) at u = exp(d)", xlabel="d = log u (nats)", ylabel="f''")
    ax.set_yscale("log")


def save_curves(record: Curves, path: Path) -> None:
    """The three panels beside each other, one legend, to a .png, .svg or .pdf file."""
    with figure(path, 11, 3.6) as drawn:
        axes = drawn.subplots(1, 3)
        draw_curvature(record, axes[0])
        draw_weight(record, axes[1])
        draw_s(record, axes[2])
        handles, labels = axes[2].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)


def _draw(record: Curves, values: list[list[float] | None], ax: Axes) -> None:
    for i, line in enumerate(values):
        if line is not None:
            colour, dash = line_style(i)
            ax.plot(record.d, line, dash, color=colour)
    kinked = [member.name for member, line in zip(record.members, values, strict=True) if line is None]
    if kinked:
        note = f"{', '.join(kinked)}: a point mass (f has a kink)"
        ax.text(0.5, 0.02, note, transform=ax.transAxes, ha="center", fontsize="small", bbox=_PLATE)
    if any(line is not None and max(line) > TALL for line in values):
        ax.set_yscale("log")
    ax.set_xlim(record.d[0], record.d[-1])
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
