"""Pictures of landscapes: a divergence over the parameters of a model, with the points at which it is stationary."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from divmin.errors import DivminError
from divmin.plots.style import COLOURS, figure
from divmin.values.grid import Landscape
from divmin.values.stationary import Fit, Stationary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = 3  # panels in a row
LEVELS = 21
DEEPEST = 1e-4  # of the highest level: what is lower has one colour
HIGHEST = 0.8  # the part of all places whose values have colours of their own
INFINITE = "0.8"  # grey
# marker, size, colour
MARKS = {
    "lowest minimum": ("*", 190, "white"),
    "minimum": ("o", 60, "white"),
    "saddle": ("X", 65, COLOURS[1]),
    "maximum": ("^", 60, COLOURS[3]),
    "degenerate": ("s", 50, COLOURS[5]),
}


def levels_of(landscapes: Sequence[Landscape]) -> list[float]:
    """Levels of D with equal ratios, one list for all panels, so that a colour means one value."""
    values = np.concatenate([each.values.numpy().reshape(-1) for each in landscapes])
    values = values[np.isfinite(values)]
    if not len(values) or not values.max() > 0:
        return [0.0, 1.0]
    top = float(np.quantile(values, HIGHEST)) or float(values.max())
    low = min(max(float(values.min()), DEEPEST * top), 0.99 * top)
    return [float(level) for level in np.geomspace(low, top, LEVELS)]


def draw_landscape(record: Landscape, ax: Axes, *, fit: Fit | None = None, levels: Sequence[float] = ()) -> Any:
    """D over two parameters as filled contours, or over one as a curve; a dashed line runs through each saddle.

    Args:
        record: D on the grid.
        ax: where to draw.
        fit: the points to mark; positive parameters get a logarithmic axis.
        levels: of the contours, by default those of this landscape.

    Returns:
        What a colour bar explains; None for a curve.

    Raises:
        DivminError: for three parameters and more.
    """
    names = list(record.axes)
    if len(names) not in (1, 2):
        raise DivminError(f"{len(names)} parameters ({', '.join(names)}): landscapes of one or two can be drawn")
    for name, axis in zip(names, (ax.xaxis, ax.yaxis), strict=False):
        if fit is not None and name in fit.positive:
            _logarithmic(ax, axis)
    if len(names) == 2:
        drawn = _surface(record, ax, fit, levels or levels_of([record]))
    else:
        drawn = None
        _curve(record, ax)
    for point in fit.points if fit else ():
        marker, size, colour = MARKS[_kind(point)]
        x, y = [*(point.parameters[name] for name in names), point.value][:2]
        ax.scatter(x, y, s=size, marker=marker, color=colour, edgecolor="black", linewidth=0.9, zorder=3)
    ax.set(xlabel=names[0], ylabel=names[1] if len(names) == 2 else "D (nats)")
    ax.set_title(_title(record, fit), fontsize="medium")
    return drawn


def save_landscapes(landscapes: Sequence[Landscape], path: Path, *, fits: Sequence[Fit] = (), title: str = "") -> None:
    """A panel for each divergence, with one scale of colours, to a .png, .svg or .pdf file."""
    from matplotlib.lines import Line2D

    across = len(landscapes) if len(landscapes) <= ACROSS else 2 if len(landscapes) == 4 else ACROSS
    down = math.ceil(len(landscapes) / across)
    levels = levels_of(landscapes)
    with figure(path, 1.6 + 4.2 * across, 1.0 + 3.6 * down) as drawn:
        panels = drawn.subplots(down, across, squeeze=False, sharey=len(landscapes[0].axes) == 2)
        every = list(panels.reshape(-1))
        for ax in every[len(landscapes) :]:
            ax.remove()
        filled = None
        for ax, record, fit in zip_longest(every[: len(landscapes)], landscapes, fits):
            filled = draw_landscape(record, ax, fit=fit, levels=levels)
        if filled is not None:
            bar = drawn.colorbar(
                filled,
                ax=every[: len(landscapes)],
                label="D (nats)",
            )
            bar.set_ticks(levels[::4], labels=[f"{float(f'{level:.2g}'):g}" for level in levels[::4]])
            bar.minorticks_off()
        kinds = {_kind(point) for fit in fits for point in fit.points}
        handles = [
            Line2D(
                [],
                [],
                linestyle="",
                marker=marker,
                color=colour,
                markeredgecolor="black",
                markersize=size**0.5,
                label=kind,
            )
            for kind, (marker, size, colour) in MARKS.items()
            if kind in kinds
        ]
        if "saddle" in kinds and filled is not None:
            handles.append(Line2D([], [], linestyle="--", color="black", linewidth=0.9, label="level of a saddle"))
        if filled is not None and any(bool(each.values.isinf().any()) for each in landscapes):
            handles.append(Line2D([], [], linestyle="", marker="s", color=INFINITE, markersize=10, label="infinite"))
        if handles:
            drawn.legend(
                handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize="small"
            )
        if title:
            drawn.suptitle(
                "\n".join(textwrap.fill(line, 46 * across + 14) for line in title.splitlines()), fontsize="small"
            )


def _surface(record: Landscape, ax: Axes, fit: Fit | None, levels: Sequence[float]) -> Any:
    x, y = (axis.numpy() for axis in record.axes.values())
    values = np.ma.masked_invalid(record.values.numpy().T)
    ax.set_facecolor(INFINITE)
    if values.count() == 0:
        ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        return None
    from matplotlib.colors import LogNorm

    norm = LogNorm(levels[0], levels[-1]) if levels[0] > 0 else None
    drawn = ax.contourf(x, y, values, levels, cmap="viridis", norm=norm, extend="both")
    ax.contour(x, y, values, levels, colors="white", linewidths=0.35, alpha=0.45)
    for saddle in fit.saddles if fit else ():
        ax.contour(x, y, values, [saddle.value], colors="black", linewidths=0.9, linestyles="--")
    return drawn


def _curve(record: Landscape, ax: Axes) -> None:
    (axis,) = record.axes.values()
    values = record.values.numpy()
    ax.plot(axis.numpy(), np.where(np.isfinite(values), values, np.nan), color=COLOURS[0])
    ax.set_xlim(float(axis[0]), float(axis[-1]))


def _logarithmic(ax: Axes, axis: Any) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    (ax.set_xscale if axis is ax.xaxis else ax.set_yscale)("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _kind(point: Stationary) -> str:
    return "lowest minimum" if point.lowest else point.kind


def _title(record: Landscape, fit: Fit | None) -> str:
    lowest = next((point for point in fit.points if point.lowest), None) if fit else None
    if lowest is None:
        return record.divergence
    spans = {name: float(axis[-1] - axis[0]) for name, axis in record.axes.items()}
    at = ", ".join(_number(value, spans[name]) for name, value in lowest.parameters.items())
    return f"{record.divergence}: lowest {lowest.value:.4g} at {f'({at})' if len(spans) > 1 else at}"


def _number(value: float, span: float) -> str:
    return f"{0.0 if abs(value) < 1e-6 * span else value:.4g}"
