"""Weights & Biases: offline in the run folder, which needs no account, unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from divmin.errors import DivminError
from divmin.loggers.base import Logger, Start


class Board:
    """A sink that logs to a run of Weights & Biases.

    Args:
        run: a `wandb.Run`.
        image: makes a picture of a file, as `wandb.Image` does.
    """

    def __init__(self, run: Any, image: Any) -> None:
        self._run, self._image = run, image

    def tell(self, step: int, values: Mapping[str, float], picture: Path | None) -> None:
        told: dict[str, Any] = dict(values)
        if picture is not None:
            told["samples"] = self._image(str(picture))
        self._run.log(told, step=step)

    def flush(self) -> None:
        """Its own process has received all that was logged, and writes it whatever becomes of this one."""

    def close(self) -> None:
        self._run.finish()


def open_board(start: Start) -> Board:
    """A run of its own, beside any that the program has open already; the same one when training goes on."""
    import wandb

    mode: Any = os.environ.get("WANDB_MODE", "offline")
    # The console is left to the progress of the run; online, the address of the page is worth a line.
    quiet = wandb.Settings(silent=mode != "online", console="off", disable_git=True, save_code=False)
    try:
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "divmin"),
            name=start.folder.name,
            id=start.id,
            dir=str(start.folder),
            config=dict(start.settings),
            mode=mode,
            resume="allow" if mode == "online" else None,  # offline, `wandb sync` puts parts of one id together
            reinit="create_new",
            settings=quiet,
        )
    except wandb.errors.Error as error:
        said = str(error).rstrip(".")
        raise DivminError(
            f"Weights & Biases does not start: {said}; without WANDB_MODE it writes offline and needs no account"
        ) from error
    return Board(run, wandb.Image)


LOGGER = Logger("wandb", "wandb", open_board, "Weights & Biases, offline unless WANDB_MODE=online")
