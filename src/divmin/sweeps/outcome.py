"""What became of a run of a sweep."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from divmin.errors import DivminError
from divmin.sweeps.standing import Standing
from divmin.training import Run, TrainConfig, evaluations
from divmin.training.run import STATUS

LOSSES = ("critic_loss", "generator_loss", "d_real", "d_fake")


@dataclass(frozen=True)
class Ending:
    """How an attempt to train ended: with an error in one line, by the signal of this number, or well."""

    error: str | None = None
    signal: int | None = None


@dataclass(frozen=True)
class Outcome:
    """A run of a sweep, as it was left.

    Args:
        config: its settings; `config.out` is its folder.
        state: finished, interrupted, failed, or waiting (a signal came before its turn).
        step: generator steps done.
        reason: why it failed or was interrupted.
        signal: the number of the signal that interrupted it.
        trained: whether this sweep trained it; False where it was finished before.
        values: its last losses and mean d, and the last values that were measured on it, by name.
        measured: the names of those that were measured.
    """

    config: TrainConfig
    state: str
    step: int
    reason: str | None
    signal: int | None
    trained: bool
    values: dict[str, float]
    measured: tuple[str, ...]

    def to_record(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "config": self.config.to_mapping(), "measured": list(self.measured)}


def outcome(config: TrainConfig, before: Standing, ending: Ending | None) -> Outcome:
    """What became of a run.

    Args:
        config: its settings.
        before: where it stood.
        ending: how the attempt to train it ended; None where there was none.
    """
    run = _opened(Path(str(config.out)))
    step = 0 if run is None else run.step
    values, measured = ({}, ()) if run is None else _values(run)

    def left(state: str, reason: str | None = None, signal: int | None = None) -> Outcome:
        return Outcome(config, state, step, reason, signal, ending is not None, values, measured)

    if before.todo == "refuse":
        return left("failed", before.reason)
    if before.todo == "nothing":
        return left("finished")
    if ending is None:
        return left("waiting")
    if ending.error is not None:
        return left("failed", ending.error)
    if run is not None and run.state in ("finished", "interrupted", "failed"):
        return left(run.state, run.reason, run.signal)
    if ending.signal is not None:  # before it had begun, so that its folder knows nothing of it
        return left("interrupted", "stopped at once", ending.signal)
    return left("failed", "it ended without saying why")


def _opened(folder: Path) -> Run | None:
    try:
        return Run.open(folder) if (folder / STATUS).exists() else None
    except DivminError:  # what is damaged was refused before, with its reason
        return None


def _values(run: Run) -> tuple[dict[str, float], tuple[str, ...]]:
    """The numbers of the last record, and of the last evaluation."""
    try:
        records, evaluated = run.records(), evaluations.read(run.folder)
    except DivminError:  # numbers that cannot be read are none; divmin runs says why
        return {}, ()
    said = {name: getattr(records[-1], name) for name in LOSSES} if records else {}
    last = {name: value for name, value in said.items() if value is not None}
    measured = evaluated[-1].values if evaluated else {}
    return {**last, **measured}, tuple(measured)
