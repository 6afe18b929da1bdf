"""A run on disk: which files there are, who may write them, and what they say.

config.yaml        the configuration
status.json        running, finished, interrupted or failed, why, by which process, and what names the run
metrics.jsonl      one record a line
checkpoint.pt      all that is needed to go on
checkpoints/       copies of the last ones, named by their step, where more than one is kept
evaluation.jsonl   what was measured of samples on the way, a line each time
best.pt            the checkpoint whose samples were best
explanation.json   what the recipe minimises, written by the caller
monitor.json       the critic's scores as they were counted, written by the caller
logged.json        how far TensorBoard and Weights & Biases have been told, written by the caller
events.out...      event files of TensorBoard, written by the caller
report.html        all of it as a page, written by the caller
diagnosis/         what another critic saw, written by the caller
samples/           pictures, named by their step
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from divmin.errors import DivminError
from divmin.files import write_json, write_text
from divmin.training.config import TrainConfig
from divmin.training.process import Process, current
from divmin.training.record import Record, parse

CONFIG, STATUS, METRICS, CHECKPOINT, SAMPLES = "config.yaml", "status.json", "metrics.jsonl", "checkpoint.pt", "samples"
CHECKPOINTS, EVALUATION, BEST = "checkpoints", "evaluation.jsonl", "best.pt"
EXPLANATION, MONITOR, LOGGED, EVENTS = "explanation.json", "monitor.json", "logged.json", "events.out.tfevents.*.divmin"
REPORT = "report.html"
DIAGNOSIS = "diagnosis"
DIAGNOSED = ("diagnosis.json", "worst_covered.png", "most_fake.png", "fresh_critic.png", "calibration.png")
FILES = (CONFIG, STATUS, METRICS, CHECKPOINT, EVALUATION, BEST, EXPLANATION, MONITOR, LOGGED, REPORT)
STATES = ("running", "finished", "interrupted", "failed")
PICTURE, COPY = re.compile(r"\d{8}\.png"), re.compile(r"\d{8}\.pt")


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it.

    Args:
        folder: where its files are.
        state: running, finished, interrupted or failed, as it was written; `condition` knows of processes that were killed.
        step: generator steps done when the state was written.
        config: the configuration.
        reason: why it was interrupted or failed, in one line; None otherwise.
        signal: the number of the signal that interrupted it; None otherwise.
        process: which process wrote the state; None where the folder does not say.
    """

    folder: Path
    state: str
    step: int
    config: TrainConfig
    reason: str | None = None
    signal: int | None = None
    process: Process | None = field(default=None, compare=False)  # whoever wrote it, it is the same run

    @property
    def condition(self) -> str:
        """The state as it is now: `stopped` in the place of running when the process is known to be gone."""
        gone = self.process is not None and self.process.alive is False
        return "stopped" if self.state == "running" and gone else self.state

    @property
    def checkpoint(self) -> Path:
        """The file that `resume` and `load` read."""
        return self.folder / CHECKPOINT

    @property
    def samples(self) -> Path:
        """The folder of pictures."""
        return self.folder / SAMPLES

    @property
    def exit_code(self) -> int:
        """What a shell expects: 0 when finished, 130 after Ctrl-C, 143 after SIGTERM, 1 when failed."""
        if self.state == "interrupted" and self.signal is not None:
            return 128 + self.signal
        return 0 if self.state == "finished" else 1

    def records(self) -> list[Record]:
        """The metrics, in the order of steps."""
        path = self.folder / METRICS
        return parse(read_text(path), where=str(path)) if path.exists() else []

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Read a run folder.

        Raises:
            DivminError: there is no run, or one of its files is damaged.
        """
        folder = Path(folder)
        path = folder / STATUS
        if not path.is_file():
            raise DivminError(f"{folder} holds no run ({STATUS} is missing): give a folder that divmin train wrote")
        try:
            status = json.loads(read_text(path))
            state, step = status["state"], status["step"]
            reason, signal = status["reason"], status["signal"]
            process = None if status.get("process") is None else Process.from_mapping(status["process"])
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise DivminError(f"{path} is damaged: write the run's state anew with divmin resume {folder}") from error
        if state not in STATES or type(step) is not int:
            raise DivminError(f"{path} is damaged: got state {state!r} at step {step!r}, expected one of {STATES}")
        config = replace(TrainConfig.from_yaml(folder / CONFIG), out=str(folder))
        return cls(folder, state, step, config, reason, signal, process)


def picture_path(folder: Path, step: int) -> Path:
    """Where the picture of a step belongs; only files with such names are removed by `overwrite`.

    >>> picture_path(Path("runs/a"), 20).as_posix()
    'runs/a/samples/00000020.png'
    """
    return folder / SAMPLES / f"{step:08d}.png"


def frames(folder: Path) -> list[Path]:
    """The pictures that a run drew on the way, in the order of their steps."""
    return sorted(path for path in (folder / SAMPLES).glob("*.png") if PICTURE.fullmatch(path.name))


def checkpoint_path(folder: Path, step: int) -> Path:
    """Where the copy of a step's checkpoint belongs.

    >>> checkpoint_path(Path("runs/a"), 20).as_posix()
    'runs/a/checkpoints/00000020.pt'
    """
    return folder / CHECKPOINTS / f"{step:08d}.pt"


def kept(folder: Path) -> list[Path]:
    """The copies of checkpoints, in the order of their steps."""
    return sorted(path for path in (folder / CHECKPOINTS).glob("*.pt") if COPY.fullmatch(path.name))


def default_folder(config: TrainConfig, now: datetime) -> Path:
    """runs/DATA-RECIPE-TIME, with what no file name should hold replaced.

    >>> default_folder(TrainConfig(recipe="fgan(kl, js)"), datetime(2025, 1, 2, 3, 4, 5)).as_posix()
    'runs/digits-fgan-kl-js-20250102-030405'
    """
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{Path(config.data).name}-{config.recipe}").strip("-.")
    return Path("runs") / f"{name}-{now:%Y%m%d-%H%M%S}"


def refuse_occupied(folder: Path, *, overwrite: bool = False) -> None:
    """Raise `DivminError` when a new run would meet other files in `folder`; `overwrite` gives up a run, nothing else."""
    if (folder / STATUS).exists():
        if overwrite:
            return
        raise DivminError(
            f"{folder} holds a run: go on with divmin resume {folder}, or start anew with overwrite (--overwrite)"
        )
    if folder.is_dir() and not _never_begun(folder):
        raise DivminError(f"{folder} holds other files: choose an empty folder for the run")


def _never_begun(folder: Path) -> bool:
    """Whether there is nothing, or what a run leaves that was killed before it had a state; a config.yaml alone is somebody's."""
    names = {path.name for path in folder.iterdir() if not path.match(".*.part")}
    return not names or (SAMPLES in names <= {SAMPLES, CONFIG} and not any((folder / SAMPLES).iterdir()))


def claim(folder: Path) -> None:
    """Make `folder` the place of a new run: create it, or remove from it what divmin wrote and nothing else."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        remove_leftovers(folder)
        for path in (*frames(folder), *folder.glob(EVENTS), *kept(folder)):
            path.unlink()
        for name in DIAGNOSED:
            (folder / DIAGNOSIS / name).unlink(missing_ok=True)
        (folder / SAMPLES).mkdir(exist_ok=True)


def give_up(folder: Path, step: int) -> None:
    """Remove copies of checkpoints and pictures of later steps: what a run that goes back to a step will not have."""
    with writing(folder):
        for path in (*kept(folder), *frames(folder)):
            if int(path.stem) > step:
                path.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove the half-written files of a process that was killed."""
    for name in FILES:
        for path in folder.glob(f".{name}.*.part"):
            path.unlink()
    for path in (folder / CHECKPOINTS).glob(".*.pt.*.part"):
        path.unlink()


def write_config(folder: Path, config: TrainConfig) -> None:
    """Write config.yaml, without the folder's own name: a run may be moved."""
    import yaml

    with writing(folder):
        write_text(folder / CONFIG, yaml.safe_dump(replace(config, out=None).to_mapping(), sort_keys=False))


def write_status(
    folder: Path,
    state: str,
    step: int,
    *,
    reason: str | None = None,
    signal: int | None = None,
    identity: str | None = None,
) -> None:
    """Write status.json, with the process that is asking."""
    said = {"state": state, "step": step, "reason": reason, "signal": signal}
    with writing(folder):
        write_json(folder / STATUS, {**said, "process": asdict(current()), "run": identity})


def identity_of(folder: Path) -> str | None:
    """What names the run in a folder; None where it has no name, or status.json cannot be read: resuming writes that anew."""
    try:
        found = json.loads(read_text(folder / STATUS)).get("run")
    except (DivminError, json.JSONDecodeError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def append_record(folder: Path, record: Record) -> None:
    """Add one line to metrics.jsonl and see it onto the disk, so that no checkpoint is ahead of its metrics."""
    with writing(folder), (folder / METRICS).open("a", encoding="utf-8") as stream:
        stream.write(record.to_json() + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def rewind_metrics(folder: Path, *, step: int, log_every: int) -> Record | None:
    """Remove the records after `step`, and return the last that stays."""
    path = folder / METRICS
    text = read_text(path) if path.exists() else ""
    records = parse(text, where=str(path), last_step=step, log_every=log_every)
    with writing(folder):
        write_text(path, "".join(record.to_json() + "\n" for record in records))
    return records[-1] if records else None


def read_text(path: Path) -> str:
    """The file's text; one line when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DivminError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DivminError(f"{path} is damaged: not UTF-8 text") from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the operating system says about a failed write into one line that names the folder."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise DivminError(f"cannot write {error.filename or folder}: {what}; the run folder is {folder}") from error
