"""The stable helpers against mpmath, at the places where the plain formula fails."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import divmin as dm
from divmin import DivminError, numerics
from divmin.errors import suggest
from divmin.numerics import apply, exp_second_difference, exp_times, expm1_times, log_mix, minus, smooth

TYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
D = [-700.0, -88.0, -40.0, -7.5, -1.0, -0.1, -1e-8, 1e-20, 1e-3, 0.7, 3.0, 33.25, 88.0, 700.0]


def agree(got: Tensor, true: list[mpmath.mpf], ulps: float) -> None:
    limits = torch.finfo(got.dtype)
    for value, exact in zip(got.tolist(), true, strict=True):
        if abs(exact) > limits.max:
            assert abs(value) >= limits.max
        elif abs(exact) > limits.tiny:
            assert abs(value - exact) <= ulps * limits.eps * abs(exact), (value, exact)
        else:
            assert abs(value) <= limits.tiny


def exactly(x: Tensor) -> list[mpmath.mpf]:
    return [mpmath.mpf(value) for value in x.tolist()]


@TYPES
@pytest.mark.parametrize("c", [0.0, 1.0, -2.0, 0.3, 1e-9, -0.999999999, 3.7])
@pytest.mark.parametrize("gain", [1.0, 0.25, 1e-3, 7.0])
def test_exponentials(c: float, gain: float, dtype: torch.dtype) -> None:
    d = torch.tensor(D, dtype=dtype)
    with mpmath.workdps(60):
        agree(exp_times(c, d, gain), [gain * mpmath.exp(c * x) for x in exactly(d)], 4)
        shifted = [gain * (mpmath.expm1(c * x) / c if c else x) for x in exactly(d)]
        agree(expm1_times(c, d, gain), shifted, 4)
    at = torch.tensor([math.nan, 0.0], dtype=dtype)
    assert exp_times(c, at).isnan().tolist() == [True, False]
    assert float(exp_times(c, at, gain)[1]) == pytest.approx(gain)
    assert float(expm1_times(c, at, gain)[1]) == 0


@given(st.floats(-100, 100), st.integers(-3, 3))
def test_minus_loses_nothing(x: float, k: int) -> None:
    from fractions import Fraction

    high, low = minus(x, k)
    assert Fraction(high) + Fraction(low) == Fraction(x) - k


@TYPES
@pytest.mark.parametrize("c", [0.5, 0.3, 0.7, 0.9, 1e-9, 1 - 1e-9])
def test_log_mix(c: float, dtype: torch.dtype) -> None:
    x = torch.tensor([*D, -1e4, 1e4], dtype=dtype)
    with mpmath.workdps(60):
        true = [mpmath.log(mpmath.mpf(c) * mpmath.exp(each) + 1 - mpmath.mpf(c)) for each in exactly(x)]
    agree(log_mix(c, 1 - c, x), true, 8)
    ends = log_mix(c, 1 - c, torch.tensor([-math.inf, math.inf, math.nan], dtype=dtype)).tolist()
    assert ends[0] == pytest.approx(math.log(1 - c), rel=1e-6)
    assert ends[1] == math.inf
    assert math.isnan(ends[2])


@TYPES
@pytest.mark.parametrize("beta", [-3.0, -1e-9, 0.0, 1e-9, 0.3, 0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 2.0, 4.0])
def test_exp_second_difference(beta: float, dtype: torch.dtype) -> None:
    t = torch.tensor([-600.0, -88.0, -9.0, -2.0, -1.01, -0.99, -0.34, -0.1, -1e-4, -1e-15, 0.0], dtype=dtype)
    with mpmath.workdps(120):
        b = mpmath.mpf(beta)
        if beta == 0:
            true = [mpmath.exp(x) - 1 - x for x in exactly(t)]  # the limits of the quotient
        elif beta == 1:
            true = [x * mpmath.exp(x) - mpmath.expm1(x) for x in exactly(t)]
        else:
            true = [(mpmath.expm1(b * x) - b * mpmath.expm1(x)) / (b * (b - 1)) for x in exactly(t)]
    agree(exp_second_difference(beta, t), true, 12)


def test_smooth_takes_the_slope_that_it_is_given() -> None:
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    y = smooth(x, lambda v: v.detach().exp(), lambda v: 3 * v**2)
    assert y.tolist() == x.exp().tolist()
    (slope,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert slope.tolist() == [3.0, 12.0]
    (bend,) = torch.autograd.grad(slope.sum(), x)
    assert bend.tolist() == [6.0, 12.0]


def test_smooth_keeps_what_nothing_depends_on_at_zero() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = smooth(x, torch.exp, lambda v: v * math.inf)
    (slope,) = torch.autograd.grad(y[0], x)
    assert slope.tolist() == [math.inf, 0.0]


def test_apply_rounds_once() -> None:
    seen = []

    def kernel(x: Tensor) -> Tensor:
        seen.append(x.dtype)
        return x + 1e-4 - 1e-4

    for dtype, inner in (
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float64, torch.float64),
    ):
        assert apply(kernel, torch.ones(2, dtype=dtype)).dtype == dtype
        assert seen[-1] == inner
    with pytest.raises(DivminError, match="float dtype"):
        apply(kernel, torch.ones(2, dtype=torch.int64))


def test_suggestions() -> None:
    assert suggest("reverse_lk", ["kl", "reverse_kl"]) == "did you mean reverse_kl?"
    assert suggest("zzz", ("kl", "js")) == "known: kl, js"
    assert suggest("zzz", tuple(dm.divergences())) == "no known name is like it"


def test_gauss_legendre_nodes() -> None:
    x, w = np.polynomial.legendre.leggauss(20)
    np.testing.assert_allclose(numerics.NODES, (x + 1) / 2, rtol=0, atol=1e-15)
    np.testing.assert_allclose(numerics.WEIGHTS, w / 2, rtol=1e-13)
