"""What an item computes with: a folder that survives, so that a second start goes on, and a way to show progress."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from divmin.files import write_atomically

if TYPE_CHECKING:
    from divmin.training import Probe, Run, TrainConfig

Arrays = dict[str, NDArray[np.generic]]
Thing = TypeVar("Thing")


Tracking = Callable[[str], AbstractContextManager[Callable[[Iterable[int]], Iterable[int]]]]


@contextmanager
def silent(what: str) -> Iterator[Callable[[Iterable[int]], Iterable[int]]]:
    yield iter


@dataclass(frozen=True)
class Work:
    """Where an item keeps what it has, and how it says how far it is.

    Args:
        folder: pieces and runs of these settings lie here.
        tracking: opens a progress bar with this title; see `divmin.progress.tracking`.
        jobs: runs that are trained at once.
    """

    folder: Path
    tracking: Tracking = silent
    jobs: int = 1

    def each(self, what: str, things: Iterable[Thing]) -> Iterator[Thing]:
        """The things one after the other, with a progress bar."""
        every = list(things)
        with self.tracking(what) as track:
            for i in track(range(len(every))):
                yield every[i]

    def piece(self, name: str, make: Callable[[], Mapping[str, object]]) -> Arrays:
        """Named arrays that are made once: a later start with the same settings reads them.

        Args:
            name: of the piece, also of its file.
            make: computes what is not there: arrays or numbers by name.
        """
        path = self.folder / f"{name}.npz"
        if path.exists():
            try:
                with np.load(path, allow_pickle=False) as file:
                    return {key: file[key] for key in file.files}
            except (OSError, ValueError, zipfile.BadZipFile):
                pass  # damaged: it is made again
        made: Arrays = {key: np.asarray(value) for key, value in make().items()}
        save_arrays(path, made)
        return made

    def train(self, name: str, config: TrainConfig, *, probes: Sequence[Probe] = ()) -> Run:
        """A run of divmin in this folder: begun, gone on with, or read when it is finished.

        Args:
            name: of its folder.
            config: its settings; `out` is filled in.
            probes: looks at the run; what they keep must survive an interruption, and may be told of a step twice.

        Raises:
            KeyboardInterrupt: where Ctrl-C or a signal ended it; the same call goes on with it.
        """
        from divmin.experiment import resume, train
        from divmin.training import Run

        folder = self.folder / "runs" / name
        if not (folder / "config.yaml").exists():
            run = train(replace(config, out=str(folder)), probes=probes, show=False)
        elif (run := Run.open(folder)).state != "finished":
            run = resume(folder, probes=probes, show=False)
        if run.state == "interrupted":
            raise KeyboardInterrupt
        return run

    def train_all(self, configs: Mapping[str, TrainConfig]) -> dict[str, Run]:
        """Runs of divmin in this folder as with `train`, `jobs` of them at once.

        A run whose losses or weights leave the finite numbers has failed, and says so; the others go on.

        Args:
            configs: the settings of each run by the name of its folder; `out` is filled in.

        Returns:
            The runs by name; `run.state` is "finished", or "failed" with `run.reason`.

        Raises:
            KeyboardInterrupt: where Ctrl-C or a signal ended one; the same call goes on with them.
        """
        from divmin.sweeps import sweep
        from divmin.training import Run

        placed = {name: replace(config, out=str(self.folder / "runs" / name)) for name, config in configs.items()}
        every = list(placed.values())
        groups = [every] if self.jobs > 1 else [[each] for each in every]
        for group in self.each("training", groups) if len(groups) > 1 else groups:
            for outcome in sweep(group, jobs=self.jobs, show=False):
                if outcome.state in ("interrupted", "waiting"):
                    raise KeyboardInterrupt
        return {name: Run.open(str(config.out)) for name, config in placed.items()}


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Named arrays as an .npz file, atomically and without pickles."""
    write_atomically(path, lambda stream: np.savez(stream, allow_pickle=False, **arrays))
