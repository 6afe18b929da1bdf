"""Equation 35: with the best critic, the generator's loss has the gradient of the divergence, though not its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most
from divmin.papers.item import largest
from divmin.papers.shannon.catalogue import canonical
from divmin.papers.shannon.line import Floats
from divmin.papers.sources import SHANNON

MEMBERS = ("kl", "reverse_kl", "js", "jeffreys", "softened_kl", "softened_reverse_kl", "igog", "alpha_1.5")
DATA = "0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)"


@dataclass(frozen=True)
class Settings:
    """Where the gradient is taken: q = N(mu, sigma^2).

    Args:
        mu: mean of the model.
        sigma: its standard deviation.
        nodes: of the trapezoid rule.
        by_exact: divergences whose value is differentiated by autograd too.
    """

    mu: float = 0.3
    sigma: float = 1.1
    nodes: int = 1501
    by_exact: tuple[str, ...] = MEMBERS


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in MEMBERS:
        wanted[f"{name}: quadrature against differences of D"] = at_most(1e-10, source="eq. 35")
        wanted[f"{name}: reparameterised against quadrature"] = at_most(1e-10, source="eq. 39")
        wanted[f"{name}: derivative of exact() against quadrature"] = at_most(1e-8, source="eq. 35", full=name != "js")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Four ways to the gradient by (mu, sigma): of the value, of the critic's term, through z, and by autograd of exact()."""
    import torch

    from divmin.values import exact
    from divmin.values.text import law

    x = np.linspace(-11, 11, settings.nodes)
    data = law(DATA)
    assert not isinstance(data, torch.Tensor)
    log_p = data.log_prob(torch.from_numpy(x)).numpy()

    def log_q(mu: float, sigma: float) -> Floats:
        found: Floats = -0.5 * ((x - mu) / sigma) ** 2 - np.log(sigma * np.sqrt(2 * np.pi))
        return found

    mu, sigma = settings.mu, settings.sigma
    log_model = log_q(mu, sigma)
    q, d = np.exp(log_model), log_p - log_model
    score = np.stack([(x - mu) / sigma**2, ((x - mu) ** 2 / sigma**2 - 1) / sigma])  # grad log q
    # x = mu + sigma z at the same nodes: dx/dmu = 1, dx/dsigma = z
    through = np.stack([np.ones_like(x), (x - mu) / sigma])
    slope = _slope(x, data, mu, sigma)
    numbers, rows = {}, []
    for name in MEMBERS:
        f = canonical(name)

        def value(m: float, s: float, f=f) -> float:  # type: ignore[no-untyped-def]
            log = log_q(m, s)
            ratio = log_p - log
            return float(np.trapezoid(np.exp(np.maximum(log, log_p)) * f.s(ratio), x))

        differences = np.array(
            [_difference(lambda h: value(mu + h, sigma)), _difference(lambda h: value(mu, sigma + h))]
        )
        term = -_integral(q * f.b(d) * score, x)
        pathwise = -_integral(q * f.weight(d) * slope * through, x)
        numbers[f"{name}: quadrature against differences of D"] = largest(term - differences)
        numbers[f"{name}: reparameterised against quadrature"] = largest(pathwise - term)
        if name in settings.by_exact:
            at = tuple(torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in (mu, sigma))
            of_exact = torch.autograd.grad(exact(f, data, torch.distributions.Normal(at[0], at[1])).tensor, at)
            numbers[f"{name}: derivative of exact() against quadrature"] = largest(
                np.array([float(g) for g in of_exact]) - term
            )
        rows.append((name.replace("_", " "), f"{term[0]:.10f}", f"{term[1]:.10f}"))
    return Found(
        numbers, tables=(Table(("divergence", "by mu", "by sigma"), tuple(rows), f"gradients at N({mu}, {sigma}^2)"),)
    )


def _integral(values: Floats, x: Floats) -> Floats:
    return np.asarray(np.trapezoid(values, x, axis=1), dtype=np.float64)


def _difference(value: Callable[[float], float], h: float = 1e-3) -> float:
    """The derivative at 0 by central differences of fourth order."""
    return (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)


def _slope(x: Floats, data, mu: float, sigma: float) -> Floats:  # type: ignore[no-untyped-def]
    """d'(x)."""
    import torch

    at = torch.tensor(x, requires_grad=True)
    (of_data,) = torch.autograd.grad(data.log_prob(at).sum(), at)
    found: Floats = of_data.numpy() + (x - mu) / sigma**2
    return found


register(
    Item(
        name="shannon-equation-35",
        paper=SHANNON,
        title="Equation 35: gradient matching",
        claim="The gradient of D_f by the model's parameters is that of -E_q[b_f(d*)] with the best critic held fixed.",
        settings=Settings(),
        quick=Settings(by_exact=("js",)),
        cost=Cost(quick=3, full=15),
        expected=expectations(),
        compute=compute,
        slips=(
            "Equations 36 and 37 are directions to add, not gradients for a minimiser.",
            "Equation 39 ends in dx where dz is meant, and is half of equation 41 with f = 4 JS.",
        ),
    )
)
