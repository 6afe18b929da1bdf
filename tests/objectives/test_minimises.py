"""With the exact critic, the generator's gradient is the gradient of the divergence that the recipe says it minimises."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import divmin as dm
from divmin import Recipe

# Recipes that say by construction what they minimise, with the log-ratio itself as the critic's best output; all others, and
# these once more, are the matter of tests/explanation.
KNOWN = [
    text
    for named in dm.recipes().values()
    for text in (named.examples or (named.name,))
    if (r := dm.recipe(text)).minimises is not None and not r.likelihood and r.name != "exponential"
]
SMOOTH = [name for name, each in dm.divergences().items() if each.smooth]
X = torch.linspace(-9, 9, 3601, dtype=torch.float64)
STEP = float(X[1] - X[0])


def log_normal(x: Tensor, mean: Tensor | float, deviation: Tensor | float) -> Tensor:
    return (
        -(((x - mean) / deviation) ** 2) / 2
        - torch.as_tensor(deviation, dtype=torch.float64).log()
        - math.log(2 * math.pi) / 2
    )


def log_p(x: Tensor) -> Tensor:
    parts = [log_normal(x, -1.0, 0.8) + math.log(0.7), log_normal(x, 1.2, 0.9) + math.log(0.3)]
    return torch.logsumexp(torch.stack(parts), 0)


def parameters() -> tuple[Tensor, Tensor]:
    return (
        torch.tensor(0.3, dtype=torch.float64, requires_grad=True),
        torch.tensor(0.85, dtype=torch.float64, requires_grad=True),
    )


def gradients(r: Recipe) -> tuple[list[float], list[float]]:
    """The gradient of D(p, q) and that of E_q[h(c)] with c frozen at the best critic, by the trapezoid rule."""
    f = r.minimises
    assert f is not None
    mean, deviation = parameters()
    log_q = log_normal(X, mean, deviation)
    d = log_p(X) - log_q
    divergence = (torch.maximum(log_p(X), log_q).exp() * f.s(d)).sum() * STEP
    true = [float(each) for each in torch.autograd.grad(divergence, (mean, deviation))]

    mean, deviation = parameters()
    log_q = log_normal(X, mean, deviation)
    critic = (log_p(X) - log_q).detach()  # every link in the registry is d itself
    objective = (log_q.exp() * r.generator(critic)).sum() * STEP
    return true, [float(each) for each in torch.autograd.grad(objective, (mean, deviation))]


def check(r: Recipe) -> None:
    true, got = gradients(r)
    assert got == pytest.approx(true, rel=1e-6)
    assert max(map(abs, true)) > 1e-3


@pytest.mark.parametrize("text", KNOWN)
def test_every_recipe_that_says_what_it_minimises(text: str) -> None:
    check(dm.recipe(text))


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("how", ["", ", nonsaturating"], ids=["saturating", "nonsaturating"])
def test_every_f_gan(name: str, how: str) -> None:
    check(dm.recipe(f"fgan({name}{how})"))


@pytest.mark.parametrize(
    "text", ["hybrid(srkl, js)", "hybrid(kl, hellinger)", "fgan(soften(jeffreys))", "fgan(skew(kl, 0.3), ns)"]
)
def test_composites(text: str) -> None:
    check(dm.recipe(text))


@pytest.mark.parametrize("text", KNOWN + [f"fgan({each})" for each in SMOOTH])
def test_the_best_critic_is_the_log_ratio(text: str) -> None:
    """u l_p'(c) + l_q'(c) = 0 at c = log u, and the sum of the two losses is larger beside it."""
    r = dm.recipe(text)
    d = torch.tensor([-2.0, -0.3, 0.5, 1.7], dtype=torch.float64, requires_grad=True)
    u = d.detach().exp()

    def cost(c: Tensor) -> Tensor:
        return u * r.real(c) + r.fake(c)

    (slope,) = torch.autograd.grad(cost(d).sum(), d)
    (size,) = torch.autograd.grad(r.fake(d).sum(), d)
    assert (slope.abs() <= 1e-12 * (size.abs() + 1)).all()
    for beside in (-0.2, 0.2):
        assert (cost(d.detach() + beside) > cost(d.detach())).all()


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        ("minimax", "2*js"),
        ("nonsaturating", "0.5*softened_reverse_kl"),
        ("huszar", "reverse_kl"),
        ("fgan(kl, nonsaturating)", "reverse_kl"),
        ("fgan(rkl, nonsaturating)", "0.5*chi2_data_denominator"),
        ("fgan(js)", "js"),
    ],
)
def test_names_of_what_is_minimised(recipe: str, name: str) -> None:
    found = dm.recipe(recipe).minimises
    assert found is not None
    assert found.name == name


def test_minimax_and_nonsaturating_pull_towards_different_optima() -> None:
    """On one mixture the two generators rest at different Gaussians: 4 JS and the softened reverse KL."""

    def p(x: Tensor) -> Tensor:
        parts = [log_normal(x, -1.0, 0.5) + math.log(0.75), log_normal(x, 1.2, 0.5) + math.log(0.25)]
        return torch.logsumexp(torch.stack(parts), 0)

    for name, mean, deviation in (
        ("minimax", -0.4696168812, 1.0400259718),
        ("nonsaturating", -0.9695789684, 0.5325176963),
    ):
        where = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (mean, deviation)]
        log_q = log_normal(X, *where)
        objective = (log_q.exp() * dm.recipe(name).generator((p(X) - log_q).detach())).sum() * STEP
        assert max(abs(float(each)) for each in torch.autograd.grad(objective, where)) < 1e-7
