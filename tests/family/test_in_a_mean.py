"""The terms of losses: the slopes are those of a and b to the last digits, the values differ by roundings of their terms."""

from __future__ import annotations

import pytest
import torch
from experiments import SMOOTH
from torch import Tensor
from torch.func import vmap

import divmin as dm
from divmin import Divergence

TYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
SIDES = pytest.mark.parametrize("k", [0, 1], ids=["b", "a"])
SIZES = [0.0, 1e-6, 0.01, 0.3, 1.0, 2.5, 7.0, 19.0, 33.0, 41.0, 80.0, 88.5, 300.0, 709.0, 1e4]
D = torch.tensor([sign * size for size in SIZES for sign in (-1, 1)], dtype=torch.float64)


def usual(f: Divergence, d: Tensor, k: int) -> Tensor:
    return f.a(d) if k else f.b(d)


def slope(value: Tensor, d: Tensor, **how: bool) -> Tensor:
    return torch.autograd.grad(value.sum(), d, **how)[0]


@TYPES
@SIDES
@pytest.mark.parametrize("name", SMOOTH)
def test_values_and_slopes(name: str, k: int, dtype: torch.dtype) -> None:
    f, d, limits = dm.divergence(name), D.to(dtype).requires_grad_(), torch.finfo(dtype)
    got, wanted = f.in_a_mean(d, k), usual(f, d, k)
    assert (got.dtype, got.isnan().any().item()) == (dtype, False)
    inside = wanted.isfinite() & got.isfinite()
    assert torch.equal(got.isfinite(), wanted.isfinite())
    size = d.detach().abs()  # of the logarithms, whose rounding moves e^d by as many roundings of its own
    terms = 4 + f.scale * (1 + size) + wanted.detach().abs()
    assert ((got - wanted).abs() <= (16 + size) * limits.eps * terms)[inside].all()
    steep, true = slope(got, d), slope(wanted, d)
    inside = true.isfinite() & (true > 64 * limits.tiny)
    assert ((steep - true).abs() <= 16 * limits.eps * true)[inside].all()
    assert not steep.isnan().any()


def test_most_of_the_catalogue_has_them() -> None:
    """A member that falls back to the slow way would pass every other test here."""
    without = [name for name, f in dm.divergences().items() if f.smooth and f._rough(0) is None]
    assert without == ["power(1e-09)"]


@SIDES
@pytest.mark.parametrize("name", ["jeffreys", "js", "srkl", "igog", "arithmetic_geometric", "triangular", "power(0.3)"])
def test_backward_again_and_twice(name: str, k: int) -> None:
    f, d = dm.divergence(name), D[abs(D) < 9].requires_grad_()
    value = f.in_a_mean(d, k)
    first = slope(value, d, retain_graph=True)
    torch.testing.assert_close(first, slope(value, d, retain_graph=True), rtol=1e-14, atol=0)
    curved = slope(slope(f.in_a_mean(d, k), d, create_graph=True), d)
    torch.testing.assert_close(curved, slope(slope(usual(f, d, k), d, create_graph=True), d))
    assert first.abs().min() > 0


def test_an_entry_that_nothing_depends_on_has_no_gradient() -> None:
    d = torch.tensor([0.5, 800.0], requires_grad=True)
    (got,) = torch.autograd.grad(dm.divergence("kl").in_a_mean(d, 0)[0], d)
    assert got.tolist() == pytest.approx([torch.tensor(0.5).exp().item(), 0.0])


def test_under_vmap() -> None:
    f, d = dm.divergence("js"), D[abs(D) < 9].reshape(-1, 2)
    torch.testing.assert_close(vmap(lambda x: f.in_a_mean(x, 0))(d), f.b(d))
