"""Where a run of a sweep stands before it starts: new, to be gone on with, finished, or in the hands of another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from divmin.errors import DivminError
from divmin.training import Run, TrainConfig
from divmin.training.config import differences
from divmin.training.run import STATUS, refuse_occupied


@dataclass(frozen=True)
class Standing:
    """What is to be done for a run.

    Args:
        todo: train, resume, again (train over a run without a checkpoint), nothing (it is finished) or refuse.
        reason: why it is refused.
    """

    todo: Literal["train", "resume", "again", "nothing", "refuse"]
    reason: str | None = None


def standing(config: TrainConfig) -> Standing:
    """What is to be done for the run in `config.out`.

    Raises:
        DivminError: the folder holds a run with other settings, or other files.
    """
    folder = Path(str(config.out))
    if not (folder / STATUS).exists():
        refuse_occupied(folder)
        return Standing("train")
    try:
        run = Run.open(folder)
    except DivminError as error:  # one damaged folder is no reason to leave the others alone
        return Standing("refuse", str(error))
    changed = differences(run.config, config, ignore=("out", "steps"))
    if not changed and run.step > config.steps:
        changed = f"steps {run.step} -> {config.steps}"
    if changed:
        raise DivminError(
            f"{folder} holds a run with other settings: {changed}; only steps can grow when a sweep goes on: choose another folder"
        )
    if run.condition == "running":
        who = "a process" if run.process is None else f"process {run.process.id} on {run.process.host}"
        return Standing("refuse", f"{who} trains it; if that process is gone: divmin resume {folder}")
    if run.step == config.steps and run.condition in ("finished", "stopped"):
        return Standing("nothing")
    return Standing("resume" if run.checkpoint.exists() else "again")
