"""What a generator follows against a critic at its optimum: the gradient of D_f where the loss is exact, and standstills."""

from __future__ import annotations

import pytest
import torch

import divmin as dm
from divmin.values.pursuit import Pursuit, pursuit

TWO = "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"
BOX = {"loc": (-3.0, 3.0), "scale": (0.3, 3.0)}


def exact_loss(name: str) -> Pursuit:
    loss = dm.recipe(f"exact({name})")
    return pursuit(lambda d: loss.generator_loss(d, reduction="none"), TWO, "normal(loc, scale)", BOX)


@pytest.mark.parametrize("name", ["kl", "reverse_kl", "js", "softened_reverse_kl", "squared_hellinger"])
def test_the_exact_loss_follows_the_divergence(name: str) -> None:
    at = torch.tensor([0.3, 1.1], dtype=torch.float64, requires_grad=True)
    dm.exact(name, TWO, dm.law("normal(m, s)", m=at[0], s=at[1])).tensor.backward()
    chase = exact_loss(name)
    found = chase.gradient(chase.free({"loc": 0.3, "scale": 1.1})[None])[0]
    assert torch.allclose(
        found, at.grad * torch.tensor([1.0, 1.1], dtype=torch.float64), rtol=1e-9, atol=1e-11
    )  # free coordinates: log scale


def test_derivative_is_that_of_the_gradient() -> None:
    chase = pursuit(lambda d: d * d.exp(), TWO, "normal(loc, scale)", BOX)
    z, step = torch.tensor([[0.2, 0.1]], dtype=torch.float64), 1e-5
    ways = step * torch.eye(2, dtype=torch.float64)
    differences = (chase.gradient(z + ways) - chase.gradient(z - ways)) / (2 * step)
    assert torch.allclose(chase.derivative(z)[0], differences.T, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ["js", "reverse_kl"])
def test_standstills_are_the_points_of_a_fit(name: str) -> None:
    wanted = dm.fit(name, TWO, "normal(loc, scale)").points
    found = exact_loss(name).standstills()
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.parameters == pytest.approx(other.parameters, abs=1e-8)
        assert one.stable == (other.kind == "minimum")


def test_descents_end_at_stable_points_and_stop_outside() -> None:
    chase = exact_loss("js")
    starts = torch.stack([chase.free({"loc": 1.0, "scale": 0.8}), chase.free({"loc": -2.0, "scale": 0.5})])
    path = chase.parameters(chase.descend(starts, rate=0.6, steps=300))
    [point] = [each for each in chase.standstills() if each.stable]
    assert path.shape == (301, 2, 2)
    for end in path[-1]:
        assert end.tolist() == pytest.approx(list(point.parameters.values()), abs=1e-5)
    away = pursuit(lambda d: d, TWO, "normal(loc, scale)", BOX)  # climbs the reverse KL
    assert not bool(
        ((away.descend(starts, steps=300)[-1] > away.low) & (away.descend(starts)[-1] < away.high)).all(1).any()
    )


def test_value_is_the_mean_loss() -> None:
    chase = pursuit(lambda d: -d, "normal(0, 1)", "normal(m, s)", {"m": (-1, 1), "s": (0.5, 2)})
    assert float(chase.value(chase.free({"m": 1.0, "s": 1.0})[None])) == pytest.approx(0.5, abs=1e-13)


def test_a_loss_without_a_mean_is_infinite() -> None:
    chase = pursuit(lambda d: (-d).exp(), "normal(0, 1)", "normal(m, s)", {"m": (-1, 1), "s": (0.5, 2)})
    z = torch.stack([chase.free({"m": 0.5, "s": 1.1}), chase.free({"m": 0.5, "s": 1.5})])  # finite below sqrt(2)
    assert chase.value(z).isfinite().tolist() == [True, False]
    assert chase.gradient(z).isnan().any(1).tolist() == [False, True]


def test_a_model_far_from_the_data_has_no_number() -> None:
    chase = pursuit(lambda d: -d, "normal(0, 1)", "normal(m, s)", {"m": (-1, 1), "s": (0.5, 2)})
    assert chase.gradient(chase.free({"m": 9.0, "s": 0.1})[None]).isnan().all()


@pytest.mark.parametrize(("p", "box"), [("gamma(2, 1)", BOX), (TWO, {"loc": (1.0, -1.0), "scale": (0.5, 1.0)})])
def test_what_cannot_be_is_refused(p: str, box: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(dm.DivminError):
        pursuit(lambda d: -d, p, "normal(loc, scale)", box)
