"""The affine part of f_G: no divergence sees it, the generator does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.family import divergence
from divmin.objectives.poole import poole
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.mixtures import MIXTURES
from divmin.papers.poole.objectives import MODEL, minima
from divmin.papers.sources import POOLE
from divmin.papers.work import Arrays
from divmin.plots.style import line_style, plain_ticks
from divmin.values import exact
from divmin.values.pursuit import Pursuit, pursuit
from divmin.values.text import law

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

Floats = NDArray[np.float64]
AT = (0.3, 1.1)  # mean and standard deviation of the model at which values and gradients are compared, on B_asym
BESIDE = 0.05
# f here, the slope f_G'(1) at which it was published, and -f'(infinity).
ROWS: dict[str, tuple[str, float, float]] = {
    "reverse KL": ("reverse_kl", -1.0, -1.0),
    "-log D": ("igog", -0.5, -0.5),
    "GAN": ("2*js", -math.log(2), -math.log(2)),
    "squared Hellinger": ("2*squared_hellinger", 0.0, -1.0),
    "KL": ("kl", 1.0, -math.inf),
    "Jeffreys": ("jeffreys", 0.0, -math.inf),
}
BOUNDED = tuple(name for name, (_, _, bound) in ROWS.items() if bound > -math.inf)
CURVES = (0.5, 0.0, -math.log(2), -1.5)


@dataclass(frozen=True)
class Settings:
    """How far the sweep goes.

    Args:
        slopes: values of c for u log u - u + 1 + c (u - 1), whose standstills on D_fig5 are found.
        nodes: of the grid of each parameter from which that search starts.
        points: of the curves in the picture.
    """

    slopes: tuple[float, ...] = (1.0, 0.5, 0.0, -0.5, -1.0, -2.0, -4.0, -8.0, -16.0, -32.0, -64.0)
    nodes: int = 25
    points: int = 241


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name, (_, _, bound) in ROWS.items():
        wanted[f"{name}: E_q f_G moved by c = 1"] = near(0, 1e-12, source="E_q[u - 1] = 0")
        wanted[f"{name}: gradient moved by c = 1, less -grad KL(p||q)"] = at_most(1e-10, source="a c u adds -c grad KL")
        wanted[f"{name}: what draws a model back to the data, at c = 1"] = near(-1, 1e-9, source="f_eff''(1) = -c")
        if name in BOUNDED:
            wanted[f"{name}: largest slope c that is a divergence"] = near(bound, 1e-9, source="-f'(infinity)")
            wanted[f"{name}: least pull at that slope"] = at_least(0, source="f_eff is convex")
            wanted[f"{name}: least pull {BESIDE:g} above it"] = at_most(-0.01, source="f_eff is not")
        else:
            wanted[f"{name}: least pull at c = -10"] = at_most(-1, source="f' has no bound: f_eff is convex for no c")
    source = "f_eff is -c KL and something: c decides"
    wanted["KL on D_fig5: stable standstills at c = 1"] = near(0, source="as published")
    wanted["KL on D_fig5: stable standstills at c = 0"] = near(0, source="canonical")
    wanted["KL on D_fig5: stable standstills at c = -64"] = near(1, source=source)
    wanted["KL on D_fig5: distance of it from the minimum of KL"] = at_most(0.02, source=source)
    wanted["KL on D_fig5: that distance at c = -32 over that at c = -64"] = near(2, 0.1, source="it falls as 1/c")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    rows = []
    for name, (f, published, _) in work.each("objectives", ROWS.items()):
        numbers |= _moved(name, f)
        bound = -float(divergence(f).s(math.inf))
        if name in BOUNDED:
            numbers[f"{name}: largest slope c that is a divergence"] = bound
            numbers[f"{name}: least pull at that slope"] = _least_pull(f, bound)
            numbers[f"{name}: least pull {BESIDE:g} above it"] = _least_pull(f, bound + BESIDE)
        else:
            numbers[f"{name}: least pull at c = -10"] = _least_pull(f, -10.0)
        rows.append((name, f"{published:.6g}", "none" if math.isinf(bound) else f"{bound:.6g}"))
    swept = work.piece("sweep", partial(_sweep, settings))
    numbers |= _of_sweep(swept)
    d = np.linspace(-6, 6, settings.points)
    pulls = np.stack([_pull("2*js", c, d) for c in CURVES])
    tables = (
        Table(("f", "f_G'(1) as published", "largest f_G'(1) for which the update follows a divergence"), tuple(rows)),
        Table(
            ("c", "stable standstills on D_fig5", "the nearest to KL's minimum (mu, sigma)", "its distance"),
            _lines(swept),
        ),
    )
    return Found(numbers, {"d": d, "pulls": pulls, **swept}, tables, NOTES)


NOTES = (
    "The forms that the paper prints for reverse KL, -log D and the GAN have just the largest slope at which their update follows "
    "a divergence; KL's u log u has slope 1, and no slope would do.",
)


def _loss(f: str, c: float, d: Tensor) -> Tensor:
    return poole(divergence(f), affine=c).generator_loss(d, reduction="none")


def _chase(f: str, c: float, mixture: str) -> Pursuit:
    return pursuit(partial(_loss, f, c), MIXTURES[mixture], MODEL, {"loc": (-3.0, 3.0), "scale": (0.25, 5.0)})


def _moved(name: str, f: str) -> dict[str, float]:
    """What c = 1 does to the value and to the gradient at the test point, and to a model that has become the data."""
    import torch

    with_it, without = (_chase(f, c, "B_asym") for c in (1.0, 0.0))
    z = with_it.free(dict(zip(("loc", "scale"), AT, strict=True)))[None]
    at = torch.tensor(AT, dtype=torch.float64, requires_grad=True)
    exact("kl", law(MIXTURES["B_asym"]), torch.distributions.Normal(at[0], at[1])).tensor.backward()
    assert at.grad is not None
    of_kl = at.grad.numpy() * (1.0, AT[1])  # by mu and log sigma
    home = pursuit(partial(_loss, f, 1.0), "normal(0, 1)", MODEL, {"loc": (-1, 1), "scale": (0.5, 2)})
    jacobian = home.derivative(home.free({"loc": 0.0, "scale": 1.0})[None])[0]
    change = (with_it.gradient(z) - without.gradient(z))[0].numpy()
    return {
        f"{name}: E_q f_G moved by c = 1": float(with_it.value(z) - without.value(z)),
        f"{name}: gradient moved by c = 1, less -grad KL(p||q)": largest(change + of_kl),
        f"{name}: what draws a model back to the data, at c = 1": float(jacobian[0, 0]),
    }


def _pull(f: str, c: float, d: Floats) -> Floats:
    import torch

    at = torch.from_numpy(d).requires_grad_()
    (slope,) = torch.autograd.grad(_loss(f, c, at).sum(), at)
    return -slope.numpy()


def _least_pull(f: str, c: float) -> float:
    return float(_pull(f, c, np.linspace(-12, 12, 241)).min())


def _sweep(settings: Settings) -> dict[str, object]:
    """How many stable standstills KL has on D_fig5 at every slope, and the one nearest to KL's minimum."""
    [best] = minima("kl", "D_fig5")
    counts, places = [], []
    for c in settings.slopes:
        found = [each for each in _chase("kl", c, "D_fig5").standstills(settings.nodes) if each.stable]
        near_by = sorted(
            ((each.parameters["loc"], each.parameters["scale"]) for each in found),
            key=lambda place: math.dist(place, (best["mu"], best["sigma"])),
        )
        counts.append(len(found))
        places.append(near_by[0] if near_by else (math.nan, math.nan))
    distances = [math.dist(place, (best["mu"], best["sigma"])) for place in places]
    return {"slopes": settings.slopes, "counts": counts, "places": places, "distances": distances}


def _of_sweep(swept: Arrays) -> dict[str, float]:
    slopes = np.asarray(swept["slopes"]).tolist()
    counts = dict(zip(slopes, np.asarray(swept["counts"]).tolist(), strict=True))
    distances = dict(zip(slopes, np.asarray(swept["distances"]).tolist(), strict=True))
    numbers = {f"KL on D_fig5: stable standstills at c = {c:g}": float(counts[c]) for c in (1.0, 0.0, -64.0)}
    return numbers | {
        "KL on D_fig5: distance of it from the minimum of KL": distances[-64.0],
        "KL on D_fig5: that distance at c = -32 over that at c = -64": distances[-32.0] / distances[-64.0],
    }


def _lines(swept: Arrays) -> tuple[tuple[str, ...], ...]:
    columns = (np.asarray(swept[name]).tolist() for name in ("slopes", "counts", "places", "distances"))
    return tuple(
        (f"{c:g}", str(count), "" if math.isnan(apart) else f"({place[0]:.5f}, {place[1]:.5f})",
         "" if math.isnan(apart) else f"{apart:.3g}")
        for c, count, place, apart in zip(*columns, strict=True)
    )  # fmt: skip


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    for i, (c, pull) in enumerate(zip(CURVES, found.arrays["pulls"], strict=True)):
        colour, dash = line_style(i)
        label = "c = -log 2, the GAN's f" if i == 2 else f"c = {c:g}"
        left.plot(found.arrays["d"], pull, color=colour, linestyle=dash, label=label)
    left.axhline(0, color="0.5", linewidth=0.8)
    left.set(xlabel="d = log p/q (nats)", ylabel="pull on a model sample", ylim=(-3, 3))
    left.set_title("Jensen-Shannon's f with c (u - 1)", fontsize=10)
    left.legend(fontsize=8)
    slopes, apart = -found.arrays["slopes"], found.arrays["distances"]
    kept = np.isfinite(apart)
    right.loglog(slopes[kept], apart[kept], "o-", color=line_style(0)[0])
    right.set(xlabel="-c, the weight of 1 - u", ylabel="distance of the standstill from KL's minimum")
    right.set_xticks(slopes[kept], [f"{each:g}" for each in slopes[kept]], minor=False)
    right.minorticks_off()
    plain_ticks(right.yaxis)
    right.set_title("u log u - u + 1 + c (u - 1) on D_fig5", fontsize=10)


register(
    Item(
        name="poole-affine",
        paper=POOLE,
        title="The affine part of f_G, which changes the update and not the divergence",
        claim="The generator may minimise an estimate of D_f for any f; f is printed in forms that differ by c (u - 1).",
        settings=Settings(),
        quick=Settings(slopes=(1.0, 0.0, -32.0, -64.0), nodes=15, points=61),
        cost=Cost(quick=3, full=12),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(10, 4.4),
        caption="Left: the pull of Jensen-Shannon's f with an affine part; from c = -log 2 down, which is the GAN's own f, it is "
        "nowhere negative. Right: with a large negative c, u log u comes to rest near the minimum of KL, as near as 1/c.",
        slips=(
            "The divergences are defined up to c (u - 1), the published updates are not: each unit of c adds -grad KL(p||q).",
        ),
    )
)
