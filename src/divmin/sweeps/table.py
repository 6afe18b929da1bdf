"""What the runs of a sweep say together: means over seeds with their standard errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from divmin.errors import DivminError, suggest
from divmin.sweeps.outcome import LOSSES, Outcome

APART = ("seed", "out")  # in these alone may the runs of one line differ


@dataclass(frozen=True)
class Mean:
    """A mean over runs.

    Args:
        mean: it.
        standard_error: sd / sqrt(n) with the sd of n - 1 degrees of freedom; None for one run.
        n: how many runs.
    """

    mean: float
    standard_error: float | None
    n: int

    def __str__(self) -> str:
        """Two digits of the error, and the mean as far as they reach.

        >>> print(Mean(1.23456, 0.0321, 3), Mean(1.23456, None, 1))
        1.235 ± 0.032 1.235
        """
        error = self.standard_error
        if not error:
            return f"{self.mean:.4g}" + ("" if error is None else " ± 0")
        places = 1 - math.floor(math.log10(error))
        if not 0 <= places <= 6:
            return f"{self.mean:.4g} ± {error:.2g}"
        return f"{self.mean:.{places}f} ± {error:.{places}f}"


@dataclass(frozen=True)
class Line:
    """The runs that differ in their seed alone.

    Args:
        settings: the recipe, and the other fields that the sweep varies.
        runs, finished: how many there are, and how many of them the means are over.
        means: metric -> mean over the finished runs that have it.
    """

    settings: dict[str, Any]
    runs: int
    finished: int
    means: dict[str, Mean]

    def to_record(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def table(outcomes: Sequence[Outcome], metrics: Sequence[str] | None = None) -> list[Line]:
    """A line for each setting, in the order of the runs; only finished runs count.

    Args:
        outcomes: see `sweep`.
        metrics: names; `metrics_of(outcomes)` if None.

    Returns:
        Means and standard errors over seeds.

    Raises:
        DivminError: a metric that no run has.
    """
    names = metrics_of(outcomes) if metrics is None else metrics
    known = list(dict.fromkeys(name for each in outcomes for name in each.values))
    for name in names:
        if known and name not in known:
            raise DivminError(f"no run has a metric {name!r}: {suggest(name, known)}")
    varied = _varied(outcomes)
    groups: dict[str, list[Outcome]] = {}
    for each in outcomes:
        key = {k: v for k, v in each.config.to_mapping().items() if k not in APART}
        groups.setdefault(repr(key), []).append(each)
    return [_line(group, varied, names) for group in groups.values()]


def metrics_of(outcomes: Sequence[Outcome]) -> list[str]:
    """What was measured on any run, or else losses and mean d."""
    return list(dict.fromkeys(name for each in outcomes for name in each.measured)) or list(LOSSES)


def mean(values: Sequence[float]) -> Mean:
    """Mean and standard error of at least one value.

    >>> mean([1.0, 3.0])
    Mean(mean=2.0, standard_error=1.0, n=2)
    """
    n = len(values)
    return Mean(fmean(values), stdev(values) / math.sqrt(n) if n > 1 else None, n)


def _varied(outcomes: Sequence[Outcome]) -> list[str]:
    """The recipe, and the fields besides seed and folder in which the runs differ."""
    mappings = [each.config.to_mapping() for each in outcomes]
    differ = [name for name in mappings[0] if len({repr(each[name]) for each in mappings}) > 1] if mappings else []
    return ["recipe", *(name for name in differ if name not in ("recipe", *APART))]


def _line(group: Sequence[Outcome], varied: Sequence[str], metrics: Sequence[str]) -> Line:
    finished = [each for each in group if each.state == "finished"]
    values = {name: [each.values[name] for each in finished if name in each.values] for name in metrics}
    return Line(
        settings={name: getattr(group[0].config, name) for name in varied},
        runs=len(group),
        finished=len(finished),
        means={name: mean(each) for name, each in values.items() if each},
    )
