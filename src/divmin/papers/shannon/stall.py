"""C_hard, on which a learned critic comes to rest beside a valley's nearly flat floor: what it does there, and the exact slope."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Table, Work
from divmin.papers.expected import Expected, at_least, at_most, between, near
from divmin.papers.item import largest
from divmin.papers.seeds import mean_and_error, with_error
from divmin.papers.shannon.learned import Play, play
from divmin.papers.shannon.schemes import MIXTURES, RECIPES, gradients, minimised

SHELF = (0.5, 2.5)  # the start from which the way leads through the valley
LEFT = -0.5  # starts up to this mu do not pass it
FLOOR = 0.0251  # the slope at (0.15, 1.2), beside the way that the best critic takes
SLOPES = {(0.15, 1.2): (FLOOR, 1e-4), (0.06, 1.2): (0.217, 1e-3)}  # the second near where a learned critic rests
SLOPE = "C_hard: exact slope at ({:g}, {:g})"
INDEPENDENT = "(0.05 to 0.07, 1.19 to 1.21) in an independent run"
WHAT = "C_hard, non-saturating, learned critic: "
STALLED = (
    "Both divergences have one minimum on C_hard, and the best critic leads every start there. A learned critic with the "
    "settings of figure 5 comes to rest at (0.07, 1.22) instead, in seeds 0, 1 and 2 and from all three starts right of it. "
    "There is a valley whose floor is nearly flat, with an exact slope of a hundredth of a nat. The model rests 0.05 above "
    "the floor in sigma, where the exact slope is 0.3 nats and leads back to it, while the learned critic's own is 0: its "
    "error decides. 48 units, 15 critic steps, batches of 1024 and 3,000 steps end at (0.04, 1.18), seed 0. Starts left of "
    "the valley reach the minimum."
)


class Asked(Protocol):
    """What is asked of the study: starts, seeds, and how long."""

    @property
    def starts(self) -> tuple[tuple[float, float], ...]: ...
    @property
    def seeds(self) -> tuple[int, ...]: ...
    @property
    def steps(self) -> int: ...
    @property
    def patient(self) -> int: ...


def expectations() -> dict[str, Expected]:
    """The exact slope, and what a learned critic does at full size."""
    exact = {
        SLOPE.format(*place): near(slope, within, source="an independent computation")
        for place, (slope, within) in SLOPES.items()
    }
    return exact | {
        WHAT + "farthest from the minimum, starts left of the valley": at_most(
            0.02, source="as in figure 5", full=True
        ),
        WHAT + "farthest from the minimum, starts right of it": at_most(
            0.02, source="as in figure 5", full=True, finding=STALLED
        ),
        WHAT + "the same, a larger critic with more time": at_most(
            0.02, source="as in figure 5", full=True, finding=STALLED
        ),
        WHAT + "mean mu, starts right of it": between(0.03, 0.09, source=INDEPENDENT, full=True),
        WHAT + "mean sigma, starts right of it": between(1.17, 1.23, source=INDEPENDENT, full=True),
        WHAT + "its own mean slope there": at_most(0.005, full=True, source="it stays"),
        WHAT + "exact slope there, times its own": at_least(10, full=True, source="the critic's error decides"),
    }


def slopes(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """How steep the softened reverse KL is at (mu, sigma) [n, 2], by (mu, log sigma)."""
    f = minimised("non-saturating").canonical()
    steep: NDArray[np.float64] = np.linalg.norm(gradients(f, MIXTURES["C_hard"], places), axis=1)
    return steep


def known_slopes() -> dict[str, float]:
    """The exact slope where it is known."""
    found = slopes(np.array(list(SLOPES)))
    return {SLOPE.format(*place): float(slope) for place, slope in zip(SLOPES, found, strict=True)}


def stalled(asked: Asked, work: Work, minimum: NDArray[np.float64]) -> tuple[dict[str, float], NDArray[Any], Table]:
    """Runs of the learned critic from every start: numbers, the paths of the first seed, and a table.

    Args:
        asked: the settings.
        work: where runs are kept.
        minimum: (mu, sigma), exact.
    """
    how = Play(steps=asked.steps)
    patient = Play(steps=asked.patient, critic_steps=15, batch=1024, width=48)
    paths = np.stack([_path(work, f"learned-{seed}", asked.starts, how, seed) for seed in work.each(WHAT, asked.seeds)])
    longer = _path(work, "patient", (SHELF,), patient, asked.seeds[0])[0]
    tails = paths[:, :, -(asked.steps // 4) :].mean(2)  # [seeds, starts, 2]
    away = np.abs(tails - minimum).max(2)
    right = np.array([mu > LEFT for mu, _ in asked.starts])
    steep = slopes(tails.mean(0))
    half = asked.steps // 2
    last, before = paths[:, right, -1], paths[:, right, -1 - half]
    moved = np.stack([last[..., 0] - before[..., 0], np.log(last[..., 1] / before[..., 1])], -1).mean(0)
    # the scheme's loss is half of the canonical divergence
    own = 2 * np.linalg.norm(moved, axis=1) / (half * how.generator_rate)
    numbers = {
        WHAT + "farthest from the minimum, starts left of the valley": largest(away[:, ~right]),
        WHAT + "farthest from the minimum, starts right of it": largest(away[:, right]),
        WHAT + "the same, a larger critic with more time": largest(longer[-(asked.patient // 4) :].mean(0) - minimum),
        WHAT + "mean mu, starts right of it": float(tails[:, right, 0].mean()),
        WHAT + "mean sigma, starts right of it": float(tails[:, right, 1].mean()),
        WHAT + "its own mean slope there": largest(own),
        WHAT + "exact slope there": float(steep[right].max()),
        WHAT + "exact slope there, times its own": float(steep[right].min() / own.max()),
    }
    rows = []
    for start, ends, slope in zip(asked.starts, tails.transpose(1, 2, 0), steep, strict=True):
        reached = ", ".join(with_error(*mean_and_error(each), digits=".4f", of_error=".4f") for each in ends)
        rows.append((f"({start[0]:g}, {start[1]:g})", reached, f"{slope:.4f}"))
    heads = ("start (mu, sigma)", "mean of the last quarter, over seeds", "exact slope there (nats)")
    return numbers, paths[0], Table(heads, tuple(rows))


def _path(work: Work, name: str, starts: tuple[tuple[float, float], ...], how: Play, seed: int) -> NDArray[np.float64]:
    """(mu, sigma) on the way [starts, steps + 1, 2]."""
    make = partial(_played, starts, how, seed)
    return work.piece(name, make)["path"].astype(np.float64)


def _played(starts: tuple[tuple[float, float], ...], how: Play, seed: int) -> dict[str, object]:
    return {"path": play(MIXTURES["C_hard"], [RECIPES["non-saturating"]], starts, how, seed)[0]}
