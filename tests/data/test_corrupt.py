"""Pictures that cannot be read: named, or left out with one warning, and the order stays."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from divmin.cli import main
from divmin.data import Source, load
from divmin.data import pictures as decoding
from divmin.data.assemble import PictureSource, assemble
from divmin.data.folder import Files, picture_files
from divmin.data.form import Form
from divmin.errors import DivminError, DivminWarning


def photo(index: int, width: int = 8, height: int = 8, kind: str = "png") -> bytes:
    stream = io.BytesIO()
    drawn = np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(drawn).save(stream, kind)
    return stream.getvalue()


def everything(source: Source) -> torch.Tensor:
    return source.batch(torch.arange(source.size or 0))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten pictures in two classes; the first, a middle one and the last are broken, each in another way."""
    for i in range(10):
        path = tmp_path / ("cat" if i < 6 else "dog") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes({0: b"", 4: photo(4)[:80], 9: b"words"}.get(i, photo(i)))
    return tmp_path


def test_fatal_names_the_first(photos: Path) -> None:
    with pytest.raises(DivminError, match=r"cannot read the picture .*cat/0\.png: .*corrupt: skip") as caught:
        load(str(photos))
    assert "\n" not in str(caught.value)
    with pytest.raises(DivminError, match="corrupt is 'ignore': expected one of fatal, skip"):
        load(str(photos), corrupt="ignore")


@pytest.mark.parametrize("memory", [0, 2**31])
@pytest.mark.parametrize("threaded", [0, 2**60])
def test_skipped_pictures_leave_the_others_as_they_are(
    memory: int, threaded: int, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "THREADED", threaded)
    paths = picture_files(photos)
    with pytest.warns(DivminWarning, match=r"left out 3 of 10 pictures of all, .* the first is .*0\.png") as said:
        source = assemble("all", Files(paths), Form(corrupt="skip"), labels=torch.arange(10), memory=memory)
    assert len(said) == 1
    assert isinstance(source, PictureSource) == (memory == 0)
    assert [Path(name).name for name in source.skipped] == ["0.png", "4.png", "9.png"]
    assert source.labels_of(torch.arange(7)).tolist() == [1, 2, 3, 5, 6, 7, 8]
    good = assemble("good", Files(tuple(path for path in paths if path.stem not in "049")), Form())
    assert torch.equal(everything(source), everything(good))
    assert torch.equal(source.batch(torch.tensor([6, 0])), everything(good)[[6, 0]])


def test_nothing_is_said_where_nothing_is_wrong(photos: Path) -> None:
    for name in ("cat/0.png", "cat/4.png", "dog/9.png"):
        (photos / name).write_bytes(photo(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(str(photos), corrupt="skip").size == 10


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"words")
    with pytest.raises(DivminError, match=r"none of the 1 pictures of .*, beginning with .*a\.png \(cannot identify"):
        load(str(tmp_path), corrupt="skip")


def test_only_unreadable_pictures_are_skipped(photos: Path) -> None:
    """Pictures of another shape or depth are the user's, and say that the setting is wrong."""
    (photos / "cat" / "5.png").write_bytes(photo(5, 4, 4))
    with pytest.raises(DivminError, match=r"pictures differ: .*1\.png is 8x8 RGB, .*5\.png is 4x4 RGB"):
        load(str(photos), corrupt="skip")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(photos / "cat" / "5.png")
    with pytest.raises(DivminError, match="8 bits"):
        load(str(photos), corrupt="skip")


def test_rows_of_a_table(tmp_path: Path) -> None:
    cells = [{"bytes": data, "path": None} for data in (photo(0), b"junk", photo(2))]
    pq.write_table(pa.table({"image": [*cells, None], "label": [5, 6, 7, 8]}), tmp_path / "t.parquet")
    with pytest.warns(DivminWarning, match="left out 2 of 4"):
        source = load(str(tmp_path / "t.parquet"), corrupt="skip")
    assert source.labels_of(torch.arange(2)).tolist() == [5, 7]  # type: ignore[attr-defined]
    assert [name.partition(" of ")[0] for name in source.skipped] == ["in row 1", "in row 3"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("spoil", ["gone", "broken"])
def test_a_picture_that_goes_bad_after_loading(spoil: str, tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(photo(i))
    source = assemble("lazy", Files(picture_files(tmp_path)), Form(), memory=0)
    if spoil == "gone":
        (tmp_path / "2.png").unlink()
    else:
        (tmp_path / "2.png").write_bytes(photo(2)[:70])
    assert source.batch(torch.tensor([0, 3])).shape == (2, 3, 8, 8)
    with pytest.raises(DivminError, match=r"cannot read the picture .*2\.png any more: .*; put back") as caught:
        source.batch(torch.tensor([0, 2]))
    assert "\n" not in str(caught.value)


def test_batch_by_batch_is_checked_on_loading(photos: Path) -> None:
    """An unreadable picture must not wait for the middle of a run."""
    with pytest.raises(DivminError, match=r"0\.png"):
        assemble("lazy", Files(picture_files(photos)), Form(), memory=0)


def test_progress_counts_every_picture(photos: Path) -> None:
    seen: list[int] = []

    def track(numbers):  # type: ignore[no-untyped-def]
        for number in numbers:
            yield number
            seen.append(number)

    with pytest.warns(DivminWarning):
        load(str(photos), corrupt="skip", track=track)
    assert seen == list(range(10))


# Order, shapes, and what pictures may bring along ----------------------------------------------------------------------


def test_threads_keep_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(60):
        (tmp_path / f"{i:02d}.png").write_bytes(photo(i, 3 + i % 7, 40 - i % 11))
    monkeypatch.setattr(decoding, "AHEAD", 7)
    files = Files(picture_files(tmp_path))
    lazy = assemble("x", files, Form(8), memory=0)
    found = []
    for threaded in (0, 2**60):
        monkeypatch.setattr(decoding, "THREADED", threaded)
        found.append(lazy.batch(torch.arange(60).flip(0)))
    assert torch.equal(*found)
    assert len(found[0].unique(dim=0)) == 60


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (500, 2), (33, 7), (3000, 2000)])
@pytest.mark.parametrize("side", [1, 8, 64])
def test_any_size_is_brought_to_the_declared_one(width: int, height: int, side: int, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("RGB", (width, height), (255, 0, 51)).save(path)
    batch = load(str(tmp_path), image_size=side).batch(torch.tensor([0]))
    assert torch.allclose(batch, torch.tensor([1, -1, -0.6])[None, :, None, None].expand(1, 3, side, side), atol=1e-6)


def test_a_picture_too_large_to_be_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.png").write_bytes(photo(0, 50, 50))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DivminError, match=r"x\.png: Image size \(2500 pixels\) exceeds"):
        load(str(tmp_path), image_size=8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # where Pillow only warns, and warnings are errors
    with pytest.raises(DivminError, match=r"x\.png: Image size \(2500 pixels\) exceeds"):
        load(str(tmp_path), image_size=8)


def test_transparency_is_dropped_without_a_word(tmp_path: Path) -> None:
    """Of a palette too, as files from the web have it: Pillow would warn."""
    colour = Image.new("RGB", (6, 6), (200, 100, 0))
    palette = Image.new("P", (6, 6), 1)
    palette.putpalette([0, 0, 0, 200, 100, 0])
    palette.save(tmp_path / "palette.png", transparency=bytes([50, 128]))
    with Image.open(tmp_path / "palette.png") as saved:
        assert isinstance(saved.info["transparency"], bytes)
    clear = colour.convert("RGBA")
    clear.putalpha(7)
    clear.save(tmp_path / "rgba.png")
    clear.save(tmp_path / "rgba.webp", lossless=True, exact=True)
    expected = torch.tensor([200, 100, 0]) / 127.5 - 1
    for pixels in everything(load(str(tmp_path))):
        assert torch.equal(pixels, expected[:, None, None].expand(3, 6, 6))
    clear.convert("LA").save(tmp_path / "la.png")
    colour.convert("1").save(tmp_path / "bit.png")
    colour.convert("CMYK").save(tmp_path / "print.jpg")
    assert load(str(tmp_path), channels=3).size == 6


def test_broken_bytes_of_any_kind_are_named(tmp_path: Path) -> None:
    """Random damage to files with and without checksums: a picture or one line, whatever the decoder raises or warns."""
    random = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "upright"
    path, told = tmp_path / "x.img", 0
    for kind in ("jpeg", "webp", "bmp", "png"):
        stream = io.BytesIO()
        Image.open(io.BytesIO(photo(0, 20, 24))).save(stream, kind, exif=exif)
        for _ in range(150):
            data = bytearray(stream.getvalue())
            for at in random.integers(0, 200, 4):
                data[at] = random.integers(256)
            path.write_bytes(data[: random.choice([len(data), random.integers(len(data))])])
            found = next(decoding.read(Files((path,)), [0], Form(8)))
            assert isinstance(found, decoding.UnreadableError) or found.shape[1:] == (8, 8)
            told += isinstance(found, decoding.UnreadableError)
    assert 200 < told < 600


# The command line ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("default")
def test_the_command_says_what_it_left_out(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["train", "--data", str(photos), "--model", "mlp", "--dry-run"]
    assert main(given) == 2
    assert "corrupt: skip" in capsys.readouterr().err
    assert main([*given, "--corrupt", "skip"]) == 0
    shown = capsys.readouterr()
    assert shown.err.startswith("divmin: warning: left out 3 of 10") and shown.err.count("\n") == 1
    assert "7 samples, 3 pictures left out" in shown.out
    assert main([*given, "--corrupt", "skip", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["samples"], record["classes"], len(record["skipped"])) == (7, 2, 3)
    assert main([*given, "--corrupt", "ignore"]) == 2
    assert "expected one of fatal, skip" in capsys.readouterr().err


def test_the_command_lists_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--data"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("mnist[:SPLIT]", "stacked:DATA", "celeba:FOLDER", "ring", ".npz[:NAME]"))
    assert main(["list", "--data", "--json"]) == 0
    assert {"usage", "summary"} == set(json.loads(capsys.readouterr().out)[0])
