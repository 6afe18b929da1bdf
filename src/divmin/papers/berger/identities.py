"""Equations 7 to 10, 15 and 18 to 21: gradients of divergences as expectations under model and data, and how noisy they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from divmin.data import Mixture, densities
from divmin.explanation import explain
from divmin.family import divergence
from divmin.objectives import recipe
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.berger.line import Loss, OnTheLine, nothing
from divmin.papers.berger.splits import SHIFTS, quietest, split
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.sources import BERGER
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPLIT = ("kl", "reverse_kl", "2*js", "jeffreys")
BY = ("mu", "log sigma")
DRAWN = {"kl": ("0", "1 - D", "1"), "2*js": ("0", "1 - D", "1")}
QUIETEST = "least"
SAME = "the same gradient, by automatic differentiation of the exact divergence"


@dataclass(frozen=True)
class Settings:
    """Where the identities are checked, and how noise is measured.

    Args:
        mean, sd: of the normal model, against the mixture 0.7 N(-1, 0.5^2) + 0.3 N(2, 0.5^2), in the units of x.
        gaps: distances of two normal laws of unit variance, between which noise is measured.
        batch: samples of each side in one estimate.
        batches: estimates whose spread is compared with its exact value.
        sampled: largest gap at which that is done: beyond it rare samples decide, which no batch has.
        seed: of them.
    """

    mean: float = 0.3
    sd: float = 1.1
    gaps: tuple[float, ...] = tuple(k / 8 for k in range(1, 33))
    batch: int = 64
    batches: int = 20_000
    sampled: float = 1.0
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted = {
        "logistic critic: largest |c* - d|": at_most(1e-9, source="D* = p/(p + q), found by search"),
        "eq. 7: largest |grad D* + D* (1 - D*) grad log q|": at_most(1e-12, source="eq. 7"),
    }
    for equation, of in (("eq. 8", "eq8"), ("eq. 10", "eq10"), ("2 grad JSD", "2 grad JSD")):
        for by, value in zip(BY, reference("equation_checks", "berger_eq8_10_20", of), strict=True):
            wanted[f"{equation} by {by}"] = near(value, relative=1e-10, source="reference")
    for name in ("eq. 15: largest difference from grad KL(q||p)", "eq. 18: largest difference from grad KL(p||q)"):
        wanted[name] = at_most(1e-11, source=SAME)
    wanted["eq. 19: largest difference from grad KL(p||q)"] = at_most(1e-11, source=SAME)
    wanted["eq. 20: right side over grad JSD"] = near(2.0, relative=1e-10, source="derived; printed as 1")
    wanted["SDKL: largest difference from grad KL(p||q) + grad KL(q||p)"] = at_most(1e-11, source="section 4")
    wanted["SDKL: largest |w / (1 + e^d) - 1|"] = at_most(1e-12, source="the weights of both divergences, added")
    both = reference("equation_checks", "berger_sdkl_vs_jeffreys", "KL+RKL")
    wanted["KL + reverse KL, N(0, 1) against N(0.5, 1.5^2)"] = near(both, relative=1e-11, source="reference")
    wanted["twice the canonical Jeffreys divergence there"] = near(both, relative=1e-11, source="reference")
    for name in SPLIT:
        wanted[f"{name}: largest difference between the gradients of {len(SHIFTS) + 1} splits"] = at_most(
            1e-10, source="eq. 9"
        )
    wanted["KL from model samples: largest relative error of its variance"] = at_most(
        1e-9, source="closed form: e^(m^2) (1 + 4 m^2) - m^2 at gap m"
    )
    wanted["KL from data: largest error of its variance"] = at_most(1e-10, source="closed form: 1 at every gap")
    wanted["KL: variance from model samples over that from data, largest gap"] = at_least(1e8, source="eq. 9's purpose")
    wanted["KL: lowest of the same ratio"] = at_least(1.0, source="eq. 9's purpose")
    wanted["2 JS: variance of eq. 10 over that of eq. 8, lowest over gaps"] = at_least(1.0, source="eq. 9's purpose")
    wanted["quietest split: lowest second moment of another over its own"] = at_least(
        1 - 1e-12, source="derived: h = (1 - D) b minimises it pointwise"
    )
    wanted["largest |log of measured over exact standard deviation|"] = at_most(
        0.1, source="the spread of estimates from samples"
    )
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    noise = work.piece("noise", lambda: measured(settings))
    numbers = identities(settings) | {name: float(noise[name]) for name in noise if name not in ("sd", "seen", "gaps")}
    rows = tuple(
        (name, f"{value:.12g}") for name, value in numbers.items() if name.startswith(("eq. 8", "eq. 10", "2 g"))
    )
    return Found(
        numbers,
        {"gaps": noise["gaps"], "sd": noise["sd"], "seen": noise["seen"]},
        (Table(("gradient at the model N(0.3, 1.1^2)", "value"), rows),),
    )


def identities(settings: Settings) -> dict[str, float]:
    """The equations at one model."""
    line = OnTheLine(densities()["far_modes"](), settings.mean, settings.sd)
    js, kl, rkl = (recipe(name) for name in ("berger_js", "berger_kl", "berger_rkl"))
    sdkl: Any = recipe("sdkl")
    exactly = {name: exact_gradient(name, line) for name in (*SPLIT, "js")}
    found = {
        "eq. 8": line.gradient(_loss(js)),
        "eq. 10": line.gradient(_loss(recipe("minimax"))),
        "2 grad JSD": 2 * exactly["js"],
    }
    numbers = {
        f"{name} by {by}": float(each) for name, both in found.items() for by, each in zip(BY, both, strict=True)
    }
    numbers["eq. 7: largest |grad D* + D* (1 - D*) grad log q|"] = _equation_7(line)
    far = {
        "eq. 15: largest difference from grad KL(q||p)": line.gradient(_loss(rkl)) - exactly["reverse_kl"],
        "eq. 18: largest difference from grad KL(p||q)": line.gradient(_loss(kl)) - exactly["kl"],
        "eq. 19: largest difference from grad KL(p||q)": line.gradient(Loss(lambda d: -d.exp())) - exactly["kl"],
        "SDKL: largest difference from grad KL(p||q) + grad KL(q||p)": (
            line.gradient(_loss(sdkl)) - exactly["kl"] - exactly["reverse_kl"]
        ),
    }
    numbers |= {name: largest(each.numpy()) for name, each in far.items()}
    numbers["eq. 20: right side over grad JSD"] = float((found["eq. 8"] @ exactly["js"]) / exactly["js"].square().sum())
    d = torch.linspace(-8, 8, 17, dtype=torch.float64)
    link: Any = explain("sdkl").link
    numbers["logistic critic: largest |c* - d|"] = largest((link(d) - d).numpy())
    weight: Any = explain("sdkl").weight(d)
    numbers["SDKL: largest |w / (1 + e^d) - 1|"] = largest((weight / (1 + d.exp()) - 1).numpy())
    pair = Normal(torch.zeros((), dtype=torch.float64), 1.0), Normal(torch.tensor(0.5).double(), 1.5)
    numbers["KL + reverse KL, N(0, 1) against N(0.5, 1.5^2)"] = sum(
        exact(name, *pair).value for name in ("kl", "reverse_kl")
    )
    numbers["twice the canonical Jeffreys divergence there"] = (
        2 * exact(divergence("jeffreys").canonical(), *pair).value
    )
    for name in SPLIT:
        f = divergence(name)
        losses = [split(f, h) for h in SHIFTS.values()] + [quietest(f)]
        differences = torch.stack([line.gradient(loss) - exactly[name] for loss in losses])
        numbers[f"{name}: largest difference between the gradients of {len(losses)} splits"] = largest(
            differences.numpy()
        )
    return numbers


def _loss(of: Any) -> Loss:
    """F and G of a recipe of the registry."""
    return Loss(of.generator, of.likelihood or nothing)


def exact_gradient(name: str, line: OnTheLine) -> Tensor:
    """The gradient [2] of a divergence between p and the model by (mu, log sigma)."""
    theta = torch.tensor([line.mean, math.log(line.sd)], dtype=torch.float64, requires_grad=True)
    value = exact(name, line.p, Normal(theta[0], theta[1].exp())).tensor
    (slope,) = torch.autograd.grad(value, theta)
    return slope


def _equation_7(line: OnTheLine) -> float:
    """grad D* = -D* (1 - D*) grad log q, with D* differentiated as a function of the model's parameters."""
    x = torch.linspace(-6, 6, 97, dtype=torch.float64)
    theta = torch.tensor([line.mean, math.log(line.sd)], dtype=torch.float64)

    def best(theta: Tensor) -> Tensor:
        d: Tensor = line.log_p(x) - Normal(theta[0], theta[1].exp()).log_prob(x)
        return d.sigmoid()

    slopes = torch.func.jacrev(best)(theta).T
    probability = line.d(x).sigmoid()
    return largest((slopes + probability * (1 - probability) * line.slopes(x)).numpy())


def measured(settings: Settings) -> dict[str, Any]:
    """How noisy the splits of KL and of 2 JS are while two normal laws part."""
    names = {name: [*chosen, QUIETEST] for name, chosen in DRAWN.items()}
    sd = np.full((len(names), 4, len(settings.gaps)), np.nan)
    seen = np.full_like(sd, np.nan)
    moments = []
    for k, gap in enumerate(settings.gaps):
        line = OnTheLine(Mixture(((0.0,),), ((1.0,),)), gap, 1.0)
        for i, (name, chosen) in enumerate(names.items()):
            f = divergence(name)
            losses = [quietest(f) if h == QUIETEST else split(f, SHIFTS[h]) for h in chosen]
            sd[i, :, k] = [float(line.variance(loss)[0].sqrt()) for loss in losses]
            second = [float(line.second_moment(loss)[0]) for loss in losses]
            moments.append(min(second[:-1]) / second[-1])
            if gap <= settings.sampled:
                for j, loss in enumerate(losses):
                    estimates = line.estimates(loss, settings.batch, settings.batches, settings.seed)
                    seen[i, j, k] = float(estimates[:, 0].std()) * math.sqrt(settings.batch)
    m2 = np.square(settings.gaps)
    model, data = sd[0, 0] ** 2, sd[0, 2] ** 2
    asked = np.isfinite(seen)
    return {
        "gaps": np.array(settings.gaps),
        "sd": sd,
        "seen": seen,
        "KL from model samples: largest relative error of its variance": largest(
            model / (np.exp(m2) * (1 + 4 * m2) - m2) - 1
        ),
        "KL from data: largest error of its variance": largest(data - 1),
        "KL: variance from model samples over that from data, largest gap": model[-1] / data[-1],
        "KL: lowest of the same ratio": float((model / data).min()),
        "2 JS: variance of eq. 10 over that of eq. 8, lowest over gaps": float((sd[1, 0] ** 2 / sd[1, 1] ** 2).min()),
        "quietest split: lowest second moment of another over its own": min(moments),
        "largest |log of measured over exact standard deviation|": largest(np.log(seen[asked] / sd[asked])),
    }


def draw(found: Found, figure: Figure) -> None:
    gaps, sd, seen = (found.arrays[name] for name in ("gaps", "sd", "seen"))
    panels = figure.subplots(1, 2, sharey=True)
    titles = {"kl": "KL(p||q)", "2*js": "2 JS"}
    for i, (ax, (name, chosen)) in enumerate(zip(panels, DRAWN.items(), strict=True)):
        for j, h in enumerate([*chosen, QUIETEST]):
            colour, dash = line_style(j)
            label = "h of the least second moment" if h == QUIETEST else f"h = {h}"
            ax.semilogy(gaps, sd[i, j], color=colour, linestyle=dash, label=label)
            ax.semilogy(gaps, seen[i, j], color=colour, linestyle="none", marker="o", markersize=3)
        ax.set(title=titles[name], xlabel="distance of the two normal laws (standard deviations)")
    panels[0].set_ylabel("standard deviation of the gradient by the mean,\none sample of each side (nats)")
    panels[0].legend()
    panels[1].legend()


register(
    Item(
        name="berger-identities",
        paper=BERGER,
        title="Equations 7-10, 15 and 18-21: gradients as expectations under model and data",
        claim="With the best critic the gradients of JSD, of both KL divergences and of their sum are expectations of functions of "
        "its output times grad log q. What is asked of model samples can be asked of data instead (eq. 9), which leaves the "
        "gradient as it is and lowers the variance of its estimates where the laws hardly overlap.",
        settings=Settings(),
        quick=Settings(gaps=(0.25, 0.5, 1.0, 2.0, 4.0), batches=2000, sampled=0.5),
        cost=Cost(quick=3, full=15),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(10, 4.2),
        caption="Noise of the gradient's estimates by losses (-b + h e^d, h) with one and the same gradient: lines are exact, "
        "dots were measured, up to a distance at which a sample mean still says something. For KL the adversarial form, h "
        "= 0, grows without bound as the laws part, and the likelihood of data, h = 1, does not. For 2 JS "
        "it is the other way round.",
        slips=(
            "Eq. 20 is 2 grad JSD, not grad JSD: eq. 8 is the gradient of 2 JSD - 2 log 2.",
            "Section 3 calls D an estimate of the model's density over that of the data; (1 - D)/D is.",
        ),
    )
)
