"""Pictures of what a monitor saw: the laws of d over time, what mismatches cost and pull, bounds, calibration, signal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from divmin.diagnostics import Critic, Report
from divmin.diagnostics.bins import EDGES, SIDE, Floats
from divmin.diagnostics.history import Window
from divmin.explanation.curves import Lines
from divmin.plots.estimate import draw_calibration
from divmin.plots.style import COLOURS, figure, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

SEEN = 0.002  # share of scores beyond each end of the axis of d
SAYS = 0.5  # of a value, or nats: two standard errors that are larger leave nothing to be seen
FINEST = 40  # bins on each side of 0 in a picture, at most
NARROWEST, WIDEST = 1.0, 40.0  # nats on each side of 0
DATA, MODEL = ("data", COLOURS[2]), ("samples", COLOURS[1])


def span_of(critic: Critic) -> float:
    """How far pictures of d reach on both sides of 0, nats: as far as all but a few scores of all windows."""
    counts = sum((each.real + each.fake for each in critic.windows), np.zeros(len(EDGES) - 1))
    shares = np.cumsum(counts) / max(counts.sum(), 1.0)
    low, high = EDGES[np.searchsorted(shares, SEEN)], EDGES[np.searchsorted(shares, 1 - SEEN) + 1]
    return float(min(max(-low, high, NARROWEST), WIDEST))


def draw_pushforward(critic: Critic, ax: Axes, *, fake: bool = False) -> None:
    """The law of d on data, or on samples: darker where more of them lie, one row for each window of steps."""
    (name, colour), span = MODEL if fake else DATA, span_of(critic)
    edges = _edges(span / FINEST)
    rows = np.stack([_density(each.fake if fake else each.real, edges) for each in critic.windows])
    mesh = ax.pcolormesh(EDGES[edges], _boundaries(critic.windows), rows, cmap=_shades(colour), rasterized=True, vmin=0)
    mesh.set_clim(0, float(np.quantile(rows[rows > 0], 0.995)) if (rows > 0).any() else 1.0)
    ax.axvline(0, color="0.4", linewidth=0.8)
    output = "d = log p/q (nats)" if critic.reading.tells else "critic output"
    law = "d" if critic.reading.tells else "the output"
    ax.set(
        title=f"law of {law} on {name} over time",
        ylabel="step",
        xlim=(-span, span),
        xlabel=output + _beyond(critic, span, fake),
    )


def draw_price(lines: Lines, ax: Axes, span: float) -> None:
    """What is paid for a mismatch, s(d), and how hard it pulls on a sample, w(d), on the axis of the laws of d."""
    member = lines.members[0]
    inside = [i for i, d in enumerate(lines.d) if abs(d) <= span]
    d = [lines.d[i] for i in inside]
    top = 0.0
    for k, (name, values) in enumerate((("cost s(d)", member.s), ("pull w(d)", member.weight))):
        if values is not None:
            colour, dash = line_style(3 + k)
            ax.plot(d, [values[i] for i in inside], dash, color=colour, label=name)
            top = max(top, *(abs(values[i]) for i in inside))
    if top > 8:
        ax.set_yscale("symlog", linthresh=1.0)
    ax.axvline(0, color="0.4", linewidth=0.8)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title=f"paid for: {textwrap.shorten(member.name, 40)}", xlabel="d = log p/q (nats)", xlim=(-span, span))
    ax.legend(frameon=False, fontsize="small")


def draw_bounds(critic: Critic, ax: Axes) -> None:
    """Lower bounds of divergences over steps, with two standard errors."""
    shown: list[Floats] = []
    for k, (name, curve) in enumerate(critic.curves.items()):
        colour, dash = line_style(k)
        values, errors = np.array(curve.values), 2 * np.array(curve.stderrs)
        with np.errstate(invalid="ignore"):
            told = errors <= np.maximum(SAYS * np.abs(values), SAYS)  # NaN is not
        values, errors = np.where(told, values, np.nan), np.where(told, errors, np.nan)
        shown.append(values[told])
        ax.plot(
            curve.steps, values, dash, color=colour, label=name if told.any() else f"{name} (too noisy)", marker="."
        )
        ax.fill_between(curve.steps, values - errors, values + errors, color=colour, alpha=0.15, linewidth=0)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title="bounds by the critic", xlabel="step", ylabel="nats")
    if critic.curves:
        # a bound below 0 says nothing, however far below
        top = max(float(np.concatenate(shown).max(initial=0.0)), 0.02)
        ax.set_ylim(-0.15 * top, 1.25 * top)
        ax.legend(frameon=False, fontsize="small")
    else:
        said = "the output is an order: bounds rest on a line\nfitted to the last scores, see the report"
        ax.text(0.5, 0.5, said, transform=ax.transAxes, ha="center", color="0.4")


def draw_signal(critic: Critic, ax: Axes) -> None:
    """The mean pull on samples and what saturation takes of it, over steps."""
    having = [each for each in critic.windows if "pull" in each.moments and each.moments["pull"].n]
    if not having:
        ax.text(0.5, 0.5, "the generator's loss is not known", transform=ax.transAxes, ha="center", color="0.4")
    steps = [(each.first + each.last) / 2 for each in having]
    for k, (name, key) in enumerate((("mean pull (1 at parity)", "pull"), ("lost to saturation", "lost"))):
        colour, dash = line_style(k)
        if having:
            ax.plot(steps, [each.moments[key].mean for each in having], dash, color=colour, label=name)
    ax.set(title="the generator's signal", xlabel="step")
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    if having:
        ax.legend(frameon=False, fontsize="small")


def save_monitor(report: Report, path: str | Path) -> None:
    """Two rows of pictures for every critic, to a .png, .svg or .pdf file."""
    many = len(report.critics)
    with figure(path, 13, 6.6 * many) as drawn:
        axes = drawn.subplots(2 * many, 3, squeeze=False)
        for i, critic in enumerate(report.critics):
            above, below = axes[2 * i], axes[2 * i + 1]
            draw_pushforward(critic, above[0])
            draw_pushforward(critic, above[1], fake=True)
            draw_bounds(critic, above[2])
            if report.lines is None:
                _leave_empty(below[0], "what is paid for", "no divergence of this recipe is known")
            else:
                draw_price(report.lines, below[0], span_of(critic))
            draw_signal(critic, below[1])
            if critic.reading.tells:
                draw_calibration(critic.calibration, below[2])
            else:
                _leave_empty(below[2], "calibration", "distances are fitted to the scores:\nthere is nothing to judge")
        sentence = f"{report.subject}: {report.sentence}" if report.sentence else report.subject
        drawn.suptitle(textwrap.fill(sentence, 150), fontsize="small")


def _leave_empty(ax: Axes, title: str, why: str) -> None:
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", color="0.4")
    ax.set(title=title, xticks=[], yticks=[])


def _beyond(critic: Critic, span: float, fake: bool) -> str:
    """How much of one side lies outside the picture, where that is more than a trifle."""
    counts = sum((each.fake if fake else each.real for each in critic.windows), np.zeros(len(EDGES) - 1))
    outside = (EDGES[1:] <= -span) | (EDGES[:-1] >= span)
    share = float(counts[outside].sum()) / max(float(counts.sum()), 1.0)
    return f"; {share:.0%} lie beyond" if share > 2 * SEEN else ""


def _edges(width: float) -> list[int]:
    """Which edges of bins remain when those narrower than a width are joined, from 0 outwards."""
    right, last = [SIDE], 0.0
    for i in range(SIDE + 1, len(EDGES)):
        if EDGES[i] - last >= width:
            right.append(i)
            last = float(EDGES[i])
    return [2 * SIDE - i for i in reversed(right[1:])] + right


def _density(counts: np.ndarray, edges: list[int]) -> Floats:
    total = np.concatenate([[0], np.cumsum(counts)])[edges]
    found: Floats = np.diff(total) / np.diff(EDGES[edges]) / max(int(counts.sum()), 1)
    return found


def _boundaries(windows: Sequence[Window]) -> list[float]:
    """Where rows begin and end: halfway between the last step of one and the first of the next."""
    inner = [(one.last + other.first) / 2 for one, other in pairwise(windows)]
    return [windows[0].first - 0.5, *inner, windows[-1].last + 0.5]


def _shades(colour: str) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("from white", ["white", colour, "black"])
