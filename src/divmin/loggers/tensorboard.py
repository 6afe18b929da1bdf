"""TensorBoard: event files in the run folder, so that `tensorboard --logdir runs` names runs by their folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from divmin.loggers.base import Logger, Start
from divmin.training.run import EVENTS


class EventFile:
    """A sink that writes an event file.

    Args:
        writer: a `torch.utils.tensorboard.SummaryWriter`.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def tell(self, step: int, values: Mapping[str, float], picture: Path | None) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        if picture is not None:
            import numpy as np
            from PIL import Image

            with Image.open(picture) as image:
                self._writer.add_image("samples", np.asarray(image.convert("RGB")), step, dataformats="HWC")

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def open_event_file(start: Start) -> EventFile:
    """A new event file in the run folder, which begins with the settings when nothing was told before."""
    from torch.utils.tensorboard import SummaryWriter

    if start.fresh:  # what is told from the beginning stands nowhere else
        for path in start.folder.glob(EVENTS):
            path.unlink()
    writer = SummaryWriter(str(start.folder), filename_suffix=Path(EVENTS).suffix)
    if start.fresh:
        writer.add_text("settings", f"```\n{json.dumps(dict(start.settings), indent=2)}\n```", 0)
    return EventFile(writer)


LOGGER = Logger("tensorboard", "tensorboard", open_event_file, "TensorBoard, event files in the run folder")
