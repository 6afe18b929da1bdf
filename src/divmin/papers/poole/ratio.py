"""The ratio p/q from the critic of any f-divergence: V to T to r = e^V, b-GAN's critic, and critics that were learned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from divmin.family import Divergence, divergence, divergences
from divmin.objectives import Recipe, recipe
from divmin.objectives.fgan import fgan
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.seeds import mean_and_error, with_error
from divmin.papers.shannon.learned import Critics
from divmin.papers.sources import POOLE
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
SMOOTH = tuple(name for name, f in divergences().items() if f.smooth)
EPS = np.finfo(float).eps
P, Q = (0.0, 1.0), (0.5, 1.2)  # mean and standard deviation: log p/q is a parabola
LEARNED = ("js", "kl", "reverse_kl", "squared_hellinger", "jeffreys", "triangular")


@dataclass(frozen=True)
class Activation:
    """The output activation g_f of the f-GAN's critic, T = g_f(V), and the log-ratio that T stands for.

    Args:
        f: the divergence here that has the paper's f but for an affine part.
        slope: f'(1) of the paper's f.
        g: from V to T.
        log_ratio: slope and intercept of log r in V; None where it is no line.
    """

    f: str
    slope: float
    g: Callable[[Floats], Floats]
    log_ratio: tuple[float, float] | None


ACTIVATIONS = {
    "GAN": Activation("2*js", -math.log(2), lambda v: -np.logaddexp(0, -v), (1, 0)),
    "Jensen-Shannon": Activation("2*js", 0.0, lambda v: math.log(2) - np.logaddexp(0, -v), (1, 0)),
    "reverse KL": Activation("reverse_kl", -1.0, lambda v: -np.exp(-v), (1, 0)),
    "KL": Activation("kl", 1.0, lambda v: v, (1, -1)),
    "squared Hellinger": Activation("2*squared_hellinger", 0.0, lambda v: 1 - np.exp(-v), (2, 0)),
    "chi-square, model below": Activation("chi2_model_denominator", 0.0, lambda v: v, None),
}


@dataclass(frozen=True)
class Settings:
    """How the study of learned critics is done.

    Args:
        learned: divergences whose critics are learned.
        seeds: of the critics and of the samples.
        steps: of Adam, with fresh samples in every one.
        batch: of p and of q.
        width: units in both hidden layers (tanh).
        rate: Adam's learning rate at first; it falls to a hundredth along half a cosine.
        nodes: of V in round trips.
    """

    learned: tuple[str, ...] = LEARNED
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 4000
    batch: int = 2048
    width: int = 32
    rate: float = 5e-3
    nodes: int = 161


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {
        "catalogue: farthest log r from V, over what rounding of T leaves": at_most(
            32, source="section 2.4: r = (f')^-1(T)"
        ),
        "GAN: largest |log(1/(e^-T - 1)) - V|": at_most(1e-14, source="appendix A"),
        "GAN: largest |T - log D|": at_most(1e-14, source="appendix A: T = log D"),
        "b-GAN: its critic's loss less the f-GAN's, relative": at_most(1e-12, source="section 2.4"),
        "b-GAN: its least value plus D_f, relative": at_most(1e-12, source="at r = p/q"),
        "b-GAN: what r = p/q times a factor costs less the Bregman divergence, relative": at_most(
            1e-10, source="convexity"
        ),
    }
    for name, each in ACTIVATIONS.items():
        if each.log_ratio is None:
            wanted[f"{name}, f-GAN's activation: largest V that no ratio answers to"] = near(
                -2, 1e-12, source="T = V stands for u = 1 + V/2"
            )
        else:
            line = each.log_ratio
            wanted[f"{name}, f-GAN's activation: slope of log r in V"] = near(line[0], 1e-9, source="f-GAN, table 6")
            wanted[f"{name}, f-GAN's activation: log r at V = 0"] = near(line[1], 1e-9, source="f-GAN, table 6")
    for name in LEARNED:
        wanted[f"{name}: learned critic, error of the log-ratio"] = at_most(
            0.3, source="root mean square under (p + q)/2"
        )
        wanted[f"{name}: error of the log-ratio at full length"] = at_most(0.05, source="all seeds", full=True)
    wanted["largest difference of two learned critics"] = at_most(0.4, source="root mean square under (p + q)/2")
    wanted["largest difference of two learned critics at full length"] = at_most(0.07, source="all seeds", full=True)
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    v = np.linspace(-4, 4, settings.nodes)
    trips = {name: _round_trip(divergence(name), v) for name in SMOOTH}
    numbers = {"catalogue: farthest log r from V, over what rounding of T leaves": max(trips.values())}
    numbers |= _gan(v) | _activations(v) | _bregman()
    pieces = [
        work.piece(f"critics-{seed}", partial(_learned, settings, seed))
        for seed in work.each("learned critics", settings.seeds)
    ]
    x = np.asarray(pieces[0]["x"], dtype=float)
    scores = np.stack([np.asarray(each["scores"], dtype=float) for each in pieces])  # [seeds, divergences, x]
    weight = _density(x, *P) + _density(x, *Q)
    weight /= weight.sum()
    truth = _truth(x)
    errors = np.sqrt(((scores - truth) ** 2 * weight).sum(-1))  # [seeds, divergences]
    rows = []
    for i, name in enumerate(settings.learned):
        numbers[f"{name}: learned critic, error of the log-ratio"] = float(errors[:, i].max())
        numbers[f"{name}: error of the log-ratio at full length"] = float(errors[:, i].max())
        rows.append((name, with_error(*mean_and_error(errors[:, i]), digits=".4f", of_error=".4f")))
    apart = np.sqrt(((scores[:, :, None] - scores[:, None]) ** 2 * weight).sum(-1)).max()
    numbers["largest difference of two learned critics"] = numbers[
        "largest difference of two learned critics at full length"
    ] = float(apart)
    tables = (
        Table(("critic's divergence", "error of its log-ratio (nats), mean over seeds"), tuple(rows)),
        Table(
            ("divergence", "farthest log r from V, over what rounding leaves"),
            tuple((k, f"{e:.2g}") for k, e in trips.items()),
        ),
    )
    arrays = {"x": x, "truth": truth, "scores": scores[0], "weight": weight}
    return Found(numbers, arrays, tables, NOTES)


NOTES = (
    "V is the critic's last layer where T = f'(e^V), as everywhere in this package; then r = e^V for every f. With the f-GAN's "
    "own activations that holds for GAN, Jensen-Shannon and reverse KL; KL's V is one more than log r, Hellinger's half of it, and "
    "chi-square's T = V below -2 stands for no ratio.",
)


def inverse(f: Divergence, t: Floats) -> Floats:
    """log u at which f'(u) = t, by halving an interval of 24 nats; NaN where there is none inside."""
    low, high = np.full_like(t, -12.0), np.full_like(t, 12.0)
    inside = (f.a(low) < t) & (t < f.a(high))
    for _ in range(58):
        middle = (low + high) / 2
        left = f.a(middle) < t
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.where(inside, (low + high) / 2, np.nan)


def _round_trip(f: Divergence, v: Floats) -> float:
    """The farthest log r from V, over what the last digit of T, and of V, leaves open."""
    t = f.df(np.exp(v))
    left = EPS * (1 + np.abs(t)) / (np.exp(-v) * f.weight(v)) + EPS * (1 + np.abs(v))
    return largest((inverse(f, t) - v) / left)


def _gan(v: Floats) -> dict[str, float]:
    f = divergence("2*js")
    t = f.df(np.exp(v)) - math.log(2)  # f_D = u log u - (u + 1) log(u + 1) has f_D'(1) = -log 2
    return {
        "GAN: largest |log(1/(e^-T - 1)) - V|": largest((-np.log(np.expm1(-t)) - v) * expit(-v)),
        "GAN: largest |T - log D|": largest(t - np.log(expit(v))),
    }


def _activations(v: Floats) -> dict[str, float]:
    numbers = {}
    for name, each in ACTIVATIONS.items():
        found = inverse(divergence(each.f), each.g(v) - each.slope)
        what = f"{name}, f-GAN's activation: "
        if each.log_ratio is None:
            numbers[what + "largest V that no ratio answers to"] = float(v[np.isnan(found)].max(initial=-np.inf))
            continue
        known = np.isfinite(found)
        slope, intercept = np.polyfit(v[known], found[known], 1)
        line = slope * v[known] + intercept
        numbers[what + "slope of log r in V"] = slope + largest(found[known] - line)  # a bend shows too
        numbers[what + "log r at V = 0"] = intercept
    return numbers


def _bregman() -> dict[str, float]:
    """b-GAN's loss E_q[r f'(r) - f(r)] - E_p[f'(r)] on ten outcomes, beside the f-GAN's, its least value and its excess."""
    import torch

    random = np.random.default_rng(0)
    p, q = (random.dirichlet(np.full(10, 3.0)) for _ in range(2))
    d, c = np.log(p / q), random.normal(size=10)
    of_p, of_q = torch.from_numpy(p), torch.from_numpy(q)
    losses, least, excess = [], [], []
    for name in SMOOTH:
        f = divergence(name)

        def paid(log_r: Floats, f: Divergence = f) -> float:
            r = np.exp(log_r)
            return float(q @ (r * f.df(r) - f.f(r)) - p @ f.df(r))

        def told(log_r: Floats, f: Divergence = f) -> float:
            score = torch.from_numpy(log_r)
            return float(fgan(f).critic_loss(score, score, weight_real=of_p, weight_fake=of_q))

        value = exact(f, of_p, of_q).value
        moved = d + c / 2
        ratio, other = np.exp(d), np.exp(moved)
        bregman = float(q @ (f.f(ratio) - f.f(other) - f.df(other) * (ratio - other)))
        losses.append((paid(c) - told(c)) / (1 + abs(paid(c))))
        least.append((paid(d) + value) / value)
        excess.append((told(moved) - told(d) - bregman) / bregman)
    return {
        "b-GAN: its critic's loss less the f-GAN's, relative": largest(losses),
        "b-GAN: its least value plus D_f, relative": largest(least),
        "b-GAN: what r = p/q times a factor costs less the Bregman divergence, relative": largest(excess),
    }


def _learned(settings: Settings, seed: int) -> dict[str, object]:
    """Scores of critics that began alike and saw the same samples, one for each divergence, on a grid of x."""
    import torch

    losses = [recipe(f"fgan({name})") for name in settings.learned]
    random = torch.Generator().manual_seed(seed)
    critics = Critics(len(losses), settings.width, random)
    optimiser = torch.optim.Adam(critics.weights, lr=settings.rate)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps, eta_min=settings.rate / 100)
    n = settings.batch
    for _ in range(settings.steps):
        z = torch.randn(2 * n, generator=random)
        x = torch.cat([P[0] + P[1] * z[:n], Q[0] + Q[1] * z[n:]])
        scores = critics(x.expand(len(losses), 2 * n))
        total = torch.zeros(())
        for made, row in zip(losses, scores, strict=True):
            assert isinstance(made, Recipe)
            total = total + made.critic_loss(row[:n], row[n:])
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        rate.step()
    x = torch.linspace(-4.5, 5.5, 401)
    with torch.no_grad():
        return {"x": x.double().numpy(), "scores": critics(x.expand(len(losses), -1)).double().numpy()}


def _density(x: Floats, mean: float, sd: float) -> Floats:
    found: Floats = np.exp(-(((x - mean) / sd) ** 2) / 2) / sd
    return found


def _truth(x: Floats) -> Floats:
    return np.log(_density(x, *P)) - np.log(_density(x, *Q))


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    x = found.arrays["x"]
    for i, (name, scores) in enumerate(zip(LEARNED, found.arrays["scores"], strict=False)):
        colour, dash = line_style(i)
        ax.plot(x, scores, color=colour, linestyle=dash, label=name.replace("_", " "))
    ax.plot(x, found.arrays["truth"], color="black", linewidth=2.5, alpha=0.35, label="log p/q")
    weight = found.arrays["weight"]
    ax.fill_between(x, -6, -6 + 2 * weight / weight.max(), color="0.9", label="where samples are")
    ax.set(xlabel="x", ylabel="log-ratio (nats)", ylim=(-6, 1.5), xlim=(-4.5, 5.5))
    ax.legend(fontsize=8, loc="upper right")


register(
    Item(
        name="poole-ratio",
        paper=POOLE,
        title="Section 2.4 and appendix A: the ratio from the critic of any f",
        claim="The best critic of the bound on any f-divergence is T = f'(p/q), so that r = (f')^-1(T) estimates the ratio "
        "whatever f trained it; for the usual GAN r = e^V.",
        settings=Settings(),
        quick=Settings(
            learned=("js", "kl", "reverse_kl", "squared_hellinger", "jeffreys", "triangular"),
            seeds=(0,),
            steps=150,
            batch=512,
            width=16,
            rate=2e-2,
            nodes=41,
        ),
        cost=Cost(quick=5, full=300),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7.5, 4.8),
        caption="Critics that the bounds of six divergences trained on samples of N(0, 1) and N(0.5, 1.2^2), and the true "
        "log-ratio. They agree where there are samples (grey), whatever f they were trained by.",
        slips=("With the f-GAN's own activations r = e^V holds for GAN, Jensen-Shannon and reverse KL alone.",),
    )
)
