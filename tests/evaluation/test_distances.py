"""Frechet and kernel distances against closed forms, a 40-digit reference, their laws and their rates."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.evaluation import frechet, kernel


def normal(n: int, dim: int, seed: int) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_moments(mean: Tensor, root: Tensor, n: int, seed: int) -> Tensor:
    """n samples whose mean is `mean` and whose covariance (divided by n - 1) is root root', exactly."""
    z = normal(n, len(mean), seed)
    q, _ = torch.linalg.qr(z - z.mean(0))
    return mean + q * math.sqrt(n - 1) @ root.T


def reference(m1: Tensor, r1: Tensor, m2: Tensor, r2: Tensor) -> float:
    """|m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1^(1/2) C2 C1^(1/2))^(1/2), with 40 digits."""
    with mpmath.workdps(40):
        c1, c2 = (mpmath.matrix(r.tolist()) * mpmath.matrix(r.tolist()).T for r in (r1, r2))
        root = mpmath.sqrtm(c1)
        inner = root * c2 * root
        eigenvalues = mpmath.eigsy((inner + inner.T) / 2, eigvals_only=True)
        cross = mpmath.fsum(mpmath.sqrt(abs(x)) for x in eigenvalues)
        trace = mpmath.fsum(c1[i, i] + c2[i, i] for i in range(len(m1)))
        return float(
            mpmath.fsum((a - b) ** 2 for a, b in zip(m1.tolist(), m2.tolist(), strict=True)) + trace - 2 * cross
        )


@pytest.mark.parametrize("dim", [1, 3, 6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_frechet_of_given_moments(dim: int, offset: float) -> None:
    m1, m2 = normal(2, dim, 1) + offset
    r1, r2 = normal(dim, dim, 2), normal(dim, dim, 3)
    value = frechet(with_moments(m1, r1, 50, 4), with_moments(m2, r2, 80, 5))
    assert value == pytest.approx(reference(m1, r1, m2, r2), rel=1e-8, abs=1e-8)


def test_frechet_of_commuting_covariances() -> None:
    # |m|^2 + sum (s - t)^2 for standard deviations s and t
    m, s, t = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 2.0, 0.5])
    x = with_moments(m.double(), torch.diag(s).double(), 30, 1)
    y = with_moments(torch.zeros(3, dtype=torch.float64), torch.diag(t).double(), 40, 2)
    assert frechet(x, y) == pytest.approx(5 + float((s - t).square().sum()), rel=1e-10)


def test_frechet_of_normal_samples_is_near_that_of_their_laws() -> None:
    x, y = normal(20_000, 3, 1), 2 * normal(20_000, 3, 2) + 1
    assert frechet(x, y) == pytest.approx(6.0, rel=0.05)  # |1|^2 3 + 3 (2 - 1)^2


def test_frechet_is_symmetric_and_sees_no_order_shift_or_rotation() -> None:
    x, y = normal(40, 4, 1), 1.5 * normal(60, 4, 2) + 0.3
    rotation, _ = torch.linalg.qr(normal(4, 4, 3))
    value = frechet(x, y)
    assert frechet(y, x) == pytest.approx(value, rel=1e-9)
    assert frechet(x.flip(0), y.roll(7, 0)) == pytest.approx(value, rel=1e-9)
    assert frechet((x + 5) @ rotation, (y + 5) @ rotation) == pytest.approx(value, rel=1e-9)
    assert frechet(3 * x, 3 * y) == pytest.approx(9 * value, rel=1e-9)


@pytest.mark.parametrize(("n", "dim"), [(100, 5), (30, 64)])
def test_frechet_of_a_set_and_itself(n: int, dim: int) -> None:
    x = normal(n, dim, 1)
    assert 0 <= frechet(x, x) <= 1e-7 * dim


@pytest.mark.parametrize("dim", [2, 5])
def test_bias_of_frechet_falls_like_one_over_n(dim: int) -> None:
    """For equal standard normal laws it is (2 dim + dim (dim + 1)/2)/n: the means, and a quarter of |C_x - C_y|^2."""
    sizes, repeats = (100, 200, 400, 800), 200
    means = []
    for n in sizes:
        means.append(np.mean([frechet(normal(n, dim, 2 * i), normal(n, dim, 2 * i + 1)) for i in range(repeats)]))
        assert means[-1] == pytest.approx((2 * dim + dim * (dim + 1) / 2) / n, rel=0.15)
    slope = np.polyfit(np.log(sizes), np.log(means), 1)[0]
    assert -1.12 < slope < -0.88


def test_kernel_of_constant_sets_is_exact() -> None:
    def k(x: Tensor, y: Tensor) -> float:
        return (float(x @ y) / 3 + 1) ** 3

    a, b = torch.tensor([1.0, 2.0, -1.0]).double(), torch.tensor([0.5, 0.0, 3.0]).double()
    mean, error = kernel(a.expand(25, 3), b.expand(40, 3))
    assert mean == pytest.approx(k(a, a) + k(b, b) - 2 * k(a, b), rel=1e-12)
    assert error == pytest.approx(0.0, abs=1e-12)


def test_kernel_is_unbiased_and_its_error_is_honest() -> None:
    """Of normal laws in one dimension: sum_j C(3, j) (E x^j - E y^j)^2, here 3 + 3 + 16 for N(0, 1) and N(1, 1)."""
    for shift, truth in ((0.0, 0.0), (1.0, 22.0)):
        found = np.array([kernel(normal(200, 1, 2 * i), shift + normal(150, 1, 2 * i + 1), seed=i) for i in range(300)])
        spread = found[:, 0].std() / math.sqrt(len(found))
        assert abs(found[:, 0].mean() - truth) < 4 * spread
        # the root of the mean variance, since errors of ten subsets vary
        assert math.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(found[:, 0].std(), rel=0.25)


def test_kernel_depends_on_its_seed_alone() -> None:
    x, y = normal(100, 2, 1), normal(100, 2, 2)
    before = torch.get_rng_state()
    assert kernel(x, y, seed=3) == kernel(x, y, seed=3) != kernel(x, y, seed=4)
    assert torch.equal(before, torch.get_rng_state())


def test_more_than_ten_subsets_of_many_samples() -> None:
    steps: list[int] = []

    def track(numbers: range) -> range:
        steps.extend(numbers)
        return numbers

    kernel(normal(12_500, 1, 1), normal(13_000, 1, 2), track=track)
    assert len(steps) == 12


@pytest.mark.parametrize(
    ("function", "x", "y", "says"),
    [
        (frechet, (1, 2), (9, 2), "1 and 9 samples: expected at least 2"),
        (frechet, (9, 2), (9, 3), "shapes"),
        (kernel, (19, 2), (99, 2), "at least 20"),
    ],
)
def test_one_line_says_what_is_wrong(function: object, x: tuple[int, int], y: tuple[int, int], says: str) -> None:
    with pytest.raises(DivminError, match=says):
        function(torch.zeros(x), torch.zeros(y))  # type: ignore[operator]


def test_a_broken_torchmetrics_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision built for another torch raises a RuntimeError inside torchmetrics."""
    import importlib

    def fail(name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(DivminError, match="torchvision built for this torch"):
        frechet(normal(9, 2, 1), normal(9, 2, 2))
