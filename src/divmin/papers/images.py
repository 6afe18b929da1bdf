"""Samples as bytes, as items keep them, and as sheets, as they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor


def as_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Pixels from 0 to 255 [n, channels, height, width], of images in [-1, 1]."""
    return np.asarray(((images + 1) * 127.5).round().clamp(0, 255).byte().cpu().numpy())


def draw_sheet(ax: Axes, images: NDArray[np.uint8], columns: int, title: str) -> None:
    """Images in rows of so many; a word where there are none."""
    import torch

    from divmin.plots.samples import tiled

    if len(images):
        pixels = tiled(torch.from_numpy(images).float() / 127.5 - 1, columns).squeeze(-1).numpy()
        ax.imshow(pixels, interpolation="nearest", cmap="gray" if pixels.ndim == 2 else None)
    else:
        ax.text(0.5, 0.5, "no run stayed finite", ha="center", va="center", transform=ax.transAxes)
    ax.set_title(title, fontsize=9)
    ax.set_axis_off()
