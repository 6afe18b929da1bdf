"""Equation 35: with the best critic, the generator's loss has the gradient of the divergence, though not its value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.distributions import Normal

from divmin.family import Divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import canonical
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.values import exact
from divmin.values.text import law

MEMBERS = ("kl", "reverse_kl", "js", "jeffreys", "softened_kl", "softened_reverse_kl", "igog", "power(1.5)")
DATA = "0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)"
# Where the reference has the gradient, and the canonical divergence over the one there.
KNOWN = {
    "kl": ("lsif-like MMSE target -e^V (= original KL loss -b_KL)", 1.0),
    "reverse_kl": ("reverse_kl: -V", 1.0),
    "js": ("original saturating log(1-D): -softplus(V)", 2.0),
    "softened_kl": ("soften-KL exact: -4 sigmoid(V)", 1.0),
    "softened_reverse_kl": ("gan_minus_logD: softplus(-V)", 2.0),
}

STEP = 1e-3  # of mu and log sigma, between values of D
STEPS = (-2 * STEP, -STEP, STEP, 2 * STEP)
SHARES = np.array([1, -8, 8, -1]) / (12 * STEP)  # of central differences of fourth order


@dataclass(frozen=True)
class Settings:
    """Where the gradient is taken: q = N(mu, sigma^2).

    Args:
        mu: mean of the model; the reference has it at 0.3.
        sigma: its standard deviation; at 1.1.
        nodes: of the trapezoid rule on [-25, 25].
    """

    mu: float = 0.3
    sigma: float = 1.1
    nodes: int = 4001


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in MEMBERS:
        wanted[f"{name}: quadrature against differences of D"] = at_most(1e-10, source="eq. 35")
        wanted[f"{name}: reparameterised against quadrature"] = at_most(1e-10, source="E_z[-b'(d) d'(x) dx]")
        wanted[f"{name}: derivative of exact() against quadrature"] = at_most(1e-10, source="eq. 35")
    for name, (referred, times) in KNOWN.items():
        known = reference("poole", "objectives", referred, "field_mu_logsigma")
        for by, value in zip(("mu", "log sigma"), known, strict=True):
            wanted[f"{name}: gradient by {by}"] = near(times * value, 1e-10, source="independent quadrature")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Four ways to the gradient by (mu, log sigma): of the value, of the critic's term, through z, and of exact()."""
    here = (settings.mu, float(np.log(settings.sigma)))
    line = _line(*here, settings.nodes)
    z = (line.x - settings.mu) / settings.sigma
    score = np.stack([z / settings.sigma, z**2 - 1])  # grad log q
    through = np.stack([np.ones_like(z), settings.sigma * z])  # grad of x = mu + sigma z, at the same nodes
    slope = line.slope(DATA, _model(*here))
    steps = [tuple(np.array(here) + step * np.eye(2)[i]) for i in range(2) for step in STEPS]
    moved = [_line(mu, log_sigma, settings.nodes) for mu, log_sigma in steps]
    numbers, rows = {}, []
    for name in MEMBERS:
        f = canonical(name)

        def value(at: Line, f: Divergence = f) -> float:
            return at.integral(np.maximum(at.p, at.q) * f.s(at.d))

        values = np.array([value(each) for each in moved]).reshape(2, len(STEPS))
        term = -_integrals(line, f.b(line.d) * score)
        pathwise = -_integrals(line, f.weight(line.d) * slope * through)
        numbers[f"{name}: quadrature against differences of D"] = largest(term - values @ SHARES)
        numbers[f"{name}: reparameterised against quadrature"] = largest(pathwise - term)
        at = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in here]
        of_exact = torch.autograd.grad(exact(f, law(DATA), Normal(at[0], at[1].exp())).tensor, at)
        numbers[f"{name}: derivative of exact() against quadrature"] = largest([float(g) for g in of_exact] - term)
        if name in KNOWN:
            for by, each in zip(("mu", "log sigma"), term, strict=True):
                numbers[f"{name}: gradient by {by}"] = float(each)
        rows.append((name.replace("_", " "), f"{term[0]:.10f}", f"{term[1]:.10f}"))
    note = f"gradients at q = N({settings.mu:g}, {settings.sigma:g}^2)"
    return Found(numbers, tables=(Table(("divergence", "by mu", "by log sigma"), tuple(rows), note),))


def _model(mu: float, log_sigma: float) -> str:
    return f"normal({float(mu)!r}, {float(np.exp(log_sigma))!r})"


def _line(mu: float, log_sigma: float, nodes: int) -> Line:
    return Line.of(DATA, _model(mu, log_sigma), nodes=nodes)


def _integrals(line: Line, values: Floats) -> Floats:
    return np.array([line.integral(line.q * each) for each in values])


register(
    Item(
        name="shannon-equation-35",
        paper=SHANNON,
        title="Equation 35: gradient matching",
        claim="The gradient of D_f by the model's parameters is that of -E_q[b_f(d*)] with the best critic held fixed.",
        settings=Settings(),
        quick=Settings(nodes=1001),
        cost=Cost(quick=1.2, full=5.2),
        expected=expectations(),
        compute=compute,
        slips=(
            "Equations 36 and 37 are directions to add, not gradients for a minimiser.",
            "Equation 39 ends in dx where dz is meant, and is half of equation 41 with f = 4 JS.",
        ),
    )
)
