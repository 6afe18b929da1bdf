"""Critics that are right everywhere and flat on both supports: what theorems 2.1 and 2.2 say there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

STEEPEST = 2.0  # the largest slope of `step`, at t = 1/2


def step(t: Tensor) -> Tensor:
    """0 up to t = 0, 1 from t = 1, with derivatives of every order: g(t) / (g(t) + g(1 - t)) for g(t) = e^(-1/t).

    Only d = log g(t) - log g(1 - t) is formed, so that the slope at both ends is the 0 that it should be.
    """
    inside = (t > 0) & (t < 1)
    safe = t.where(inside, t.detach() * 0 + 0.5)
    return (1 / (1 - safe) - 1 / safe).sigmoid().where(inside, (t >= 1).to(t) + 0 * t)


def between_lines(points: Tensor, gap: float) -> Tensor:
    """D* for a model at heights up to 0 and data at heights from `gap` on, of points [n, 2]."""
    return step(points[:, 1] / gap)


def between_disks(points: Tensor, apart: float) -> Tensor:
    """D* for data in the unit disk around (0, 0) and a model in the unit disk around (2 + apart, 0)."""
    import torch

    far = (points - torch.tensor([2 + apart, 0.0], dtype=points.dtype)).norm(dim=1)
    return step((far - 1) / apart)


def across(points: Tensor) -> Tensor:
    """D* for data on the first axis and a model on the second, which cross in the origin.

    It depends on the direction alone: 1 near the first axis, 0 near the second, smooth everywhere but in the origin.
    """
    import torch

    x, y = points.unbind(1)
    towards_data = torch.atan2(x.abs(), y.abs()) * (2 / torch.pi)
    return step(2 * towards_data - 0.5)
