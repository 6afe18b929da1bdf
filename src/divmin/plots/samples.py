"""Pictures of samples: grids of images beside real ones, clouds in the plane, histograms on the line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from divmin.plots.style import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def save_samples(fake: Tensor, path: Path, *, real: Tensor | None = None, title: str = "generated") -> None:
    """Samples, beside real ones if given, drawn as their shape suggests.

    Args:
        fake: samples [n, *shape]: images [n, 1 or 3, h, w] in [-1, 1], or vectors [n, k].
        path: a .png, .svg or .pdf file.
        real: samples of the same shape.
        title: what to call the generated ones.
    """
    panels = [(fake, title)] + ([(real, "real")] if real is not None else [])
    if fake.dim() == 4:
        with figure(path, 4.0 * len(panels), 4.3) as drawn:
            for ax, (samples, name) in zip(drawn.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
                draw_grid(samples, ax)
                ax.set_title(name)
        return
    with figure(path, 5.0, 4.3) as drawn:
        draw_cloud(fake, real, drawn.subplots(), title)


def draw_grid(images: Tensor, ax: Axes) -> None:
    """Images in rows on a near-square grid, with a line of background between them."""
    grid = tiled(images)
    ax.imshow(grid.squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()


def tiled(images: Tensor) -> Tensor:
    """[n, c, h, w] in [-1, 1] to one picture [H, W, c] in [0, 1]."""
    n, c, h, w = images.shape
    columns = math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = images.new_full((rows * (h + 1) + 1, columns * (w + 1) + 1, c), 0.35)
    for i, image in enumerate(images):
        top, left = (i // columns) * (h + 1) + 1, (i % columns) * (w + 1) + 1
        grid[top : top + h, left : left + w] = (image.permute(1, 2, 0) + 1) / 2
    return grid.clamp(0, 1)


def draw_cloud(fake: Tensor, real: Tensor | None, ax: Axes, title: str) -> None:
    """The first two coordinates as points, or one coordinate as a histogram; real ones grey underneath."""
    if fake[0].numel() == 1:
        low, high = (
            fake.flatten().quantile(fake.new_tensor([0.01, 0.99])).tolist()
        )  # a few stray samples squeeze nothing
        if real is not None:
            low, high = min(low, float(real.min())), max(high, float(real.max()))
        span = (low - 0.5, high + 0.5)
        if real is not None:
            ax.hist(real.flatten().numpy(), bins=80, range=span, density=True, color="0.75", label="real")
        ax.hist(
            fake.flatten().numpy(), bins=80, range=span, density=True, histtype="step", color=COLOURS[0], label=title
        )
        ax.set(xlabel="x", ylabel="density")
    else:
        if real is not None:
            _scatter(real, ax, "0.75", "real")
        _scatter(fake, ax, COLOURS[0], title)
        ax.set(xlabel="x1", ylabel="x2")
        ax.set_aspect("equal", adjustable="datalim")
    ax.legend(frameon=False)


def _scatter(samples: Tensor, ax: Axes, colour: str, label: str) -> None:
    x, y = samples.flatten(1)[:, :2].T.numpy()
    ax.scatter(x, y, s=4, color=colour, label=label, linewidths=0)
