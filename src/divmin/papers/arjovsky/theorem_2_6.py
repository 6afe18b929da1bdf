"""Theorem 2.6: with a noisy critic every coordinate of the gradient of -log D is Cauchy, and no batch is large enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
MEANS = 500_000  # averages over a batch
QUARTILE = 0.674489750196  # of N(0, 1)


@dataclass(frozen=True)
class Settings:
    """Draws of the gradient -J r / e of a random generator, with e ~ N(0, a^2) and r ~ N(0, b^2 I).

    Args:
        deviations: pairs (a, b): the critic's error and that of its gradient.
        draws: of each.
        coordinates: weights of the generator that are looked at.
        batches: z over which a gradient is averaged.
        tail: the share of the largest draws that give the tail index.
        width: of the generator's hidden layers.
        seed: of everything.
    """

    deviations: tuple[tuple[float, float], ...] = ((1.0, 1.0), (0.01, 3.0), (10.0, 0.1))
    draws: int = 2_000_000
    coordinates: int = 4
    batches: tuple[int, ...] = (1, 4, 16, 64)
    tail: float = 0.02
    width: int = 8
    seed: int = 0


def expectations() -> dict[str, Expected]:
    """The quantiles of the Cauchy law, its tail, and that averages have the same law."""
    return {
        "largest |median| in standard errors": at_most(5, source="theorem 2.6: centred"),
        "largest distance of a quartile from +-gamma in standard errors": at_most(5, source="gamma = b |J| / a"),
        "largest distance of the law from Cauchy's, n^(1/2) sup |difference|": at_most(
            2.2, source="Kolmogorov: above 2.2 once in 8,000 times"
        ),
        "least tail index": near(1, 0.15, source="P(|x| > t) falls as 1/t"),
        "largest tail index": near(1, 0.15, source="P(|x| > t) falls as 1/t"),
        "power of the batch size in the interquartile range": near(
            0, 0.02, source="averages of Cauchy draws are Cauchy"
        ),
        "the same of J r alone": near(-0.5, 0.02, source="averages of normal draws shrink"),
        "interquartile range of the largest batch over 2 mean gamma": near(1, 0.05, source="scales add up"),
    }


def compute(settings: Settings, work: Work) -> Found:
    rng = np.random.default_rng(settings.seed)
    jacobian = jacobians(settings)
    sizes = np.linalg.norm(jacobian, axis=1)  # |J| of each z and coordinate
    medians, quartiles, distances, tails, rows = [], [], [], [], []
    for a, b in work.each("variances", settings.deviations):
        for i, gamma in enumerate(b * sizes[0] / a):
            x = np.sort(draw_gradients(rng, b / a * jacobian[:1, :, i], settings.draws, normal=False)) / gamma
            low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
            root = math.sqrt(len(x))
            medians.append(abs(middle) / (math.pi / 2 / root))
            quartiles += [abs(side) / (math.sqrt(3) / 2 * math.pi / root) for side in (low + 1, high - 1)]
            ranks = (np.arange(len(x)) + 0.5) / len(x)
            distances.append(root * float(np.max(np.abs(0.5 + np.arctan(x) / math.pi - ranks))))
            tails.append(tail_index(np.abs(x), settings.tail))
            rows.append((f"{a:g}, {b:g}", f"{gamma:.4g}", *(f"{each:.4f}" for each in (middle, low, high, tails[-1]))))
    numbers = {
        "largest |median| in standard errors": max(medians),
        "largest distance of a quartile from +-gamma in standard errors": max(quartiles),
        "largest distance of the law from Cauchy's, n^(1/2) sup |difference|": max(distances),
        "least tail index": min(tails),
        "largest tail index": max(tails),
    }
    ranges = {}
    for name in ("ratio", "normal"):
        found = []
        for m in settings.batches:
            mean = draw_gradients(rng, jacobian[:m, :, 0], min(settings.draws, MEANS), normal=name == "normal")
            low, high = np.quantile(mean, [0.25, 0.75])
            found.append((high - low) / (2 * sizes[:m, 0].mean()))
        ranges[name] = np.array(found)
    logs = np.log(settings.batches)
    numbers["power of the batch size in the interquartile range"] = np.polyfit(logs, np.log(ranges["ratio"]), 1)[0]
    # J differs from z to z: an average of normal draws shrinks by the root of the sum of squares
    normal = [math.sqrt((sizes[:m, 0] ** 2).mean()) / sizes[:m, 0].mean() for m in settings.batches]
    numbers["the same of J r alone"] = np.polyfit(logs, np.log(ranges["normal"] / normal), 1)[0]
    numbers["interquartile range of the largest batch over 2 mean gamma"] = ranges["ratio"][-1]
    t = np.geomspace(0.1, 1000, 60)
    one = np.abs(draw_gradients(rng, jacobian[:1, :, 0], settings.draws, normal=False)) / sizes[0, 0]
    many = np.abs(draw_gradients(rng, jacobian[:, :, 0], min(settings.draws, MEANS), normal=False)) / sizes[:, 0].mean()
    arrays = {"t": t, "one": beyond(one, t), "many": beyond(many, t), "batch": np.array(settings.batches), **ranges}
    arrays["normal tail"] = np.array([math.erfc(QUARTILE * each / math.sqrt(2)) for each in t])
    heads = ("a, b", "gamma", "median / gamma", "1st quartile / gamma", "3rd quartile / gamma", "tail index")
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def jacobians(settings: Settings) -> Floats:
    """J for z of the largest batch and for the weights that every z moves most, [z, dim, coordinates]."""
    import torch

    from divmin.models import build
    from divmin.papers.arjovsky.jacobians import by_weights

    generator = build("mlp", shape=(2,), latent=2, width=settings.width, seed=settings.seed).generator.double()
    random = torch.Generator().manual_seed(settings.seed)
    z = torch.randn(max(settings.batches), 2, generator=random, dtype=torch.float64)
    found = by_weights(generator, z)
    at = found.norm(dim=1).min(0).values.argsort(descending=True, stable=True)[: settings.coordinates]
    return np.asarray(found[:, :, at])


def draw_gradients(rng: np.random.Generator, jacobian: Floats, draws: int, *, normal: bool) -> Floats:
    """Averages over z of J r / e, [draws], of J [z, dim], with e and r of variance 1; of J r where only that is asked."""
    total = np.zeros(draws)
    for each in jacobian:
        felt = rng.normal(size=(draws, len(each))) @ each
        total += felt if normal else felt / rng.normal(size=draws)
    return total / len(jacobian)


def tail_index(x: Floats, share: float) -> float:
    """Hill's estimate from the largest draws: how fast P(x > t) falls, as a power of t."""
    largest = np.sort(x)[-int(share * len(x)) - 1 :]
    return float(1 / np.mean(np.log(largest[1:] / largest[0])))


def beyond(x: Floats, t: Floats) -> Floats:
    """The share of draws beyond each t; NaN where there are none."""
    share = 1 - np.searchsorted(np.sort(x), t, side="right") / len(x)
    return np.where(share > 0, share, np.nan)


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    arrays = found.arrays
    t, most = arrays["t"], arrays["batch"][-1]
    left.loglog(t, 2 / math.pi * np.arctan(1 / t), color=line_style(0)[0], label="Cauchy")
    for i, (name, label) in enumerate({"one": "one z", "many": f"mean over {most} z"}.items(), 1):
        at = slice(3 * i, None, 6)
        left.loglog(t[at], arrays[name][at], color=line_style(i)[0], linestyle="", marker="ox"[i - 1], label=label)
    left.loglog(t, arrays["normal tail"], color=line_style(3)[0], linestyle=":", label="normal, same quartiles")
    left.set(xlabel=r"t, in units of $\gamma$", ylabel=r"P(|gradient| > t $\gamma$)", ylim=(2e-4, 1.5))
    left.legend()
    for i, (name, label) in enumerate({"ratio": "J r / e: of -log D", "normal": "J r: normal noise"}.items()):
        colour, dash = line_style(i)
        right.loglog(arrays["batch"], arrays[name], color=colour, linestyle=dash, marker="o", label=label)
    right.set(xlabel="z in a batch", ylabel=r"interquartile range / 2 mean $\gamma$")
    right.legend()


register(
    Item(
        name="arjovsky-theorem-2-6",
        paper=ARJOVSKY,
        title="Theorem 2.6: with a noisy critic the gradient of -log D is Cauchy",
        claim="If the errors of D and of its gradient on the samples are independent centred normal white noise, every "
        "coordinate of the gradient of -log D is centred Cauchy, of infinite expectation and variance, whatever the variances are.",
        settings=Settings(),
        quick=Settings(draws=50_000, batches=(1, 8, 64)),
        cost=Cost(quick=2, full=20),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(9.0, 4.0),
        caption="Left: the tail falls as 1/t, for single samples and for averages alike. Right: a larger batch does not narrow "
        "the law of the gradient, as it would with normal noise. J is the generator's slope, r and e are the errors of "
        "grad D and of D.",
        slips=(
            "The mean of a Cauchy law is not infinite, it does not exist.",
            "Noise around D = 0 makes D negative half of the time, where log D is no number: the statement is about grad D / D.",
        ),
    )
)
