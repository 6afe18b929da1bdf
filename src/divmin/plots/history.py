"""Pictures of a run's metrics: losses, the log-ratio that the critic sees on data and on samples, evaluations on the way."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.plots.style import COLOURS, figure, line_style
from divmin.training import Record
from divmin.training.evaluations import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Progress = Mapping[str, tuple[Sequence[int], Sequence[float]]]  # run -> steps, values
ACROSS, FEW, LONG = 3, 30, 60  # panels in a row, points that are marked, characters of a name


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


def draw_evaluations(evaluations: Sequence[Evaluation], ax: Axes) -> None:
    """Metrics of samples over generator steps, each between its lowest and its highest value, which the legend names."""
    names = list(dict.fromkeys(name for each in evaluations for name in each.values))
    for i, name in enumerate(names):
        colour, dash = line_style(i)
        having = [(each.step, each.values[name]) for each in evaluations if name in each.values]
        low, high = min(value for _, value in having), max(value for _, value in having)
        shares = [(value - low) / (high - low) if high > low else 0.5 for _, value in having]
        label = f"{_plainly(name)}: {low:.3g} to {high:.3g}"
        ax.plot([step for step, _ in having], shares, dash, color=colour, marker=".", label=label)
    ax.set(title="metrics of samples", xlabel="generator steps", yticks=[0, 1], yticklabels=["lowest", "highest"])
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))  # lines are everywhere within


def save_history(records: Sequence[Record], path: Path, *, evaluations: Sequence[Evaluation] = ()) -> None:
    """The panels that there are numbers for, to a .png, .svg or .pdf file."""
    panels: list[Callable[[Axes], None]] = [lambda ax: draw_losses(records, ax)]
    if any(record.d_real is not None for record in records):
        panels.append(lambda ax: draw_log_ratios(records, ax))
    if any(record.reconstruction is not None for record in records):
        panels.append(lambda ax: draw_bound(records, ax))
    if evaluations:
        panels.append(lambda ax: draw_evaluations(evaluations, ax))
    with figure(path, 4.5 * len(panels) + (1.5 if evaluations else 0), 3.4) as drawn:
        for draw, ax in zip(panels, drawn.subplots(1, len(panels), squeeze=False)[0], strict=True):
            draw(ax)


def draw_progress(metric: str, runs: Progress, ax: Axes) -> None:
    """A metric over generator steps, one line for each run; points where there are few."""
    for i, (name, (steps, values)) in enumerate(runs.items()):
        colour, dash = line_style(i)
        marker = "." if len(steps) < FEW else None
        ax.plot(steps, values, dash, color=colour, label=_plainly(name), marker=marker)
    ax.set(title=_plainly(metric), xlabel="generator steps")


def save_progress(panels: Mapping[str, Progress], path: Path) -> None:
    """One panel for each metric, three beside each other, and one legend unless the runs have no names, to a picture file."""
    across = min(len(panels), ACROSS)
    down = math.ceil(len(panels) / across)
    with warnings.catch_warnings(), figure(path, 4.5 * across, 3.4 * down) as drawn:
        warnings.filterwarnings("ignore", message="Glyph")  # a name in letters that the font lacks
        places = drawn.subplots(down, across, squeeze=False).flat
        for (metric, runs), ax in zip(panels.items(), places, strict=False):
            draw_progress(metric, runs, ax)
        for ax in list(places)[len(panels) :]:
            ax.set_axis_off()
        lines = {line.get_label(): line for ax in drawn.axes for line in ax.get_lines()}
        if any(map(str.strip, map(str, lines))):
            drawn.legend(handles=list(lines.values()), loc="outside lower center", ncols=3, frameon=False)


def _plainly(text: str) -> str:
    """Somebody's text, which is no formula and may hold bytes that are no letters; cut where a legend has no room."""
    plain = text[:LONG].encode(errors="replace").decode().replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain  # legends leave out what begins so


def _present(values: Sequence[float | None]) -> list[float]:
    """Gaps where there is no number."""
    return [math.nan if value is None else value for value in values]
