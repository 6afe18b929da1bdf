"""The functions of one or several divergences on one grid of d, as the record that pictures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from divmin import numerics
from divmin.errors import DivminError
from divmin.family.base import Divergence


@dataclass(frozen=True)
class Curve:
    """One divergence on the grid; `weight` and `d2f` are None where f has a kink."""

    name: str
    s: list[float]
    weight: list[float] | None
    d2f: list[float] | None


@dataclass(frozen=True)
class Curves:
    """Curves over the log-ratios `d`, in nats."""

    d: list[float]
    members: tuple[Curve, ...]


def curves(divergences: Sequence[Divergence], *, span: float = 8.0, points: int = 401) -> Curves:
    """Evaluate s, w and f'' of divergences for |d| <= span.

    Args:
        divergences: what to draw, in their own scales.
        span: the largest |d|, nats.
        points: how many values of d, at least 3.

    Returns:
        The record for `divmin.plots.draw_curves`.

    Raises:
        DivminError: when there is nothing to draw.

    Example:
        >>> import divmin as dm
        >>> curves([dm.divergence("js")], span=2, points=3).d
        [-2.0, 0.0, 2.0]
    """
    if not divergences or points < 3 or not span > 0:
        raise DivminError(
            f"curves need a divergence, a span above 0 and 3 points; got {len(divergences)}, {span}, {points}"
        )
    d = [span * (2 * i / (points - 1) - 1) for i in range(points)]
    at = numerics.float64(d)
    members = tuple(
        Curve(
            each.name,
            each.s(at).tolist(),
            each.weight(at).tolist() if each.smooth else None,
            each.d2f(at.exp()).tolist() if each.smooth else None,
        )
        for each in divergences
    )
    return Curves(d, members)
