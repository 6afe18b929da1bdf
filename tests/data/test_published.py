"""mnist and cifar10: from the user's folder without a network, else from the hub; the error says what to do."""

from __future__ import annotations

import io
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from PIL import Image

from divmin.data import Labelled, load
from divmin.errors import DivminError


def rows(n: int, side: int, channels: int, seed: int) -> datasets.Dataset:
    """Random pictures in the columns that the hub has."""
    drawn = np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)
    cells = []
    for one in drawn:
        stream = io.BytesIO()
        Image.fromarray(one.squeeze()).save(stream, "png")
        cells.append({"bytes": stream.getvalue(), "path": None})
    names = [f"class {i}" for i in range(10)]
    kinds = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    return datasets.Dataset.from_dict({"image": cells, "label": [i % 4 for i in range(n)]}, features=kinds)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data sets, and no network."""
    for name, side, channels in (("mnist", 28, 1), ("cifar10", 32, 3)):
        (tmp_path / name).mkdir()
        for part, n in (("train-0", 5), ("train-1", 3), ("test", 2)):
            rows(n, side, channels, seed=n).to_parquet(tmp_path / name / f"{part}.parquet")
    monkeypatch.setenv("DIVMIN_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: pytest.fail("the network was asked"))
    return tmp_path


@pytest.mark.parametrize(("name", "shape"), [("mnist", (1, 28, 28)), ("cifar10", (3, 32, 32))])
def test_from_the_own_folder(name: str, shape: tuple[int, ...], own: Path) -> None:
    train, test = load(name), load(f"{name}:test")
    assert isinstance(train, Labelled)
    assert (train.name, train.shape, train.size, train.classes) == (name, shape, 8, 10)
    assert (test.name, test.size) == (f"{name}:test", 2)
    assert train.labels_of(torch.tensor([3, 5, 7])).tolist() == [3, 0, 2]
    same = load(str(own / name / "train-*.parquet"))
    assert torch.equal(train.batch(torch.arange(8)), same.batch(torch.arange(8)))
    assert load(f"{name}:train").name == name
    assert load(name, image_size=16, channels=1).shape == (1, 16, 16)


def test_from_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def fetch(name: str, *, split: str) -> datasets.Dataset:
        asked.append((name, split))
        return rows(3, 8, 1, seed=0)

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    monkeypatch.delenv("DIVMIN_DATA", raising=False)
    assert [load(spec).name for spec in ("mnist", "mnist:test", "cifar10")] == ["mnist", "mnist:test", "cifar10"]
    monkeypatch.setenv("DIVMIN_DATA", str(tmp_path))  # a folder without this set says nothing of it
    load("cifar10:test")
    hub = [
        ("ylecun/mnist", "train"),
        ("ylecun/mnist", "test"),
        ("uoft-cs/cifar10", "train"),
        ("uoft-cs/cifar10", "test"),
    ]
    assert asked == hub


def test_out_of_reach(monkeypatch: pytest.MonkeyPatch, own: Path) -> None:
    with pytest.raises(DivminError, match=r"mnist has no split 'tset': did you mean test"):
        load("mnist:tset")
    (own / "mnist" / "test.parquet").unlink()
    with pytest.raises(DivminError, match=r"no Parquet files at '.*mnist/test\*\.parquet'"):
        load("mnist:test")
    monkeypatch.setenv("DIVMIN_DATA", str(own / "nowhere"))
    with pytest.raises(DivminError, match=r"DIVMIN_DATA is '.*nowhere', which is no folder"):
        load("mnist")
    monkeypatch.delenv("DIVMIN_DATA")

    def fail(name: str, *, split: str) -> None:
        raise ConnectionError("Couldn't reach it")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(
        DivminError, match=r"Couldn't reach it; connect .* or set DIVMIN_DATA to .* mnist/test\*\.parquet"
    ):
        load("mnist:test")
