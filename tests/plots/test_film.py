"""Animations: every picture once, in its order, in colours that stay; and files of a size that can be sent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import divmin as dm
from divmin.plots import film, save_film


def pictures(folder: Path, n: int, size: int = 40) -> list[Path]:
    """Grey pictures that get brighter."""
    paths = [folder / f"{i:08d}.png" for i in range(n)]
    for i, path in enumerate(paths):
        Image.new("RGB", (size, size), (255 * i // max(n - 1, 1),) * 3).save(path)
    return paths


def shades(path: Path) -> list[int]:
    with Image.open(path) as image:
        return [np.asarray(frame.convert("RGB"))[0, 0, 0] for frame in ImageSequence.Iterator(image)]


def test_each_picture_is_a_frame_in_its_order(tmp_path: Path) -> None:
    save_film(pictures(tmp_path, 3), tmp_path / "film.gif")
    assert shades(tmp_path / "film.gif") == pytest.approx([0, 127, 255], abs=2)
    with Image.open(tmp_path / "film.gif") as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 400
        image.seek(2)
        assert image.info["duration"] == 2000  # the last one stays


def test_of_many_pictures_a_hundred_are_taken_with_both_ends(tmp_path: Path) -> None:
    save_film(pictures(tmp_path, 250, 4), tmp_path / "film.gif")
    found = shades(tmp_path / "film.gif")
    assert len(found) <= 100  # pictures that are equal after rounding share a frame
    assert found == sorted(found) and found[0] == 0 and found[-1] == 255


def test_a_file_that_grows_too_large_gets_fewer_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0)
    paths = [tmp_path / f"{i:08d}.png" for i in range(20)]
    for path in paths:
        Image.fromarray(noise.integers(0, 255, (60, 60, 3), dtype=np.uint8)).save(path)
    save_film(paths, tmp_path / "whole.gif")
    monkeypatch.setattr(film, "LARGEST", (tmp_path / "whole.gif").stat().st_size // 4)
    save_film(paths, tmp_path / "short.gif")
    assert (tmp_path / "short.gif").stat().st_size < 1.1 * film.LARGEST
    assert 2 <= len(shades(tmp_path / "short.gif")) <= 5


def test_what_cannot_be_shown_is_named(tmp_path: Path) -> None:
    paths = pictures(tmp_path, 2)
    with pytest.raises(dm.DivminError, match=r"must end in \.gif"):
        save_film(paths, tmp_path / "film.png")
    with pytest.raises(dm.DivminError, match="no pictures"):
        save_film([], tmp_path / "film.gif")
    with pytest.raises(dm.DivminError, match="cannot write"):
        save_film(paths, Path("/dev/null/film.gif"))
    for content in (b"", b"no picture", paths[0].read_bytes()[:60]):
        paths[1].write_bytes(content)
        with pytest.raises(dm.DivminError, match=f"cannot read the picture {paths[1]}"):
            save_film(paths, tmp_path / "film.gif")
    assert not (tmp_path / "film.gif").exists()
