"""Every function of every entry against 40-digit references, in units in the last place."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from references import Parameters, at_log_ratio, at_ratio, f_of_u, smooth_cases
from torch import Tensor

from divmin.family.catalogue import Entry

ULPS = 8
BY_QUADRATURE = 16  # where the integral of a skewed member has no formula that keeps its digits
_SIZES = [
    1e-20, 1e-12, 1e-8, 1e-4, 0.01, 0.1, 0.3, 0.69, 1.0, 1.1, 1.7, 2.5, 4.0, 7.0, 12.0, 19.5, 29.7, 33.3, 40.5, 43.9,
    61.0, 79.9, 86.9, 88.1, 88.9, 100.0, 177.9, 200.7, 345.6, 354.7, 355.2, 500.1, 700.3, 708.0, 744.1, 800.0,
]  # fmt: skip
# Exactly the same binary numbers in both precisions, so that one reference serves both.
LOG_RATIOS = torch.tensor([sign * size for size in _SIZES for sign in (-1, 1)], dtype=torch.float32).double()
RATIOS = torch.tensor(
    [1e-30, 1e-9, 1e-4, 0.01, 0.3, 0.5, 0.9, 1 - 2**-20, 1 + 2**-20, 1 + 2**-8, 1.1, 2.0, 7.0, 1e3, 1e6, 1e15, 1e30],
    dtype=torch.float32,
).double()


def flushed(entry: Entry, values: Parameters) -> float:
    """How far above the smallest normal number results may be 0: e^-|d| is multiplied by as much, at the end."""
    return 16 / values[0] if entry.parameters == ("pi",) else 16.0


def ulps(
    got: float, true: mpmath.mpf, dtype: torch.dtype, floor: float = 16.0, size: mpmath.mpf | None = None
) -> float:
    """The error in units of eps times the true value, or times the larger `size` of the terms that it is made of.

    Results below `floor` times the smallest normal number may be 0; those at the top may be infinite.
    """
    limits = torch.finfo(dtype)
    size = abs(true) if size is None else size
    if size > limits.max * (1 - ULPS * limits.eps) and not math.isnan(got):
        return 0.0 if got * true >= 0 and (size > abs(true) or abs(got) >= limits.max * (1 - 1e-6)) else math.inf
    if size < floor * limits.tiny:
        return 0.0 if abs(got) <= 1.01 * floor * limits.tiny else math.inf
    return float(abs(mpmath.mpf(got) - true) / size / limits.eps) if math.isfinite(got) else math.inf


def worst(errors: list[float], at: Tensor) -> str:
    """What to print when a bound is broken."""
    index = max(range(len(errors)), key=errors.__getitem__)
    return f"{errors[index]:.1f} ulp at {float(at[index])!r}"


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(("entry", "values"), smooth_cases())
@pytest.mark.parametrize("what", ["weight", "a", "b", "s"])
def test_functions_of_the_log_ratio(entry: Entry, values: Parameters, what: str, dtype: torch.dtype) -> None:
    f = f_of_u(entry, values)
    got = getattr(entry.build(*values), what)(LOG_RATIOS.to(dtype)).tolist()
    floor = flushed(entry, values)
    errors = [
        ulps(value, at_log_ratio(f, d)[what], dtype, floor) for value, d in zip(got, LOG_RATIOS.tolist(), strict=True)
    ]
    skewed = entry.name.startswith("skew") and values[0] > 0.5
    assert max(errors) <= (BY_QUADRATURE if skewed else ULPS), worst(errors, LOG_RATIOS)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(("entry", "values"), smooth_cases())
@pytest.mark.parametrize("what", ["f", "df", "d2f"])
def test_functions_of_the_ratio(entry: Entry, values: Parameters, what: str, dtype: torch.dtype) -> None:
    """They go through log u, whose rounding alone costs half an ulp of log u times the slope on log axes."""
    f = f_of_u(entry, values)
    divergence = entry.build(*values)
    got = getattr(divergence, what)(RATIOS.to(dtype)).tolist()
    steepest = 3 + max(abs(divergence.tails.R), abs(divergence.tails.S))
    errors = [
        ulps(value, at_ratio(f, u)[what], dtype) / (1 + steepest * abs(math.log(u)) / ULPS)
        for value, u in zip(got, RATIOS.tolist(), strict=True)
    ]
    assert max(errors) <= ULPS, worst(errors, RATIOS)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(("entry", "values"), smooth_cases())
@pytest.mark.parametrize("what", ["a", "b", "s", "weight"])
def test_slopes(entry: Entry, values: Parameters, what: str, dtype: torch.dtype) -> None:
    """Autograd's derivative has the accuracy of a formula of its own; that of the weight, relative to the weight."""
    f = f_of_u(entry, values)
    d = LOG_RATIOS.clone().to(dtype).requires_grad_()
    (slope,) = torch.autograd.grad(getattr(entry.build(*values), what)(d).sum(), d)
    errors = []
    for got, x in zip(slope.tolist(), LOG_RATIOS.tolist(), strict=True):
        true = at_log_ratio(f, x)
        # The slope of the weight is judged against the weight, and that of s, which has no formula but e^d a(d) and
        # e^-d b(d), against what is subtracted where a or b overflows.
        size = max(abs(true["weight'"]), true["weight"]) if what == "weight" else abs(true[f"{what}'"])
        if what == "s" and abs(true["a" if x < 0 else "b"]) > torch.finfo(dtype).max:
            size += true["s"] + abs(true["b" if x < 0 else "a"])
        errors.append(ulps(got, true[f"{what}'"], dtype, flushed(entry, values), size))
    assert max(errors) <= 2 * ULPS, worst(errors, LOG_RATIOS)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(("entry", "values"), smooth_cases())
@pytest.mark.parametrize("side", [-1, 1], ids=["left", "right"])
def test_far_out(entry: Entry, values: Parameters, side: int, dtype: torch.dtype) -> None:
    """At |d| = 1e4 nothing is NaN, and integrals are what they were at 800 plus what the tail adds from there."""
    divergence = entry.build(*values)
    tails = divergence.tails
    d = torch.tensor(side * 1e4, dtype=dtype, requires_grad=True)
    base = at_log_ratio(f_of_u(entry, values), side * 800.0)
    for what, k in (("a", 1), ("b", 0)):
        rate, size = (2 - tails.R - k, tails.C) if side < 0 else (tails.S - 1 - k, tails.D)
        with mpmath.workdps(40):
            ends = [mpmath.exp(rate * side * x) / rate if rate else side * x for x in map(mpmath.mpf, (800, 10000))]
            true = base[what] + size * (ends[1] - ends[0])
        bound = ULPS if rate.is_integer() else 1e4  # a rate of 1e-9, read off R = 2 - 1e-9, has few digits
        assert ulps(getattr(divergence, what)(d).item(), true, dtype) <= bound, what
    for what in ("weight", "a", "b", "s"):
        value = getattr(divergence, what)(d)
        (slope,) = torch.autograd.grad(value, d)
        assert not value.isnan(), what
        assert not slope.isnan(), what
