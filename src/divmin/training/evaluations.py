"""What was measured on a run's samples on the way: lines of evaluation.jsonl, read leniently because any probe may write them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from divmin.training.run import read_text

EVALUATION = "evaluation.jsonl"
LARGER_IS_BETTER = ("precision", "recall", "density", "coverage", "modes", "entropy", "inception", "log_likelihood")


@dataclass(frozen=True)
class Evaluation:
    """Measured values, by name, at a generator step."""

    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Best:
    """The best value of a metric, and the step at which it was measured."""

    metric: str
    value: float
    step: int


def read(folder: Path) -> list[Evaluation]:
    """The evaluations of a run, in the order of the file; a line that is none, or no finite number, is passed over.

    Args:
        folder: a run folder, whose evaluation.jsonl has lines {"step": 500, "values": {"name": 0.25}}; none is no error.
    """
    path = folder / EVALUATION
    found = (_line(line) for line in (read_text(path) if path.exists() else "").splitlines())
    return [each for each in found if each is not None]


def larger_is_better(metric: str) -> bool:
    """Whether a metric grows as samples get better: shares and counts do, distances and divergences do not.

    >>> larger_is_better("mode_coverage"), larger_is_better("kid")
    (True, False)
    """
    return any(word in metric.lower() for word in LARGER_IS_BETTER)


def best(evaluations: Sequence[Evaluation], metric: str | None = None) -> Best | None:
    """The best value of a metric, of the first one that was measured if none is named; the earliest of equals.

    >>> best([Evaluation(10, {"kid": 0.3}), Evaluation(20, {"kid": 0.2})])
    Best(metric='kid', value=0.2, step=20)
    """
    name = metric or next((name for each in evaluations for name in each.values), None)
    told = [
        Best(name, each.values[name], each.step) for each in evaluations if name is not None and name in each.values
    ]
    if not told:
        return None
    sign = -1 if larger_is_better(told[0].metric) else 1
    return min(told, key=lambda each: sign * each.value)


def _line(text: str) -> Evaluation | None:
    try:
        found = json.loads(text)
        step, values = found["step"], found["values"].items()
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    numbers = {str(k): float(v) for k, v in values if type(v) in (int, float) and math.isfinite(v)}
    return Evaluation(step, numbers) if type(step) is int and numbers else None
