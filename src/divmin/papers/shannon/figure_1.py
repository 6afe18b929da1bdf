"""Figure 1: the laws of d between normal laws of one covariance are normal, N(+-sigma^2/2, sigma^2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style
from divmin.values import pushforward
from divmin.values.text import law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGMAS = (1.0, 2.0, 4.0)
COVARIANCE = np.array([[1.0, 0.3], [0.3, 0.5]])  # of both laws
DIRECTION = np.array([1.0, -0.5])  # from the mean of q to that of p


@dataclass(frozen=True)
class Settings:
    """How it is looked at.

    Args:
        samples: of q, for the test of Kolmogorov and Smirnov.
        points: on each curve.
        seed: of the samples.
    """

    samples: int = 100_000
    points: int = 401
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for sigma in SIGMAS:
        at = f"sigma = {sigma:g}"
        wanted[f"{at}: largest error of log p~"] = at_most(1e-9, source="N(sigma^2/2, sigma^2)")
        wanted[f"{at}: largest error of log q~"] = at_most(1e-9, source="N(-sigma^2/2, sigma^2)")
        wanted[f"{at}: mass of p~"] = near(1.0, 1e-10, source="E_q[e^d] = 1")
        # the statistic times the root of n exceeds 1.95 in one of a thousand samples
        wanted[f"{at}: distance of Kolmogorov and Smirnov times root n"] = at_most(1.95, source="samples of q")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """The pushforward by inversion, and d at samples of q, against the normal laws of the source."""
    from scipy import stats

    random = np.random.default_rng(settings.seed)
    numbers, curves = {}, []
    for sigma in SIGMAS:
        gap = sigma * DIRECTION / np.sqrt(DIRECTION @ np.linalg.solve(COVARIANCE, DIRECTION))
        covariance = COVARIANCE.tolist()
        p, q = law(f"normal({gap.tolist()}, {covariance})"), law(f"normal([0, 0], {covariance})")
        assert not isinstance(p, torch.Tensor) and not isinstance(q, torch.Tensor)
        found = pushforward(p, q)
        # six standard deviations around both means: beyond them a density is below 1e-8 of its largest
        d = np.linspace(-(sigma**2) / 2 - 5 * sigma, sigma**2 / 2 + 5 * sigma, settings.points)
        wanted = [stats.norm(side * sigma**2 / 2, sigma) for side in (1, -1)]
        logs = [each.numpy() for each in (found.log_density_p(d), found.log_density_q(d))]
        at = f"sigma = {sigma:g}"
        for name, log, true in zip(("p~", "q~"), logs, wanted, strict=True):
            seen = true.logpdf(d) > -20
            numbers[f"{at}: largest error of log {name}"] = largest((log - true.logpdf(d))[seen])
        numbers[f"{at}: mass of p~"] = found.masses()[0]
        x = torch.from_numpy(random.multivariate_normal(np.zeros(2), COVARIANCE, settings.samples))
        ratio = (p.log_prob(x) - q.log_prob(x)).numpy()
        distance = stats.kstest(ratio, wanted[1].cdf).statistic
        numbers[f"{at}: distance of Kolmogorov and Smirnov times root n"] = float(distance) * settings.samples**0.5
        curves.append(np.stack([d, *np.exp(logs)]))
    return Found(numbers, {"curves": np.stack(curves)})


def draw(found: Found, figure: Figure) -> None:
    axes = figure.subplots(1, len(SIGMAS))
    for ax, sigma, (d, p, q) in zip(axes, SIGMAS, found.arrays["curves"], strict=True):
        for i, (name, density) in enumerate((("under data p", p), ("under the model q", q))):
            colour, dash = line_style(i)
            ax.plot(d, density, dash, color=colour, label=name)
        ax.axvline(0, color="0.6", linewidth=0.8)
        ax.set(title=f"σ = {sigma:g}", xlabel="d = log p/q (nats)", ylabel="density (per nat)")
        ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-figure-1",
        paper=SHANNON,
        title="Figure 1: the laws of the log-ratio between normal laws of one covariance",
        claim="Under p and q with one covariance, d is normal with variance sigma^2 = (m1 - m2)' S^-1 (m1 - m2) and means "
        "plus and minus sigma^2/2.",
        settings=Settings(),
        quick=Settings(samples=20_000, points=101),
        cost=Cost(quick=2, full=2),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(12, 3.6),
        caption="As the laws move apart their log-ratios separate: at sigma = 4 a critic at its best hardly errs, and the "
        "generator's samples sit where d is about -8.",
    )
)
