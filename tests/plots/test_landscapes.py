"""Landscapes on paper: the numbers of the record, one scale for all panels, axes that fit the parameters."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

import divmin as dm
from divmin import plots
from divmin.plots.landscape import levels_of
from divmin.values import Fit, Landscape, Stationary

AXES = {"m": torch.linspace(-2, 2, 9), "s": torch.logspace(-1, 1, 7)}
POINTS = (
    Stationary({"m": 0.0, "s": 1.0}, 0.5, "minimum", (1.0, 1.0), 0.0, lowest=True),
    Stationary({"m": 1.0, "s": 2.0}, 1.5, "saddle", (1.0, -1.0), 0.0),
)


def record(values: torch.Tensor, axes: dict[str, torch.Tensor] = AXES) -> Landscape:
    return Landscape(axes, values, torch.zeros_like(values), "js", 0)


def bowl() -> Landscape:
    m, s = torch.meshgrid(*AXES.values(), indexing="ij")
    return record(0.5 + m.square() + s.log().square())


def test_points_stand_where_they_are_on_axes_that_fit() -> None:
    fit, ax = Fit(POINTS, "js", True, bowl(), positive=("s",)), Figure().subplots()
    assert plots.draw_landscape(bowl(), ax, fit=fit) is not None
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel(), ax.get_ylabel()) == ("linear", "log", "m", "s")
    marks = [tuple(each.get_offsets()[0]) for each in ax.collections if isinstance(each, PathCollection)]
    assert marks == [(0.0, 1.0), (1.0, 2.0)]
    assert ax.get_title() == "js: lowest 0.5 at (0, 1)"


def test_one_parameter_is_a_curve() -> None:
    ax, values = Figure().subplots(), torch.tensor([2.0, math.inf, 1.0])
    line = record(values, {"m": torch.tensor([0.0, 1.0, 2.0])})
    assert plots.draw_landscape(line, ax) is None
    drawn = list(ax.lines[0].get_ydata())
    assert (drawn[0], drawn[2], math.isnan(drawn[1])) == (2.0, 1.0, True)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("m", "D (nats)")


@pytest.mark.parametrize("n", [1, 2, 4, 5])
def test_panels_share_one_scale(n: int, tmp_path) -> None:
    some = [record(bowl().values * 2**i) for i in range(n - 1)] + [record(torch.full((9, 7), math.inf))]
    plots.save_landscapes(some, tmp_path / "all.png", title="p\nq")
    assert (tmp_path / "all.png").stat().st_size > 5000
    levels = levels_of(some)
    assert levels == sorted(levels)


def test_levels_where_there_is_nothing_to_tell_apart() -> None:
    for values in (torch.zeros(9, 7), torch.full((9, 7), math.inf), torch.ones(9, 7)):
        levels = levels_of([record(values)])
        assert all(a < b for a, b in pairwise(levels))
        plots.draw_landscape(record(values), Figure().subplots())


def test_more_parameters_are_refused() -> None:
    axes = {name: torch.arange(2.0) for name in "abc"}
    with pytest.raises(dm.DivminError, match="one or two"):
        plots.draw_landscape(record(torch.zeros(2, 2, 2), axes), Figure().subplots())
