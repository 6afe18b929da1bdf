"""Penalties against closed forms, finite differences and hand-written sums."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.objectives.penalties import gradient_penalty, orthogonal, r1, r2, squared_slopes


def quadratic(matrix):
    """c(x) = x'Ax/2, whose gradient is Ax for a symmetric A."""
    return lambda x: ((x @ matrix) * x).sum(1) / 2


@pytest.fixture
def matrix():
    a = torch.tensor([[2.0, 0.5, 0.0], [0.5, -1.0, 0.25], [0.0, 0.25, 3.0]], dtype=torch.float64)
    return a.requires_grad_()


@pytest.fixture
def x():
    return torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_slopes_of_a_quadratic_critic(matrix, x):
    torch.testing.assert_close(squared_slopes(quadratic(matrix), x), (x @ matrix).square().sum(1), rtol=1e-14, atol=0)
    expected = (x @ matrix).square().sum(1).mean() / 2
    for penalty in (r1, r2):
        torch.testing.assert_close(penalty(quadratic(matrix), x), expected, rtol=1e-14, atol=0)


def test_penalties_are_differentiable_in_the_weights(x):
    """d/dA of mean |Ax|^2 / 2 is the mean of A x x' for a symmetric critic (A + A')/2."""
    a = torch.eye(3, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(r1(quadratic(a), x), a)
    torch.testing.assert_close(slope, x.T @ x / len(x), rtol=1e-13, atol=1e-15)
    assert torch.autograd.gradcheck(lambda w: r1(quadratic((w + w.T) / 2), x), (a,))
    share = torch.rand(7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    b = torch.randn(3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda w: gradient_penalty(quadratic(w + w.T), x, x.flip(0) + 1, share), (b,))


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0, 3.0])
def test_gradient_penalty_of_a_linear_critic(slope):
    real, fake, share = torch.randn(5, 2), torch.randn(5, 2), torch.rand(5)
    critic = lambda x: slope * x[:, 0]  # noqa: E731
    assert float(gradient_penalty(critic, real, fake, share)) == pytest.approx((slope - 1) ** 2, abs=1e-5)
    one_sided = float(gradient_penalty(critic, real, fake, share, one_sided=True))
    assert one_sided == pytest.approx(max(slope - 1, 0) ** 2, abs=1e-5)


def test_a_flat_critic_has_a_finite_gradient():
    """The slope of a length at 0 is infinite; the small number inside the root is what it is for."""
    weight = torch.zeros(2).requires_grad_()
    gradient_penalty(lambda x: x @ weight, torch.randn(4, 2), torch.randn(4, 2), torch.rand(4)).backward()
    assert weight.grad is not None and bool(weight.grad.isfinite().all())


def test_each_pair_has_a_place_of_its_own():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(1)

    gradient_penalty(critic, torch.ones(3, 2), torch.zeros(3, 2), torch.tensor([0.0, 0.5, 1.0]))
    assert seen[0].tolist() == [[0, 0], [0.5, 0.5], [1, 1]]


def test_penalties_stay_in_float32_under_autocast():
    critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))
    x = torch.randn(32, 4)
    exact = r1(lambda z: critic(z).flatten(), x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = r1(lambda z: critic(z).flatten(), x.bfloat16().float())
        assert mixed.dtype == torch.float32
        rounded = critic(x).dtype
    assert rounded == torch.bfloat16
    torch.testing.assert_close(mixed, r1(lambda z: critic(z).flatten(), x.bfloat16().float()), rtol=0, atol=0)
    assert mixed.item() == pytest.approx(exact.item(), rel=0.05)


def test_the_caller_need_not_ask_for_gradients():
    with torch.no_grad():
        value = r1(lambda z: (z * z).sum(1), torch.ones(2, 2))
    assert float(value) == 4.0 and not torch.ones(2, 2).requires_grad


def test_unequal_batches_cannot_be_paired():
    with pytest.raises(DivminError, match=r"pairs data with samples: expected one shape, got \[3, 2\] and \[4, 2\]"):
        gradient_penalty(lambda x: x.sum(1), torch.ones(3, 2), torch.ones(4, 2), torch.rand(3))


def test_orthogonal_counts_every_layer_entry_by_entry():
    network = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Flatten(), nn.Linear(3, 2))
    total = 0.0
    for weight in (network[0].weight, network[2].weight):
        rows = weight.detach().reshape(len(weight), -1)
        for i in range(len(rows)):
            for j in range(len(rows)):
                total += abs(float(rows[i] @ rows[j]) - (i == j))
    assert orthogonal(network).item() == pytest.approx(total, rel=1e-5)
    with pytest.raises(DivminError, match="needs layers with weight matrices"):
        orthogonal(nn.Sequential(nn.BatchNorm1d(3)))
