"""The same identity outside GANs: rewards of imitation, sampled KL penalties, weights of distillation; and pairing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import divmin as dm

X = torch.linspace(-9, 9, 6001, dtype=torch.float64)
STEP = float(X[1] - X[0])


def log_normal(mean: Tensor | float, deviation: Tensor | float) -> Tensor:
    spread = torch.as_tensor(deviation, dtype=torch.float64)
    return -(((X - mean) / spread) ** 2) / 2 - spread.log() - math.log(2 * math.pi) / 2


@pytest.mark.parametrize(
    ("reward", "name"),
    [
        ("log(D)", "0.5*softened_reverse_kl"),
        ("-log(1 - D)", "2*js"),
        ("log(D) - log(1 - D)", "reverse_kl"),
        ("c", "reverse_kl"),
        (lambda c: c.sigmoid().log(), "0.5*softened_reverse_kl"),
        (lambda c: c, "reverse_kl"),
        ("exp(c)", "kl"),
        ("D", "0.25*softened_kl"),
    ],
)
def test_rewards_of_imitation(reward: object, name: str) -> None:
    assert dm.explain(reward=reward).name == name  # type: ignore[arg-type]


def test_fairls_reward_is_no_divergence() -> None:
    """-c e^c, derived from the forward KL, pushes states with u > 1/e away when the ratio is held fixed."""
    found = dm.explain(reward="-c*exp(c)")
    (region,) = found.region_pushed_away
    assert region.u_low == pytest.approx(math.exp(-1), abs=1e-9)
    assert found.formula == "(-log(u) - 1)/u"


PENALTIES = [
    ("k1", "fixed", None), ("k1", "reparameterised", "reverse_kl"), ("k1", "reward", "reverse_kl"),
    ("k2", "fixed", "reverse_kl"), ("k2", "reparameterised", None), ("k2", "reward", None),
    ("k3", "fixed", "kl"), ("k3", "reparameterised", "reverse_kl"), ("k3", "reward", None),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "samples", "name"), PENALTIES)
def test_sampled_kl_penalties(loss: str, samples: str, name: str | None) -> None:
    assert dm.explain(sampled_loss=loss, samples=samples).name == name


@pytest.mark.parametrize(("loss", "samples"), [row[:2] for row in PENALTIES])
def test_sampled_penalties_against_their_gradients(loss: str, samples: str) -> None:
    """The gradient that an implementation takes, by quadrature, is that of the explained weight."""
    k = {"k1": lambda d: -d, "k2": lambda d: d**2 / 2, "k3": lambda d: d.exp() - 1 - d}[loss]
    mean, deviation = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.4, 0.9))
    log_p, log_q = log_normal(0.0, 1.0), log_normal(mean, deviation)
    d = log_p - log_q
    objective = {
        "fixed": lambda: (log_q.exp().detach() * k(d)).sum(),
        "reparameterised": lambda: (log_q.exp() * k(d)).sum(),
        "reward": lambda: (log_q.exp() * k(d.detach())).sum(),
    }[samples]()
    taken = torch.autograd.grad(objective * STEP, (mean, deviation), retain_graph=True)
    found = dm.explain(sampled_loss=loss, samples=samples)
    at = torch.linspace(float(d.detach().min()), float(d.detach().max()), 60001, dtype=torch.float64)
    w = found.weight(at) if found.region_without_pull == () else torch.zeros_like(at)
    b = torch.cat([at.new_zeros(1), torch.cumulative_trapezoid(w, at)])
    place = ((d.detach() - at[0]) / (at[1] - at[0])).clamp(0, len(at) - 2)
    left = place.floor().long()
    reached = b[left] + (place - left) * (b[left + 1] - b[left])
    predicted = torch.autograd.grad(-(log_q.exp() * reached).sum() * STEP, (mean, deviation))
    assert [float(x) for x in taken] == pytest.approx([float(x) for x in predicted], rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("weight", "name"),
    [
        ("1", "reverse_kl"),
        ("u", "kl"),
        ("u/(1 + u)", "2*js"),
        ("1/(1 + u)", "0.5*softened_reverse_kl"),
        ("sqrt(u)", "4*squared_hellinger"),
        ("exp(d/2)", "4*squared_hellinger"),
        (lambda d: d.exp(), "kl"),
    ],
)
def test_weights_of_distillation(weight: object, name: str) -> None:
    found = dm.explain(weight=weight)  # type: ignore[arg-type]
    assert found.name == name
    assert found.link is None


def test_a_weight_that_turns_negative() -> None:
    found = dm.explain(weight="1 - u/3")
    assert not found.is_divergence
    assert found.region_pushed_away[0].u_low == pytest.approx(3, rel=1e-9)


# --- relativistic pairing --------------------------------------------------------------------------------------------------------


def test_pairing_with_two_distributions() -> None:
    """p = N(0, 1), q = N(1, 1): under p, d = 1/2 - x is N(1/2, 1), so w(d) = E sigma(z + 1/2 - d)."""
    p, q = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(1.0, 1.0)
    found = dm.explain("rpgan", p=p, q=q)
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    density = (-(z**2) / 2).exp() / math.sqrt(2 * math.pi) * float(z[1] - z[0])
    for d in (-3.0, 0.0, 0.5, 2.0):
        exact = float((density * (z + 0.5 - d).sigmoid()).sum())
        assert found.weight(d) == pytest.approx(exact, abs=0.01)
    assert not found.is_divergence
    assert "For this data" in found.sentence
    assert found.link is not None
    assert found.link.formula == "log(u) + constant"


def test_pairing_with_log_ratios_of_data() -> None:
    at = torch.tensor([-0.5, 0.2, 1.3], dtype=torch.float64)
    found = dm.explain("rpgan", log_ratios=at)
    for d in (-2.0, 0.0, 1.0):
        assert found.weight(d) == pytest.approx(float((at - d).sigmoid().mean()), abs=1e-12)
    density = dm.data.densities()["two_modes"]()
    assert dm.explain("rpgan", p=density, q=dm.data.densities()["normal"]()).weight(0.0) > 0


def test_pairing_against_its_gradient() -> None:
    """The gradient of E_pq[softplus(c(x) - c(y))] over model samples, with c the log-ratio, is that of the weight."""
    mean = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    grid = X[::20]
    log_p = (-(grid**2) / 2 - math.log(2 * math.pi) / 2).double()
    log_q = -((grid - mean) ** 2) / 2 - math.log(2 * math.pi) / 2
    d = (log_p - log_q).detach()
    step = float(grid[1] - grid[0])
    pairs = torch.nn.functional.softplus(d[:, None] - d[None, :])  # rows: data, columns: model samples
    objective = (log_p.exp()[:, None] * log_q.exp()[None, :] * pairs).sum() * step**2
    (taken,) = torch.autograd.grad(objective, mean, retain_graph=True)
    weight = torch.stack([(log_p.exp() * (d - each).sigmoid()).sum() * step for each in d])
    order = d.argsort()
    b = torch.zeros_like(d)
    b[order] = torch.cat([d.new_zeros(1), torch.cumulative_trapezoid(weight[order], d[order])])
    (predicted,) = torch.autograd.grad(-(log_q.exp() * b).sum() * step, mean)
    assert float(taken) == pytest.approx(float(predicted), rel=1e-3)


def test_the_best_relativistic_critics() -> None:
    """By direct minimisation over a discrete space: pairing gives log p/q up to a constant; the average form increases with p/q
    and keeps the ratio between the two limits that its four numbers set."""
    p = torch.tensor([0.05, 0.15, 0.3, 0.3, 0.2], dtype=torch.float64)
    q = torch.tensor([0.3, 0.25, 0.2, 0.15, 0.1], dtype=torch.float64)

    def minimised(average: bool) -> Tensor:
        c = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.LBFGS([c], max_iter=500, tolerance_grad=1e-13, line_search_fn="strong_wolfe")

        def cost() -> Tensor:
            optimiser.zero_grad()
            phi = torch.nn.functional.softplus
            if average:
                loss = (p * phi(-(c - (q * c).sum()))).sum() + (q * phi(c - (p * c).sum())).sum()
            else:
                loss = (p[:, None] * q[None, :] * phi(-(c[:, None] - c[None, :]))).sum()
            loss.backward()
            return loss

        optimiser.step(cost)
        return c.detach()

    pairing = minimised(average=False)
    gap = pairing - (p / q).log()
    assert float(gap.max() - gap.min()) < 1e-5
    average = minimised(average=True)
    assert (average[(p / q).argsort()].diff() > 0).all()
    a, b = (q * average).sum(), (p * average).sum()
    k1, k2 = (p * (a - average).sigmoid()).sum(), (q * (average - b).sigmoid()).sum()
    torch.testing.assert_close(
        ((average - b).sigmoid() + k1) / ((a - average).sigmoid() + k2), p / q, rtol=1e-4, atol=0
    )
