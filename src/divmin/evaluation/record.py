"""What an evaluation says, as a record that carries its settings with every number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from divmin.errors import DivminError, suggest

LOWER, HIGHER = "lower", "higher"


@dataclass(frozen=True)
class Number:
    """One number about a set of samples, with all that it depends on.

    Args:
        name: of the metric.
        value: the number; infinite where the samples are beyond it.
        error: its standard error, where one is known.
        better: "lower" or "higher".
        n_real: samples of the data behind it; None where the law or the shares of its modes are known.
        n_fake: samples of the generator.
        extractor: what gave the features, or assigned the modes.
        preprocessing: what happened to the samples before.
        settings: further settings, such as the number of neighbours.
    """

    name: str
    value: float
    error: float | None
    better: str
    n_real: int | None
    n_fake: int
    extractor: str
    preprocessing: str
    settings: str = ""

    @property
    def text(self) -> str:
        """Value and error with digits that the error leaves."""
        if self.error is None or not math.isfinite(self.error) or not math.isfinite(self.value):
            return f"{self.value:.5g}"
        if self.error == 0:
            return f"{self.value:.5g} +- 0"
        digits = max(0, 1 - math.floor(math.log10(self.error)))
        return f"{self.value:.{min(digits, 12)}f} +- {self.error:.2g}"

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON; what is infinite is the text "inf"."""
        return {
            "name": self.name,
            "value": _plain(self.value),
            "error": None if self.error is None else _plain(self.error),
            "better": self.better,
            "n_real": self.n_real,
            "n_fake": self.n_fake,
            "extractor": self.extractor,
            "preprocessing": self.preprocessing,
            "settings": self.settings,
        }

    def __str__(self) -> str:
        n_real = f"n_real {'none' if self.n_real is None else self.n_real}"
        way = [
            n_real,
            f"n_fake {self.n_fake}",
            f"{self.extractor}: {self.preprocessing}",
            *([self.settings] if self.settings else []),
        ]
        return f"{self.name:<13}{self.text:<22}({self.better} is better)  {', '.join(way)}"


@dataclass(frozen=True)
class Evaluation:
    """What was found about a generator's samples.

    Args:
        numbers: one for each metric, in the order asked for.
        source: the name of the data.
        n_real, n_fake: samples of the data and of the generator.
        extractor: the features, by name; "none" where no metric needs any.
        preprocessing: what happened to samples before and while they became features.
        seed: names the samples.
        warnings: what a reader should know before quoting a number.
        seconds: what it took.
    """

    numbers: tuple[Number, ...]
    source: str
    n_real: int
    n_fake: int
    extractor: str
    preprocessing: str
    seed: int
    warnings: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)  # the clock is no part of the answer

    @property
    def values(self) -> dict[str, Number]:
        """The numbers by name."""
        return {each.name: each for each in self.numbers}

    def __getitem__(self, name: str) -> Number:
        """The number of this name.

        Raises:
            DivminError: one that was not computed.
        """
        if name not in self.values:
            raise DivminError(f"no number {name!r} in this evaluation: {suggest(name, list(self.values))}")
        return self.values[name]

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "source": self.source,
            "n_real": self.n_real,
            "n_fake": self.n_fake,
            "extractor": self.extractor,
            "preprocessing": self.preprocessing,
            "seed": self.seed,
            "numbers": {each.name: each.to_record() for each in self.numbers},
            "warnings": list(self.warnings),
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        lines = [f"samples against {self.source}, seed {self.seed}, {self.seconds:.1f} s"]
        lines += [str(each) for each in self.numbers]
        return "\n".join(lines + [f"warning: {each}" for each in self.warnings])


def best(evaluations: Sequence[Evaluation], metric: str) -> int:
    """The place of the best evaluation by a metric: that of a checkpoint to keep; of equal ones the first.

    Args:
        evaluations: comparable ones, at least one.
        metric: the name of a number that each has.

    Returns:
        An index.

    Raises:
        DivminError: no evaluations, no such number, or numbers with different settings, which do not compare.

    Example:
        >>> def one(value):
        ...     number = Number("recall", value, None, HIGHER, 10, 10, "pixels", "as they are")
        ...     return Evaluation((number,), "ring", 10, 10, "pixels", "as they are", 0)
        >>> best([one(0.2), one(0.7), one(float("nan"))], "recall")
        1
    """
    if not evaluations:
        raise DivminError("the best of no evaluations: give at least one")
    numbers = [each[metric] for each in evaluations]
    ways = {(x.n_real, x.n_fake, x.extractor, x.preprocessing, x.settings) for x in numbers}
    if len(ways) > 1:
        raise DivminError(
            f"{metric} was computed in {len(ways)} different ways (samples, features, settings): these don't compare"
        )
    sign = 1.0 if numbers[0].better == LOWER else -1.0
    costs = [math.inf if math.isnan(x.value) else sign * x.value for x in numbers]
    return min(range(len(costs)), key=costs.__getitem__)


def _plain(x: float) -> float | str:
    return x if math.isfinite(x) else str(x)
