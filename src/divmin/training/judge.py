"""Judging a run's samples on the way: a line for each time, and the checkpoint of the best one kept."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from divmin.data.base import Source
from divmin.errors import DivminError, suggest
from divmin.files import write_text
from divmin.training.probes import View
from divmin.training.run import EVALUATION, read_text, writing

LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True)
class Verdict:
    """What was measured of a run's samples.

    Args:
        values: metric -> number.
        better: metric -> "lower" or "higher".
        settings: what the numbers depend on, in words.
    """

    values: Mapping[str, float]
    better: Mapping[str, str]
    settings: str = ""


@dataclass(frozen=True)
class Judge:
    """Measures samples after every `every` generator steps and at the end.

    Args:
        every: generator steps between judgements, at least 1.
        act: from a look at the run to what was measured; what it draws has no effect on the run.
        by: the metric by which the best checkpoint is kept; the first one that is measured when None.
        check: raises where the data cannot be judged so, before any work is done.

    >>> judge = Judge(10, lambda view: Verdict({"distance": 0.5}, {"distance": "lower"}))
    """

    every: int
    act: Callable[[View], Verdict]
    by: str | None = None
    check: Callable[[Source], object] | None = None

    def metric(self, found: Verdict) -> str:
        """The name of the metric that decides.

        Raises:
            DivminError: it was not measured.
        """
        name = next(iter(found.values), "") if self.by is None else self.by
        if name not in found.values:
            raise DivminError(f"best by {name!r}: it is not measured: {suggest(name, list(found.values))}")
        return name


@dataclass
class Best:
    """The best value so far and its step; None before the first."""

    value: float | None = None
    step: int = 0

    def improved(self, value: float, step: int, better: str) -> bool:
        """Whether this is the best now, which is then noted. A later equal is not better, and NaN never is.

        >>> best = Best()
        >>> best.improved(2.0, 10, "lower"), best.improved(3.0, 20, "lower"), best.improved(1.0, 30, "lower"), best
        (True, False, True, Best(value=1.0, step=30))
        """
        if math.isnan(value):
            return False
        if self.value is not None and not (value < self.value if better == LOWER else value > self.value):
            return False
        self.value, self.step = value, step
        return True


def append(folder: Path, step: int, found: Verdict) -> None:
    """Add one line to evaluation.jsonl; a number that is not finite is null there, since JSON has none."""
    values = {name: value if math.isfinite(value) else None for name, value in found.values.items()}
    line = {"step": step, "values": values, "better": dict(found.better), "settings": found.settings}
    with writing(folder), (folder / EVALUATION).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, allow_nan=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def rewind(folder: Path, step: int) -> None:
    """Remove what was measured after `step`, and half a line of a process that was killed."""
    path = folder / EVALUATION
    if not path.exists():
        return
    lines = [line for line in read_text(path).splitlines(keepends=True) if line.endswith("\n") and _step(line) <= step]
    with writing(folder):
        write_text(path, "".join(lines))


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (json.JSONDecodeError, KeyError, TypeError, ValueError):
        return math.inf  # no line of divmin's
