"""Precision, recall, density and coverage against their definitions by brute force, and what they are for equal laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.evaluation import Manifold, manifold


def cloud(n: int, dim: int, seed: int) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def lattice(n: int, dim: int, seed: int) -> Tensor:
    """Points with many equal distances and some copies."""
    return torch.randint(0, 4, (n, dim), generator=torch.Generator().manual_seed(seed)).double()


def brute(real: Tensor, fake: Tensor, k: int) -> Manifold:
    """The definitions, sample by sample, with squared distances by differences."""
    x, y = real.numpy(), fake.numpy()

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(((a - b) ** 2).sum())

    def radius(points: np.ndarray, i: int) -> float:
        return sorted(distance(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    x_radii, y_radii = ([radius(points, i) for i in range(len(points))] for points in (x, y))
    inside = [[distance(a, b) <= r for b in y] for a, r in zip(x, x_radii, strict=True)]
    recalled = [any(distance(a, b) <= r for b, r in zip(y, y_radii, strict=True)) for a in x]
    balls = np.array(inside).sum(0)
    return Manifold(
        float((balls > 0).mean()), float(np.mean(recalled)), float(balls.sum()) / (k * len(y)),
        float(np.array(inside).any(1).mean()), k, len(x), len(y),
    )  # fmt: skip


@pytest.mark.parametrize("make", [cloud, lattice])
@pytest.mark.parametrize(("n", "m", "dim", "k"), [(40, 40, 2, 5), (30, 50, 3, 1), (50, 25, 1, 3), (20, 30, 12, 5)])
def test_definitions(make: object, n: int, m: int, dim: int, k: int) -> None:
    real, fake = make(n, dim, 1), make(m, dim, 2)  # type: ignore[operator]
    fake = fake if make is lattice else 0.8 * fake + 0.4
    assert manifold(real, fake, neighbours=k) == brute(real, fake, k)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_identical_sets_with_copies(offset: float) -> None:
    points = torch.cat([cloud(50, 5, 1), cloud(1, 5, 2).expand(9, 5)]) + offset
    found = manifold(points, points.flip(0), neighbours=5)
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)


def test_disjoint_sets() -> None:
    found = manifold(cloud(30, 2, 1), cloud(30, 2, 2) + 100, neighbours=5)
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_a_collapsed_generator_is_precise_and_has_no_recall() -> None:
    found = manifold(cloud(300, 2, 1), 0.01 * cloud(300, 2, 2), neighbours=5)
    assert found.precision == 1.0 and found.recall < 0.02 and found.density > 0.5 and found.coverage < 0.05


def test_order_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    real, fake = cloud(60, 3, 1), cloud(70, 3, 2)
    found = manifold(real, fake)
    assert manifold(real.flip(0), fake.roll(5, 0)) == found
    monkeypatch.setattr(sys.modules["divmin.evaluation.manifold"], "AT_ONCE", 500)
    assert manifold(real, fake) == found


@pytest.mark.parametrize(("n", "m", "k"), [(100, 100, 5), (60, 150, 3)])
def test_expectations_for_equal_laws(n: int, m: int, k: int) -> None:
    """Of any continuous law: density 1, coverage 1 - (n-1)...(n-k) / ((n+m-1)...(n+m-k)) (Naeem et al., lemma 2)."""
    found = [manifold(cloud(n, 2, 2 * i), cloud(m, 2, 2 * i + 1), neighbours=k) for i in range(200)]
    missed = np.prod([(n - i) / (n + m - i) for i in range(1, k + 1)])
    for values, truth in (([x.coverage for x in found], 1 - missed), ([x.density for x in found], 1.0)):
        assert abs(np.mean(values) - truth) < 4 * np.std(values) / len(found) ** 0.5


@pytest.mark.parametrize("k", [0, 10, 11])
def test_neighbours_must_exist(k: int) -> None:
    with pytest.raises(DivminError, match=f"{k} neighbours among 10 and 20 samples"):
        manifold(cloud(10, 2, 1), cloud(20, 2, 2), neighbours=k)


def test_width_must_agree() -> None:
    with pytest.raises(DivminError, match="shapes"):
        manifold(cloud(10, 2, 1), cloud(20, 3, 2))
