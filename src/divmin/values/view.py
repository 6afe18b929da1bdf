"""Where to look at landscapes so that everything that a fit found can be seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.values.stationary import Fit

NODES = {1: 401, 2: 81}  # of a parameter
ROOM = 0.04  # of an axis, beside a point at its end


def around(fits: Sequence[Fit]) -> dict[str, Tensor]:
    """A grid over the boxes of several fits and all their points, with equal ratios for positive parameters.

    Args:
        fits: of several divergences over one family.

    Raises:
        DivminError: for three parameters and more.

    Example:
        >>> import divmin as dm
        >>> found = dm.fit("js", "normal(0, 1)", "laplace(loc, scale)", {"loc": (-1, 1), "scale": (0.5, 2)})
        >>> {name: (len(axis), float(axis[0]), float(axis[-1])) for name, axis in around([found]).items()}
        {'loc': (81, -1.0, 1.0), 'scale': (81, 0.5, 2.0)}
    """
    check(list(fits[0].searched.axes))
    return {name: _axis(fits, name) for name in fits[0].searched.axes}


def check(names: Sequence[str]) -> None:
    """Raises:
    DivminError: when these parameters are too many for a picture.
    """
    if len(names) not in NODES:
        raise DivminError(f"{len(names)} parameters ({', '.join(names)}): landscapes of one or two can be drawn")


def _axis(fits: Sequence[Fit], name: str) -> Tensor:
    logarithmic = name in fits[0].positive
    ends = torch.tensor([fit.box[name] for fit in fits], dtype=torch.float64).reshape(-1)
    points = torch.tensor([point.parameters[name] for fit in fits for point in fit.points], dtype=torch.float64)
    if logarithmic:
        ends, points = ends.log(), points.log()
    low, high = ends.min(), ends.max()
    if len(points):
        room = ROOM * (high - low)
        low = low.where(points.min() >= low, points.min() - room)
        high = high.where(points.max() <= high, points.max() + room)
    axis = torch.linspace(float(low), float(high), NODES[len(fits[0].searched.axes)], dtype=torch.float64)
    return axis.exp() if logarithmic else axis
