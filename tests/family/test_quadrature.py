"""The base class's slow integrals against the members' closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from experiments import SMOOTH, float64

import divmin as dm
from divmin import Divergence
from divmin.numerics import integrate

D = float64(-20.0, -7.5, -3.0, -1.0, -0.2, -1e-3, -1e-9, 0.0, 1e-6, 0.1, 0.7, 2.0, 5.0, 11.0, 20.0)


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("k", [0, 1])
def test_integrals(name: str, k: int) -> None:
    f = dm.divergence(name)
    torch.testing.assert_close(Divergence._integral(f, D, k), f._integral(D, k), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", SMOOTH)
def test_symmetry_preserving(name: str) -> None:
    f = dm.divergence(name)
    torch.testing.assert_close(Divergence._s(f, D, 0), f._s(D, 0), rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", SMOOTH)
def test_infinite_ends(name: str) -> None:
    f, ends = dm.divergence(name), float64(-math.inf, math.inf)
    for k in (0, 1):
        slow, fast = Divergence._integral(f, ends, k), f._integral(ends, k)
        if "1e-09" not in name and "999" not in name:  # there the limit lies beyond the 1e4 of the quadrature
            torch.testing.assert_close(slow, fast, rtol=1e-12, atol=0)
        assert slow.isfinite().tolist() == [f.tails.R + k < 2, f.tails.S - k < 1]
    assert Divergence._s(f, ends, 0).isfinite().tolist() == [f.left_bounded, f.right_bounded]


def test_a_known_integral_at_every_scale() -> None:
    ends = float64(1e-12, 0.3, 4.0, 60.0, 700.0, -0.3, -50.0)
    torch.testing.assert_close(integrate(torch.exp, ends), ends.expm1(), rtol=1e-13, atol=0)
    torch.testing.assert_close(
        integrate(lambda x: 1 / (1 + x * x), float64(0.5, -3.0)), float64(0.5, -3.0).atan(), rtol=1e-12, atol=0
    )


def test_shapes_and_nan() -> None:
    assert integrate(torch.exp, torch.zeros(2, 0, 3)).shape == (2, 0, 3)
    assert integrate(torch.exp, torch.ones(2, 3)).dtype == torch.float32
    assert integrate(torch.exp, float64(math.nan, 1.0)).isnan().tolist() == [True, False]
