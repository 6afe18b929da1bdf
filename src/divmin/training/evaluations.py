"""What was measured on a run's samples on the way: lines of evaluation.jsonl, read leniently because any probe may write them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from divmin.training.run import EVALUATION, read_text

HIGHER = "higher"
# What grows as samples get better, where a line does not say; distances and divergences shrink.
GROWING = (
    "precision",
    "recall",
    "density",
    "coverage",
    "modes",
    "quality",
    "entropy",
    "inception_score",
    "log_likelihood",
)


@dataclass(frozen=True)
class Evaluation:
    """What was measured at a generator step.

    Args:
        step: generator steps done.
        values: metric -> number.
        better: metric -> "lower" or "higher", where the line says so.
    """

    step: int
    values: dict[str, float]
    better: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Best:
    """The best value of a metric, and the step at which it was measured."""

    metric: str
    value: float
    step: int


def read(folder: Path) -> list[Evaluation]:
    """The evaluations of a run, in the order of the file; a line that is none is passed over, and so is what is no finite number.

    Args:
        folder: a run folder. Lines of its evaluation.jsonl are {"step": 500, "values": {"recall": 0.25}}, and may have a third
            key "better": {"recall": "higher"}. No file is no error.
    """
    path = folder / EVALUATION
    found = (_line(line) for line in (read_text(path) if path.exists() else "").splitlines())
    return [each for each in found if each is not None]


def best(evaluations: Sequence[Evaluation], metric: str | None = None) -> Best | None:
    """The best value of a metric, of the first one that was measured if none is named; the earliest of equals.

    >>> best([Evaluation(10, {"kernel": 0.3}), Evaluation(20, {"kernel": 0.2})])
    Best(metric='kernel', value=0.2, step=20)
    """
    name = metric or next((name for each in evaluations for name in each.values), None)
    having = [each for each in evaluations if name in each.values]
    if name is None or not having:
        return None
    sign = -1 if grows(having, name) else 1
    found = min(having, key=lambda each: sign * each.values[name])
    return Best(name, found.values[name], found.step)


def grows(evaluations: Sequence[Evaluation], metric: str) -> bool:
    """Whether a metric that was measured is better where it is higher: as the last line that has it says, or its name.

    >>> grows([Evaluation(10, {"recall": 0.3})], "recall")
    True
    """
    said = next((each.better.get(metric) for each in reversed(evaluations) if metric in each.values), None)
    return said == HIGHER if said else any(word in metric.lower() for word in GROWING)


def _line(text: str) -> Evaluation | None:
    try:
        found: Any = json.loads(text)
        step, values, better = found["step"], found["values"].items(), found.get("better") or {}
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    numbers = {str(k): float(v) for k, v in values if type(v) in (int, float) and math.isfinite(v)}
    if type(step) is not int or not numbers:
        return None
    return Evaluation(step, numbers, {str(k): str(v) for k, v in better.items()} if isinstance(better, dict) else {})
