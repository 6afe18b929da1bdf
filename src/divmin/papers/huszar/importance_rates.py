"""How fast estimated log-ratios approach a known one, and what they make of E_q w = 1, method by method."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from divmin.estimators import method
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, between
from divmin.papers.sources import HUSZAR
from divmin.plots.style import line_style, plain_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CALLED = {"quadratic": "logistic, squares", "kernel": "logistic, kernels", "lsif": "LSIF", "ulsif": "uLSIF", "kliep": "KLIEP",
          "kmm": "kernel mean matching"}  # fmt: skip
METHODS = ("quadratic", "kernel", "kliep", "lsif", "ulsif", "kmm")
FRESH = 4000  # quantiles of q, for E_q w without noise


@dataclass(frozen=True)
class Settings:
    """Samples of data N(mean, sd^2) and of a model N(0, 1).

    Args:
        mean, sd: of the data.
        sizes: of both sets.
        repeats: sets of samples of each size.
        reach: the error is taken over |x| <= reach.
    """

    mean: float = 0.5
    sd: float = 0.9
    sizes: tuple[int, ...] = (200, 400, 800, 1600, 3200, 6400)
    repeats: int = 30
    reach: float = 2.0


def expectations() -> dict[str, Expected]:
    wanted = {}
    for name in METHODS:
        wanted[f"{name}: slope of log RMSE on log n, roughly"] = between(-1.2, -0.1, source="it falls")
        wanted[f"{name}: slope of log RMSE on log n"] = between(-0.6, -0.4, source="n^-1/2", full=True)
        wanted[f"{name}: |E_q w - 1| with most samples, mean"] = at_most(0.1, source="a density integrates to 1")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    jobs = [(name, n) for n in settings.sizes for name in METHODS]
    squares = {
        (name, n): work.piece(f"{name}-{n}", partial(_errors, name, n, settings))
        for name, n in work.each("fitting", jobs)
    }
    logs, numbers, rows, arrays = np.log(settings.sizes), {}, [], {"sizes": np.array(settings.sizes)}
    for name in METHODS:
        rmse = np.array(
            [float(np.sqrt(np.median(np.asarray(squares[name, n]["square"], dtype=float)))) for n in settings.sizes]
        )
        slope = float(np.polyfit(logs, np.log(rmse), 1)[0])
        mass = float(np.mean(np.abs(squares[name, settings.sizes[-1]]["mass"] - 1)))
        numbers[f"{name}: slope of log RMSE on log n, roughly"] = slope
        numbers[f"{name}: slope of log RMSE on log n"] = slope
        numbers[f"{name}: |E_q w - 1| with most samples, mean"] = mass
        arrays[name] = rmse
        rows.append((name, *(f"{each:.3g}" for each in rmse), f"{slope:.3f}", f"{mass:.2g}"))
    heads = ("method", *(f"RMSE, n = {n}" for n in settings.sizes), "slope", "|E_q w - 1|")
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def _errors(name: str, n: int, settings: Settings) -> dict[str, NDArray[np.float64]]:
    """The mean squared error of log w and E_q w, one of each a repeat."""
    at = np.linspace(-settings.reach, settings.reach, 81)[:, None]
    truth = at**2 / 2 - ((at - settings.mean) / settings.sd) ** 2 / 2 - np.log(settings.sd)
    fresh = ndtri((np.arange(FRESH) + 0.5) / FRESH)[:, None]
    square, mass = [], []
    for repeat in range(settings.repeats):
        random = np.random.default_rng([n, repeat])
        x, y = random.normal(settings.mean, settings.sd, (n, 1)), random.normal(0, 1, (n, 1))
        d = method(name).fit(x, y, np.ones(n), np.ones(n), repeat)
        square.append(np.mean((d(at) - truth[:, 0]) ** 2))
        mass.append(np.mean(np.exp(d(fresh))))
    return {"square": np.array(square), "mass": np.array(mass)}


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    n = found.arrays["sizes"]
    for i, name in enumerate(METHODS):
        colour, dash = line_style(i)
        ax.loglog(
            n, found.arrays[name], color=colour, linestyle=dash, marker="o", markersize=4, label=CALLED.get(name, name)
        )
    ax.loglog(n, found.arrays[METHODS[0]][0] * (n / n[0]) ** -0.5, color="0.6", linewidth=3, zorder=0, label="n^-1/2")
    ax.set(xlabel="samples of each law", ylabel="root mean squared error of log w (nats), median")
    ax.set_xticks(n, [str(each) for each in n])
    ax.minorticks_off()
    plain_ticks(ax.yaxis)
    ax.legend(fontsize="small")


register(
    Item(
        name="huszar-importance-rates",
        paper=HUSZAR,
        title="Direct importance estimation: the error of log w against the number of samples",
        claim="The importance of a point under two laws can be estimated from samples; the error should fall like n^-1/2.",
        settings=Settings(),
        quick=Settings(sizes=(200, 1600), repeats=4),
        cost=Cost(quick=4, full=200),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.8),
        caption="Logistic regression on squares has the truth among its log-ratios; the others, made of kernels, come near it. "
        "The grey line falls like n^-1/2. Each point is the median over repeats: of few samples KLIEP now and then makes "
        "errors of many nats.",
    )
)
