"""NumPy arrays, Python numbers and everything else that may be handed to a function of d."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from experiments import EVERYTHING

import divmin as dm

FUNCTIONS = ("a", "b", "s", "f", "df")


@pytest.mark.parametrize("text", EVERYTHING)
def test_all_kinds_agree(text: str) -> None:
    f = dm.divergence(text)
    values = [0.25, 0.5, 1.5, 2.0]
    for what in FUNCTIONS:
        function = getattr(f, what)
        true = function(torch.tensor(values, dtype=torch.float64))
        for dtype in (np.float64, np.float32, np.float16):
            got = function(np.array(values, dtype=dtype))
            assert isinstance(got, np.ndarray)
            assert got.dtype == dtype
            np.testing.assert_allclose(got, true.numpy(), rtol=8 * float(np.finfo(dtype).eps), atol=0)
        assert [function(value) for value in values] == pytest.approx(true.tolist(), rel=1e-14)
        assert all(type(function(value)) is float for value in values)
        scalar = function(np.float32(2.0))
        assert isinstance(scalar, np.float32)


def test_integers_are_read_as_float64() -> None:
    f = dm.divergence("kl")
    assert f.b(1) == f.b(1.0)
    assert type(f.b(1)) is float
    got = f.b(np.array([1, 2]))
    assert got.dtype == np.float64
    assert got.tolist() == pytest.approx([np.expm1(1), np.expm1(2)])


def test_shapes_and_strides() -> None:
    f, grid = dm.divergence("js"), np.linspace(-3, 3, 12).reshape(3, 4)
    assert f.s(grid).shape == (3, 4)
    np.testing.assert_array_equal(f.s(grid.T), f.s(grid).T)
    np.testing.assert_array_equal(f.s(grid[:, ::-2]), f.s(grid)[:, ::-2])
    assert f.s(np.zeros((0, 2))).shape == (0, 2)
    assert f.s(np.array(0.5)).shape == ()
    frozen = grid.copy()
    frozen.setflags(write=False)
    np.testing.assert_array_equal(f.s(frozen), f.s(grid))


@pytest.mark.parametrize(
    "bad",
    [
        "0.5",
        None,
        [1.0, 2.0],
        True,
        {},
        1 + 2j,
        torch.tensor([1, 2]),
        torch.tensor([1j]),
        np.array(["a"]),
        np.array([1j]),
    ],
    ids=repr,
)
def test_what_is_not_real_numbers_is_one_line(bad: object) -> None:
    with pytest.raises(dm.DivminError) as caught:
        dm.divergence("kl").b(bad)  # type: ignore[type-var]
    assert "\n" not in str(caught.value)
