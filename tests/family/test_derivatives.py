"""Autograd beyond first slopes: second derivatives, masks, functional transforms, compilation, autocast."""

from __future__ import annotations

import pytest
import torch
from experiments import EVERYTHING, SMOOTH, float64

import divmin as dm

FUNCTIONS = ("weight", "a", "b", "s")
smooth = pytest.mark.parametrize("text", SMOOTH)
D = float64(-5.0, -1.3, -0.2, 0.4, 1.1, 4.0)


@smooth
def test_second_derivatives(text: str) -> None:
    f = dm.divergence(text)
    for what in FUNCTIONS:
        d = D.clone().requires_grad_()
        (slope,) = torch.autograd.grad(getattr(f, what)(d).sum(), d, create_graph=True)
        bend = torch.autograd.grad(slope.sum(), d)[0] if slope.requires_grad else torch.zeros_like(d)  # linear: none
        near = [(D + shift).requires_grad_() for shift in (-1e-4, 1e-4)]
        low, high = (torch.autograd.grad(getattr(f, what)(x).sum(), x)[0] for x in near)
        size = bend.abs() + slope.detach().abs()
        assert ((bend - (high - low) / 2e-4).abs() <= 1e-6 * size + 1e-9).all(), what


@smooth
def test_functions_of_the_ratio(text: str) -> None:
    f = dm.divergence(text)
    assert torch.autograd.gradcheck(f.f, (float64(0.2, 0.9, 1.0, 3.0).requires_grad_(),))
    u = float64(0.2, 0.9, 1.0, 3.0).requires_grad_()
    (slope,) = torch.autograd.grad(f.f(u).sum(), u, create_graph=True)
    torch.testing.assert_close(slope, f.df(u))
    (bend,) = torch.autograd.grad(slope.sum(), u)
    torch.testing.assert_close(bend, f.d2f(u).detach())


@pytest.mark.parametrize("text", SMOOTH)
@pytest.mark.parametrize("what", ["a", "b", "s", "weight"])
def test_gradcheck(text: str, what: str) -> None:
    d = float64(-2.0, -0.4, 0.3, 1.7).requires_grad_()
    assert torch.autograd.gradcheck(getattr(dm.divergence(text), what), (d,))


@pytest.mark.parametrize("text", EVERYTHING)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_masked_overflow_has_gradient_zero(text: str, dtype: torch.dtype) -> None:
    f = dm.divergence(text)
    d = torch.tensor([-1e4, -200.0, -1.0, 0.5, 200.0, 1e4], dtype=dtype, requires_grad=True)
    mask = d.detach().abs() < 100
    for what in ("a", "b", "s"):
        (slope,) = torch.autograd.grad(torch.where(mask, getattr(f, what)(d), 0.0).sum(), d)
        assert slope[~mask].tolist() == [0, 0, 0, 0]
        assert slope.isfinite().all()


@pytest.mark.parametrize("text", EVERYTHING)
def test_nan_stays_nan_and_infinity_has_its_limit(text: str) -> None:
    f = dm.divergence(text)
    for what in ("a", "b", "s"):
        got = getattr(f, what)(float64(float("nan"), float("-inf"), float("inf"), 1.0))
        assert got.isnan().tolist() == [True, False, False, False], what
    assert f.f(float("inf")) == (0.0 if text == "hockey_stick(0.5)" or "reverse(hockey" in text else float("inf"))
    assert f.f(0.0) == pytest.approx(float(f.s(float("-inf"))))


@pytest.mark.parametrize(
    "text", ["kl", "js", "skew_kl(0.3)", "soften(reverse(kl))", "squared_hellinger", "power(0.3)", "igog"]
)
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # clamp_ has no batching rule of its own
def test_functional_transforms(text: str) -> None:
    f = dm.divergence(text)
    for what in ("a", "b", "weight"):
        function = getattr(f, what)
        d = D.clone().requires_grad_()
        (true,) = torch.autograd.grad(function(d).sum(), d)
        torch.testing.assert_close(torch.func.grad(lambda x, g=function: g(x).sum())(D), true)
        torch.testing.assert_close(torch.func.vmap(torch.func.grad(function))(D), true)
        torch.testing.assert_close(torch.func.jacrev(function)(D), torch.diag(true))
        torch.testing.assert_close(torch.func.vmap(function)(D.reshape(3, 2)), function(D).reshape(3, 2))


@pytest.mark.parametrize("text", ["js", "nonsaturating(kl)", "kl + js"])
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # by PyTorch's own tracer
@pytest.mark.filterwarnings("ignore:Dynamo detected a call")
def test_compiled_without_breaks(text: str) -> None:
    f = dm.divergence(text)
    for what in ("a", "b", "weight", "s"):
        torch._dynamo.reset()
        function = getattr(f, what)
        compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
        one, two = D.clone().requires_grad_(), D.clone().requires_grad_()
        left, right = compiled(one), function(two)
        torch.testing.assert_close(left, right, rtol=1e-14, atol=0)
        left.sum().backward()
        right.sum().backward()
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-14, atol=0)


@pytest.mark.parametrize("text", ["kl", "js", "igog", "power(0.3)"])
def test_autocast(text: str) -> None:
    f = dm.divergence(text)
    weight, x = torch.ones(1, 4, requires_grad=True), torch.ones(3, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        d = torch.nn.functional.linear(x, weight)
        loss = f.b(d).mean() + f.a(d).mean() + f.s(d).mean()
    assert d.dtype == torch.bfloat16
    loss.backward()
    assert weight.grad is not None
    assert weight.grad.isfinite().all()


def test_empty_scalar_and_strided() -> None:
    f = dm.divergence("js")
    for what in FUNCTIONS:
        function = getattr(f, what)
        assert function(torch.zeros(0, 3)).shape == (0, 3)
        assert function(torch.tensor(0.5)).shape == ()
        grid = torch.linspace(-3, 3, 12).reshape(3, 4)
        assert torch.equal(function(grid.t()), function(grid.t().contiguous()))
        assert torch.equal(function(grid[:, ::2]), function(grid)[:, ::2])
        wide = torch.tensor([[1.0], [-2.0]]).expand(2, 5)
        assert torch.equal(function(wide), function(wide.contiguous()))
        assert not function(grid).requires_grad
        before = grid.clone()
        function(grid)
        assert torch.equal(grid, before), "the argument was changed in place"
