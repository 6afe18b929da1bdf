"""The algorithm: one step of the critic and one of the generator on every minibatch, beside a loop written by hand."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from divmin.data import index_stream, load
from divmin.models import Pair, build
from divmin.objectives import recipe
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.poole.objectives import OBJECTIVES, Objective, minima
from divmin.papers.shannon.learned import Play, play
from divmin.papers.shannon.schemes import MIXTURES
from divmin.papers.sources import POOLE
from divmin.papers.work import Arrays
from divmin.plots.style import line_style, plain_ticks
from divmin.training import TrainConfig, gradients, train
from divmin.training.randomness import seeded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
BY_HAND = ("KL", "reverse KL", "-log D", "alpha 1/2, affine part dropped", "log(1 - D)")
DATA = MIXTURES["D_fig5"]
# What is followed to its end on D_fig5, and the reference's name of the divergence; V e^V has none.
ENDS = {"-log D": "softened_reverse_kl", "reverse KL": "reverse_kl", "log(1 - D)": "js", "KL": ""}


@dataclass(frozen=True)
class Settings:
    """Two small networks on D_fig5, and a normal model on it.

    Args:
        alternations: of the networks that are compared with those of the loop by hand.
        batch: samples of either side in these.
        rate: Adam's, in these.
        seeds: of the critics of the normal model.
        starts: its mu and sigma at first.
        steps: of either side.
        samples: data in a step, and as many of the model.
    """

    alternations: int = 50
    batch: int = 64
    rate: float = 1e-3
    seeds: tuple[int, ...] = (0, 1, 2)
    starts: tuple[tuple[float, float], ...] = ((0.5, 2.5), (-0.5, 1.0), (1.0, 0.8))
    steps: int = 2500
    samples: int = 512


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in BY_HAND:
        for network in ("critic", "generator"):
            wanted[f"{name}: {network}, off the loop by hand over the way it went"] = at_most(
                1e-4, source="one step of each, Adam, D and the ratio formed as published"
            )
    source = "the critic maximises the bound of the GAN, whatever the generator minimises"
    wanted["largest difference of the critics' gradients between objectives"] = near(0, source=source)
    wanted["largest gradient of a network in the other's move"] = near(0, source="one at a time")
    for name, divergence in ENDS.items():
        if divergence:
            wanted[f"{name}: one step each, farthest mean of the last quarter from the minimum"] = at_most(
                0.05, source="all seeds and starts", full=True
            )
    wanted["KL: one step each, runs that end within 0.2 of the minimum of KL"] = near(
        0, source="it descends no divergence, also with a critic that is off its optimum"
    )
    wanted["KL: one step each, largest sigma, mean of the last quarter"] = at_most(
        0.2, source="pushed off the data, it narrows to a point", full=True
    )
    wanted["-log D less log(1 - D): sigma of the model, mean of the last quarter"] = at_most(
        -0.05, source="mode-seeking"
    )
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers = _routes(settings)
    for name in work.each("by hand", BY_HAND):
        off = work.piece(f"alternation-{name.replace('/', '-')}", partial(_compared, settings, OBJECTIVES[name], work))
        for network in ("critic", "generator"):
            numbers[f"{name}: {network}, off the loop by hand over the way it went"] = float(off[network])
    paths = np.stack(
        [
            work.piece(f"learned-{seed}", partial(_learned, settings, seed))["path"].astype(float)
            for seed in work.each("learned critics", settings.seeds)
        ]
    )  # [seeds, objectives, starts, steps + 1, 2]
    tails = paths[..., -(settings.steps // 4) :, :].mean(-2)
    rows = []
    arrays: Arrays = {}
    for i, (name, divergence) in enumerate(ENDS.items()):
        best = minima(divergence or "kl", "D_fig5")[0]
        away = np.abs(tails[:, i] - (best["mu"], best["sigma"])).max(-1)  # NaN where a run left the finite numbers
        if divergence:
            numbers[f"{name}: one step each, farthest mean of the last quarter from the minimum"] = largest(away)
        else:
            numbers["KL: one step each, runs that end within 0.2 of the minimum of KL"] = float((away < 0.2).sum())
            numbers["KL: one step each, largest sigma, mean of the last quarter"] = float(tails[:, i, :, 1].max())
        ends = tails[:, i].reshape(-1, 2)
        told = ", ".join(_told(each) for each in ends.T)
        rows.append(
            (name, divergence.replace("_", " ") or "no divergence", f"({best['mu']:.4f}, {best['sigma']:.4f})", told)
        )
        arrays |= {f"path of {name}": paths[0, i], f"minimum of {name}": np.array([best["mu"], best["sigma"]])}
    order = list(ENDS)
    sigma = tails[:, :, :, 1].mean((0, 2))
    numbers["-log D less log(1 - D): sigma of the model, mean of the last quarter"] = float(
        sigma[order.index("-log D")] - sigma[order.index("log(1 - D)")]
    )
    heads = (
        "objective",
        "descends with the best critic",
        "its minimum, or KL's",
        "mu, sigma: mean of the last quarter, range",
    )
    note = "The generator's step sees z of its own, as in training here; the pseudocode draws one minibatch for both."
    return Found(numbers, arrays, (Table(heads, tuple(rows)),), (note,))


def _told(values: Floats) -> str:
    finite = values[np.isfinite(values)]
    lost = f"; {len(values) - len(finite)} runs not finite" if len(finite) < len(values) else ""
    return (f"{finite.mean():.3f} ({finite.min():.3f} to {finite.max():.3f})" if len(finite) else "none finite") + lost


def _learned(settings: Settings, seed: int) -> dict[str, object]:
    """(mu, sigma) of a normal model of each objective, the critic with one step for each of its own."""
    how = Play(steps=settings.steps, batch=settings.samples, critic_steps=1)
    return {"path": play(DATA, [OBJECTIVES[name].recipe for name in ENDS], settings.starts, how, seed)}


def _config(settings: Settings, row: Objective, folder: str | None = None) -> TrainConfig:
    return TrainConfig(
        recipe=row.recipe, data=DATA, critic_steps=1, steps=settings.alternations, batch_size=settings.batch,
        generator_lr=settings.rate, critic_lr=settings.rate, beta1=0.5, beta2=0.999, log_every=1000, checkpoint_every=1000,
        device="cpu", out=folder,
    )  # fmt: skip


def _pair() -> Pair:
    return build("mlp", shape=(1,), latent=2, width=16, seed=0)


def _routes(settings: Settings) -> dict[str, float]:
    """Gradients of single moves: whose they are, and whether the generator's objective reaches the critic."""
    source, critics, strays = load(DATA, seed=0), [], []
    for name in BY_HAND:
        config, made = _config(settings, OBJECTIVES[name]), recipe(OBJECTIVES[name].recipe)
        moves = {of: gradients(config, made, source, _pair(), of=of) for of in ("critic", "generator")}
        critics.append(moves["critic"]["critic"].numpy())
        strays += [moves["critic"]["generator"].numpy(), moves["generator"]["critic"].numpy()]
    return {
        "largest difference of the critics' gradients between objectives": largest(np.stack(critics) - critics[0]),
        "largest gradient of a network in the other's move": max(largest(each) for each in strays),
    }


def _compared(settings: Settings, row: Objective, work: Work) -> Arrays:
    """How far training and the loop by hand end from each other, over how far the networks went."""
    trained, hand, begun = _pair(), _pair(), _pair()
    folder = str(work.folder / "runs" / row.recipe.replace("/", "-"))
    train(_config(settings, row, folder), pair=trained, overwrite=True)
    by_hand(settings, row, hand)
    found = {}
    for network in ("critic", "generator"):
        one, other, start = (
            torch.cat([weight.detach().flatten() for weight in getattr(pair, network).parameters()])
            for pair in (trained, hand, begun)
        )
        found[network] = np.asarray(float((one - other).norm() / (other - start).norm()))
    return found


def by_hand(settings: Settings, row: Objective, pair: Pair) -> None:
    """The algorithm as published, in double precision: D = sigmoid(V), r = D/(1 - D), and f_G(r).

    Data, z and the first weights are those of a run with seed 0; of the package it uses neither losses nor training.
    """
    critic, generator = (deepcopy(network).double() for network in (pair.critic, pair.generator))
    adam = partial(torch.optim.Adam, lr=settings.rate, betas=(0.5, 0.999))
    of_critic, of_generator = adam(critic.parameters()), adam(generator.parameters())
    source, noise = load(DATA, seed=0), seeded(0, "noise")
    position = 0
    for _ in range(settings.alternations):
        indices, position = index_stream(source.size, settings.batch, 0, position)
        x = source.batch(indices).double()
        d_real, d_fake = (torch.sigmoid(critic(each)) for each in (x, generator(_z(settings, noise)).detach()))
        _step(of_critic, -(d_real.log().mean() + (1 - d_fake).log().mean()))
        d = torch.sigmoid(critic(generator(_z(settings, noise))))
        _step(of_generator, row.f_at(d / (1 - d)).mean())
    for to, what in ((pair.critic, critic), (pair.generator, generator)):
        to.load_state_dict({name: each.float() for name, each in what.state_dict().items()})


def _z(settings: Settings, noise: torch.Generator) -> Tensor:
    return torch.randn(settings.batch, 2, generator=noise).double()


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    optimiser.step()


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, name in enumerate(ENDS):
        colour, dash = line_style(i)
        for k, path in enumerate(found.arrays[f"path of {name}"]):
            ax.plot(*path.T, color=colour, linestyle=dash, linewidth=1, label=name if k == 0 else None)
            ax.plot(*path[0], "o", color="black", markersize=4)
        if ENDS[name]:
            ax.plot(*found.arrays[f"minimum of {name}"], "*", color=colour, markersize=13, markeredgecolor="black")
    ax.set(xlabel="mean of the model", ylabel="standard deviation", yscale="log", xlim=(-4, 4), ylim=(0.03, 6))
    plain_ticks(ax.yaxis)
    ax.legend()


register(
    Item(
        name="poole-algorithm",
        paper=POOLE,
        title="The algorithm: one step of each network on every minibatch",
        claim="The critic maximises the GAN's bound whatever f the generator has; after each of its steps the generator takes one "
        "on f_G of the ratio that the critic gives. The source finds that KL makes samples more varied.",
        settings=Settings(),
        quick=Settings(alternations=5, batch=32, seeds=(0,), starts=((0.5, 2.5),), steps=600, samples=256),
        cost=Cost(quick=8, full=130),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7.5, 5),
        caption="A normal model on the mixture of figure 5 of Shannon et al., one step of the critic for each of the generator. "
        "Dots: starts; stars: minima of what -log D, reverse KL and log(1 - D) descend with the best critic. KL as V e^V narrows "
        "to a spike that wanders.",
    )
)
