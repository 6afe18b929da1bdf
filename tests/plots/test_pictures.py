"""Pictures: the right numbers reach the axes, and the file is complete or absent."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

import divmin as dm
from divmin import plots
from divmin.family.curves import curves
from divmin.plots.samples import tiled
from divmin.plots.style import line_style
from divmin.training import Record


def axes():
    return Figure().subplots()


def test_curves_are_what_the_divergence_says() -> None:
    f = dm.divergence("srkl")
    record = curves([f, dm.divergence("js")], span=3, points=7)
    for draw, values in ((plots.draw_s, f.s), (plots.draw_weight, f.weight)):
        ax = axes()
        draw(record, ax)
        assert list(ax.lines[0].get_xdata()) == record.d
        assert list(ax.lines[0].get_ydata()) == pytest.approx([values(d) for d in record.d], rel=1e-14)
        assert ax.get_xlabel() and ax.get_ylabel() and ax.get_title()


def test_kinks_are_said_not_drawn() -> None:
    ax = axes()
    plots.draw_weight(curves([dm.divergence("tv"), dm.divergence("js")]), ax)
    assert "point mass" in ax.texts[0].get_text()


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_formats(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"curves.{suffix}"
    plots.save_curves(curves([dm.divergence("kl")]), path)
    assert path.stat().st_size > 5000
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_lines_can_be_told_apart() -> None:
    assert len({line_style(i) for i in range(28)}) == 28


def test_tiles_are_in_reading_order() -> None:
    images = torch.stack([torch.full((1, 2, 2), value) for value in (-1.0, 0.0, 1.0)])
    grid = tiled(images)
    assert grid.shape == (7, 7, 1)
    assert (grid[1, 1], grid[1, 4], grid[4, 1]) == (0.0, 0.5, 1.0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 9), (2,), (1,), (5,)])
@pytest.mark.parametrize("n", [1, 7])
def test_samples_of_any_shape(shape: tuple[int, ...], n: int, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    fake, real = (torch.rand(n, *shape, generator=generator) * 2 - 1 for _ in range(2))
    plots.save_samples(fake, tmp_path / "grid.png", real=real)
    with Image.open(tmp_path / "grid.png") as picture:
        assert min(picture.size) > 300


def test_samples_far_from_the_data_are_still_drawn(tmp_path: Path) -> None:
    plots.save_samples(torch.full((9, 1), 50.0), tmp_path / "far.png", real=torch.zeros(9, 1))


def test_history_shows_the_records() -> None:
    records = [Record(step, 8 * step, 1.0 / step, 2.0, 0.5, 0.1, -0.5, 0.2, 1.0, 8.0) for step in (1, 2, 3)]
    ax = axes()
    plots.draw_losses(records, ax)
    assert list(ax.lines[0].get_ydata()) == [1.0, 0.5, 1.0 / 3]
    ax = axes()
    plots.draw_log_ratios(records, ax)
    assert list(ax.lines[0].get_ydata()) == [0.5] * 3


def test_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(dm.DivminError, match=r"\.png, \.svg, \.pdf"):
        plots.save_curves(curves([dm.divergence("kl")]), tmp_path / "curves.gif")
