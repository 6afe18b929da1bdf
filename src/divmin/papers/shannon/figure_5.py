"""Figure 5: a normal model on a mixture, by both schemes, with a learned critic and with the best one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch.distributions import Normal

from divmin.data import densities
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.seeds import mean_and_error, with_error
from divmin.papers.shannon.learned import Play, play
from divmin.papers.shannon.panel import contours, values
from divmin.papers.shannon.schemes import MEANT, MIXTURES, RECIPES, SHOWN, STARTS, gradients, minimised, minimum, told
from divmin.papers.sources import SHANNON
from divmin.plots.style import COLOURS
from divmin.values import descend, fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA = MIXTURES["D_fig5"]
REACH = 2.6  # of the picture
POINTS = 12  # parameters at which gradients are compared


@dataclass(frozen=True)
class Settings:
    """The starts, and how both sides learn; the source states none of these.

    Args:
        starts: (mu, sigma) of the model at first.
        seeds: of the learned critic's runs.
        steps: of the generator, stochastic gradient descent on (mu, log sigma).
        generator_rate: its step size.
        critic_steps: for each of them, with Adam.
        critic_rate: its step size.
        beta1: Adam's decay of the mean gradient.
        batch: samples of data, and of the model, in every step.
        width: units in both hidden layers (tanh) of the critic.
        places: values of mu, and of sigma, of the contours.
    """

    starts: tuple[tuple[float, float], ...] = STARTS
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int = 2500
    generator_rate: float = 0.04
    critic_steps: int = 5
    critic_rate: float = 2e-3
    beta1: float = 0.5
    batch: int = 512
    width: int = 32
    places: int = 81

    @property
    def play(self) -> Play:
        return Play(
            self.steps,
            self.generator_rate,
            self.critic_steps,
            self.critic_rate,
            self.beta1,
            self.batch,
            self.width,
        )


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for scheme, name in MEANT.items():
        mu, sigma = minimum(name)
        wanted[f"{scheme}: stationary points of what it minimises"] = near(1, source="reference")
        wanted[f"{scheme}: mu of the minimum"] = near(mu, 1e-8, source="reference")
        wanted[f"{scheme}: sigma of the minimum"] = near(sigma, 1e-8, source="reference")
        wanted[f"{scheme}: largest difference of the generator's gradient from that of the divergence"] = at_most(
            1e-9, source="eq. 35 and section 9, the best critic"
        )
        wanted[f"{scheme}: best critic, farthest end from the minimum"] = at_most(1e-6, source="section 11")
        learned = f"{scheme}: learned critic, mean of the last quarter, "
        wanted[learned + "farthest from the minimum"] = at_most(0.2, source="section 11")
        wanted[learned + "farthest from the minimum at full length"] = at_most(0.02, source="section 11", full=True)
        wanted[f"{scheme}: learned critic, largest standard deviation along the last quarter"] = at_most(
            0.012, source="0.0085 in an independent run", full=True
        )
        wanted[learned + "nearest to the other scheme's minimum"] = at_least(0.3, source="section 11")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    p = densities()[DATA]()
    numbers: dict[str, float] = {}
    arrays: dict[str, NDArray[Any]] = {}
    places = _places()
    learned = [
        work.piece(f"learned-{seed}", partial(_learned, settings, seed))["path"]
        for seed in work.each("learned critics", settings.seeds)
    ]
    paths = np.stack(learned)  # [seeds, schemes, starts, steps + 1, 2]
    tails = paths[..., -(settings.steps // 4) :, :].mean(3)
    rows = []
    starts = {"loc": [mu for mu, _ in settings.starts], "scale": [sigma for _, sigma in settings.starts]}
    for i, (scheme, name) in enumerate(MEANT.items()):
        f = minimised(scheme)
        points = fit(f, p, Normal).points
        mu, sigma = points[0].parameters["loc"], points[0].parameters["scale"]
        numbers[f"{scheme}: stationary points of what it minimises"] = len(points)
        numbers[f"{scheme}: mu of the minimum"], numbers[f"{scheme}: sigma of the minimum"] = mu, sigma
        numbers[f"{scheme}: largest difference of the generator's gradient from that of the divergence"] = largest(
            np.stack([told(scheme, DATA, *at) for at in places]) - gradients(f, DATA, places)
        )
        flow = descend(f, p, Normal, starts)
        ends = np.stack([flow.ends["loc"], flow.ends["scale"]], 1)
        numbers[f"{scheme}: best critic, farthest end from the minimum"] = largest(ends - minimum(name))
        other = minimum(next(each for each in MEANT.values() if each != name))
        prefix = f"{scheme}: learned critic, mean of the last quarter, "
        away = np.abs(tails[:, i] - minimum(name)).max(2)  # [seeds, starts]
        numbers[prefix + "farthest from the minimum"] = largest(away)
        numbers[prefix + "farthest from the minimum at full length"] = largest(away)
        numbers[prefix + "nearest to the other scheme's minimum"] = float(
            np.linalg.norm(tails[:, i] - other, axis=2).min()
        )
        scatter = paths[:, i, :, -(settings.steps // 4) :].std(2).max()
        numbers[f"{scheme}: learned critic, largest standard deviation along the last quarter"] = float(scatter)
        rows += [_row(scheme, start, minimum(name), tails[:, i, k], scatter) for k, start in enumerate(settings.starts)]
        arrays |= {f"{name} flow loc": flow.paths["loc"], f"{name} flow scale": flow.paths["scale"]}
        arrays[f"{name} learned"] = paths[0, i]
        drawn = values(name, DATA, settings.places, REACH)
        arrays |= {"mu": drawn["mu"], "sigma": drawn["sigma"], name: drawn["values"]}
    heads = ("scheme", "start (mu, sigma)", "exact minimum", "mean of the last quarter, over seeds", "sd on the way")
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def _learned(settings: Settings, seed: int) -> dict[str, object]:
    return {"path": play(DATA, list(RECIPES.values()), settings.starts, settings.play, seed)}


def _places() -> NDArray[np.float64]:
    """Parameters all over the picture, the same in every run."""
    random = np.random.default_rng(0)
    return np.stack([random.uniform(-2, 2, POINTS), random.uniform(0.4, 2, POINTS)], 1)


def _row(
    scheme: str, start: tuple[float, float], exact: np.ndarray, tails: np.ndarray, scatter: float
) -> tuple[str, ...]:
    reached = ", ".join(with_error(*mean_and_error(each), digits=".4f", of_error=".4f") for each in tails.T)
    return (scheme, f"({start[0]:g}, {start[1]:g})", f"{exact[0]:.4f}, {exact[1]:.4f}", reached, f"{scatter:.4f}")


def draw(found: Found, figure: Figure) -> None:
    from matplotlib.lines import Line2D

    arrays = found.arrays
    for ax, (scheme, name) in zip(figure.subplots(1, 2, sharex=True, sharey=True), MEANT.items(), strict=True):
        contours(ax, arrays["mu"], arrays["sigma"], arrays[name])
        for k, path in enumerate(arrays[f"{name} learned"]):
            colour = COLOURS[k % len(COLOURS)]
            flow = [arrays[f"{name} flow {part}"][k] for part in ("loc", "scale")]
            ax.plot(*path.T, color=colour, linewidth=1.1)
            ax.plot(*flow, color=colour, linestyle=":", linewidth=2)
            ax.plot(*path[0], "o", color=colour, markersize=6)
        ax.plot(*minimum(name), "*", color="black", markersize=13, zorder=5)
        ax.plot(*minimum(next(each for each in MEANT.values() if each != name)), "x", color="black", zorder=5)
        ax.set_title(f"{scheme}, over contours of {SHOWN[name]}")
        ax.label_outer()
    kinds = (
        ({"linestyle": "-"}, "learned critic"),
        ({"linestyle": ":", "linewidth": 2}, "best critic"),
        ({"linestyle": "", "marker": "o"}, "start"),
        ({"linestyle": "", "marker": "*", "markersize": 11}, "minimum"),
        ({"linestyle": "", "marker": "x"}, "minimum of the other scheme"),
    )
    handles = [Line2D([], [], color="black", label=label, **style) for style, label in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)


register(
    Item(
        name="shannon-figure-5",
        paper=SHANNON,
        title="Figure 5: both schemes on a mixture, with a learned critic and with the best one",
        claim="With a learned critic the saturating scheme ends at the minimum of Jensen-Shannon and the non-saturating scheme "
        "at that of the softened reverse KL, along the ways that they take with the best critic.",
        settings=Settings(),
        quick=Settings(starts=((-2.0, 0.5), (-0.5, 1.0)), seeds=(0,), steps=300, batch=128, places=41),
        cost=Cost(quick=7, full=230),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(11, 5.2),
        caption="Each panel has the contours of the divergence that its scheme minimises. Solid lines (learned critic, first "
        "seed) follow dotted ones (the gradient flow with the best critic) and end at the star, far from the cross, where the "
        "other scheme ends. Noise and a critic that lags behind make them differ on the way.",
    )
)
