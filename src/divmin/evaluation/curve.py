"""Modes of data that have none: the parts of a noisy curve, and which samples lie off it."""

from __future__ import annotations

import torch
from torch import Tensor

from divmin.data.noisy_curve import NoisyCurve
from divmin.errors import DivminError
from divmin.evaluation.modes import NOWHERE, REACH, Modes

FINE = 20  # points on each part, to which distances are measured


def of_curve(curve: NoisyCurve, parts: int = 100, reach: float = REACH) -> Modes:
    """Equally likely parts of a noisy curve: a sample belongs to the nearest within `reach` noise radii, and else to none.

    Args:
        curve: a density such as swiss_roll.
        parts: of each strand, between equal steps of its parameter.
        reach: distance from the curve, in standard deviations of its noise, up to which a sample is on it.

    Raises:
        DivminError: no parts, or parts so long that distances to their points are not those to the curve.

    Example:
        >>> from divmin.data import densities
        >>> roll = densities()["swiss_roll"]()
        >>> parts = of_curve(roll)
        >>> float((parts.assign(roll.sample(10_000, seed=0)) >= 0).double().mean()) > 0.99
        True
        >>> parts.assign(torch.zeros(1, 2))  # the middle of the roll is empty
        tensor([-1])
    """
    if parts < 1:
        raise DivminError(f"a curve of {parts} parts: expected at least 1")
    start, stop = curve.interval
    t = start + (stop - start) * (torch.arange(parts * FINE, dtype=torch.float64) + 0.5) / (parts * FINE)
    points = curve.strands(t)
    step = float(torch.linalg.vector_norm(points.diff(dim=1), dim=-1).max())
    if step > curve.noise:
        raise DivminError(
            f"{parts} parts of {curve} are too long: expected at least {int(parts * step / curve.noise) + 1}"
        )
    flat, count = points.reshape(-1, 2), len(points) * parts

    def assign(samples: Tensor) -> Tensor:
        blocks = samples.flatten(1).double().split(4096)
        found = [torch.cdist(x, flat, compute_mode="donot_use_mm_for_euclid_dist").min(1) for x in blocks]
        nearest = torch.cat([each.indices for each in found]) // FINE
        return nearest.masked_fill(torch.cat([each.values for each in found]) > reach * curve.noise, NOWHERE)

    name = f"{parts} parts of each strand within {reach:g} noise radii"
    return Modes(name, (1 / count,) * count, assign, judges=True)
