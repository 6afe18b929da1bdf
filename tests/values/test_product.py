"""Products in any dimension: against closed forms, the plane, and sums written out."""

from __future__ import annotations

import math
from itertools import product as outcomes

import pytest
import torch
from torch import distributions as td

import divmin as dm


def t(x: object) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def laplace(n: int, shift: float) -> td.Independent:
    return td.Independent(td.Laplace(torch.full((n,), shift).double(), torch.linspace(1, 2, n).double()), 1)


def test_kl_adds_up_and_moments_multiply() -> None:
    p, q = laplace(7, 0.3), laplace(7, 0.0)
    found = dm.exact("kl", p, q)
    assert found.route.value == "factor by factor"
    assert found.value == pytest.approx(float(td.kl_divergence(p, q)), rel=1e-12)
    normal = [td.Independent(td.Normal(t([m] * 5), t([1.0, 1.2, 1.4, 1.6, 1.8])), 1) for m in (0.0, 0.4)]
    for name in ("squared_hellinger", "chi2_model_denominator", "power(-0.5) + kl", "t_power(3)"):
        closed, factors = (dm.exact(name, *normal, route=route) for route in ("closed form", "factor by factor"))
        assert factors.value == pytest.approx(closed.value, rel=1e-11)
        assert abs(factors.value - closed.value) <= factors.error + closed.error


def test_two_factors_are_the_plane() -> None:
    p, q = dm.law("product(normal(0.3, 1), laplace(0.2, 1))"), dm.law("normal(0, 1)^2")
    for name in ("kl", "squared_hellinger"):
        plane = dm.exact(name, p, q, route="cubature in the plane")
        assert dm.exact(name, p, q).value == pytest.approx(plane.value, rel=1e-9)


@pytest.mark.parametrize("name", ["js", "kl", "total_variation", "soften(js)"])
def test_coins_are_summed_over_all_outcomes(name: str) -> None:
    one, other = [0.2, 0.5, 0.9], [0.3, 0.4, 0.6]
    p, q = (td.Independent(td.Bernoulli(t(each)), 1) for each in (one, other))
    joint = [
        t([math.prod(a if k else 1 - a for a, k in zip(each, ks, strict=True)) for ks in outcomes((0, 1), repeat=3)])
        for each in (t(one).tolist(), t(other).tolist())
    ]
    wanted = dm.exact(name, *(each.double() / each.double().sum() for each in joint)).value
    assert dm.exact(name, p, q).value == pytest.approx(wanted, rel=1e-12)


def test_infinite_and_differentiable() -> None:
    p, q = (
        td.Independent(td.Uniform(t([0.0, 0.0]), t([1.0, 2.0])), 1),
        td.Independent(td.Uniform(t([0.0, 0.0]), t([1.0, 1.0])), 1),
    )
    assert dm.exact("kl", p, q).value == math.inf
    assert dm.exact("kl", q, p).value == pytest.approx(math.log(2), rel=1e-12)
    shift = t(0.3).requires_grad_()
    found = dm.exact("kl", laplace(3, 0.0), td.Independent(td.Laplace(shift.expand(3), torch.ones(3).double()), 1))
    (slope,) = torch.autograd.grad(found.tensor, shift)
    step = 1e-5
    around = [
        dm.exact("kl", laplace(3, 0.0), td.Independent(td.Laplace(t([0.3 + s] * 3), torch.ones(3).double()), 1)).value
        for s in (-step, step)
    ]
    assert float(slope) == pytest.approx((around[1] - around[0]) / (2 * step), rel=1e-6)


def test_what_factors_do_not_tell_is_said() -> None:
    with pytest.raises(dm.DivminError, match="no exact route"):
        dm.exact("js", laplace(3, 0.3), laplace(3, 0.0))
