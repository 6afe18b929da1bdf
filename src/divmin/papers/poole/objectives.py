"""The generator objectives of appendix A: f_G, its form in the critic's logit V, and what it is called here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from divmin.functions import evaluate
from divmin.grammar import parse
from divmin.objectives import Recipe, recipe
from divmin.papers.mixtures import MIXTURES
from divmin.papers.reference import reference
from divmin.values.pursuit import Pursuit, pursuit

if TYPE_CHECKING:
    from torch import Tensor

MODEL = "normal(loc, scale)"
BOX = {"loc": (-5.0, 5.0), "scale": (0.2, 8.0)}


@dataclass(frozen=True)
class Objective:
    """A row of the table.

    Args:
        recipe: the name here.
        f: f_G(u).
        logit: the same as a function of V, stable for large |V|.
        curvature: of the effective f, whose divergence the generator descends with a critic at its optimum: -f_G'(u)/u.
        minimises: the name of that divergence; empty where there is none, "unnamed" where it has no name.
        referred: its name in the reference; empty where it is not there.
    """

    recipe: str
    f: str
    logit: str
    curvature: str
    minimises: str = ""
    referred: str = ""

    def f_at(self, u: Tensor) -> Tensor:
        """f_G at ratios."""
        return _evaluated(self.f, "u", u)

    def logit_at(self, v: Tensor) -> Tensor:
        """f_G(e^V) at logits."""
        return _evaluated(self.logit, "V", v)

    def weight_at(self, d: Tensor) -> Tensor:
        """u^2 f_eff''(u) at u = e^d: the pull on a model sample."""
        u = d.exp()
        return u * u * _evaluated(self.curvature, "u", u)

    @property
    def constant(self) -> float:
        """What the loss here is short of f_G, which no gradient sees: at u = 1 most losses here are 0."""
        import torch

        one = torch.ones(1, dtype=torch.float64)
        return float(self.f_at(one) - losses(self)(one - 1))

    @property
    def is_divergence(self) -> bool:
        """Whether the effective f is convex."""
        return bool(self.minimises)

    @property
    def slope(self) -> float:
        """-f_G'(1), the curvature of the effective f at u = 1: how strongly a model near the data is drawn to them."""
        import torch

        return float(self.weight_at(torch.zeros((), dtype=torch.float64)))


OBJECTIVES = {
    "KL": Objective("poole(kl)", "u*log(u)", "V*exp(V)", "-(1 + log(u))/u", "", "kl: V e^V"),
    "KL, canonical": Objective(
        "poole(kl, affine=0)", "u*log(u) - u + 1", "V*exp(V) - exp(V) + 1", "-log(u)/u", "",
        "kl canonical: V e^V - e^V + 1",
    ),
    "reverse KL": Objective("poole(reverse_kl)", "-log(u)", "-V", "1/u^2", "reverse_kl", "reverse_kl: -V"),
    "reverse KL, canonical": Objective(
        "poole(reverse_kl, affine=0)", "-log(u) + u - 1", "-V + exp(V) - 1", "(1 - u)/u^2", "",
        "reverse_kl canonical: -V + e^V - 1",
    ),
    "-log D": Objective(
        "nonsaturating", "log(1 + 1/u)", "softplus(-V)", "1/(u^2*(1 + u))", "0.5*softened_reverse_kl",
        "gan_minus_logD: softplus(-V)",
    ),
    "GAN": Objective(
        "poole(gan)", "u*log(u) - (u + 1)*log(u + 1)", "-exp(V)*softplus(-V) - softplus(V)", "log(1 + 1/u)/u", "unnamed",
        "gan: e^V V - (e^V+1) softplus(V)",
    ),
    "JS": Objective(
        "poole(2*js)", "u*log(u) - (u + 1)*log((u + 1)/2)", "V*exp(V) - (exp(V) + 1)*log((exp(V) + 1)/2)",
        "-log(2*u/(1 + u))/u", "", "js: e^V V - (e^V+1) log((e^V+1)/2)",
    ),
    "squared Hellinger": Objective(
        "poole(2*squared_hellinger)", "(sqrt(u) - 1)^2", "(exp(V/2) - 1)^2", "(u^(-1/2) - 1)/u", "",
        "squared_hellinger: (e^{V/2}-1)^2",
    ),
    "alpha 1/2, affine part dropped": Objective(
        "poole(2*squared_hellinger, affine=-1)", "-2*sqrt(u)", "-2*exp(V/2)", "u^(-3/2)", "4*squared_hellinger",
        "hellinger, linear term dropped: -2 e^{V/2}",
    ),
    "alpha -1/2": Objective(
        "poole(power(-0.5))", "(u^(-1/2) - 1 + (u - 1)/2)/(3/4)", "(exp(-V/2) - 1 + (exp(V) - 1)/2)/(3/4)",
        "(1 - u^(-3/2))/(-3/2*u)",
    ),
    "alpha 3/2": Objective(
        "poole(power(1.5))", "(u^(3/2) - 1 - 3/2*(u - 1))/(3/4)", "(exp(3*V/2) - 1 - 3/2*(exp(V) - 1))/(3/4)",
        "(1 - u^(1/2))/(u/2)",
    ),
    "alpha 3/2, affine part dropped": Objective(
        "poole(power(1.5), affine=2)", "u^(3/2)/(3/4)", "exp(3*V/2)/(3/4)", "-2*u^(-1/2)",
    ),
    "Jeffreys": Objective(
        "poole(jeffreys)", "(u - 1)*log(u)", "(exp(V) - 1)*V", "-(log(u) + 1 - 1/u)/u", "", "jeffreys: (e^V-1)V"
    ),
    "chi-square, model below": Objective(
        "poole(chi2_model_denominator)", "(u - 1)^2", "(exp(V) - 1)^2", "2*(1 - u)/u", "", "neyman(000) (e^V-1)^2"
    ),
    "chi-square, data below": Objective(
        "poole(chi2_data_denominator)", "(u - 1)^2/u", "(exp(V) - 1)^2*exp(-V)", "(u^(-2) - 1)/u", "",
        "pearson(000) (e^V-1)^2 e^-V",
    ),
    "exact KL": Objective(
        "exact(kl)", "-u", "-exp(V)", "1/u", "kl", "lsif-like MMSE target -e^V (= original KL loss -b_KL)"
    ),
    "exact softened KL": Objective(
        "exact(softened_kl)", "-4*u/(1 + u)", "-4/(1 + exp(-V))", "4/(u*(1 + u)^2)", "softened_kl",
        "soften-KL exact: -4 sigmoid(V)",
    ),
    "log(1 - D)": Objective(
        "minimax", "-log(1 + u)", "-softplus(V)", "1/(u*(1 + u))", "2*js", "original saturating log(1-D): -softplus(V)"
    ),
}  # fmt: skip


def losses(row: Objective) -> Callable[[Tensor], Tensor]:
    """What a sample costs by its logit, as the recipe of a row has it."""
    made = recipe(row.recipe)
    assert isinstance(made, Recipe)
    return lambda v: made.generator_loss(v, reduction="none")


def chase(row: Objective, mixture: str) -> Pursuit:
    """A normal model of one of the mixtures that follows a row against a critic at its optimum."""
    return pursuit(losses(row), MIXTURES[mixture], MODEL, BOX)


def minima(divergence: str, mixture: str) -> list[dict[str, float]]:
    """The lowest places (mu, sigma, D) of a divergence over normal models, as the reference has them: two by symmetry, else one."""
    return [each for each in reference("minimisers", mixture, divergence) if each.get("global")]


def _evaluated(text: str, name: str, at: Tensor) -> Tensor:
    value = evaluate(parse(text), {name: at})
    return at.new_tensor(value) if isinstance(value, float) else value
