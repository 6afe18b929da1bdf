"""Equation 53: what backpropagation of Poole et al.'s estimate follows is not the gradient of the divergence that it estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from divmin.family import divergence
from divmin.objectives import recipe
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Row:
    """One published generator loss.

    Args:
        recipe: it, in our words.
        referred: its name in the reference.
        times: the reference's f_G over ours.
        estimates: the divergence D of which it is an estimate, in the scale of the recipe.
        follows: the divergence whose gradient it does follow, where it is one that has a name.
    """

    recipe: str
    referred: str
    times: float
    estimates: str
    follows: str = ""


ROWS = {
    "KL": Row("poole(kl)", "kl: V e^V", 1, "kl"),
    "KL, canonical": Row("poole(kl, affine=0)", "kl canonical: V e^V - e^V + 1", 1, "kl"),
    "reverse KL": Row("poole(reverse_kl)", "reverse_kl: -V", 1, "reverse_kl", "reverse_kl"),
    "-log D": Row("poole(igog)", "gan_minus_logD: softplus(-V)", 1, "igog", "0.5*softened_reverse_kl"),
    "JS": Row("poole(js)", "js: e^V V - (e^V+1) log((e^V+1)/2)", 2, "js"),
    "squared Hellinger": Row("poole(hellinger)", "squared_hellinger: (e^{V/2}-1)^2", 2, "squared_hellinger"),
}
AWAY = ("KL", "KL, canonical", "JS", "squared Hellinger")
MU, SIGMA = 0.3, 1.1
DATA = "0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)"
TOOK = "independent quadrature"


@dataclass(frozen=True)
class Settings:
    """How it is looked at: nodes of the trapezoid rule."""

    nodes: int = 8001


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name, row in ROWS.items():
        field = reference("poole", "objectives", row.referred, "field_mu_logsigma")
        for by, value in zip(("mu", "log sigma"), field, strict=True):
            wanted[f"{name}: followed by {by}"] = near(value / row.times, 1e-10, source=TOOK)
        wanted[f"{name}: estimate against D"] = at_most(1e-10, source="the value is right")
        wanted[f"{name}: followed through z against E_q[f_G grad log q]"] = at_most(1e-10, source="eq. 53")
        if row.follows:
            wanted[f"{name}: largest change of f_G(e^d) + b(d) of {row.follows}"] = at_most(1e-12, source="eq. 37")
    wanted["reverse KL: followed against the gradient of D"] = at_most(1e-10, source="b = d")
    for name in AWAY:
        wanted[f"{name}: cosine between followed and the gradient of D"] = at_most(0.5, source="eq. 53")
        wanted[f"{name}: share of model samples that are pushed away"] = at_least(0.05, source="f_G' > 0")
    wanted["KL: cosine between followed and the gradient of D"] = at_most(-0.99, source="uphill")
    wanted["-log D: sine of the angle to the gradient of IGOG"] = at_least(1e-3, source="it is SRKL's, not IGOG's")
    wanted["KL with affine 1 less affine 0, plus the gradient of KL"] = at_most(1e-10, source="c (u - 1) is seen")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Gradients by (mu, log sigma) of q = N(mu, sigma^2): of E_q[f_G(e^d)] with d held fixed, and of D."""
    line = Line.of(DATA, f"normal({MU}, {SIGMA})", reach=30.0, nodes=settings.nodes)
    z = (line.x - MU) / SIGMA
    score, through = np.stack([z / SIGMA, z**2 - 1]), np.stack([np.ones_like(z), SIGMA * z])
    slope = line.slope(DATA, f"normal({MU}, {SIGMA})")
    seen = line.q > 1e-200  # beyond, f_G(e^d) may overflow before the density vanishes

    def over(values: Floats, by: Floats) -> Floats:
        return np.array([line.integral(np.where(seen, line.q * values * each, 0.0)) for each in by])

    numbers, rows, curves, fields = {}, [], [], {}
    reach = np.linspace(-5, 5, 201)
    for name, row in ROWS.items():
        f = divergence(row.estimates)
        loss, rise = _differentiated(row.recipe, line.d)
        followed, gradient = over(rise * slope, through), -over(f.b(line.d), score)
        fields[name] = followed, gradient
        for by, value in zip(("mu", "log sigma"), followed, strict=True):
            numbers[f"{name}: followed by {by}"] = float(value)
        affine = float(_differentiated(row.recipe, np.zeros(1))[1][0])  # f_G'(1), since f'(1) = 0
        mean = over(loss - affine * np.expm1(line.d), np.ones((1, 1)))[0] - float(f.f(1.0))
        numbers[f"{name}: estimate against D"] = abs(mean - line.integral(np.maximum(line.p, line.q) * f.s(line.d)))
        numbers[f"{name}: followed through z against E_q[f_G grad log q]"] = largest(followed - over(loss, score))
        if row.follows:
            both = _differentiated(row.recipe, reach)[0] + divergence(row.follows).b(reach)
            numbers[f"{name}: largest change of f_G(e^d) + b(d) of {row.follows}"] = float(np.ptp(both))
        cosine = float(followed @ gradient / np.linalg.norm(followed) / np.linalg.norm(gradient))
        pushed = line.integral(line.q * (rise > 0))
        numbers[f"{name}: cosine between followed and the gradient of D"] = cosine
        numbers[f"{name}: share of model samples that are pushed away"] = pushed
        told = (*(f"{each:.6f}" for each in (*followed, *gradient)), f"{cosine:.4f}", f"{pushed:.3f}")
        rows.append((name, *told))
        curves.append(-_differentiated(row.recipe, reach)[1])
    kl, reverse = fields["KL"], fields["reverse KL"]
    one, other = (each / np.linalg.norm(each) for each in fields["-log D"])
    numbers["-log D: sine of the angle to the gradient of IGOG"] = abs(float(one[0] * other[1] - one[1] * other[0]))
    numbers["reverse KL: followed against the gradient of D"] = largest(reverse[0] - reverse[1])
    numbers["KL with affine 1 less affine 0, plus the gradient of KL"] = largest(
        kl[0] - fields["KL, canonical"][0] + kl[1]
    )
    heads = ("f_G", "followed, by mu", "by log sigma", "gradient of D, by mu", "by log sigma", "cosine", "pushed away")
    return Found(numbers, {"d": reach, "w": np.stack(curves)}, (Table(heads, tuple(rows)),))


def _differentiated(name: str, d: Floats) -> tuple[Floats, Floats]:
    """The generator's loss of a recipe at the critic's outputs d [n], and its derivative there [n]."""
    found = recipe(name)
    at = torch.tensor(d, dtype=torch.float64, requires_grad=True)
    loss = found.generator_loss(at, reduction="none")
    (rise,) = torch.autograd.grad(loss.sum(), at)
    return loss.detach().numpy(), rise.numpy()


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(ROWS):
        colour, dash = line_style(i)
        ax.plot(found.arrays["d"], found.arrays["w"][i], dash, color=colour, label=f"f_G of {name}")
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.set(xlabel="d = log p/q (nats)", ylabel="effective weight w_F(d)", ylim=(-6, 3))
    ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-equation-53",
        paper=SHANNON,
        title="Equation 53: the critique of Poole et al.'s approximation",
        claim="The gradient of E_q[f_G(e^d)] with the critic held fixed is not that of D: it is that of F with F'' = -f_G'(u)/u, "
        "which is a divergence only if f_G falls everywhere.",
        settings=Settings(),
        quick=Settings(nodes=4001),
        cost=Cost(quick=1, full=1.7),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.4),
        caption="Where a line is below 0, model samples are pushed away from the data. Reverse KL alone is followed as "
        "published; -log D is never below 0, but another divergence than its f_G; the others turn sign where f_G begins to rise.",
        slips=(
            "Adding c (u - 1) to f_G leaves D alone and changes the followed field by -c times the gradient of KL(p||q).",
        ),
    )
)
