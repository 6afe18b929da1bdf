"""Pictures in folders and Parquet files become the same bytes; bad ones are named."""

from __future__ import annotations

import io
import os
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor

from divmin.data import ArraySource, ByteSource, PictureSource, load
from divmin.data.assemble import assemble
from divmin.data.folder import Files, picture_files
from divmin.data.form import Form
from divmin.data.pictures import square
from divmin.errors import DivminError


def pixels(index: int, width: int = 8, height: int = 8, channels: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(index).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return drawn[..., 0] if channels == 1 else drawn


def picture(*args: int) -> Image.Image:
    return Image.fromarray(pixels(*args))


def encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "png")
    return stream.getvalue()


def as_floats(array: np.ndarray) -> Tensor:
    planes = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return torch.from_numpy(planes.astype(np.float32)) / 127.5 - 1


def everything(source: ArraySource | ByteSource | PictureSource) -> Tensor:
    return source.batch(torch.arange(source.size))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    picture(0).save(tmp_path / "a" / "0.png")
    picture(1).save(tmp_path / "a" / "b" / "1.BMP")
    picture(2).save(tmp_path / "z.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def table(path: Path, cells: list[object], *, labels: list[int] | None = None) -> Path:
    columns: dict[str, object] = {"id": list(range(len(cells))), "photo": cells}
    if labels is not None:
        columns["label"] = labels
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def cell(image: Image.Image) -> dict[str, object]:
    return {"bytes": encoded(image), "path": "name.png"}


# Folders ---------------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_below_and_in_order(photos: Path) -> None:
    source = load(str(photos))
    assert (source.shape, source.size) == ((1, 8, 8), 3)
    for index in range(3):
        assert torch.equal(source.batch(torch.tensor([index]))[0], as_floats(pixels(index)))


def test_links_that_run_in_a_circle(photos: Path) -> None:
    (photos / "a" / "loop").symlink_to(photos, target_is_directory=True)
    (photos / "again").symlink_to(photos / "a" / "b", target_is_directory=True)
    assert load(str(photos)).size == 3
    assert len(picture_files(photos)) == 3


def test_sizes_that_differ_are_named_and_can_be_declared(photos: Path) -> None:
    picture(3, 12, 6).save(photos / "zz.png")
    with pytest.raises(DivminError, match=r"0\.png is 8x8 grey.*zz\.png is 12x6 grey.*image_size"):
        load(str(photos))
    source = load(str(photos), image_size=8)
    assert source.shape == (1, 8, 8)
    middle = Image.fromarray(pixels(3, 12, 6)[:, 3:9]).resize((8, 8), Image.Resampling.LANCZOS)
    assert torch.equal(source.batch(torch.tensor([3]))[0], as_floats(np.array(middle)))
    assert torch.equal(source.batch(torch.tensor([0]))[0], as_floats(pixels(0)))


def test_channels_that_differ_are_named_and_can_be_declared(photos: Path) -> None:
    picture(3, 8, 8, 3).save(photos / "zz.png")
    with pytest.raises(DivminError, match=r"8x8 grey.*8x8 RGB.*channels"):
        load(str(photos))
    colour = load(str(photos), channels=3)
    assert colour.shape == (3, 8, 8)
    assert torch.equal(colour.batch(torch.tensor([3]))[0], as_floats(pixels(3, 8, 8, 3)))
    assert torch.equal(colour.batch(torch.tensor([0]))[0], as_floats(pixels(0)).expand(3, 8, 8))
    assert load(str(photos), channels=1).shape == (1, 8, 8)


def test_the_middle_square() -> None:
    tall = Image.fromarray(pixels(0, 5, 9))
    assert np.array_equal(np.array(square(tall, 5)), pixels(0, 5, 9)[2:7])
    assert square(tall, 3).size == (3, 3)


def test_unreadable_pictures_are_named(photos: Path) -> None:
    (photos / "broken.png").write_bytes(encoded(picture(5))[:60])
    with pytest.raises(DivminError, match=r"cannot read the picture .*broken\.png") as caught:
        load(str(photos))
    assert "\n" not in str(caught.value)
    (photos / "broken.png").write_bytes(b"no picture at all")
    with pytest.raises(DivminError, match=r"broken\.png"):
        load(str(photos))


def test_more_than_eight_bits_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DivminError, match=r"deep\.png has pixels of kind I;16"):
        load(str(tmp_path))


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(0).save(tmp_path / "turned.png", exif=exif)
    assert torch.equal(load(str(tmp_path)).batch(torch.tensor([0]))[0], as_floats(np.rot90(pixels(0), -1).copy()))


def test_folders_that_cannot_be_listed(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def scan(path: str) -> object:
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(DivminError, match=r"cannot list the folder .*b: Permission denied"):
        load(str(photos))


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DivminError, match=r"no pictures in the folder .*\.png"):
        load(str(tmp_path))


def test_pictures_that_do_not_fit_are_decoded_batch_by_batch(photos: Path) -> None:
    files = Files(picture_files(photos))
    held, lazy = assemble("held", files, Form()), assemble("lazy", files, Form(), memory=100)
    assert isinstance(held, ByteSource)
    assert isinstance(lazy, PictureSource)
    indices = torch.tensor([2, 0, 2])
    assert lazy.batch(indices).dtype == torch.float32
    assert torch.equal(held.batch(indices), lazy.batch(indices))
    picture(3, 4, 4).save(files.paths[1])
    with pytest.raises(DivminError, match="pictures differ"):
        lazy.batch(torch.tensor([1]))


# Parquet ---------------------------------------------------------------------------------------------------------------


def test_a_parquet_file_with_bytes_and_labels(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", [cell(picture(i)) for i in range(4)], labels=[3, 1, 4, 1])
    source = load(str(path))
    assert isinstance(source, ByteSource)
    assert torch.equal(everything(source), torch.stack([as_floats(pixels(i)) for i in range(4)]))
    assert source.labels is not None
    assert source.labels.tolist() == [3, 1, 4, 1]


def test_a_parquet_file_with_declared_features(tmp_path: Path) -> None:
    features = datasets.Features(
        {"picture": datasets.Image(), "kind": datasets.ClassLabel(names=["cat", "dog"]), "n": datasets.Value("int64")}
    )
    rows = {"picture": [cell(picture(i, 8, 8, 3)) for i in range(3)], "kind": [1, 0, 1], "n": [7, 8, 9]}
    data = datasets.Dataset.from_dict(rows, features=features)
    pq.write_table(data.data.table, tmp_path / "t.parquet")
    source = load(str(tmp_path / "t.parquet"))
    assert isinstance(source, ByteSource)
    assert source.shape == (3, 8, 8)
    assert source.labels is not None
    assert source.labels.tolist() == [1, 0, 1]
    assert torch.equal(everything(source)[2], as_floats(pixels(2, 8, 8, 3)))
    assert load(str(tmp_path / "t.parquet"), image_size=4, channels=1).shape == (1, 4, 4)


def test_folders_and_patterns_of_parquet_files(tmp_path: Path) -> None:
    table(tmp_path / "train-0.parquet", [cell(picture(0)), cell(picture(1))])
    table(tmp_path / "train-1.parquet", [cell(picture(2))])
    table(tmp_path / "test-0.parquet", [cell(picture(3))])
    assert load(str(tmp_path)).size == 4
    trained = load(str(tmp_path / "train-*.parquet"))
    assert trained.size == 3
    assert torch.equal(trained.batch(torch.tensor([2]))[0], as_floats(pixels(2)))
    picture(0).save(tmp_path / "also.png")
    with pytest.raises(DivminError, match="both"):
        load(str(tmp_path))


def test_a_column_of_plain_bytes(tmp_path: Path) -> None:
    cells = [cell(picture(seed))["bytes"] for seed in range(2)]
    pq.write_table(pa.table({"png": pa.array(cells, type=pa.binary()), "id": [1, 2]}), tmp_path / "plain.parquet")
    loaded = load(str(tmp_path / "plain.parquet"))
    assert torch.equal(loaded.batch(torch.tensor([1]))[0], as_floats(pixels(1)))


def test_bad_parquet_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "no.parquet").write_bytes(b"PAR1 of something else")
    with pytest.raises(DivminError, match=r"cannot read .*no\.parquet as Parquet"):
        load(str(tmp_path / "no.parquet"))
    with pytest.raises(DivminError, match="no Parquet files at"):
        load(str(tmp_path / "none-*.parquet"))
    with pytest.raises(DivminError, match=r"row 1 of column 'photo' of .*: the cell is empty"):
        load(str(table(tmp_path / "hole.parquet", [cell(picture(0)), None])))
    with pytest.raises(DivminError, match=r"row 0 of column 'photo'"):
        load(str(table(tmp_path / "junk.parquet", [{"bytes": b"junk", "path": None}])))
    with pytest.raises(DivminError, match=r"no column of pictures.*id, photo"):
        load(str(table(tmp_path / "words.parquet", ["a", "b"])))
    both = {"left": [cell(picture(0))], "right": [cell(picture(1))]}
    pq.write_table(pa.table(both), tmp_path / "two.parquet")
    with pytest.raises(DivminError, match=r"several columns of pictures \(left, right\)"):
        load(str(tmp_path / "two.parquet"))
    pq.write_table(pa.table(both | {"image": [cell(picture(2))]}), tmp_path / "three.parquet")
    assert torch.equal(load(str(tmp_path / "three.parquet")).batch(torch.tensor([0]))[0], as_floats(pixels(2)))
    with pytest.raises(DivminError, match="different columns"):
        load(str(tmp_path / "t*.parquet"))
    with pytest.raises(DivminError, match="without a label"):
        load(str(table(tmp_path / "unlabelled.parquet", [cell(picture(0))] * 2, labels=[1, None])))  # type: ignore[list-item]
    features = datasets.Features({"image": datasets.Image()})
    pq.write_table(datasets.Dataset.from_dict({"image": []}, features=features).data.table, tmp_path / "e.parquet")
    with pytest.raises(DivminError, match="has no rows"):
        load(str(tmp_path / "e.parquet"))


def test_without_the_datasets_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "t.parquet", [cell(picture(0))])
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    for spec in (str(path), "hub:someone/something"):
        with pytest.raises(DivminError, match=r"pip install 'divmin\[hub\]'"):
            load(spec)


# The hub ---------------------------------------------------------------------------------------------------------------


def test_hub_names(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(name: str, *, split: str) -> object:
        asked.append((name, split))
        features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
        return datasets.Dataset.from_dict({"image": [cell(picture(0))], "label": [6]}, features=features)

    monkeypatch.setattr(datasets, "load_dataset", fetch)
    source = load("hub:ylecun/mnist:test")
    load("hub:mnist")
    assert asked == [("ylecun/mnist", "test"), ("mnist", "train")]
    assert isinstance(source, ByteSource)
    assert source.labels is not None
    assert source.labels.tolist() == [6]
    assert torch.equal(everything(source)[0], as_floats(pixels(0)))


def test_a_hub_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *, split: str) -> object:
        raise ConnectionError("Couldn't reach it\nlong trace")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(DivminError, match=r"cannot load 'a/b' from the hub: Couldn't reach it; check") as caught:
        load("hub:a/b")
    assert "\n" not in str(caught.value)
    with pytest.raises(DivminError, match="needs a name"):
        load("hub:")
