"""What changes with the step alone: learning rates and instance noise. Pure functions, so that nothing needs to be stored."""

from __future__ import annotations

import math
from collections.abc import Callable

# Of the share of the run that is done, in [0, 1]: the factor on the learning rates.
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


def rate(schedule: str, step: int, steps: int, warmup: int) -> float:
    """The factor on the learning rates in step `step`, counted from 0: a linear rise over `warmup` steps, times the schedule.

    >>> [rate("linear", step, 4, 0) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    >>> [rate("constant", step, 4, 2) for step in range(4)]
    [0.5, 1.0, 1.0, 1.0]
    """
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return rise * SCHEDULES[schedule](step / steps)


def annealed(start: float, step: int, steps: int) -> float:
    """Falls from `start` to 0 linearly over `steps` steps.

    >>> annealed(1.0, 5, 10), annealed(1.0, 20, 10)
    (0.5, 0.0)
    """
    return start * max(0.0, 1 - step / steps)
