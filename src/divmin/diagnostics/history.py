"""What a critic said over time, in memory that does not grow: windows of updates that are joined in pairs when they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from divmin.diagnostics.bins import COUNT, Counts, Floats

MOST = 64  # windows
FIRST = 8  # updates in a window at first


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, sum and sum of squares of a number, from which windows can be joined.

    >>> both = Moments.of(np.array([1.0, 2.0])) + Moments.of(np.array([3.0]))
    >>> both.mean, both.n
    (2.0, 3)
    """

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Floats) -> Moments:
        with np.errstate(over="ignore"):
            return cls(len(values), float(values.sum()), float((values * values).sum()))

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        return self.total / self.n if self.n else float("nan")

    @property
    def variance(self) -> float:
        return max(self.squares / self.n - self.mean**2, 0.0) if self.n else float("nan")

    @property
    def stderr(self) -> float:
        """Of the mean, for independent values."""
        return float(np.sqrt(self.variance / self.n)) if self.n else float("nan")

    @property
    def variation(self) -> float:
        """The standard deviation over the mean."""
        return float(np.sqrt(self.variance) / abs(self.mean)) if self.mean else float("inf")

    @property
    def effective(self) -> float:
        """The effective sample size of the values as weights: (sum of w)^2 over the sum of w^2."""
        return self.total**2 / self.squares if self.squares else 0.0


@dataclass(frozen=True, eq=False)
class Window:
    """What was seen during some updates.

    Args:
        first, last: the steps of the first and last update.
        updates: how many.
        real, fake: histograms of d over `bins.EDGES`, [COUNT].
        moments: by name, such as "a kl" over data and "b kl" over samples.
        broken: scores that were not finite.
    """

    first: int
    last: int
    updates: int
    real: Counts
    fake: Counts
    moments: Mapping[str, Moments]
    broken: int = 0

    def __add__(self, other: Window) -> Window:
        names = {**self.moments, **other.moments}
        return Window(
            min(self.first, other.first), max(self.last, other.last), self.updates + other.updates,
            self.real + other.real, self.fake + other.fake,
            {name: self.moments.get(name, Moments()) + other.moments.get(name, Moments()) for name in names},
            self.broken + other.broken,
        )  # fmt: skip

    def to_record(self) -> dict[str, Any]:
        """Plain values; histograms as pairs of bin and count."""
        return {
            "first": self.first, "last": self.last, "updates": self.updates, "broken": self.broken,
            "real": _sparse(self.real), "fake": _sparse(self.fake),
            "moments": {name: [each.n, each.total, each.squares] for name, each in self.moments.items()},
        }  # fmt: skip

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Window:
        return cls(
            int(record["first"]), int(record["last"]), int(record["updates"]), _dense(record["real"]), _dense(record["fake"]),
            {str(name): Moments(int(n), float(t), float(s)) for name, (n, t, s) in record["moments"].items()},
            int(record["broken"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class History:
    """Windows in the order of time, at most `MOST`, all but the last of `span` updates.

    >>> nothing = np.zeros(COUNT, dtype=np.int64)
    >>> history = History()
    >>> for step in range(2000):
    ...     history = history.with_update(Window(step, step, 1, nothing, nothing, {}))
    >>> len(history.windows), history.span, history.windows[-1].last
    (63, 32, 1999)
    """

    windows: tuple[Window, ...] = ()
    span: int = FIRST

    def with_update(self, update: Window) -> History:
        """With one more update, or several that are joined."""
        joins = bool(self.windows) and self.windows[-1].updates < self.span
        windows = (*self.windows[:-1], self.windows[-1] + update) if joins else (*self.windows, update)
        if len(windows) > MOST:
            pairs = [windows[i : i + 2] for i in range(0, len(windows), 2)]
            windows = tuple(pair[0] + pair[1] if len(pair) == 2 else pair[0] for pair in pairs)
            return History(windows, 2 * self.span)
        return replace(self, windows=windows)

    @property
    def room(self) -> int:
        """Updates that still fit into the last window."""
        return (
            self.span - self.windows[-1].updates if self.windows and self.windows[-1].updates < self.span else self.span
        )

    def until(self, step: int) -> History:
        """Without windows that reach beyond a step."""
        return replace(self, windows=tuple(each for each in self.windows if each.last <= step))

    def joined(self, windows: Sequence[Window] | None = None) -> Window | None:
        """Some windows as one, all of them if none are named."""
        chosen = self.windows if windows is None else windows
        total: Window | None = None
        for each in chosen:
            total = each if total is None else total + each
        return total


def _sparse(counts: Counts) -> list[list[int]]:
    places = counts.nonzero()[0]
    return [[int(i), int(counts[i])] for i in places]


def _dense(pairs: Sequence[Sequence[int]]) -> Counts:
    counts: Counts = np.zeros(COUNT, dtype=np.int64)
    for i, n in pairs:
        counts[i] = n
    return counts
