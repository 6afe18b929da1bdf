"""Labels by index, whatever the source."""

from __future__ import annotations

from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from divmin.data import Labelled, Source, from_array, load
from divmin.data.assemble import PictureSource, assemble
from divmin.data.folder import Files, picture_files
from divmin.data.form import Form
from divmin.errors import DivminError


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), 9, dtype=np.uint8)).save(path)


def labels(source: Source) -> list[int] | None:
    assert isinstance(source, Labelled)
    return None if source.classes is None else source.labels_of(torch.arange(source.size or 0)).tolist()


def test_folders_one_level_down_are_classes(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/2.png", "cat/1.png", "emu/1.png"):
        draw(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    source = load(str(tmp_path))
    assert labels(source) == [0, 0, 1, 2]
    assert source.class_names == ("cat", "dog", "emu")  # type: ignore[attr-defined]
    assert labels(load(f"{tmp_path}/")) == [0, 0, 1, 2]


@pytest.mark.parametrize("more", ["0.png", "cat/deep/0.png"])
def test_other_folders_have_no_labels(more: str, tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/2.png", more):
        draw(tmp_path / name)
    source = load(str(tmp_path))
    assert labels(source) is None
    with pytest.raises(DivminError, match="has no labels"):
        source.labels_of(torch.arange(2))  # type: ignore[attr-defined]


def test_one_folder_is_no_class(tmp_path: Path) -> None:
    draw(tmp_path / "all" / "1.png")
    assert labels(load(str(tmp_path))) is None


def test_pictures_decoded_batch_by_batch_have_them_too(tmp_path: Path) -> None:
    for i in range(3):
        draw(tmp_path / f"{i}.png")
    files = Files(picture_files(tmp_path))
    lazy = assemble("lazy", files, Form(), labels=torch.tensor([2, 0, 2]), class_names=("a", "b", "c", "d"), memory=0)
    assert isinstance(lazy, PictureSource)
    assert (labels(lazy), lazy.classes) == ([2, 0, 2], 4)
    with pytest.raises(DivminError, match="below 3"):
        lazy.labels_of(torch.tensor([3]))


def test_labels_that_nobody_knows(tmp_path: Path) -> None:
    draw(tmp_path / "0.png")
    cell = {"bytes": (tmp_path / "0.png").read_bytes(), "path": None}
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["a", "b", "c"])})
    for given, found in (([-1, -1], None), ([1, 0], [1, 0])):
        path = tmp_path / "t.parquet"
        datasets.Dataset.from_dict({"image": [cell] * 2, "label": given}, features=kinds).to_parquet(path)
        source = load(str(path))
        assert labels(source) == found
        assert source.classes == (None if found is None else 3)  # type: ignore[attr-defined]
    datasets.Dataset.from_dict({"image": [cell] * 2, "label": [1, -1]}, features=kinds).to_parquet(path)
    with pytest.raises(DivminError, match="1 row without a label"):
        load(str(path))


def test_arrays_count_their_classes() -> None:
    source = from_array(torch.zeros(4, 2), labels=np.array([0, 7, 1, 0]))
    assert (labels(source), source.classes) == ([0, 7, 1, 0], 8)
    assert not isinstance(load("ring"), Labelled)
