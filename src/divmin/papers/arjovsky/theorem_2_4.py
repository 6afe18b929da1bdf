"""Theorem 2.4: the gradient of E log(1 - D) is below M eps / (1 - eps) when D is within eps of a perfect critic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure
    from torch import Tensor, nn

Floats = NDArray[np.float64]
GAP = 1.0  # data lie at heights from here on, samples at heights up to 0


@dataclass(frozen=True)
class Settings:
    """Random generators against a perfect critic with ripples.

    Args:
        trials: generators, each with a critic of its own.
        epsilons: the norms of what is added to the perfect critic, sup |.| + sup |gradient|.
        samples: z of each expectation.
        ripples: waves of which the addition is made.
        width: of the generators' hidden layer.
        seed: of everything.
    """

    trials: int = 200
    epsilons: tuple[float, ...] = tuple(np.geomspace(1e-6, 0.3, 12).tolist())
    samples: int = 64
    ripples: int = 6
    width: int = 16
    seed: int = 0


def expectations() -> dict[str, Expected]:
    """Never violated, nearly attained, and of the first order in eps."""
    return {
        "largest gradient of E log(1 - D) over the bound": at_most(1, source="theorem 2.4"),
        "worst case: gradient over the bound, at the least eps": at_least(
            0.95, source="the constant cannot be improved by more"
        ),
        "worst case, no violation": at_most(1, source="theorem 2.4"),
        "worst case: power of eps in the gradient": near(1, 0.02, source="corollary 2.1: it vanishes with eps"),
        "how far D leaves [0, 1]": near(0, source="a probability"),
        "perfect critic: largest gradient": near(0, source="corollary 2.1 in the limit"),
        "least gradient of -E log D over that bound, at the least eps": at_least(1e3, source="-log D does not vanish"),
    }


def compute(settings: Settings, work: Work) -> Found:
    found = work.piece("trials", lambda: tried(settings))
    worst = work.piece("worst", lambda: worst_case(settings))
    epsilons = np.array(settings.epsilons)
    numbers = {
        "largest gradient of E log(1 - D) over the bound": float(found["ratio"].max()),
        "worst case: gradient over the bound, at the least eps": float(worst["ratio"][0]),
        "worst case, no violation": float(worst["ratio"].max()),
        "worst case: power of eps in the gradient": math.log(worst["norm"][1] / worst["norm"][0])
        / math.log(epsilons[1] / epsilons[0]),
        "how far D leaves [0, 1]": max(float(-min(found["low"].min(), 0)), float(max(found["high"].max() - 1, 0))),
        "perfect critic: largest gradient": largest(found["perfect"]),
        "least gradient of -E log D over that bound, at the least eps": float(found["other"][:, 0].min()),
    }
    return Found(numbers, {"eps": epsilons, "ratio": found["ratio"], "worst": worst["ratio"], "other": found["other"]})


def tried(settings: Settings) -> dict[str, Floats]:
    """Both gradients over the bound, for every trial and eps; the range of D; the gradient under D* itself."""
    import torch

    made: dict[str, list[list[float]]] = {name: [] for name in ("ratio", "other", "low", "high")}
    perfect = []
    for trial in range(settings.trials):
        random = torch.Generator().manual_seed(settings.seed + trial)
        z = 2 * torch.rand(settings.samples, 2, generator=random, dtype=torch.float64) - 1
        generator = below_zero(settings.width, random)
        size = jacobian_size(generator, z)
        ripple = ripples(settings.ripples, random)
        perfect.append(gradient(best, generator, z, lambda chance: (-chance).log1p().mean()))
        rows: dict[str, list[float]] = {name: [] for name in made}
        for eps in settings.epsilons:
            critic, bound = disturbed(ripple, eps), size * eps / (1 - eps)
            rows["ratio"].append(gradient(critic, generator, z, loss("minimax")) / bound)
            rows["other"].append(gradient(critic, generator, z, loss("nonsaturating")) / bound)
            with torch.no_grad():
                seen = critic(torch.cat([generator(z), 3 * z]))
            rows["low"].append(float(seen.min()))
            rows["high"].append(float(seen.max()))
        for name, row in rows.items():
            made[name].append(row)
    return {**{name: np.array(each) for name, each in made.items()}, "perfect": np.array(perfect)}


def worst_case(settings: Settings) -> dict[str, Floats]:
    """One sample that moves straight up, where nearly all of eps is the slope of the critic."""
    import torch

    fast, z = 2000.0, torch.zeros(1, 2, dtype=torch.float64)
    steep = Ripple(lambda x: (fast * x[:, 1]).sin(), fast)
    norms = [gradient(disturbed(steep, eps), lifted(), z, loss("minimax")) for eps in settings.epsilons]
    epsilons = np.array(settings.epsilons)
    return {"norm": np.array(norms), "ratio": np.array(norms) * (1 - epsilons) / epsilons}


# --- critics --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ripple:
    """What is added to a critic: a function between -1 and 1, and a bound of its slope."""

    at: Callable[[Tensor], Tensor]
    slope: float


def best(x: Tensor) -> Tensor:
    """D*, a perfect critic."""
    from divmin.papers.arjovsky.perfect_critic import between_lines

    return between_lines(x, GAP)


def disturbed(ripple: Ripple, eps: float) -> Callable[[Tensor], Tensor]:
    """D = D* + k (1 + ripple - 2 D*), a probability, whose distance from D* is at most k (2 + slope + 2 sup|grad D*|) = eps."""
    from divmin.papers.arjovsky.perfect_critic import STEEPEST

    k = eps / (2 + ripple.slope + 2 * STEEPEST / GAP)
    return lambda x: (1 - 2 * k) * best(x) + k * (1 + ripple.at(x))


def ripples(n: int, random: torch.Generator) -> Ripple:
    """Waves of random lengths and directions."""
    import torch

    share = torch.rand(n, generator=random, dtype=torch.float64)
    share /= share.sum()
    direction = torch.randn(2, n, generator=random, dtype=torch.float64)
    wave = direction * 10 ** (2 * torch.rand(n, generator=random, dtype=torch.float64))
    phase = 2 * torch.pi * torch.rand(n, generator=random, dtype=torch.float64)
    return Ripple(lambda x: ((x @ wave + phase).cos() * share).sum(1), float((share * wave.norm(dim=0)).sum()))


# --- generators -----------------------------------------------------------------------------------------------------------


def below_zero(width: int, random: torch.Generator) -> nn.Module:
    """A random network from z to points at heights below 0."""
    import torch
    from torch import nn

    class Below(nn.Sequential):
        def forward(self, z: Tensor) -> Tensor:
            along, height = super().forward(z).unbind(1)
            return torch.stack([along, -nn.functional.softplus(height)], dim=1)

    made = Below(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2)).double()
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.randn(weight.shape, generator=random, dtype=torch.float64) / math.sqrt(weight.shape[-1]))
    return made


def lifted() -> nn.Module:
    """Every z to the point (0, height): its Jacobian is (0, 1)."""
    import torch
    from torch import nn

    class Lifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.height = nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, z: Tensor) -> Tensor:
            return torch.stack([0 * z[:, 0], self.height + 0 * z[:, 0]], dim=1)

    return Lifted()


def jacobian_size(generator: nn.Module, z: Tensor) -> float:
    """M = (E |J|^2)^(1/2), where |J| is the largest singular value of the derivative of g(z) by all weights."""
    import torch

    from divmin.papers.arjovsky.jacobians import by_weights

    jacobian = by_weights(generator, z)
    return math.sqrt(float(torch.linalg.matrix_norm(jacobian, 2).square().mean()))


def loss(name: str) -> Callable[[Tensor], Tensor]:
    """A generator's loss by a recipe's name, as a function of D; the library takes d = logit D."""
    from divmin.objectives import recipe

    def of_chance(chance: Tensor) -> Tensor:
        return recipe(name).generator_loss(chance.logit())

    return of_chance


def gradient(
    critic: Callable[[Tensor], Tensor], generator: nn.Module, z: Tensor, cost: Callable[[Tensor], Tensor]
) -> float:
    """The length of the gradient of the loss by all weights."""
    import torch

    slopes = torch.autograd.grad(cost(critic(generator(z))), list(generator.parameters()))
    return math.sqrt(sum(float(each.square().sum()) for each in slopes))


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    eps, bound = found.arrays["eps"], found.arrays["eps"] / (1 - found.arrays["eps"])
    curves = {"bound, eps / (1 - eps)": bound, "worst case": found.arrays["worst"] * bound}
    for i, (label, y) in enumerate(curves.items()):
        colour, dash = line_style(i)
        ax.loglog(eps, y, color=colour, linestyle=dash, label=label)
    for i, (name, label) in enumerate(
        {"ratio": "E log(1 - D), random critics", "other": "-E log D, the same critics"}.items(), 2
    ):
        colour, dash = line_style(i)
        sizes = found.arrays[name] * bound
        ax.fill_between(eps, sizes.min(0), sizes.max(0), color=colour, alpha=0.2, linewidth=0)
        ax.loglog(eps, np.median(sizes, axis=0), color=colour, linestyle=dash, label=label)
    ax.set(xlabel="eps, distance of D from a perfect critic", ylabel="length of the gradient / M")
    ax.legend()


register(
    Item(
        name="arjovsky-theorem-2-4",
        paper=ARJOVSKY,
        title="Theorem 2.4: near a perfect critic the gradient of E log(1 - D) vanishes",
        claim="If D is within eps of a perfect critic in sup |.| + sup |gradient|, and M^2 bounds the mean square of the "
        "generator's Jacobian, the gradient of E log(1 - D) is shorter than M eps / (1 - eps).",
        settings=Settings(),
        quick=Settings(trials=10, samples=16, epsilons=tuple(np.geomspace(1e-6, 0.3, 6).tolist())),
        cost=Cost(quick=2, full=5),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.2),
        caption="Medians and ranges over random generators and critics. The bound holds everywhere and is nearly attained by a "
        "critic whose whole error is slope; the gradient of -E log D under the same critics does not vanish.",
    )
)
