"""Pictures of samples on paths between pairs of z: rows of images, curves in the plane, curves over the path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.plots.samples import draw_grid, first_of
from divmin.plots.style import figure, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def save_interpolations(paths: Tensor, path: Path, *, behind: Tensor | None = None, title: str = "") -> None:
    """Paths between pairs of z, drawn as the shape of a sample suggests.

    Args:
        paths: samples [n, points, *shape]: images in [-1, 1], or vectors.
        path: a .png, .svg or .pdf file.
        behind: samples [m, *shape] of the same generator, grey under curves in the plane; of no use with images.
        title: of the picture.
    """
    n, points, *shape = paths.shape
    if len(shape) == 3:
        side = min(0.6, 60 / n)  # inches; a picture has its limits
        with figure(path, max(4.0, side * points), side * n + 0.4) as drawn:
            ax = drawn.subplots()
            draw_grid(paths.flatten(0, 1), ax, columns=points)
            ax.set_title(title)
        return
    with figure(path, 5.0, 4.3) as drawn:
        ax = drawn.subplots()
        draw_paths(paths, ax, behind)
        ax.set_title(title)


def draw_paths(paths: Tensor, ax: Axes, behind: Tensor | None = None) -> None:
    """One curve a path: in the plane of the first two coordinates, or one coordinate over the angle; ends are dots."""
    flat = paths.flatten(2)
    plane = flat.shape[2] > 1
    if plane and behind is not None:
        x, y = behind.flatten(1)[:, :2].T.numpy()
        ax.scatter(x, y, s=3, color="0.8", linewidths=0, label="generated")
        ax.legend(frameon=False)
    degrees = torch.linspace(0, 90, flat.shape[1])
    for i, each in enumerate(flat):
        x, y = each[:, :2].T if plane else (degrees, each[:, 0])
        colour, dash = line_style(i)
        ax.plot(x.numpy(), y.numpy(), dash, color=colour, linewidth=1)
        ax.plot(x.numpy()[[0, -1]], y.numpy()[[0, -1]], "o", color=colour, markersize=4)
    if plane:
        ax.set(xlabel=first_of(flat.shape[2]), ylabel="x2")
        ax.set_aspect("equal", adjustable="datalim")
    else:
        ax.set(xlabel="degrees from the first z to the second", ylabel="x")
        ax.set_xticks([0, 30, 60, 90])
