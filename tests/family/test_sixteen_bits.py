"""float16 and bfloat16: at every finite value of the type, the float64 result rounded, within one ulp of the type."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import divmin as dm

SMOOTH = [name for name, each in dm.divergences().items() if each.smooth]
KINKED = [name for name, each in dm.divergences().items() if not each.smooth]
TYPES = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])


def every_finite(dtype: torch.dtype, step: int) -> Tensor:
    """Every `step`-th finite value of the type."""
    bits = torch.arange(-(2**15), 2**15, step).to(torch.int16)
    values = bits.view(dtype)
    return values[values.isfinite()]


def rank(x: Tensor) -> Tensor:
    """The place of a 16-bit float among all of them: neighbours differ by 1, both zeros are 0."""
    bits = x.view(torch.int16).int()
    return torch.where(bits < 0, -(bits + 2**15), bits)


def steps(name: str, dtype: torch.dtype) -> int:
    """Every value for a few members; a sample for the others, and for bfloat16's huge values where s is a quadrature."""
    if name in ("kl", "power(0.3)", "total_variation"):
        return 1
    return 37 if dtype == torch.float16 else 151


@TYPES
@pytest.mark.parametrize("name", SMOOTH + KINKED)
def test_is_the_float64_result_rounded(name: str, dtype: torch.dtype) -> None:
    divergence = dm.divergence(name)
    d = every_finite(dtype, steps(name, dtype))
    for what in ("weight", "a", "b", "s", "f", "df", "d2f"):
        if name in KINKED and what in ("weight", "d2f"):
            continue
        x = d if what in ("weight", "a", "b", "s") else d[d > 0]
        got = getattr(divergence, what)(x)
        wide = getattr(divergence, what)(x.double())
        assert got.dtype == dtype
        assert not got.isnan().any(), what
        # float32, in which bfloat16 is computed, must hold e^-|d| times the parameters: 1e-9 in gjs(1e-9), power(1e-9)
        small = wide.abs() < (1e-28 if "e-09" in name or "999" in name else 1e-36 if dtype == torch.bfloat16 else 0.0)
        assert (got.double().abs()[small] <= 1.1e-28).all(), what
        apart = (rank(got) - rank(wide.to(dtype))).abs().masked_fill(small, 0)
        assert apart.max() <= 1, (what, x[apart.argmax()].item(), got[apart.argmax()], wide[apart.argmax()])


@TYPES
@pytest.mark.parametrize("name", SMOOTH)
def test_slopes_are_rounded_too(name: str, dtype: torch.dtype) -> None:
    divergence, limits = dm.divergence(name), torch.finfo(dtype)
    d = every_finite(dtype, 397)
    for what in ("weight", "a", "b", "s"):
        narrow, wide = d.clone().requires_grad_(), d.double().requires_grad_()
        value = getattr(divergence, what)(wide)
        (got,) = torch.autograd.grad(getattr(divergence, what)(narrow).sum(), narrow)
        (true,) = torch.autograd.grad(value.sum(), wide)
        assert got.dtype == dtype
        assert not got.isnan().any(), what
        # the slope of s is a difference where a or b overflows, and that of a weight one of weights
        size = true.abs() + value.detach().abs()
        wrong = (got.double() - true).abs() > limits.eps * size + 1e-28 + limits.tiny * limits.eps
        wrong &= (size < 0.9 * limits.max) & true.isfinite()
        assert not wrong.any(), (what, d[wrong][:4], got[wrong][:4], true[wrong][:4])
