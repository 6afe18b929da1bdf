"""Pictures of a run's metrics: losses, and the log-ratio that the critic sees on data and on samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.plots.style import COLOURS, figure
from divmin.training import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_losses(records: Sequence[Record], ax: Axes) -> None:
    """Critic and generator loss over generator steps."""
    steps = [record.step for record in records]
    ax.plot(steps, [record.critic_loss for record in records], color=COLOURS[0], label="critic")
    ax.plot(steps, [record.generator_loss for record in records], "--", color=COLOURS[1], label="generator")
    ax.set(title="losses", xlabel="generator steps", ylabel="nats")
    ax.legend(frameon=False)


def draw_log_ratios(records: Sequence[Record], ax: Axes) -> None:
    """Mean critic output on data and on samples, with one standard deviation; equal at d = 0 when p = q."""
    steps = [record.step for record in records]
    for name, colour, dash, mean, sd in (
        ("data", COLOURS[2], "-", [r.d_real for r in records], [r.d_real_sd for r in records]),
        ("samples", COLOURS[1], "--", [r.d_fake for r in records], [r.d_fake_sd for r in records]),
    ):
        ax.plot(steps, mean, dash, color=colour, label=name)
        low, high = ([m + k * x for m, x in zip(mean, sd, strict=True)] for k in (-1, 1))
        ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title="critic output d on each side (mean, 1 sd)", xlabel="generator steps", ylabel="d (nats)")
    ax.legend(frameon=False)


def save_history(records: Sequence[Record], path: Path) -> None:
    """Both panels, to a .png, .svg or .pdf file."""
    with figure(path, 9, 3.4) as drawn:
        axes = drawn.subplots(1, 2)
        draw_losses(records, axes[0])
        draw_log_ratios(records, axes[1])
