"""The energy distance against sums written out, and the parts of a noisy curve against the curve itself."""

from __future__ import annotations

import math

import pytest
import torch

from divmin.data import densities
from divmin.errors import DivminError
from divmin.evaluation import energy, mode_coverage, of_curve


def test_energy_is_its_double_sums() -> None:
    random = torch.Generator().manual_seed(0)
    x, y = torch.randn(7, 3, generator=random), torch.randn(5, 3, generator=random)

    def mean(a: torch.Tensor, b: torch.Tensor, *, same: bool) -> float:
        pairs = [float((s - t).norm()) for i, s in enumerate(a) for j, t in enumerate(b) if not (same and i == j)]
        return math.fsum(pairs) / len(pairs)

    expected = 2 * mean(x, y, same=False) - mean(x, x, same=True) - mean(y, y, same=True)
    assert energy(x, y) == pytest.approx(expected, abs=1e-6)


def test_energy_of_equal_laws_is_0_on_average_and_of_shifted_normals_known() -> None:
    random = torch.Generator().manual_seed(1)
    x = torch.randn(60, 200, 1, generator=random, dtype=torch.float64)
    same = torch.tensor([energy(one[:100], one[100:]) for one in x])
    assert abs(float(same.mean())) < 3 * float(same.std()) / math.sqrt(len(x))
    moved = torch.tensor([energy(one[:100] + 1, one[100:]) for one in x])
    # |N(1, 2)| has mean 2/sqrt(pi) e^(-1/4) + erf(1/2), and |N(0, 2)| 2/sqrt(pi)
    truth = 2 * (2 / math.sqrt(math.pi) * math.exp(-0.25) + math.erf(0.5)) - 4 / math.sqrt(math.pi)
    assert abs(float(moved.mean()) - truth) < 3 * float(moved.std()) / math.sqrt(len(x))


def test_energy_refuses_what_it_cannot_compare() -> None:
    with pytest.raises(DivminError, match="at least 2"):
        energy(torch.zeros(1, 2), torch.zeros(3, 2))
    with pytest.raises(DivminError, match="shapes"):
        energy(torch.zeros(3, 1), torch.zeros(3, 2))


@pytest.mark.parametrize("name", ["swiss_roll", "two_moons", "circles", "spiral"])
def test_parts_of_a_curve(name: str) -> None:
    curve = densities()[name]()
    modes = of_curve(curve, parts=50)  # type: ignore[arg-type]
    strands = len(modes.weights) // 50
    start, stop = curve.interval  # type: ignore[attr-defined]
    middle = start + (stop - start) * (torch.arange(50, dtype=torch.float64) + 0.5) / 50
    points = curve.strands(middle).reshape(-1, 2)  # type: ignore[attr-defined]
    assert torch.equal(modes.assign(points), torch.arange(50 * strands))
    found = mode_coverage(curve.sample(20_000, seed=3), modes)
    assert found.found == found.modes and found.high_quality[0] > 0.99
    assert found.reverse_kl[0] < 0.03  # noise moves samples to neighbouring parts, but in both directions
    away = points + torch.tensor([100.0, 0.0])
    assert (modes.assign(away) == -1).all()


def test_too_few_parts_are_refused() -> None:
    roll = densities()["swiss_roll"](noise=0.001)
    with pytest.raises(DivminError, match="expected at least"):
        of_curve(roll, parts=10)  # type: ignore[arg-type]
    with pytest.raises(DivminError, match="at least 1"):
        of_curve(densities()["circles"](), parts=0)  # type: ignore[arg-type]
