"""From a run folder to loggers: whatever is new in the folder is told, in the order of steps, each thing once.

How far a logger has been told stands in logged.json. So nothing is told twice when a run goes on, or when it was killed
and repeats some steps, and a logger that joins late hears everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from divmin.errors import DivminError
from divmin.files import write_json
from divmin.loggers.base import Logger, Sink, Start
from divmin.training import Probe, Record, TrainConfig, View, evaluations
from divmin.training.record import parse
from divmin.training.run import CONFIG, LOGGED, METRICS, frames, read_text, writing

NOTHING = -1  # the step before the first


@dataclass
class Step:
    """All that a run says of one step."""

    values: dict[str, float] = field(default_factory=dict)
    picture: Path | None = None


@contextmanager
def telling(loggers: Sequence[Logger], every: int, anew: bool = False) -> Iterator[tuple[Probe, ...]]:
    """The probes that tell loggers of a run; they come after the probes that write into its folder.

    Args:
        loggers: see `chosen`.
        every: generator steps between metrics records.
        anew: whether what they were told before is no longer true, because the run goes on from an older checkpoint or with
            other settings: then everything that is still true is told again.

    Yields:
        Probes. What is new since their last look is told at the end of the block, however it ends.
    """
    with ExitStack() as stack:
        tellers = [Teller(logger, anew) for logger in loggers]
        for teller in tellers:
            stack.callback(teller.close)
        yield tuple(Probe(every, teller.look) for teller in tellers)


class Teller:
    """One logger of one run; it is opened at the first look, when the run has its folder.

    Args:
        logger: what kind.
        anew: see `telling`.
    """

    def __init__(self, logger: Logger, anew: bool) -> None:
        self.logger = logger
        self.anew = anew
        self.sink: Sink | None = None
        self.folder = Path()
        self.told = NOTHING
        self.id = ""

    def look(self, view: View) -> None:
        """Tell what is new up to this step."""
        if self.sink is None:
            self._open(view.folder)
            records = _records(view.folder)
        else:
            records = [] if view.latest is None else [view.latest]
        self._tell(news(self.folder, records, after=self.told), up_to=view.step)

    def close(self) -> None:
        """Tell what the run wrote after the last look, and close."""
        if self.sink is None:
            return
        last = news(self.folder, _records(self.folder), after=self.told)
        self._tell(last, up_to=max(last, default=self.told))
        with writing(self.folder):
            self.sink.close()

    def _open(self, folder: Path) -> None:
        known = None if self.anew else journal(folder).get(self.logger.name)
        self.folder = folder
        self.told, self.id = (NOTHING, uuid4().hex[:8]) if known is None else (known["step"], known["id"])
        settings = asdict(TrainConfig.from_yaml(folder / CONFIG))
        with writing(folder):
            self.sink = self.logger.open(Start(folder, self.id, settings, known is None))

    def _tell(self, steps: dict[int, Step], up_to: int) -> None:
        assert self.sink is not None
        with writing(self.folder):
            for step in sorted(step for step in steps if step <= up_to):
                self.sink.tell(step, steps[step].values, steps[step].picture)
            self.sink.flush()
        if up_to > self.told:
            self.told = up_to
            with writing(self.folder):
                write_json(
                    self.folder / LOGGED,
                    {**journal(self.folder), self.logger.name: {"step": self.told, "id": self.id}},
                )


def news(folder: Path, records: Sequence[Record], *, after: int) -> dict[int, Step]:
    """What a run folder says of the steps after one.

    Args:
        folder: the run folder, for its pictures and evaluations.
        records: its metrics records, or the last of them.
        after: the last step that is no news.

    Returns:
        Step -> numbers under train/ and evaluation/, and picture.
    """
    steps: dict[int, Step] = {}
    for record in records:
        known = {name: value for name, value in asdict(record).items() if name != "step" and value is not None}
        numbers = {f"train/{name}": float(value) for name, value in known.items()}
        steps.setdefault(record.step, Step()).values.update(numbers)
    for each in evaluations.read(folder):
        steps.setdefault(each.step, Step()).values.update({f"evaluation/{k}": v for k, v in each.values.items()})
    for path in frames(folder):
        steps.setdefault(int(path.stem), Step()).picture = path
    return {step: said for step, said in steps.items() if step > after}


def journal(folder: Path) -> dict[str, dict[str, Any]]:
    """How far each logger was told: name -> step and id; empty before the first.

    Raises:
        DivminError: the file is damaged.
    """
    path = folder / LOGGED
    if not path.exists():
        return {}
    try:
        found: dict[str, dict[str, Any]] = json.loads(read_text(path))
        if all(type(each["step"]) is int and isinstance(each["id"], str) for each in found.values()):
            return found
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError):
        pass  # the same line of text serves every kind of damage
    raise DivminError(f"{path} is damaged: remove it, and everything is told again")


def _records(folder: Path) -> list[Record]:
    path = folder / METRICS
    return parse(read_text(path), where=str(path)) if path.exists() else []
