"""Algorithm 1 on a toy whose likelihood, posterior and best critic are known, and which loss it sends to which network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.distributions import Normal

from divmin.data import Density, densities, load
from divmin.models import build
from divmin.objectives import recipe
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.berger.routing import FOLLOWED, LOSSES, NETWORKS, Routes, routes
from divmin.papers.berger.toy import Posterior, Toy, exact_gradient, law, mean_and_sd
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.sources import BERGER
from divmin.plots.style import COLOURS, line_style
from divmin.training import Probe, TrainConfig, gradients, train
from divmin.training.data_term import bound
from divmin.values import landscape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The recipe, what it minimises, and the reference's name for that
FOLLOWS = {"sdkl": ("jeffreys", "jeffreys"), "berger_kl": ("kl", "kl"), "berger_rkl": ("reverse_kl", "reverse_kl")}
NAMES = {"sdkl": "SDKL", "berger_kl": "VAE: KL(p||q)", "berger_rkl": "GAN: KL(q||p)"}
WIDER = (0.5, 0.8, 1.0, 1.25, 2.0)  # factors on the standard deviation of the exact posterior


@dataclass(frozen=True)
class Settings:
    """The toy: data 0.7 N(-1, 0.5^2) + 0.3 N(2, 0.5^2), decoder x = w z + b + noise.

    Args:
        mean, sd: of the model at the beginning, in the units of x.
        noise: standard deviation of p(x|z).
        batch: samples of each side in one step.
        moves: gradients whose mean is compared with the exact one.
        steps: of a descent.
        rate: its learning rate at the beginning, which falls to 0 over it.
        learned: steps of a descent whose critic and encoder learn too; 0 for none.
        seed: of everything.
    """

    mean: float = 0.3
    sd: float = 1.1
    noise: float = 0.4
    batch: int = 4096
    moves: int = 400
    steps: int = 1500
    rate: float = 0.02
    learned: int = 4000
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name, (_, referred) in FOLLOWS.items():
        wanted[f"{name}: gradient, largest error in standard errors"] = at_most(4.5, source="closed form of log q")
        wanted[f"{name}: gradient, standard error over its length"] = at_most(
            0.03, source="so that the line above says much"
        )
        minimum = reference("minimisers", "B_asym", referred)[0]
        for by in ("mu", "sigma"):
            wanted[f"{name}: {by} where it ends"] = near(minimum[by], 0.06, source="the reference's minimiser")
    wanted["bound: largest gap with the exact posterior"] = at_most(2e-6, source="equality of the evidence bound")
    wanted["bound: largest |gap - KL(q(z|x) || p(z|x))|"] = at_most(2e-6, source="the evidence bound's gap")
    for network in NETWORKS:
        wanted[f"{network}: what it is told, relative error"] = at_most(1e-5, source="Algorithm 1")
        wanted[f"{network}: gradient in the other move"] = near(0.0, source="Algorithm 1")
    wanted["reconstruction: gradient by the critic's weights, not followed"] = at_least(
        1e-3, source="the critic is frozen"
    )
    wanted["noise at the features: change of data's scores"] = near(0.0, source="section 4: on generated samples only")
    wanted["noise at the features: change of samples' scores"] = at_least(1e-2, source="section 4")
    minimum = reference("minimisers", "B_asym", "jeffreys")[0]
    for by in ("mu", "sigma"):
        wanted[f"learned critic and encoder: {by} where it ends"] = near(
            minimum[by], 0.2, source="the reference's minimiser", full=True
        )
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    p = densities()["far_modes"]()
    found = routes(settings.seed)
    numbers = _of_routes(found) | gaps(settings, p)
    arrays: dict[str, Any] = {"lengths": found.lengths}
    for name, (of, _) in work.each("gradients", FOLLOWS.items()):
        seen = work.piece(f"gradients-{name}", partial(compared, settings, p, name, of))
        mean, error, exactly = (np.asarray(seen[key], dtype=float) for key in ("mean", "error", "exact"))
        numbers[f"{name}: gradient, largest error in standard errors"] = largest((mean - exactly) / error)
        numbers[f"{name}: gradient, standard error over its length"] = largest(error) / float(np.linalg.norm(exactly))
        arrays |= {f"{name}: mean": mean, f"{name}: error": error, f"{name}: exact": exactly}
    for name in work.each("descents", [*FOLLOWS, *(["learned"] if settings.learned else [])]):
        path = work.piece(f"descent-{name}", partial(descent, settings, p, name, work))["path"]
        arrays[f"{name}: path"] = path
        ends = path[-max(1, len(path) // 5) :].mean(0)
        shown = "learned critic and encoder" if name == "learned" else name
        for by, value in zip(("mu", "sigma"), ends, strict=True):
            numbers[f"{shown}: {by} where it ends"] = float(value)
    arrays |= surface(p)
    return Found(numbers, arrays, (_table(found),), _notes(settings))


def compared(settings: Settings, p: Density, name: str, of: str) -> dict[str, Any]:
    """The mean of many moves' gradients beside the exact gradient, by the decoder's weight and bias."""
    toy = Toy(p, settings.mean, settings.sd, settings.noise)
    config = _config(settings, name)
    seen = gradients(config, recipe(name), load("far_modes", seed=settings.seed), toy, moves=settings.moves)[
        "generator"
    ]
    error = seen.std(0) / math.sqrt(len(seen))
    exactly = exact_gradient(of, p, toy.generator, settings.noise)
    return {"mean": seen.mean(0).numpy(), "error": error.numpy(), "exact": exactly.numpy()}


def descent(settings: Settings, p: Density, name: str, work: Work) -> dict[str, Any]:
    """Mean and standard deviation of the model, every ten steps, as divmin trains it."""
    learned = name == "learned"
    networks = {}
    if learned:
        built = build("mlp", shape=(1,), latent=1, width=64, seed=settings.seed, encoder=True)
        networks = {"critic": built.critic, "encoder": built.encoder}
    toy = Toy(p, settings.mean, settings.sd, settings.noise, **networks)
    path = [(settings.mean, settings.sd)]
    config = _config(settings, "sdkl" if learned else name, str(work.folder / "runs" / name))
    probe = Probe(10, lambda view: path.append(mean_and_sd(view.average, settings.noise)))
    train(config, pair=toy, probes=[probe], overwrite=True)
    return {"path": np.array(path)}


def _config(settings: Settings, name: str, folder: str | None = None) -> TrainConfig:
    """Settings of a run; a folder named after a critic that learns makes it learn."""
    learned = folder is not None and folder.endswith("learned")
    return TrainConfig(
        recipe=name, data="far_modes", likelihood_sd=settings.noise, likelihood_noise=True,
        steps=settings.learned if learned else settings.steps, critic_steps=5 if learned else 1,
        batch_size=256 if learned else settings.batch, generator_lr=5e-3 if learned else settings.rate, critic_lr=1e-3,
        schedule="linear", beta1=0.5, beta2=0.9, ema_decay=0.0, log_every=100, checkpoint_every=10_000, seed=settings.seed,
        device="cpu", out=folder,
    )  # fmt: skip


def gaps(settings: Settings, p: Density) -> dict[str, float]:
    """The bound minus -log q at data, averaged over z exactly: its integrand is quadratic in the noise."""
    toy = Toy(p, settings.mean, settings.sd, settings.noise)
    x = p.sample(16, seed=settings.seed)
    nodes, shares = np.polynomial.hermite_e.hermegauss(6)
    noise, weights = torch.as_tensor(nodes).float()[:, None], torch.as_tensor(shares / shares.sum())
    w, b = toy.generator.weight.detach()[0, 0].double(), toy.generator.bias.detach()[0].double()
    constant = math.log(settings.noise * math.sqrt(2 * math.pi))
    seen = []
    for wider in WIDER:
        encoder = Posterior(toy.generator, settings.noise, wider)
        for each in x:
            with torch.no_grad():
                parts = bound(toy.generator, encoder, lambda y: y, each.expand(6, 1), noise, settings.noise)
            paid = float(((parts.reconstruction + parts.prior).double() * weights).sum()) + constant
            seen.append(paid + float(law(w, b, settings.noise).log_prob(each.double())[0]))
    gap = np.array(seen).reshape(len(WIDER), -1)
    wanted = [(wider**2 - 1) / 2 - math.log(wider) for wider in WIDER]
    return {
        "bound: largest gap with the exact posterior": largest(gap[WIDER.index(1.0)]),
        "bound: largest |gap - KL(q(z|x) || p(z|x))|": largest(gap - np.array(wanted)[:, None]),
    }


def surface(p: Density) -> dict[str, Any]:
    """KL + reverse KL over mean and standard deviation of the model."""
    grid = {"loc": np.linspace(-1.6, 1.2, 71), "scale": np.linspace(0.42, 1.75, 61)}
    return {**grid, "jeffreys": landscape("jeffreys", p, Normal, grid).values.numpy()}


def _of_routes(found: Routes) -> dict[str, float]:
    numbers = {f"{name}: what it is told, relative error": each for name, each in found.misled.items()}
    numbers |= {f"{name}: gradient in the other move": each for name, each in found.strays.items()}
    row, column = LOSSES.index("rec"), NETWORKS.index("critic")
    return numbers | {
        "reconstruction: gradient by the critic's weights, not followed": float(found.lengths[row, column]),
        "noise at the features: change of data's scores": found.data_moved,
        "noise at the features: change of samples' scores": found.samples_moved,
    }


def _table(found: Routes) -> Table:
    rows = []
    for loss, lengths in zip(LOSSES, found.lengths, strict=True):
        cells = [
            f"{length:.3g}" + (" (followed)" if loss in FOLLOWED[network] else "")
            for network, length in zip(NETWORKS, lengths, strict=True)
        ]
        rows.append((f"L_{loss}", *cells))
    return Table(("length of the gradient of", *(f"by the {network}" for network in NETWORKS)), tuple(rows))


def _notes(settings: Settings) -> tuple[str, ...]:
    if not settings.learned:
        return ()
    return (
        "The descent with learned networks has a critic and an encoder of three layers, and five critic steps a step.",
    )


def draw(found: Found, figure: Figure) -> None:
    arrays = found.arrays
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.35))
    for i, name in enumerate(FOLLOWS):
        for j in range(2):
            place = 3.0 * j + 0.8 * i
            label = NAMES[name] if j == 0 else None
            left.bar(place, arrays[f"{name}: exact"][j], 0.7, color=COLOURS[i], alpha=0.4, label=label)
            mean, error = arrays[f"{name}: mean"][j], arrays[f"{name}: error"][j]
            left.errorbar(place, mean, 3 * error, color="black", marker="o", markersize=3, capsize=3)
    left.axhline(0, color="0.5", linewidth=0.8)
    left.set_xticks([0.8, 3.8], ["by w", "by b"])
    left.set(xlabel="weight of the decoder", ylabel="gradient at the start (nats)", title="gradients")
    left.legend()
    levels = np.geomspace(arrays["jeffreys"].min() * 1.05, 12.0, 11)
    right.contour(arrays["loc"], arrays["scale"], arrays["jeffreys"].T, levels=levels, colors="0.75", linewidths=0.8)
    lines = [name for name in (*FOLLOWS, "learned") if f"{name}: path" in arrays]
    for i, name in enumerate(lines):
        colour, dash = line_style(i)
        path = arrays[f"{name}: path"]
        label = NAMES.get(name, "SDKL, critic and encoder learned")
        right.plot(path[:, 0], path[:, 1], color=colour, linestyle=dash, label=label)
    for i, (_, referred) in enumerate(FOLLOWS.values()):
        at = reference("minimisers", "B_asym", referred)[0]
        right.plot(at["mu"], at["sigma"], color=COLOURS[i], marker="*", markersize=14, markeredgecolor="black")
    right.set(xlabel="mean of the model (units of x)", ylabel="standard deviation (units of x)", title="descents")
    right.legend(loc="lower right")


register(
    Item(
        name="berger-algorithm-1",
        paper=BERGER,
        title="Algorithm 1 on a toy where everything is known",
        claim="With a linear decoder N(w z + b, s^2) the likelihood, the posterior and the best critic are known. The generator of "
        "SDKL follows the gradient of KL(p||q) + KL(q||p), the bound is tight with the exact posterior, the encoder is told "
        "of reconstruction and prior alone, the decoder of reconstruction and critic, the critic of its own loss.",
        settings=Settings(),
        quick=Settings(batch=2048, moves=30, steps=150, rate=0.05, learned=0),
        cost=Cost(quick=4, full=70),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(10.5, 4.4),
        caption="Left: gradients as training takes them (dots, three standard errors) on the exact ones (bars); SDKL's is the sum "
        "of the other two. Right: descents from one start over contours of KL + reverse KL; stars are the minimisers.",
    )
)
