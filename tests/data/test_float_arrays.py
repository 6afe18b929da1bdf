"""Arrays of floats, from files and from Python: taken as they are, and refused where they cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from divmin.data import ArraySource, from_array, load
from divmin.errors import DivminError

X = np.random.default_rng(0).normal(3, 100, (20, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "big-endian.npy", X.astype(">f8"))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(X))
    np.savez(tmp_path / "one.npz", x=X)
    np.savez(tmp_path / "two.npz", x=X, y=X + 1)
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", header="a,b,c", comments="", fmt="%.17g")
    torch.save(torch.from_numpy(X), tmp_path / "x.pt")
    torch.save({"x": torch.from_numpy(X).float(), "y": torch.zeros(3)}, tmp_path / "two.pt")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["x.npy", "big-endian.npy", "fortran.npy", "one.npz", "one.npz:x", "two.npz:x", "x.csv", "x.pt", "two.pt:x"],
)
def test_every_kind_of_file(name: str, folder: Path) -> None:
    source = load(str(folder / name))
    assert isinstance(source, ArraySource)
    assert (source.name, source.shape, source.size) == (str(folder / name), (3,), 20)
    assert torch.equal(source.batch(torch.tensor([7, 2])), torch.from_numpy(X[[7, 2]].astype(np.float32)))


def test_shapes_are_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "pictures.npy", np.ones((5, 2, 4, 6), dtype=np.float32))
    np.save(tmp_path / "line.npy", np.arange(6.0))
    np.save(tmp_path / "half.npy", np.full((3, 2), 0.5, dtype=np.float16))
    assert load(str(tmp_path / "pictures.npy")).shape == (2, 4, 6)
    line = load(str(tmp_path / "line.npy"))
    assert (line.shape, line.batch(torch.tensor([4])).tolist()) == ((1,), [[4.0]])
    assert load(str(tmp_path / "half.npy")).batch(torch.tensor([0])).dtype == torch.float32


def test_what_cannot_be_used_is_named(folder: Path) -> None:
    broken = X.copy()
    broken[4, 1], broken[11, 0] = np.nan, np.inf
    np.save(folder / "broken.npy", broken)
    np.save(folder / "whole.npy", np.arange(6).reshape(3, 2))
    np.save(folder / "words.npy", np.array([["a", "b"]]))
    np.save(folder / "none.npy", np.zeros((0, 2)))
    (folder / "bad.npy").write_bytes(b"nothing")
    (folder / "x.txt").write_text("1 2")
    for name, says in (
        ("broken.npy", r"2 samples with numbers that are not finite .* the first is sample 4, counted from 0"),
        ("whole.npy", r"holds torch\.int64: expected floating numbers"),
        ("words.npy", "holds <U1: expected floating numbers"),
        ("none.npy", "none of them zero"),
        ("bad.npy", r"cannot read .*bad\.npy as \.npy"),
        ("two.npz", "holds x, y: name one"),
        ("two.npz:z", "holds x, y: name one"),
        ("x.txt", "neither a folder nor a file of a known kind"),
        ("absent.npy", "no such path"),
    ):
        with pytest.raises(DivminError, match=says) as caught:
            load(str(folder / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(DivminError, match="has no images: leave image_size and channels out"):
        load(str(folder / "x.npy"), image_size=8)


def test_any_array_from_python() -> None:
    rows = np.arange(24, dtype=np.float64).reshape(6, 4)
    backwards, still = rows[::-1], np.broadcast_to(np.float32(1), (3, 2))
    assert from_array(backwards).batch(torch.tensor([0])).tolist() == [[20, 21, 22, 23]]
    assert from_array(still).size == 3  # an array that cannot be written to
    assert from_array(rows.tolist()).shape == (4,)  # type: ignore[arg-type]
    source = from_array(torch.arange(4.0)[:, None], labels=[1, 0, 1, 2])  # type: ignore[arg-type]
    assert (source.classes, source.labels_of(torch.tensor([3])).tolist()) == (3, [2])


@pytest.mark.parametrize("labels", [[0, 1, -1], [0.0, 1.0, 2.0], [0, 1], ["a", "b", "c"]])
def test_labels_that_are_none(labels: list[object]) -> None:
    with pytest.raises(DivminError, match="labels"):
        from_array(np.zeros((3, 2)), labels=np.array(labels))
