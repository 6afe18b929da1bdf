"""Explanations on one grid of log-ratios, as the record that pictures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from divmin import numerics
from divmin.errors import DivminError
from divmin.explanation.record import Explanation


@dataclass(frozen=True)
class Line:
    """One explanation on the grid; None where there is no pull, or no critic."""

    name: str
    weight: list[float] | None
    s: list[float] | None
    link: list[float] | None
    masses: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Lines:
    """Lines over the log-ratios `d`, in nats."""

    d: list[float]
    members: tuple[Line, ...]


def lines(explanations: Sequence[Explanation], *, span: float = 8.0, points: int = 321) -> Lines:
    """Evaluate pulls, costs and links for |d| <= span.

    Args:
        explanations: what to draw.
        span: the largest |d|, nats, at most 40.
        points: how many values of d.

    Returns:
        The record for `divmin.plots.draw_pull` and its companions.

    Raises:
        DivminError: when there is nothing to draw.

    Example:
        >>> import divmin as dm
        >>> [round(w, 3) for w in lines([dm.explain("minimax")], span=1, points=3).members[0].weight]
        [0.269, 0.5, 0.731]
    """
    if not explanations or points < 3 or not 0 < span <= 40:
        raise DivminError(
            f"a picture needs an explanation, 3 points and 0 < span <= 40; got {len(explanations)}, {points}, {span}"
        )
    d = [span * (2 * i / (points - 1) - 1) for i in range(points)]
    return Lines(d, tuple(_line(each, d) for each in explanations))


def _line(found: Explanation, d: list[float]) -> Line:
    at = numerics.float64(d)
    jumps = tuple((mass.d, mass.size) for mass in found.masses)
    link = None if found.link is None or found.link.runaway else found.link.at(at).tolist()
    blind = found.link is not None and bool(found.link.runaway) and not found.link.identifies
    if found.seen is None or found.pull is None or blind:
        return Line(found.subject, None, None, link, jumps)
    if found.divergence is not None and (found.name or found.formula):  # its functions have formulas
        weight = found.divergence.weight(at).tolist() if found.divergence.smooth else [0.0] * len(d)
        return Line(found.subject, weight, found.divergence.s(at).tolist(), link, jumps)
    grid, cost = found.seen.d, found.seen.cost()
    return Line(found.subject, found.pull(at).w.tolist(), _between(at, grid, cost), link, jumps)


def _between(at: torch.Tensor, grid: torch.Tensor, values: torch.Tensor) -> list[float]:
    """Linear interpolation on an even grid."""
    place = (at - grid[0]) / (grid[1] - grid[0])
    left = place.floor().long().clamp(0, len(grid) - 2)
    share = place - left
    return ((1 - share) * values[left] + share * values[left + 1]).tolist()
