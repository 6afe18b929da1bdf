"""Pictures of samples: grids of images beside real ones, clouds in the plane, histograms on the line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from divmin.plots.style import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 80
SKEWED = 3  # how much longer one axis may be before its unit is another


@dataclass(frozen=True)
class Window:
    """What a picture of vectors shows, so that pictures of several steps can be laid over each other.

    Args:
        x, y: lowest and highest coordinate; y is a density where samples are numbers, and grows where a peak is higher.
    """

    x: tuple[float, float]
    y: tuple[float, float]


def window(real: Tensor) -> Window:
    """The window of the data, with room for models that are wider: half the range of the central 99% on every side.

    Args:
        real: vectors of the data [n, k].
    """
    x, y = (real.flatten(1)[:, each] for each in (0, -1 if real[0].numel() == 1 else 1))
    if real[0].numel() > 1:
        return Window(_widened(x), _widened(y))
    low, high = _widened(x)
    density = torch.histc(x, BINS, low, high) * BINS / ((high - low) * len(x))
    return Window((low, high), (0.0, 1.6 * float(density.max())))


def _widened(x: Tensor) -> tuple[float, float]:
    low, high = x.double().quantile(x.new_tensor([0.005, 0.995]).double()).tolist()
    room = (high - low) / 2 or 1.0
    return low - room, high + room


def save_samples(
    fake: Tensor, path: Path, *, real: Tensor | None = None, title: str = "generated", window: Window | None = None
) -> None:
    """Samples, beside real ones if given, drawn as their shape suggests.

    Args:
        fake: samples [n, *shape]: images [n, 1 or 3, h, w] in [-1, 1], or vectors [n, k].
        path: a .png, .svg or .pdf file.
        real: samples of the same shape.
        title: what to call the generated ones.
        window: what to show of vectors; by default all of them.
    """
    panels = [(fake, title)] + ([(real, "real")] if real is not None else [])
    if fake.dim() == 4:
        with figure(path, 4.0 * len(panels), 4.3) as drawn:
            for ax, (samples, name) in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
                draw_grid(samples, ax)
                ax.set_title(name)
        return
    with figure(path, 5.0, 4.3) as drawn:
        draw_cloud(fake, real, drawn.subplots(), title, window)


def draw_grid(images: Tensor, ax: Axes, columns: int | None = None) -> None:
    """Images in rows, on a near-square grid if no number of columns is given, with a line of background between them."""
    grid = tiled(images, columns)
    ax.imshow(grid.squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()


def tiled(images: Tensor, columns: int | None = None) -> Tensor:
    """[n, c, h, w] in [-1, 1] to one picture [H, W, c] in [0, 1], in so many columns, or about as many as rows."""
    n, c, h, w = images.shape
    columns = math.ceil(math.sqrt(n)) if columns is None else columns
    rows = math.ceil(n / columns)
    grid = images.new_full((rows * (h + 1) + 1, columns * (w + 1) + 1, c), 0.35)
    for i, image in enumerate(images):
        top, left = (i // columns) * (h + 1) + 1, (i % columns) * (w + 1) + 1
        grid[top : top + h, left : left + w] = (image.permute(1, 2, 0) + 1) / 2
    return grid.clamp(0, 1)


def draw_cloud(fake: Tensor, real: Tensor | None, ax: Axes, title: str, window: Window | None = None) -> None:
    """The first two coordinates as points, or one coordinate as a histogram; real ones grey underneath."""
    if fake[0].numel() == 1:
        low, high = (
            fake.flatten().quantile(fake.new_tensor([0.01, 0.99])).tolist()
        )  # a few stray samples squeeze nothing
        if real is not None:
            low, high = min(low, float(real.min())), max(high, float(real.max()))
        span = (low - 0.5, high + 0.5) if window is None else window.x
        peak = 0.0 if real is None else _histogram(real, ax, span, color="0.75", label="real")
        peak = max(peak, _histogram(fake, ax, span, histtype="step", color=COLOURS[0], label=title))
        if window is not None:  # a model that has collapsed is a spike, whose height is what there is to see
            window = Window(window.x, (window.y[0], max(window.y[1], 1.05 * peak)))
        ax.set(xlabel="x", ylabel="density")
    else:
        if real is not None:
            _scatter(real, ax, "0.75", "real")
        _scatter(fake, ax, COLOURS[0], title)
        ax.set(xlabel=first_of(fake[0].numel()), ylabel="x2")
        ax.set_aspect("equal", adjustable="datalim" if window is None else "box")
    if window is not None:
        _show(window, fake, ax)
    # The best place would be another one in every picture of a run.
    ax.legend(frameon=False, loc="best" if window is None else "upper right")


def _show(window: Window, fake: Tensor, ax: Axes) -> None:
    """Set the axes, and say how many samples are beyond them."""
    ax.set(xlim=window.x, ylim=window.y)
    if not 1 / SKEWED < (window.y[1] - window.y[0]) / (window.x[1] - window.x[0]) < SKEWED:
        ax.set_aspect("auto")  # a picture in true proportions would be a line
    flat = fake.flatten(1)[:, :2]
    sides = (window.x, window.y)[: flat.shape[1]]
    inside = [(column >= low) & (column <= high) for column, (low, high) in zip(flat.T, sides, strict=True)]
    beyond = len(flat) - int(torch.stack(inside).all(0).sum())
    if beyond:
        ax.text(0.02, 0.02, f"{beyond} of {len(flat)} beyond the axes", transform=ax.transAxes)


def first_of(dimensions: int) -> str:
    """The label of the first axis of a plane, which says where it shows only two of many coordinates.

    >>> first_of(2), first_of(5)
    ('x1', 'x1 (first two of 5 coordinates)')
    """
    return "x1" if dimensions == 2 else f"x1 (first two of {dimensions} coordinates)"


def _histogram(samples: Tensor, ax: Axes, span: tuple[float, float], **how: Any) -> float:
    """Shares of all samples, over the width of a bin, and the highest: what is beyond the axes lifts nothing."""
    x = samples.flatten().numpy()
    each = BINS / ((span[1] - span[0]) * len(x))
    heights, *_ = ax.hist(x, bins=BINS, range=span, weights=[each] * len(x), **how)
    return float(max(heights))


def _scatter(samples: Tensor, ax: Axes, colour: str, label: str) -> None:
    x, y = samples.flatten(1)[:, :2].T.numpy()
    ax.scatter(x, y, s=4, color=colour, label=label, linewidths=0)
