"""Theorem 2.5: with a perfect critic -log D follows KL(q||p) - 2 JS, which is half the softened reverse KL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
WAYS = ("E[-grad log D*]", "grad[KL(Pg||Pr)-2JSD]", "half grad SRKL")  # as the reference calls them
TERMS = {"KL(q||p)": "reverse_kl", "-2 JS": "js", "both": "0.5*softened_reverse_kl"}


@dataclass(frozen=True)
class Settings:
    """Normal models N(mu, sigma^2), by mu and log sigma, and where they stand.

    Args:
        laws: data and (mu, sigma); the first is the point of the reference.
        path: mu of the picture, where p = N(0, 1) and sigma = 1.
        reach: z from -reach to reach.
        nodes: of the trapezoidal rule over z, whose error is below rounding.
    """

    laws: tuple[tuple[str, float, float], ...] = (
        ("0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)", 0.3, 1.1),
        ("normal(0, 1)", 1.0, 1.0),
        ("normal(0, 1)", -0.5, 2.0),
        ("0.5*normal(-1.5, 0.6) + 0.5*normal(1.5, 0.6)", 0.5, 0.7),
        ("student_t(3)", 1.5, 0.5),
        ("cauchy(0, 1)", -2.0, 1.0),
    )
    path: tuple[float, ...] = tuple(np.linspace(0.25, 6, 24).tolist())
    reach: float = 12.0
    nodes: int = 24001


def expectations() -> dict[str, Expected]:
    """Both sides at the test point of the reference, and at others beside each other."""
    wanted: dict[str, Expected] = {}
    for way in WAYS:
        for by, value in zip(("mu", "log sigma"), reference("equation_checks", "AB_thm2.5", way), strict=True):
            wanted[f"{way} by {by}"] = near(value, relative=1e-11, source="theorem 2.5 at the test point")
    wanted |= {
        "largest |E[-grad log D*] - grad[KL - 2 JS]|": at_most(1e-10, source="theorem 2.5"),
        "largest |E[-grad log D*] - half grad SRKL|": at_most(1e-10, source="Shannon et al., section 9"),
        "largest slope of -2 JS alone": at_most(0, source="it pushes the model away from the data"),
        "least slope of both": at_least(0.05, source="a divergence: the sum pulls towards the data everywhere"),
    }
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    apart, halves, rows = [], [], []
    for i, (data, mu, sigma) in enumerate(work.each("laws", settings.laws)):
        felt = loss_gradient(data, mu, sigma, settings)
        sides = {name: gradient(f, data, mu, sigma) for name, f in TERMS.items()}
        told = sides["KL(q||p)"] - 2 * sides["-2 JS"]
        apart.append(felt - told)
        halves.append(felt - sides["both"])
        if i == 0:
            for way, each in zip(WAYS, (felt, told, sides["both"]), strict=True):
                numbers[f"{way} by mu"], numbers[f"{way} by log sigma"] = each
        rows.append((data, f"N({mu:g}, {sigma:g}^2)", *(f"{x:.12f}" for each in (felt, told) for x in each)))
    numbers["largest |E[-grad log D*] - grad[KL - 2 JS]|"] = largest(apart)
    numbers["largest |E[-grad log D*] - half grad SRKL|"] = largest(halves)
    slopes = {
        name: np.array([gradient(f, "normal(0, 1)", mu, 1.0)[0] for mu in settings.path]) for name, f in TERMS.items()
    }
    slopes["-2 JS"] = -2 * slopes["-2 JS"]
    numbers["largest slope of -2 JS alone"] = float(slopes["-2 JS"].max())
    numbers["least slope of both"] = float(slopes["both"].min())
    heads = ("data", "model", "E by mu", "E by log sigma", "KL - 2 JS by mu", "KL - 2 JS by log sigma")
    return Found(
        numbers,
        {"mu": np.array(settings.path), "slopes": np.stack([slopes[name] for name in TERMS])},
        (Table(heads, tuple(rows)),),
    )


def gradient(f: str, data: str, mu: float, sigma: float) -> Floats:
    """The gradient of D_f by mu and log sigma of a normal model."""
    import torch
    from torch.distributions import Normal

    from divmin.values import exact
    from divmin.values.text import law

    at = torch.tensor([mu, np.log(sigma)], dtype=torch.float64, requires_grad=True)
    value = exact(f, law(data), Normal(at[0], at[1].exp())).tensor
    return np.asarray(torch.autograd.grad(value, at)[0])


def loss_gradient(data: str, mu: float, sigma: float, settings: Settings) -> Floats:
    """The gradient of E_z[-log D*(g(z))] for g(z) = mu + sigma z, with D* held at these very mu and sigma."""
    import torch
    from torch.distributions import Normal

    from divmin.objectives import recipe
    from divmin.values.compound import log_density
    from divmin.values.text import law

    p = law(data)
    assert not isinstance(p, torch.Tensor)  # which an array of probabilities would be
    at = torch.tensor([mu, np.log(sigma)], dtype=torch.float64, requires_grad=True)
    z = torch.linspace(-settings.reach, settings.reach, settings.nodes, dtype=torch.float64)
    x = at[0] + at[1].exp() * z
    fixed = Normal(at[0].detach(), at[1].detach().exp())
    d = log_density(p, x) - fixed.log_prob(x)
    each = recipe("nonsaturating").generator_loss(d, reduction="none")
    weight = (-(z**2) / 2).exp()
    loss = (weight * each).sum() / weight.sum()
    return np.asarray(torch.autograd.grad(loss, at)[0])


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    labels = ("KL(q||p)", "-2 JS", "KL(q||p) - 2 JS = SRKL/2")
    for i, label in enumerate(labels):
        colour, dash = line_style(i)
        ax.plot(found.arrays["mu"], found.arrays["slopes"][i], color=colour, linestyle=dash, label=label)
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.set(xlabel=r"$\mu$ of the model N($\mu$, 1), data N(0, 1)", ylabel=r"derivative by $\mu$ (nats per unit)")
    ax.legend()


register(
    Item(
        name="arjovsky-theorem-2-5",
        paper=ARJOVSKY,
        title="Theorem 2.5: what -log D minimises where the critic is perfect",
        claim="With D* fixed at the present model, the gradient of E[-log D*] is that of KL(q||p) - 2 JS: a reverse KL, less a "
        "Jensen-Shannon divergence of the wrong sign.",
        settings=Settings(),
        quick=Settings(path=tuple(np.linspace(0.25, 6, 6).tolist())),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.0),
        caption="The term -2 JS does push away from the data, but never as hard as KL(q||p) pulls: the sum is a divergence of its "
        "own, half the softened reverse KL.",
        slips=(
            "The negative JS is no defect of the loss: KL(q||p) - 2 JS(p, q) = 2 KL((p + q)/2 || p) is an f-divergence, "
            "never below 0 and 0 only at p = q.",
        ),
    )
)
