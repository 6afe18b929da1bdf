"""Ratios that hold on a noisy machine: the competitors take turns, and the median of paired ratios is what counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

Work = Callable[[], object]


def paired(
    one: Work, other: Work, rounds: int, *, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float, float]:
    """Median seconds of each, and the median over rounds of one / other; each round runs both, in alternating order."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for work in (one, other):
        work()
    for i in range(rounds):
        order = ((0, one), (1, other)) if i % 2 == 0 else ((1, other), (0, one))
        for which, work in order:
            started = clock()
            work()
            seconds[which].append(clock() - started)
    ratios = [a / b for a, b in zip(*seconds, strict=True)]
    return statistics.median(seconds[0]), statistics.median(seconds[1]), statistics.median(ratios)
