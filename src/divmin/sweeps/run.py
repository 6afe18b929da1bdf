"""Running a sweep, one run after the other in this process or several side by side in processes of their own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from divmin import experiment, loggers
from divmin.errors import DivminError
from divmin.objectives import recipe
from divmin.sweeps.outcome import Ending, Outcome, outcome
from divmin.sweeps.plan import check_apart
from divmin.sweeps.processes import Task, side_by_side
from divmin.sweeps.standing import Standing, standing
from divmin.training import Run, TrainConfig


def sweep(
    configs: Sequence[TrainConfig],
    *,
    jobs: int = 1,
    log: Sequence[str] = (),
    imports: Sequence[str] = (),
    show: bool = True,
) -> list[Outcome]:
    """Train every run that is not finished; go on with those that were begun.

    A run that fails does not stop the others. After Ctrl-C or SIGTERM the runs in hand stop after their step, and the rest waits.

    Args:
        configs: the settings of each run, see `grid`; recipe, data and model are names.
        jobs: how many runs at once; more than one are processes of their own with one thread each (OMP_NUM_THREADS=1, if it
            is not set).
        log: loggers that are told of each run.
        imports: modules or .py files that those processes import first, for what they register.
        show: show progress on standard error.

    Returns:
        An outcome for each configuration, in their order.

    Raises:
        DivminError: before any work, for settings that differ from those of a run that is there already, folders that are shared
            or hold other files, unknown recipes or loggers, and jobs below 1.

    Example:
        >>> import tempfile
        >>> from divmin.sweeps import grid
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     small = TrainConfig(data="ring", model="mlp", width=8, batch_size=8, steps=2)
        ...     configs = grid(small, recipes=["minimax", "huszar"], seeds=[0], out=folder)
        ...     [outcome.state for outcome in sweep(configs, show=False)]
        ['finished', 'finished']
    """
    if jobs < 1:
        raise DivminError(f"jobs must be at least 1, got {jobs}")
    check_apart(configs)
    loggers.chosen(log)
    for text in dict.fromkeys(config.recipe for config in configs):
        recipe(text)
    before = [standing(config) for config in configs]
    tasks = [
        Task(i, config, stands)
        for i, (config, stands) in enumerate(zip(configs, before, strict=True))
        if stands.todo not in ("nothing", "refuse")
    ]
    said = Said(configs, show)
    # A run that starts processes of its own repeats the command of this one in them: it needs a command for itself.
    alone = jobs == 1 and all(config.devices * config.nodes == 1 for config in configs)
    ended = _one_by_one(tasks, log, said) if alone else side_by_side(tasks, jobs, log, imports, said.line)
    return [outcome(config, before[i], ended.get(i)) for i, config in enumerate(configs)]


def _one_by_one(tasks: Sequence[Task], log: Sequence[str], said: Said) -> dict[int, Ending]:
    """Train in this process; place -> how it ended."""
    ended: dict[int, Ending] = {}
    for task in tasks:
        said.line(task.place)
        try:
            run = _trained(task.config, task.before, log, show=said.show and sys.stderr.isatty())
        except KeyboardInterrupt:
            ended[task.place] = Ending(signal=SIGINT.value)
            break
        except Exception as error:  # whatever goes wrong in one run, the others are still to be trained
            reason = str(error) if isinstance(error, DivminError) else f"{type(error).__name__}: {error}"
            ended[task.place] = Ending(" ".join(reason.split()))
            said.line(task.place, reason)
            continue
        ended[task.place] = Ending(signal=run.signal)
        if run.state == "interrupted":
            break
    return ended


def _trained(config: TrainConfig, before: Standing, log: Sequence[str], show: bool) -> Run:
    if before.todo == "resume":
        return experiment.resume(str(config.out), steps=config.steps, log=log, show=show)
    return experiment.train(config, log=log, overwrite=before.todo == "again", show=show)


@dataclass(frozen=True)
class Said:
    """The lines on standard error that tell of each run."""

    configs: Sequence[TrainConfig]
    show: bool

    def line(self, place: int, how: str = "") -> None:
        """A run begins, or has ended in some way."""
        if self.show:
            name = Path(str(self.configs[place].out)).name
            print(f"run {place + 1} of {len(self.configs)}: {name}{how and f': {how}'}", file=sys.stderr, flush=True)
