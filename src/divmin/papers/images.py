"""Runs on images that are compared over seeds: trained, measured, and their samples as bytes and as sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers.work import Arrays, Work

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from divmin.training import TrainConfig

Key = tuple[str, int]  # what differs between runs, and the seed


def trained_and_measured(
    work: Work,
    configs: Mapping[Key, TrainConfig],
    named: Callable[[str, int], str],
    measured: Callable[[Path, int], Mapping[str, object]],
    judge: Callable[[], object],
) -> dict[Key, Arrays]:
    """What is known of every run; what is there is not trained or measured again.

    Args:
        work: where runs and measures lie.
        configs: the settings of every run.
        named: the folder of a run.
        measured: from a run's folder and its seed to arrays and numbers by name.
        judge: what it needs of the data, made before the first run, so that data that cannot be judged are refused at once.
    """
    missing = {
        named(*key): config for key, config in configs.items() if not (work.folder / f"{named(*key)}.npz").exists()
    }
    if missing:
        judge()
    work.train_all(missing)
    return {
        key: work.piece(named(*key), partial(measured, work.folder / "runs" / named(*key), key[1]))
        for key in work.each("measuring samples", configs)
    }


def place_of(config: TrainConfig) -> str:
    """The device on which samples of a run are drawn: that of the run."""
    import torch

    found = "cuda" if torch.cuda.is_available() else "cpu"
    return found if config.device == "auto" else config.device


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
