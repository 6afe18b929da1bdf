"""One line of text names a source; what cannot be read is answered in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from divmin.data import ArraySource, ByteSource, DensitySource, densities, from_array, load, register_density, sources
from divmin.data.registry import parse_call
from divmin.errors import DivminError


def test_parameters_reach_the_density() -> None:
    source = load(" ring( n=6 , sigma = 5e-2 ) ", seed=3)
    assert source == DensitySource("ring( n=6 , sigma = 5e-2 )", densities()["ring"](n=6, sigma=0.05), 3)
    assert source.name == "ring( n=6 , sigma = 5e-2 )"
    assert not torch.equal(source.batch(torch.arange(3)), load("ring(n=6, sigma=0.05)").batch(torch.arange(3)))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ring", ("ring", {})),
        ("ring()", ("ring", {})),
        ("a(b=-1, c=+.5, d=1., e=1e3)", ("a", {"b": -1, "c": 0.5, "d": 1.0, "e": 1000.0})),
        ("a/b", None),
        ("a(b=1", None),
        ("a(b=1/4,)", ("a", {"b": 0.25})),
        ("3a", None),
        ("", None),
    ],
)
def test_the_language_of_names(text: str, read: tuple[str, dict[str, float]] | None) -> None:
    assert parse_call(text) == read


def test_whole_numbers_stay_whole() -> None:
    call = parse_call("a(b=6, c=6.5)")
    assert call is not None
    assert [type(value) for value in call[1].values()] == [int, float]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("rnig", "unknown data 'rnig'.*did you mean ring"),
        ("rnig(n=3)", "did you mean ring"),
        ("no/such/place", "no such path"),
        ("ring(n)", "expected key=number"),
        ("ring(n=__import__('os'))", "cannot read"),
        ("ring(n=m)", "expected key=number"),
        ("ring(n=1, n=2)", "given twice"),
        ("ring(sgima=1)", "did you mean sigma"),
        ("ring(n=1.5)", "expected a whole number"),
        ("ring(sigma=1e999)", "too large"),
        ("x" * 5000, "no such path"),
        ("digits(n=3)", "digits has no parameters in parentheses: write digits"),
        ("digits:train", "digits has no part 'train'"),
        ("stacked(mnist)", "stacked has no parameters in parentheses: write stacked:DATA"),
        (__file__, r"neither a folder nor a file of a known kind \(\.parquet, \.npy"),
        ("hub:", "needs a name"),
        ("", "is empty: known: .*ring"),
    ],
)
def test_what_cannot_be_read(spec: str, says: str) -> None:
    with pytest.raises(DivminError, match=says) as caught:
        load(spec)
    assert "\n" not in str(caught.value)


def test_densities_are_no_images() -> None:
    with pytest.raises(DivminError, match="has no images"):
        load("ring", image_size=8)
    with pytest.raises(DivminError, match="has no images"):
        load("ring", channels=1)


@pytest.mark.parametrize(("image_size", "channels"), [(0, None), (-3, None), (None, 2), (None, 4)])
def test_impossible_forms(image_size: int | None, channels: int | None) -> None:
    with pytest.raises(DivminError, match="expected"):
        load("digits", image_size=image_size, channels=channels)


def test_every_listed_name_loads() -> None:
    names = [name for name in sources() if name.islower() and ":" not in name]
    assert {*densities(), "digits"} == set(names)
    for name in names:
        source = load(name)
        assert source.batch(torch.arange(2)).shape == (2, *source.shape)
    assert all(line and "\n" not in line for line in sources().values())


def test_digits() -> None:
    from sklearn.datasets import load_digits

    bundled = load_digits()
    source = load("digits")
    assert isinstance(source, ArraySource)
    assert (source.name, source.shape, source.size) == ("digits", (1, 8, 8), 1797)
    pixels = source.batch(torch.arange(1797))
    assert (float(pixels.min()), float(pixels.max())) == (-1.0, 1.0)
    assert np.array_equal(((pixels[:, 0] + 1) * 8).numpy(), bundled.images.astype(np.float32))
    assert source.labels is not None
    assert source.labels.tolist() == bundled.target.tolist()


def test_digits_in_another_form() -> None:
    source = load("digits", image_size=16, channels=3)
    assert isinstance(source, ByteSource)
    assert source.shape == (3, 16, 16)
    assert source.labels is not None
    small = torch.nn.functional.avg_pool2d(source.batch(torch.arange(50)), 2)
    assert (small[:, 0] - load("digits").batch(torch.arange(50))[:, 0]).abs().mean() < 0.1
    same = load("digits", channels=3).batch(torch.arange(20))
    assert torch.allclose(same, load("digits").batch(torch.arange(20)).expand(-1, 3, -1, -1), atol=0.004)


def test_a_name_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ring").mkdir()
    monkeypatch.chdir(tmp_path)
    assert isinstance(load("ring"), DensitySource)
    with pytest.raises(DivminError, match="no pictures"):
        load("./ring")


def test_arrays() -> None:
    given = np.arange(12, dtype=np.float64).reshape(6, 2)
    source = from_array(given, name="mine", labels=np.arange(6))
    given[:] = 0
    assert (source.name, source.shape, source.size) == ("mine", (2,), 6)
    assert source.batch(torch.tensor([2])).tolist() == [[4.0, 5.0]]
    assert source.labels is not None
    assert source.labels.tolist() == list(range(6))
    leaf = torch.zeros(3, 2, requires_grad=True)
    assert not from_array(leaf).values.requires_grad


@pytest.mark.parametrize(
    ("array", "labels", "says"),
    [
        (np.zeros((3, 2), dtype=np.int64), None, "expected floating"),
        (np.zeros(3), None, "expected .samples"),
        (np.zeros((0, 2)), None, "expected .samples"),
        (np.array([[0.0], [np.nan], [np.inf]]), None, "2 samples"),
        (np.array([[1e300]]), None, "1 samples"),
        (np.zeros((3, 2)), np.zeros(2, dtype=np.int64), "labels"),
        (np.zeros((3, 2)), np.zeros(3), "labels"),
    ],
)
def test_arrays_that_cannot_be_used(array: np.ndarray, labels: np.ndarray | None, says: str) -> None:
    with pytest.raises(DivminError, match=says):
        from_array(array, labels=labels)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(DivminError, match="two densities"):
        register_density("ring", "another")(lambda: densities()["normal"]())


def test_the_room_imports_no_heavy_library() -> None:
    heavy = "{'sklearn', 'datasets', 'PIL', 'pyarrow', 'scipy', 'matplotlib', 'lightning_fabric'}"
    check = f"import sys, divmin.data.load, divmin.models; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
