"""What the folder of a run tells, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from divmin.aim import explained
from divmin.diagnostics import Report
from divmin.errors import DivminError
from divmin.explanation import Explanation
from divmin.illustrations import DRAWN, GRID, illustrate, stale
from divmin.pages.embedding import SMALL, embedded
from divmin.pages.parts import Picture, number
from divmin.training import Record, Run, evaluations
from divmin.training.evaluations import Best, Evaluation
from divmin.training.run import EXPLANATION, MONITOR, read_text
from divmin.watching import watched

PART = 11  # a picture has one such part of the bytes of its run; there are eight at most beside the film, which has three parts


@dataclass(frozen=True, eq=False)
class Known:
    """What the process that trained knows, so that it need not be asked again, nor be a name: its losses may be objects."""

    explanation: Explanation | None
    heard: Report | None


@dataclass(frozen=True, eq=False)
class Told:
    """A run, and all that its folder tells.

    Args:
        run: it.
        step: generator steps done, by its state or its last record.
        records: its metrics over time.
        evaluations: what was measured of its samples.
        explanation: the record of what it minimises; empty where nothing is known.
        heard: what its monitor heard; None where there is nothing, or too little.
        damage: a sentence for each file that cannot be read.
        drawn: its pictures by name, those drawn anew in the place of stale ones.
        place: a folder for further drawings.
        budget: bytes that its pictures may have in a page.
    """

    run: Run
    step: int
    records: list[Record]
    evaluations: list[Evaluation]
    explanation: Mapping[str, Any]
    heard: Report | None
    damage: tuple[str, ...]
    drawn: Mapping[str, Path]
    place: Path
    budget: int

    @property
    def name(self) -> str:
        """The folder's."""
        return self.run.folder.resolve().name

    @property
    def best(self) -> Best | None:
        """The best value of the metric that the run keeps its best checkpoint by."""
        return evaluations.best(self.evaluations, self.run.config.best)

    @property
    def metrics(self) -> list[str]:
        """The names of all that was measured."""
        return list(dict.fromkeys(name for each in self.evaluations for name in each.values))

    @property
    def headline(self) -> str:
        """What the run minimises, in words."""
        unknown = "What this run minimises is not known: neither its folder nor the name of its recipe tells."
        return str(self.explanation.get("sentence") or unknown)

    def part(self, name: str) -> Mapping[str, Any]:
        """A record within the explanation; empty where there is none."""
        found = self.explanation.get(name)
        return found if isinstance(found, dict) else {}

    def picture(self, name: str, alt: str, caption: str = "") -> tuple[Picture, ...]:
        """One of `drawn`, or a file of the folder by its name in it, if it is there."""
        path, samples = self.drawn.get(name, self.run.folder / name), name == GRID
        budget = self.budget // PART
        source = embedded(path, width=SMALL, budget=budget) if samples else embedded(path, budget=budget)
        return () if source is None else (Picture(source, alt, caption, drawing=not samples),)


def tell(run: Run, place: Path, budget: int, known: Known | None = None) -> Told:
    """Read the folder of a run, and draw what is missing or older than its records; the folder itself is left as it is.

    Args:
        run: it.
        place: an empty folder for what is drawn.
        budget: bytes that its pictures may have.
        known: what need not be asked again.

    Raises:
        DivminError: damaged metrics.
    """
    records, wanted = run.records(), stale(run)
    damage: list[str] = []
    explanation = _explanation(run, damage)
    if known is None:
        asked = not explanation or wanted or (run.folder / MONITOR).exists()
        found = explained(run.config) if asked else None
        known = Known(found, _heard(run, found, damage))
    if not explanation and known.explanation is not None:
        explanation = {"minimises": known.explanation.formula_name, **known.explanation.to_record()}
    if wanted:
        illustrate(run, known.explanation, known.heard, place, wanted)
    places = {name: (place / name, run.folder / name) for name in (GRID, *DRAWN)}
    drawn = {name: next((path for path in both if path.exists()), None) for name, both in places.items()}
    return Told(
        run,
        # The state is written with checkpoints, records more often.
        max(run.step, records[-1].step) if records and run.state == "running" else run.step,
        records,
        evaluations.read(run.folder),
        explanation,
        known.heard,
        tuple(damage),
        {name: path for name, path in drawn.items() if path is not None},
        place,
        budget,
    )


def facts(told: Told) -> tuple[tuple[str, str], ...]:
    """The few numbers that people look for first, by name."""
    config, last = told.run.config, told.records[-1] if told.records else None
    found = [
        ("recipe", config.recipe), ("minimises", str(told.explanation.get("minimises") or "-")), ("data", config.data),
        ("model", config.model), ("seed", str(config.seed)), ("steps", f"{told.step:,} of {config.steps:,}"),
    ]  # fmt: skip
    if last is not None:
        found.append(("critic and generator loss", f"{number(last.critic_loss)}, {number(last.generator_loss)}"))
        found.append(("training time", _duration(last.seconds)))
    if (best := told.best) is not None:
        found.append((f"best {best.metric}", f"{number(best.value)} at step {best.step:,}"))
    return tuple(found)


def _explanation(run: Run, damage: list[str]) -> Mapping[str, Any]:
    """The record of explanation.json; empty where there is none that can be read."""
    path = run.folder / EXPLANATION
    if not path.exists():
        return {}
    try:
        found = json.loads(read_text(path))
        if isinstance(found, dict) and isinstance(found.get("sentence"), str):
            return found
    except (json.JSONDecodeError, DivminError):
        pass  # one sentence for all kinds of damage
    damage.append(f"{path} is damaged: what it said was worked out anew from the name of the recipe.")
    return {}


def _heard(run: Run, found: Explanation | None, damage: list[str]) -> Report | None:
    try:
        return watched(run, found=found)
    except DivminError as error:
        damage.append(f"What the critic said is lost: {error}.")
        return None


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
