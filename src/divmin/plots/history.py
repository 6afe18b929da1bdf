"""Pictures of a run's metrics: losses, the log-ratio that the critic sees on data and on samples, evaluations on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.plots.style import COLOURS, figure, line_style
from divmin.training import Record, evaluations
from divmin.training.evaluations import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_losses(records: Sequence[Record], ax: Axes) -> None:
    """Critic and generator loss over generator steps; a critic that is not trained has none."""
    steps = [record.step for record in records]
    if any(record.critic_loss is not None for record in records):
        ax.plot(steps, _present([record.critic_loss for record in records]), color=COLOURS[0], label="critic")
    ax.plot(steps, [record.generator_loss for record in records], "--", color=COLOURS[1], label="generator")
    ax.set(title="losses", xlabel="generator steps", ylabel="nats")
    ax.legend(frameon=False)


def draw_log_ratios(records: Sequence[Record], ax: Axes) -> None:
    """Mean critic output on data and on samples, with one standard deviation; equal at d = 0 when p = q."""
    steps = [record.step for record in records]
    for name, colour, dash, means, sds in (
        ("data", COLOURS[2], "-", [r.d_real for r in records], [r.d_real_sd for r in records]),
        ("samples", COLOURS[1], "--", [r.d_fake for r in records], [r.d_fake_sd for r in records]),
    ):
        mean, sd = _present(means), _present(sds)
        ax.plot(steps, mean, dash, color=colour, label=name)
        low, high = ([m + k * x for m, x in zip(mean, sd, strict=True)] for k in (-1, 1))
        ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title="critic output d on each side (mean, 1 sd)", xlabel="generator steps", ylabel="d (nats)")
    ax.legend(frameon=False)


def draw_bound(records: Sequence[Record], ax: Axes) -> None:
    """Both parts of the bound on -log q over generator steps, on a logarithmic axis: they may be orders of magnitude apart."""
    steps = [record.step for record in records]
    for name, colour, dash, values in (
        ("reconstruction", COLOURS[0], "-", [record.reconstruction for record in records]),
        ("KL(q(z|x) || prior)", COLOURS[1], "--", [record.prior for record in records]),
    ):
        ax.plot(steps, _present(values), dash, color=colour, label=name)
    ax.set(title="bound on -log q of data", xlabel="generator steps", ylabel="nats a sample", yscale="log")
    ax.legend(frameon=False)


def draw_evaluations(found: Sequence[Evaluation], ax: Axes) -> None:
    """Metrics of samples on the way, a line each from its lowest to its highest value, which the legend gives; a dot is the best.

    Metrics have scales of their own, so several share the height of the axes and not its numbers; a single one keeps them.
    """
    names = list(dict.fromkeys(name for each in found for name in each.values))
    for i, name in enumerate(names):
        having = [each for each in found if name in each.values]
        values = [each.values[name] for each in having]
        low, high = min(values), max(values)
        colour, dash = line_style(i)

        def place(value: float, low: float = low, high: float = high) -> float:
            return value if len(names) == 1 else (value - low) / (high - low) if high > low else 0.5

        arrow = "↑" if evaluations.grows(found, name) else "↓"
        label = f"{name} {arrow} {low:.3g}" + (f" to {high:.3g}" if high > low else "")
        ax.plot([each.step for each in having], [place(value) for value in values], dash, color=colour, label=label)
        if (best := evaluations.best(found, name)) is not None:
            ax.plot(best.step, place(best.value), "o", color=colour, markersize=5)
    if len(names) != 1:
        ax.set_yticks([0, 1], ["lowest", "highest"])
    ax.set(title="evaluations, a dot at the best", xlabel="generator steps", ylabel=names[0] if len(names) == 1 else "")
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


def save_history(records: Sequence[Record], path: Path, found: Sequence[Evaluation] = ()) -> None:
    """The panels that there are numbers for, to a .png, .svg or .pdf file.

    Args:
        records: the metrics of a run.
        path: the file.
        found: what was measured of its samples on the way.
    """
    panels = [draw_losses]
    if any(record.d_real is not None for record in records):  # without critic steps nothing is scored
        panels.append(draw_log_ratios)
    if any(record.reconstruction is not None for record in records):
        panels.append(draw_bound)
    widths = [4.5] * len(panels) + [6.0] * bool(found)  # with room for the legend
    with figure(path, sum(widths), 3.4) as drawn:
        axes = drawn.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
        for draw, ax in zip(panels, axes, strict=False):
            draw(records, ax)
        if found:
            draw_evaluations(found, axes[-1])


def _present(values: Sequence[float | None]) -> list[float]:
    """Gaps where there is no number."""
    return [math.nan if value is None else value for value in values]
