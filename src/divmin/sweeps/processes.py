"""Runs side by side: each is the same command that a person would type, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from signal import SIGINT, SIGTERM
from typing import IO

from divmin.sweeps.outcome import Ending
from divmin.sweeps.standing import Standing
from divmin.training import TrainConfig
from divmin.training.signals import polite_stop

PAUSE = 0.05  # seconds between looks at the processes


@dataclass(frozen=True)
class Task:
    """A run that waits for its turn: its place in the sweep, its settings, and where it stands."""

    place: int
    config: TrainConfig
    before: Standing


def side_by_side(
    tasks: Sequence[Task],
    jobs: int,
    log: Sequence[str],
    imports: Sequence[str],
    tell: Callable[[int, str], object],
) -> dict[int, Ending]:
    """Train every task in a process of its own, so many at once.

    The first SIGINT or SIGTERM is passed on to all of them, and no other begins; a second one stops them at once.

    Args:
        tasks: in the order in which they begin.
        jobs: how many at once.
        log, imports: as in `sweep`.
        tell: is told the place of a run, and how it ended.

    Returns:
        Place -> how it ended; those that did not begin are absent.
    """
    queue, running, ended = list(tasks), list[tuple[Task, Worker]](), dict[int, Ending]()
    with polite_stop() as stop:
        passed_on = False
        while running or (queue and stop.signal is None):
            try:
                if stop.signal is not None and not passed_on:
                    passed_on = True
                    for _, worker in running:
                        worker.process.send_signal(stop.signal)
                while queue and len(running) < jobs and stop.signal is None:
                    task = queue.pop(0)
                    running.append((task, Worker(command(task.config, task.before, log, imports))))
                for task, worker in [each for each in running if each[1].process.poll() is not None]:
                    running.remove((task, worker))
                    ended[task.place] = ending = worker.ending(stop.signal)
                    tell(task.place, "stopped" if ending.signal is not None else ending.error or "finished")
                time.sleep(PAUSE)
            except KeyboardInterrupt:  # the second one: the first was a note
                for _, worker in running:
                    worker.process.send_signal(SIGINT)
    return ended


class Worker:
    """A process that trains, out of reach of the terminal's Ctrl-C, and what it says on standard error.

    Args:
        command: its words.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `ending`)
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env={"OMP_NUM_THREADS": "1", **os.environ},
            start_new_session=True,
        )

    def ending(self, asked: int | None) -> Ending:
        """How it ended, once it has.

        Args:
            asked: the signal that all were sent, if one was.
        """
        code = self.process.wait()
        self._said.seek(0)
        lines = [line for line in self._said.read().decode(errors="replace").splitlines() if line.strip()]
        self._said.close()
        if code == 0:
            return Ending()
        if asked is not None or code in (128 + SIGINT, 128 + SIGTERM):
            return Ending(signal=code - 128 if asked is None else asked)
        last = lines[-1].removeprefix("divmin: ") if lines else "it said nothing"
        return Ending(f"its process was ended by signal {-code}" if code < 0 else last)


def command(config: TrainConfig, before: Standing, log: Sequence[str], imports: Sequence[str]) -> list[str]:
    """The command that trains a run, or goes on with it.

    >>> from divmin.training import TrainConfig
    >>> command(TrainConfig(out="s/a", steps=9), Standing("resume"), ["wandb"], [])[3:]
    ['resume', 's/a', '--steps=9', '--log=wandb', '--json']
    """
    shared = [*(f"--log={name}" for name in log), *(f"--import={name}" for name in imports), "--json"]
    start = [sys.executable, "-m", "divmin"]
    if before.todo == "resume":
        return [*start, "resume", str(config.out), f"--steps={config.steps}", *shared]
    settings = [_flag(name, value) for name, value in config.to_mapping().items() if value is not None]
    return [*start, "train", *settings, *(["--overwrite"] if before.todo == "again" else []), *shared]


def _flag(name: str, value: object) -> str:
    flag = name.replace("_", "-")
    return f"--{flag}={value}" if not isinstance(value, bool) else f"--{flag}" if value else f"--no-{flag}"
