"""The verdict against what gradients do: exact critics on a one-dimensional mixture, by quadrature."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import divmin as dm
from divmin.objectives import Recipe

X = torch.linspace(-7, 7, 2801, dtype=torch.float64)
STEP = float(X[1] - X[0])


def log_normal(x: Tensor, mean: Tensor | float, deviation: Tensor | float) -> Tensor:
    spread = torch.as_tensor(deviation, dtype=torch.float64)
    return -(((x - mean) / spread) ** 2) / 2 - spread.log() - math.log(2 * math.pi) / 2


def log_p(x: Tensor) -> Tensor:
    parts = [log_normal(x, -1.0, 0.8) + math.log(0.7), log_normal(x, 1.2, 0.9) + math.log(0.3)]
    return torch.logsumexp(torch.stack(parts), 0)


def model() -> tuple[Tensor, Tensor, Tensor]:
    mean, deviation = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.3, 0.85))
    return mean, deviation, log_normal(X, mean, deviation)


def of_the_game(text: str) -> list[float]:
    """The gradient of E_q[h(c)] - E_p[G(c) log q] with c frozen at the best critic."""
    r = dm.recipe(text)
    assert isinstance(r, Recipe)
    link = dm.explain(text).link
    assert link is not None
    mean, deviation, log_q = model()
    critic = link((log_p(X) - log_q).detach())
    objective = (log_q.exp() * r.generator(critic)).sum() * STEP
    if r.likelihood is not None:
        objective = objective - (log_p(X).exp() * r.likelihood(critic) * log_q).sum() * STEP
    return [float(each) for each in torch.autograd.grad(objective, (mean, deviation))]


def of_the_weight(text: str) -> list[float]:
    """The gradient that the explanation predicts, the integral of dq times -b with b' = w, from w alone."""
    found = dm.explain(text)
    mean, deviation, log_q = model()
    d = (log_p(X) - log_q).detach()
    # b over d by quadrature of w on a fine grid, so that nothing but the explained weight is used.
    grid = torch.linspace(float(d.min()) - 0.01, float(d.max()) + 0.01, 20001, dtype=torch.float64)
    b = torch.cat([grid.new_zeros(1), torch.cumulative_trapezoid(found.weight(grid), grid)])
    place = ((d - grid[0]) / (grid[1] - grid[0])).clamp(0, len(grid) - 2)
    left = place.floor().long()
    at = b[left] + (place - left) * (b[left + 1] - b[left])
    objective = -(log_q.exp() * at).sum() * STEP
    return [float(each) for each in torch.autograd.grad(objective, (mean, deviation))]


def of_the_divergence(text: str) -> list[float]:
    """The gradient of D_F(p, q) itself."""
    f = dm.explain(text).divergence
    assert f is not None
    mean, deviation, log_q = model()
    value = (torch.maximum(log_p(X), log_q).exp() * f.s(log_p(X) - log_q)).sum() * STEP
    return [float(each) for each in torch.autograd.grad(value, (mean, deviation))]


DIVERGENCES = [
    "minimax", "nonsaturating", "huszar", "fgan(jeffreys, nonsaturating)", "hybrid(srkl, js)", "poole(reverse_kl)", "poole(gan)",
    "exact(kl)", "lsgan", "lsgan(-1, 1, 1)", "exponential", "smoothed(nonsaturating, 0.9, 0.1)", "smoothed(minimax, 0.8)",
    "berger_js", "berger_kl", "sdkl", "drift(wgan, 0.01)",
]  # fmt: skip
OTHERS = ["poole(kl)", "poole(js)", "poole(jeffreys)", "lsgan(-1, 1, 0)", "poole(kl, affine=0)"]


@pytest.mark.parametrize("text", DIVERGENCES)
def test_the_game_follows_the_gradient_of_the_explained_divergence(text: str) -> None:
    true = of_the_divergence(text)
    assert of_the_game(text) == pytest.approx(true, rel=1e-6)
    assert max(map(abs, true)) > 1e-4


@pytest.mark.parametrize("text", [*OTHERS, "drift(nonsaturating, 0.05)", "smoothed(minimax, 0.9, 0.2)"])
def test_the_explained_weight_predicts_the_gradient_of_any_game(text: str) -> None:
    assert of_the_game(text) == pytest.approx(of_the_weight(text), rel=1e-6)


@pytest.mark.parametrize("text", OTHERS)
def test_the_predicted_wrong_way_is_gone(text: str) -> None:
    """A sample inside the region moves towards lower p/q when it descends the generator's loss, and one outside towards higher."""
    r, found = dm.recipe(text), dm.explain(text)
    assert isinstance(r, Recipe)
    assert found.link is not None
    (region,) = found.region_pushed_away
    x = torch.linspace(-2.5, 2.5, 41, dtype=torch.float64, requires_grad=True)
    d = log_p(x) - log_normal(x, 0.3, 0.85)
    (towards_data,) = torch.autograd.grad(d.sum(), x, retain_graph=True)
    # dh/dx by the chain rule through the link, whose slope is taken by differences
    step = 1e-5
    link = found.link
    rate = (r.generator(link(d.detach() + step)) - r.generator(link(d.detach() - step))) / (2 * step)
    moved = -rate * towards_data  # the direction of descent
    goes_up = moved * towards_data > 0
    inside = torch.tensor([each in region for each in d.tolist()])
    clear = (d.detach() - region.low).abs() > 1e-3
    assert (goes_up == ~inside)[clear].all()
    assert inside.any()
    assert (~inside).any()


def test_the_equilibrium_repels_where_the_weight_at_p_equals_q_is_negative() -> None:
    """Poole's KL at q = p: the Jacobian of the field over (mean, deviation) is minus that of the Fisher form, diag(-1, -2)."""
    field = []
    for mean, deviation in ((1e-4, 1.0), (0.0, 1.0 + 1e-4)):
        parameters = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (mean, deviation)]
        log_q = log_normal(X, *parameters)
        d = (log_normal(X, 0.0, 1.0) - log_q).detach()
        objective = (log_q.exp() * dm.recipe("poole(kl)").generator(d)).sum() * STEP  # type: ignore[union-attr]
        field.append([float(g) / 1e-4 for g in torch.autograd.grad(objective, parameters)])
    assert field[0] == pytest.approx([-1, 0], abs=1e-3)
    assert field[1] == pytest.approx([0, -2], abs=2e-3)
    assert dm.explain("poole(kl)").weight(0.0) == -1.0
    assert "even when model and data agree" in dm.explain("poole(kl)").sentence


def test_the_values_of_the_table_of_generator_objectives() -> None:
    """E_q[f_G(r)] with the exact ratio at p = B_asym, q = N(0.3, 1.1^2), against independent values."""

    def p(x: Tensor) -> Tensor:
        parts = [log_normal(x, -1.0, 0.5) + math.log(0.7), log_normal(x, 2.0, 0.5) + math.log(0.3)]
        return torch.logsumexp(torch.stack(parts), 0)

    log_q = log_normal(X, 0.3, 1.1)
    d = p(X) - log_q
    for text, value in {
        "poole(kl)": 0.631509, "poole(reverse_kl)": 1.019340, "poole(2*js)": 0.336375, "poole(2*squared_hellinger)": 0.367423,
        "poole(jeffreys)": 1.650849, "poole(chi2_model_denominator)": 1.314053, "exact(2*js)": -0.550495,
        "exact(softened_kl)": -1.408255,
    }.items():  # fmt: skip
        got = float((log_q.exp() * dm.recipe(text).generator(d)).sum() * STEP)  # type: ignore[union-attr]
        offset = {"exact(2*js)": -math.log(2), "exact(softened_kl)": -2.0}.get(text, 0.0)
        assert got + offset == pytest.approx(value, abs=2e-6), text
