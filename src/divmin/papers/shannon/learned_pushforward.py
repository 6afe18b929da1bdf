"""The law of d by a learned critic, left for later by the source: held-out scores, their identity, and what they tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from divmin.data.mixture import Mixture, on_a_line
from divmin.estimators.calibration import Calibration, calibrate
from divmin.estimators.crossfit import Scores
from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most
from divmin.papers.item import largest
from divmin.papers.shannon.learned import Play, trained
from divmin.papers.sources import SHANNON
from divmin.plots.style import line_style
from divmin.values import exact, pushforward

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Both squared ratios have finite means, so that E_q[e^d] and E_p[e^-d] have standard errors.
P, Q = on_a_line([-1.2, 1.4], [0.9, 0.6], [0.6, 0.4]), on_a_line([0.0], [1.1])
NAMES = ("kl", "reverse_kl", "js", "jeffreys", "softened_reverse_kl", "squared_hellinger")
HELD_OUT = 1_000_000  # seeds of held-out samples begin here


@dataclass(frozen=True)
class Settings:
    """How the critic learns, and on how many samples it is read.

    Args:
        steps: of Adam on new samples, the rate falling to 0.
        critic_rate: the rate at first.
        batch: samples of each law in a step.
        width: units in both hidden layers (tanh).
        held_out: samples of each law on which it is read.
        seeds: of critics, each with samples of its own.
        bins: of the histograms.
    """

    steps: int = 6000
    critic_rate: float = 5e-3
    batch: int = 1024
    width: int = 32
    held_out: int = 20_000
    seeds: tuple[int, ...] = tuple(range(10))
    bins: int = 60


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for law in ("p", "q"):
        wanted[f"under {law}: root mean square of d - log p/q"] = at_most(0.15, source="a bound of ours")
        # shares would not do: the exact density is infinite where d is largest, and the least shift moves many samples
        wanted[f"under {law}: distance of Wasserstein of the laws of d, nats"] = at_most(0.03, source="a bound of ours")
    wanted["p~ = e^d q~: worst bin, standard errors"] = at_most(4.5, source="eq. 7")
    wanted["p~ = e^d q~: slope of the log-odds, standard errors from 1"] = at_most(4.5, source="eq. 7")
    wanted["E_q[e^d]: standard errors from 1"] = at_most(4.5, source="eq. 7")
    wanted["E_p[e^-d]: standard errors from 1"] = at_most(4.5, source="eq. 7")
    for name in NAMES:
        wanted[f"{name}: bound from the exact value, standard errors"] = at_most(4.5, source="eq. 13")
        wanted[f"{name}: relative error of the split read, mean over seeds"] = at_most(0.05, source="eq. 9")
    wanted["intervals of bounds that hold the exact value, share"] = at_least(0.8, source="95%", full=True)
    return wanted


@dataclass(frozen=True)
class _Read:
    """What one critic says of held-out samples."""

    x: NDArray[np.float64]  # d of samples of p
    y: NDArray[np.float64]  # and of q
    calibration: Calibration


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = dict.fromkeys((*expectations(),), 0.0)
    reads = [_read(settings, work, seed) for seed in work.each("critics", settings.seeds)]
    exact_d, cumulated = _exact_law()
    for k, read in zip(settings.seeds, reads, strict=True):
        for name, d, samples in zip("pq", (read.x, read.y), _held_out(settings, k), strict=True):
            off = float(np.sqrt(np.mean((d - _log_ratio(samples)) ** 2)))
            _worst(numbers, f"under {name}: root mean square of d - log p/q", off)
            apart = _distance(np.sort(d), exact_d, cumulated[name])
            _worst(numbers, f"under {name}: distance of Wasserstein of the laws of d, nats", apart)
        found = read.calibration
        _worst(numbers, "p~ = e^d q~: worst bin, standard errors", found.worst)
        slope = "p~ = e^d q~: slope of the log-odds, standard errors from 1"
        for what, (value, error) in (
            (slope, found.slope),
            ("E_q[e^d]: standard errors from 1", found.mean_ratio),
            ("E_p[e^-d]: standard errors from 1", found.mean_inverse),
        ):
            _worst(numbers, what, (value - 1) / error)
    rows = _divergences(reads, numbers)
    heads = ("divergence", "exact", "bound, first seed, 95%", "split, first seed", "mean of bounds over seeds")
    return Found(numbers, _drawn(settings, reads[0]), (Table(heads, rows),))


def _worst(numbers: dict[str, float], name: str, value: float) -> None:
    """Keep the largest over seeds; NaN stays."""
    numbers[name] = largest([numbers[name], value])


def _held_out(settings: Settings, seed: int) -> tuple[Tensor, Tensor]:
    start = HELD_OUT + 2 * seed
    return P.sample(settings.held_out, seed=start), Q.sample(settings.held_out, seed=start + 1)


def _log_ratio(x: Tensor) -> NDArray[np.float64]:
    d: NDArray[np.float64] = (P.log_prob(x.double()) - Q.log_prob(x.double())).numpy()
    return d


def _read(settings: Settings, work: Work, seed: int) -> _Read:
    def make() -> dict[str, object]:
        how = Play(steps=settings.steps, critic_rate=settings.critic_rate, batch=settings.batch, width=settings.width)
        critic = trained(P, Q, how, seed)
        x, y = (critic(each).double().numpy() for each in _held_out(settings, seed))
        return {"x": x, "y": y}

    d = work.piece(f"critic-{seed}", make)
    x, y = d["x"].astype(np.float64), d["y"].astype(np.float64)
    ones, fold = np.ones(len(x)), np.zeros(len(x), dtype=np.int64)
    return _Read(x, y, calibrate(Scores(x, y, ones, ones, fold, fold), bins=20))


def _exact_law() -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Values of d, sorted, and the shares of both laws up to each: midpoints in x, to about 1e-5."""
    x, step = np.linspace(-9, 9, 200_001, retstep=True)
    at = torch.from_numpy(x)[:, None]
    d = _log_ratio(at)
    order = np.argsort(d)

    def share(law: Mixture) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.cumsum(law.log_prob(at).exp().numpy()[order]) * step
        return total

    return d[order], {"p": share(P), "q": share(Q)}


def _distance(sample: NDArray[np.float64], d: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """The mean difference of quantiles between a sorted sample and the exact law."""
    middle = (np.arange(len(sample)) + 0.5) / len(sample)
    return float(np.abs(sample - np.interp(middle, share, d)).mean())


def _divergences(reads: list[_Read], numbers: dict[str, float]) -> tuple[tuple[str, ...], ...]:
    rows, inside = [], []
    for name in NAMES:
        f, truth = divergence(name), exact(name, P, Q).value
        bounds, splits = [], []
        for read in reads:
            a, b = f.a(read.x), f.b(read.y)
            error = float(np.sqrt(a.var() / len(a) + b.var() / len(b)))
            bounds.append((float(a.mean() - b.mean()), error))
            right, left = np.where(read.x > 0, f.s(read.x), 0.0), np.where(read.y < 0, f.s(read.y), 0.0)
            splits.append(float(right.mean() + left.mean()))
        away = [(value - truth) / error for value, error in bounds]
        inside += [abs(each) <= 1.96 for each in away]
        numbers[f"{name}: bound from the exact value, standard errors"] = largest(away)
        numbers[f"{name}: relative error of the split read, mean over seeds"] = abs(float(np.mean(splits)) / truth - 1)
        value, error = bounds[0]
        mean = float(np.mean([each for each, _ in bounds]))
        rows.append((name, f"{truth:.5f}", f"{value:.5f} ± {1.96 * error:.5f}", f"{splits[0]:.5f}", f"{mean:.5f}"))
    numbers["intervals of bounds that hold the exact value, share"] = float(np.mean(inside))
    return tuple(rows)


def _drawn(settings: Settings, read: _Read) -> dict[str, NDArray[Any]]:
    """Histograms, exact densities, and bins of the identity."""
    low, high = np.quantile(read.y, 0.002) - 0.3, max(read.x.max(), read.y.max())
    edges = np.linspace(low, high, settings.bins + 1)
    exact_law = pushforward(P, Q)
    d = torch.linspace(float(low), float(high) + 0.05, 1201, dtype=torch.float64)
    width = (edges[1] - edges[0]) * len(read.x)
    kept = [each for each in read.calibration.bins if np.isfinite(each.seen)]
    return {
        "edges": edges,
        "of p": np.histogram(read.x, edges)[0] / width,
        "of q": np.histogram(read.y, edges)[0] / width,
        "d": d.numpy(),
        "exact p": exact_law.log_density_p(d).exp().numpy(),
        "exact q": exact_law.log_density_q(d).exp().numpy(),
        "bins": np.array([(each.said, each.seen, 1.96 * each.stderr) for each in kept]),
    }


def draw(found: Found, figure: Figure) -> None:
    arrays = found.arrays
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for i, (name, law) in enumerate((("p", "data, p~"), ("q", "model, q~"))):
        colour, dash = line_style(i)
        left.stairs(arrays[f"of {name}"], arrays["edges"], color=colour, fill=True, alpha=0.3)
        left.plot(arrays["d"], arrays[f"exact {name}"], color=colour, linestyle=dash, label=law)
    top = max(arrays["of p"].max(), arrays["of q"].max())
    left.set(xlabel="d (nats)", ylabel="density per nat", ylim=(0, 1.25 * top))
    left.set_title("held-out d of a learned critic (filled), exact law (lines)", fontsize="medium")
    left.legend()
    said, seen, error = arrays["bins"].T
    ends = [min(said.min(), seen.min()) - 0.2, max(said.max(), seen.max()) + 0.2]
    right.plot(ends, ends, color="0.6", label="p~ = e^d q~")
    right.errorbar(said, seen, error, fmt="o", color=line_style(2)[0], markersize=4, label="20 bins, 95%")
    right.set(xlabel="d that the critic claims (nats)", ylabel="log p~/q~ by counts (nats)")
    right.set_title("the identity, without the truth", fontsize="medium")
    right.legend()


register(
    Item(
        name="shannon-learned-pushforward",
        paper=SHANNON,
        title="The law of d by a learned critic",
        claim="Drawn from a learned critic, the laws of d under data and model tell all divergences at once; the source leaves "
        "it for later. By p~ = e^d q~ the picture says by itself whether the critic can be believed.",
        settings=Settings(),
        quick=Settings(steps=2000, batch=512, seeds=(0,)),
        cost=Cost(quick=4, full=120),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(11, 4.4),
        caption="Left: where d has a largest or smallest value between data and model, its exact density is infinite, and the "
        "critic's histogram has a peak. Right: counts of held-out samples in bins of d against what the critic claims there; "
        "the line is a critic that is right.",
    )
)
