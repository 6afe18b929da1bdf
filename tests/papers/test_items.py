"""Every item at toy size: its numbers, its picture, its page; and that it notices when the code under it is broken."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mutation import Mutation

from divmin.errors import DivminError
from divmin.papers import Item, Work, check, items
from divmin.papers.expected import FAIL, FINDING, LATER
from divmin.reproduction import reproduce
from divmin.reproduction.shelf import drawable

ITEMS = items()
MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    name: mutations
    for path in sorted(Path(__file__).parent.glob("mutations_of_*.py"))
    for name, mutations in importlib.import_module(path.stem).MUTATIONS.items()
}


@pytest.mark.parametrize("name", ITEMS)
def test_numbers_picture_and_files(name: str, tmp_path: Path) -> None:
    """In one test, so that every item is computed once however tests are shared out."""
    item, outcome = ITEMS[name], reproduce(name, quick=True, out=tmp_path)
    assert outcome.passed, [each for each in outcome.checks if each.verdict == FAIL]
    assert any(each.verdict != LATER for each in outcome.checks), "at toy size nothing is asked"
    if item.draw is not None:
        figure = Figure(figsize=item.size, layout="constrained")
        item.draw(drawable(outcome), figure)
        _is_labelled(figure)
    record = json.loads((outcome.folder / "result.json").read_text())
    assert record["verdict"] == outcome.verdict
    page = (outcome.folder / "index.html").read_text()
    assert item.name in page and len(page) < 5_000_000
    assert (outcome.folder / "figure.png").exists() == (item.draw is not None)
    assert (outcome.folder / "film.gif").exists() == (item.animate is not None)


def _is_labelled(figure: Figure) -> None:
    assert figure.axes
    for ax in figure.axes:
        if ax.has_data() and ax.axison and not ax.images and ax.get_label() != "<colorbar>":
            x, y = ax.get_shared_x_axes().get_siblings(ax), ax.get_shared_y_axes().get_siblings(ax)
            assert any(other.get_xlabel() for other in x), "an axis without a name"
            assert any(other.get_ylabel() for other in y), "an axis without a name"
        lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
        if len(lines) > 1:
            assert ax.get_legend() is not None or ax.figure.legends or figure.legends, "several lines and no legend"


@pytest.mark.parametrize("name", ITEMS)
def test_broken_code_is_noticed(name: str, tmp_path: Path) -> None:
    """Each mutation makes a check fail, and each check fails under one of them at least."""
    item = ITEMS[name]
    noticed: set[str] = set()
    for i, mutation in enumerate(MUTATIONS[name]):
        failed = _failing(item, mutation, tmp_path / str(i))
        assert failed, f"nobody noticed that {mutation.target} is wrong"
        noticed |= failed
    asked = {key for key, wanted in item.expected.items() if not wanted.finding and not wanted.full}
    assert asked <= noticed, f"no mutation makes these fail: {sorted(asked - noticed)}"


def _failing(item: Item, mutation: Mutation, folder: Path) -> set[str]:
    folder.mkdir()
    with pytest.MonkeyPatch.context() as monkeypatch:
        mutation.apply(monkeypatch)
        numbers = item.compute(item.quick, Work(folder)).numbers
    verdicts = check(numbers, item.expected, quick=True)
    return {each.name for each in verdicts if each.verdict in (FAIL, FINDING)}


def test_images_that_cannot_be_judged_are_refused_before_training(tmp_path: Path) -> None:
    chosen = ITEMS["berger-figures-1-7"]
    points = replace(chosen, quick=replace(chosen.quick, data=str(_pictures(tmp_path / "pictures"))))
    with pytest.raises(DivminError, match="has no labels"):
        reproduce(points, quick=True, out=tmp_path / "out")
    assert not list((tmp_path / "out").rglob("config.yaml"))


def _pictures(folder: Path) -> Path:
    from PIL import Image

    folder.mkdir()
    for i in range(8):
        Image.new("RGB", (32, 32), (30 * i, 0, 0)).save(folder / f"{i}.png")
    return folder


def test_every_mutation_belongs_to_an_item() -> None:
    assert set(MUTATIONS) == set(ITEMS)
