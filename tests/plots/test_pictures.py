"""Pictures: the right numbers reach the axes, and the file is complete or absent."""

from __future__ import annotations

import re
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
from divmin.training.evaluations import Evaluation


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


def test_a_window_shows_the_data_and_room_around_it() -> None:
    real = torch.stack([torch.linspace(-1, 1, 1001), torch.linspace(0, 40, 1001)], 1)
    window = plots.window(real)
    assert window.x == pytest.approx((-1.98, 1.98), abs=1e-3) and window.y == pytest.approx((-19.6, 59.6), abs=0.1)
    ax = axes()
    far = torch.tensor([[0.0, 0.0], [9.0, 0.0], [0.0, -99.0], [0.1, 0.1]])
    plots.draw_cloud(far, real, ax, "step 3", window)
    assert (ax.get_xlim(), ax.get_ylim()) == (window.x, window.y)
    assert [text.get_text() for text in ax.texts] == ["2 of 4 beyond the axes"]
    assert ax.get_aspect() == "auto"  # one axis is twenty times as long


def test_a_window_of_numbers_holds_their_density(tmp_path: Path) -> None:
    real = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    window = plots.window(real)
    assert 0.4 < window.y[1] < 0.8 and window.y[0] == 0
    ax = axes()
    plots.draw_cloud(torch.full((9, 1), 50.0), real, ax, "step 3", window)
    assert (ax.get_xlim(), ax.get_ylim()) == (window.x, window.y)
    assert [text.get_text() for text in ax.texts] == ["9 of 9 beyond the axes"]


def test_a_peak_above_the_window_of_numbers_is_not_cut_off() -> None:
    real = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
    window = plots.window(real)
    ax = axes()
    plots.draw_cloud(torch.zeros(64, 1), real, ax, "step 0", window)
    peak = float(ax.patches[-1].get_xy()[:, 1].max())  # of the outline of the samples
    assert peak > window.y[1] and peak < ax.get_ylim()[1] < 1.2 * peak
    assert ax.get_xlim() == window.x


@pytest.mark.parametrize(("dimensions", "label"), [(2, "x1"), (5, "x1 (first two of 5 coordinates)")])
def test_axes_say_that_they_hide_coordinates(dimensions: int, label: str) -> None:
    ax = axes()
    plots.draw_cloud(torch.rand(9, dimensions), None, ax, "generated")
    assert (ax.get_xlabel(), ax.get_ylabel()) == (label, "x2")
    ax = axes()
    plots.draw_paths(torch.rand(3, 5, dimensions), ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (label, "x2")


def test_data_at_one_point_has_a_window() -> None:
    assert plots.window(torch.zeros(5, 2)) == plots.Window((-1.0, 1.0), (-1.0, 1.0))
    assert plots.window(torch.zeros(5, 1)).x == (-1.0, 1.0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 9), (2,), (1,), (5,)])
@pytest.mark.parametrize("n", [1, 4])
def test_paths_of_any_shape(shape: tuple[int, ...], n: int, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    paths = torch.rand(n, 6, *shape, generator=generator) * 2 - 1
    plots.save_interpolations(paths, tmp_path / "paths.png", behind=torch.zeros(3, *shape))
    with Image.open(tmp_path / "paths.png") as picture:
        assert picture.size[0] > 300


def test_paths_are_curves_with_their_ends_marked() -> None:
    paths = torch.rand(3, 5, 2, generator=torch.Generator().manual_seed(0))
    ax = axes()
    plots.draw_paths(paths, ax)
    assert len(ax.lines) == 6
    curve, ends = ax.lines[2:4]
    assert torch.tensor(curve.get_xydata()).float().equal(paths[1])
    assert torch.tensor(ends.get_xydata()).float().equal(paths[1, [0, -1]])
    ax = axes()
    plots.draw_paths(paths[:, :, :1], ax)
    assert list(ax.lines[0].get_xdata()) == [0, 22.5, 45, 67.5, 90]


def test_history_shows_the_records() -> None:
    records = [Record(step, 8 * step, 1.0 / step, 2.0, 0.5, 0.1, -0.5, 0.2, 1.0, 8.0) for step in (1, 2, 3)]
    ax = axes()
    plots.draw_losses(records, ax)
    assert list(ax.lines[0].get_ydata()) == [1.0, 0.5, 1.0 / 3]
    ax = axes()
    plots.draw_log_ratios(records, ax)
    assert list(ax.lines[0].get_ydata()) == [0.5] * 3


def test_curves_have_the_panels_that_there_are_numbers_for(tmp_path: Path) -> None:
    records = [Record(step, step, None, 0.1 * step, None, None, None, None, 1.0, 1.0) for step in (1, 2)]
    losses = _panels(records, tmp_path)
    assert losses == ["losses"]  # no critic is trained
    told = [Evaluation(step, {"frechet": 100.0 / step, "recall": 0.1 * step}) for step in (1, 2, 4)]
    records = [Record(step, step, 1.0, 0.1 * step, 1.0, 0.1, -1.0, 0.1, 1.0, 1.0) for step in (1, 2)]
    assert _panels(records, tmp_path, told)[-1] == "metrics of samples"
    ax = axes()
    plots.draw_evaluations(told, ax)
    assert [list(line.get_ydata()) for line in ax.lines] == [
        [1.0, pytest.approx(1 / 3), 0.0],
        [0.0, pytest.approx(1 / 3), 1.0],
    ]
    assert "frechet: 25 to 100" in [text.get_text() for text in ax.get_legend().get_texts()]


def _panels(records: list[Record], folder: Path, told: list[Evaluation] | None = None) -> list[str]:
    path = folder / "curves.svg"
    plots.save_history(records, path, evaluations=told or [])
    return re.findall(r"<!-- (losses|critic output.*?|metrics of samples|bound.*?) -->", path.read_text())
