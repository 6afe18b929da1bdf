"""All runs below a folder as records: what each minimises, how far it came, and its best number. Needs no torch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from divmin.errors import DivminError
from divmin.training import TrainConfig, evaluations
from divmin.training.evaluations import Best
from divmin.training.record import Record
from divmin.training.run import CHECKPOINT, EXPLANATION, METRICS, STATUS, Run, read_text

DAMAGED = "damaged"
TAIL = 4096  # bytes at the end of a metrics file in which its last record stands


@dataclass(frozen=True)
class Summary:
    """One run of a list.

    Args:
        folder: the run folder.
        name: the same, from the folder that was listed.
        state: finished, interrupted, failed, running, stopped (it says running, and its process is gone) or damaged.
        changed: when it last wrote a state, a record or a checkpoint, in seconds since 1970.
        reason: why it is interrupted, failed or damaged.
        data, recipe, model, seed: as configured; None where damaged.
        minimises: the name of the explained divergence; None where it is not known.
        step, steps: generator steps done and wanted; None where damaged.
        losses: last critic_loss (None where no critic is trained) and generator_loss; None before the first record.
        best: the best value of a metric; None where nothing was measured.
    """

    folder: Path
    name: str
    state: str
    changed: float
    reason: str | None = None
    data: str | None = None
    recipe: str | None = None
    model: str | None = None
    seed: int | None = None
    minimises: str | None = None
    step: int | None = None
    steps: int | None = None
    losses: tuple[float | None, float] | None = None
    best: Best | None = None


def runs(folder: str | Path = "runs", *, metric: str | None = None) -> list[Summary]:
    """All runs in a folder and below it, those that changed last first.

    Args:
        folder: where to look.
        metric: which measured metric is summarised; the first of each run if None.

    Returns:
        A record a run; one of a damaged folder has its reason and little else.

    Raises:
        DivminError: there is no such folder.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = dm.train(dm.TrainConfig(model="mlp", width=8, steps=2, out=folder + "/a"), show=False)
        ...     [(run.name, run.state, run.minimises) for run in dm.runs(folder)]
        [('a', 'finished', '0.5*softened_reverse_kl')]
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DivminError(f"{folder} is not a folder: give one with runs in it, as divmin train makes below runs/")
    found = [summary(each, str(each.relative_to(folder)), metric) for each in run_folders(folder)]
    return sorted(found, key=lambda each: (-each.changed, each.name))


def run_folders(folder: Path) -> Iterator[Path]:
    """Every run folder in a folder and below it; nothing is looked for inside a run."""
    for place, inner, files in os.walk(folder):
        if {STATUS, CHECKPOINT, METRICS} & set(files):
            inner.clear()
            yield Path(place)
        else:
            inner[:] = sorted(each for each in inner if not each.startswith("."))


def summary(folder: Path, name: str, metric: str | None = None) -> Summary:
    """What a run folder says, or why it cannot be read."""
    try:
        files = [folder / name for name in (STATUS, METRICS, CHECKPOINT)]
        changed = max(path.stat().st_mtime for path in files if path.exists())
        known = Summary(folder, name, DAMAGED, changed)
    except OSError as error:
        return Summary(folder, name, DAMAGED, 0.0, reason=f"{folder}: {error.strerror}")
    try:
        run = Run.open(folder)
        config, state = run.config, run.condition
        record = last_record(folder)
        # The state is written with checkpoints, records more often.
        step = max(run.step, record.step) if record is not None and state == "running" else run.step
        return replace(
            known,
            state=state,
            reason=run.reason,
            data=config.data,
            recipe=config.recipe,
            model=config.model,
            seed=config.seed,
            minimises=minimised(folder, config),
            step=step,
            steps=config.steps,
            losses=None if record is None else (record.critic_loss, record.generator_loss),
            best=evaluations.best(evaluations.read(folder), metric),
        )
    except DivminError as error:
        return replace(known, reason=str(error))


def minimised(folder: Path, config: TrainConfig) -> str | None:
    """What a run minimises: as its folder says, or else asked anew, once for settings that differ in more than seed and steps."""
    path = folder / EXPLANATION
    if path.exists():
        try:
            found = json.loads(read_text(path))["minimises"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DivminError(f"{path} is damaged: remove it") from error
        return str(found)
    return _asked(replace(config, seed=0, steps=1, out=None))


@cache
def _asked(config: TrainConfig) -> str | None:
    from divmin.aim import explained  # imports torch and SymPy, which most lists need not wait for

    found = explained(config)
    return None if found is None else found.formula_name


def last_record(folder: Path) -> Record | None:
    """The last record of a run, however many there are; None where there is none."""
    path = folder / METRICS
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - TAIL))
            lines = (
                stream.read().decode(errors="replace").split("\n")[:-1]
            )  # what follows the last end of line is half a record
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DivminError(f"cannot read {path}: {error.strerror}") from error
    if not lines:
        return None
    return Record.from_json(lines[-1], where=f"{path}, last line")
