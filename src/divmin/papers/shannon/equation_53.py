"""Equation 53: what backpropagation of Poole et al.'s estimate follows is not the gradient of the divergence that it estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("kl", "reverse_kl", "js", "squared_hellinger")
MU, SIGMA = 0.3, 1.1
DATA = "0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)"


@dataclass(frozen=True)
class Settings:
    """How it is looked at: nodes of the trapezoid rule."""

    nodes: int = 8001


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in NAMES:
        wanted[f"{name}: followed field against w_F = -f_G'(u) u"] = at_most(1e-10, source="eq. 53, derived")
    wanted["reverse_kl: followed over the gradient of D, as published"] = near(1.0, 1e-9, source="b = d")
    for name in ("kl", "js", "squared_hellinger"):
        wanted[f"{name}: distance of the followed field from the gradient of D, relative"] = at_least(
            0.5, source="eq. 53"
        )
        wanted[f"{name}: share of model samples that are pushed away"] = at_least(0.05, source="f_G' > 0")
    wanted["-log D: followed field against half the gradient of SRKL"] = at_most(1e-10, source="section 10")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Gradients by (mu, sigma) of q = N(mu, sigma^2): of E_q[f_G(e^d)] with d held fixed, and of D."""
    line = Line.of(DATA, f"normal({MU}, {SIGMA})", reach=10.0, nodes=settings.nodes)
    x, d, q = line.x, line.d, line.q
    score = np.stack([(x - MU) / SIGMA**2, ((x - MU) ** 2 / SIGMA**2 - 1) / SIGMA])
    slope = _slope(line)
    through = np.stack([np.ones_like(x), (x - MU) / SIGMA])

    def over(values: Floats) -> Floats:
        return np.asarray(np.trapezoid(q * values, x, axis=1), dtype=np.float64)

    numbers, rows, curves = {}, [], []
    reach = np.linspace(-5, 5, 201)
    for name in NAMES:
        f = divergence(name)
        # KL as V e^V is u log u: the affine part that D ignores and the update does not
        affine = 1.0 if name == "kl" else -1.0 if name == "reverse_kl" else 0.0
        u = np.exp(d)
        followed = over((f.f(u) + affine * (u - 1)) * score)
        rises = f.f(u) + f.b(d) + affine * u  # d/dd of f_G(e^d), since u a = f + b
        numbers[f"{name}: followed field against w_F = -f_G'(u) u"] = largest(followed - over(rises * slope * through))
        gradient = -over(f.b(d) * score)
        apart = float(np.linalg.norm(followed - gradient) / np.linalg.norm(gradient))
        if name == "reverse_kl":
            numbers["reverse_kl: followed over the gradient of D, as published"] = float(followed[0] / gradient[0])
        else:
            numbers[f"{name}: distance of the followed field from the gradient of D, relative"] = apart
            numbers[f"{name}: share of model samples that are pushed away"] = line.integral(q * (rises > 0))
        rows.append((name, *(f"{each:.6f}" for each in (*followed, *gradient)), f"{apart:.3g}"))
        curves.append(-(f.df(np.exp(reach)) + affine) * np.exp(reach))
    soft = over(np.logaddexp(0, -d) * score)
    srkl = -over(divergence("softened_reverse_kl").canonical().b(d) * score)
    numbers["-log D: followed field against half the gradient of SRKL"] = largest(soft - srkl / 2)
    heads = ("f_G", "followed, by mu", "by sigma", "gradient of D, by mu", "by sigma", "distance, relative")
    return Found(numbers, {"d": reach, "w": np.stack(curves)}, (Table(heads, tuple(rows)),))


def _slope(line: Line) -> Floats:
    """d'(x), by autograd."""
    import torch

    from divmin.values.text import law

    x = torch.tensor(line.x, requires_grad=True)
    p, q = law(DATA), law(f"normal({MU}, {SIGMA})")
    assert not isinstance(p, torch.Tensor) and not isinstance(q, torch.Tensor)
    (slope,) = torch.autograd.grad((p.log_prob(x) - q.log_prob(x)).sum(), x)
    found: Floats = slope.numpy()
    return found


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(NAMES):
        colour, dash = line_style(i)
        ax.plot(found.arrays["d"], found.arrays["w"][i], dash, color=colour, label=f"f_G of {name.replace('_', ' ')}")
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.set(xlabel="d = log p/q (nats)", ylabel="effective weight w_F(d)", ylim=(-6, 3))
    ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-equation-53",
        paper=SHANNON,
        title="Equation 53: the critique of Poole et al.'s approximation",
        claim="The gradient of E_q[f_G(e^d)] with the critic held fixed is not that of D: it is that of F with F'' = -f_G'(u)/u, "
        "which is a divergence only where f_G falls.",
        settings=Settings(),
        quick=Settings(),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.4),
        caption="Where a line is below 0, model samples are pushed away from the data. Reverse KL alone is followed as "
        "published; the others turn sign where f_G begins to rise.",
        slips=(
            "Adding c (u - 1) to f_G leaves D alone and changes the followed field by -c times the gradient of KL(p||q).",
        ),
    )
)
