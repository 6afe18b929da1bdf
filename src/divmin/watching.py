"""The monitor of a run: hears the critic's scores while it trains, and is kept in the run folder beside the checkpoints."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from divmin import training
from divmin.aim import explained
from divmin.diagnostics import Monitor, Report
from divmin.errors import DivminError
from divmin.explanation import Explanation
from divmin.files import write_text
from divmin.objectives import AnyRecipe, Own
from divmin.training import Probe, Run, TrainConfig, View
from divmin.training.run import MONITOR, read_text, writing

EVERY = 4  # critic moves, of which one is counted: small networks make thousands of steps a second


@dataclass
class Watch:
    """Hears a run, and keeps what it heard.

    Args:
        monitor: it.
        before: what the folder holds of the time before this process, where a run goes on.
    """

    monitor: Monitor
    before: Any = None
    heard: bool = field(default=False, init=False)

    def hear(self, step: int, real: Tensor, fake: Tensor) -> None:
        """Take the scores of a move; the first of them says where the run goes on."""
        if not self.heard and self.before is not None:
            with suppress(DivminError):  # of another version, or damaged: a lost past and no lost run
                self.monitor.restore(self.before, step=step - 1)
        self.heard = True
        self.monitor.update(real=real, fake=fake, step=step)

    def keep(self, folder: Path) -> None:
        """Write monitor.json, if anything was heard."""
        if self.heard:
            with writing(folder):
                write_text(folder / MONITOR, json.dumps(self.monitor.to_record()))

    def report(self) -> Report | None:
        """What was heard; None where it is too little."""
        try:
            return self.monitor.report()
        except DivminError:
            return None

    def probe(self, every: int) -> Probe:
        """The probe that hears all moves and writes at every checkpoint."""
        return Probe(every, self._look, self.hear)

    def _look(self, view: View) -> None:
        self.keep(view.folder)


def watch(
    config: TrainConfig, given: AnyRecipe | Own | None, found: Explanation | None, folder: Path | None = None
) -> Watch | None:
    """The watch of a run; None where its critic does not learn, or learns of reconstructions.

    Args:
        config: the settings.
        given: the recipe of a run that was started with one.
        found: what it minimises.
        folder: of a run that goes on; what it holds is taken up, and a damaged file is a lost past and no error.
    """
    if config.critic_steps == 0 or config.fakes != "prior":
        return None
    try:
        losses = training.losses(config, given)
        monitor = Monitor(losses, every=EVERY, explanation=found)  # type: ignore[arg-type]  # what is no recipe is refused
    except DivminError:  # losses that cannot be asked train all the same
        return None
    return Watch(monitor, None if folder is None else _record(folder))


def watched(run: Run, recipe: AnyRecipe | Own | None = None, found: Explanation | None = None) -> Report | None:
    """What the monitor of a run saw, from its folder; None where there is no monitor.json, or too little in it.

    Args:
        run: any run.
        recipe: the object of a run that was started with one.
        found: what it minimises, where that was asked before.

    Raises:
        DivminError: the file is damaged.
    """
    record = _record(run.folder, strict=True)
    if record is None:
        return None
    now = watch(run.config, recipe, explained(run.config, recipe) if found is None else found)
    if now is None:
        return None
    now.monitor.restore(record)
    return now.report()


def _record(folder: Path, strict: bool = False) -> Any:
    path = folder / MONITOR
    if not path.exists():
        return None
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        if strict:
            raise DivminError(f"{path} is damaged: remove it, and the run goes on without its past") from error
        return None
