"""Divergences with kinks: what they have, what they refuse, and their values on sums."""

from __future__ import annotations

import math

import pytest
import torch
from experiments import KINKED, float64, pair, value

import divmin as dm
from divmin.errors import NotSmoothError

COMPOSED = ("soften(total_variation)", "skew(hockey_stick(3), 0.2)", "total_variation + kl", "reverse(hockey_stick(3))",
            "nonsaturating(total_variation)", "2*total_variation", "symmetrize(hockey_stick(0.5))")  # fmt: skip


@pytest.mark.parametrize("text", [*KINKED, *COMPOSED])
def test_asking_for_a_weight_is_one_clear_line(text: str) -> None:
    f = dm.divergence(text)
    assert not f.smooth
    for ask in (lambda: f.weight(0.5), lambda: f.d2f(2.0), f.canonical):
        with pytest.raises(NotSmoothError, match="kink") as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_total_variation() -> None:
    f = dm.divergence("total_variation")
    assert (f.a(2.0), f.a(-2.0), f.a(0.0)) == (0.5, -0.5, 0.0)
    assert (f.b(2.0), f.b(-2.0)) == (0.5, -0.5)
    assert f.f(3.0) == pytest.approx(1.0)
    assert f.f(0.0) == 0.5
    assert f.s(math.inf) == f.s(-math.inf) == 0.5
    assert f.sup == 1
    p, q = pair(1)
    assert float(value(f, p, q)) == pytest.approx(float((p - q).abs().sum() / 2))


def test_hockey_stick_at_one_is_total_variation() -> None:
    one, two, d = dm.divergence("hockey_stick(1)"), dm.divergence("total_variation"), torch.linspace(-5, 5, 41)
    for what in ("a", "b", "s"):
        assert torch.equal(getattr(one, what)(d), getattr(two, what)(d))


@pytest.mark.parametrize("gamma", [1.0, 1.5, 3.0, 40.0])
def test_hockey_stick_is_the_mass_above(gamma: float) -> None:
    f = dm.divergence(f"hockey_stick({gamma})")
    for seed in range(3):
        p, q = pair(seed)
        assert float(value(f, p, q)) == pytest.approx(float((p - gamma * q).clamp(min=0).sum()), rel=1e-12, abs=1e-16)
        assert float((q * f.f(p / q)).sum()) == pytest.approx(float(value(f, p, q)), rel=1e-11, abs=1e-15)


@pytest.mark.parametrize("gamma", [0.9, 0.5, 0.05])
def test_hockey_stick_below_one_is_the_mass_below(gamma: float) -> None:
    f = dm.divergence(f"hockey_stick({gamma})")
    for seed in range(3):
        p, q = pair(seed)
        assert float(value(f, p, q)) == pytest.approx(float((gamma * q - p).clamp(min=0).sum()), rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("gamma", [0.5, 3.0])
def test_steps_at_the_kink(gamma: float) -> None:
    f, at = dm.divergence(f"hockey_stick({gamma})"), math.log(gamma)
    d = float64(at - 1, at - 1e-9, at + 1e-9, at + 1)
    a, b = f.a(d), f.b(d)
    assert a[0] == a[1]
    assert a[2] == a[3]
    assert float(a[2] - a[1]) == pytest.approx(1)
    assert float(b[2] - b[1]) == pytest.approx(gamma)
    assert f.a(0.0) == f.b(0.0) == 0
    u = d.exp()
    torch.testing.assert_close(f.f(u), u * a - b, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("text", [*KINKED, "total_variation + js"])
def test_slopes_between_kinks(text: str) -> None:
    f = dm.divergence(text)
    d = float64(-3.0, -0.2, 0.3, 2.5).requires_grad_()
    for what in ("a", "b", "s"):
        function = getattr(f, what)
        (slope,) = torch.autograd.grad(function(d).sum(), d)
        with torch.no_grad():
            measured = (function(d + 1e-5) - function(d - 1e-5)) / 2e-5
        torch.testing.assert_close(slope, measured, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("gamma", ["0", "-1", "1e999"])
def test_other_gammas_are_refused(gamma: str) -> None:
    with pytest.raises(dm.DivminError):
        dm.divergence(f"hockey_stick({gamma})")
