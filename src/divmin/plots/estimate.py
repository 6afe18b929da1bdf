"""Pictures of estimates from samples: whether log-ratios mean what they say, and intervals side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.estimators.calibration import Calibration
from divmin.estimators.record import Estimate
from divmin.plots.style import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_calibration(record: Calibration, ax: Axes) -> None:
    """What bins of d claim against what counts show, with two standard errors; the diagonal is a perfect model."""
    shown = [each for each in record.bins if math.isfinite(each.seen)]
    ends = [each.said for each in record.bins] or [-1.0, 1.0]
    ax.plot([min(ends), max(ends)], [min(ends), max(ends)], color="0.8", linewidth=1.5, zorder=0)
    ax.errorbar(
        [each.said for each in shown],
        [each.seen for each in shown],
        yerr=[2 * each.stderr for each in shown],
        fmt="o", color=COLOURS[0], capsize=3, markersize=4, linewidth=1,
    )  # fmt: skip
    low, high = ax.get_ylim()
    for each in record.bins:  # bins with samples of one set alone stand at the edge
        if not math.isfinite(each.seen):
            ax.plot(
                each.said,
                low if each.seen < 0 else high,
                "v" if each.seen < 0 else "^",
                color=COLOURS[1],
                clip_on=False,
            )
    ax.set_ylim(low, high)
    ax.set(
        title=f"calibration: {record.label}", xlabel="log-ratio that d claims (nats)", ylabel="log of shares, p over q"
    )
    text = (
        f"slope {record.slope[0]:.2f} ± {record.slope[1]:.2f}\n"
        f"E_q[e^d] = {record.mean_ratio[0]:.3g} ± {record.mean_ratio[1]:.2g}\n"
        f"E_p[e^-d] = {record.mean_inverse[0]:.3g} ± {record.mean_inverse[1]:.2g}"
    )
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", fontsize="small")


def draw_estimates(records: Sequence[Estimate], ax: Axes) -> None:
    """Values with their 95% intervals, one line a divergence."""
    for place, record in enumerate(records):
        low, high = record.interval
        finite = math.isfinite(record.value) and math.isfinite(high)
        if finite:
            ax.plot([low, high], [place, place], color=COLOURS[0], linewidth=2)
            ax.plot(record.value, place, "o", color=COLOURS[0])
        else:
            ax.text(0.5, place, "not finite", transform=ax.get_yaxis_transform(), ha="center", va="center", color="0.4")
    ax.set_yticks(range(len(records)), [record.divergence for record in records])
    ax.set_ylim(len(records) - 0.5, -0.5)
    ax.axvline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.set(title="estimates, 95%", xlabel="nats")


def save_estimates(records: Sequence[Estimate], calibration: Calibration, path: Path) -> None:
    """Estimates and calibration beside each other, to a .png, .svg or .pdf file."""
    with figure(path, 9, 3.8) as drawn:
        left, right = drawn.subplots(1, 2)
        draw_estimates(records, left)
        draw_calibration(calibration, right)
