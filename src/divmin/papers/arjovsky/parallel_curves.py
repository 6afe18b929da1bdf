"""Two parallel sine curves in the plane, one of data and one of a generator: manifolds that never meet, however close."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from divmin.papers.arjovsky.fresh_critics import Watched, curves_of

if TYPE_CHECKING:
    from torch import nn

    from divmin.adversary import Split
    from divmin.papers import Work
    from divmin.training import Sampler


@dataclass(frozen=True)
class Settings:
    """A fresh critic against each frozen generator.

    Args:
        gaps: vertical distances of the generator's curve from that of data; 0 is a generator that has converged.
        steps: of Adam, of each critic.
        seeds: contests of each gap, with seeds 0, 1, ...
        width: units of the critic's two hidden layers, with tanh.
        batch_size: data, and as many samples, in a step.
        lr: learning rate of the critic.
        held_out: data, and as many samples, on which it is looked at.
    """

    gaps: tuple[float, ...] = (1.0, 0.3, 0.1)
    steps: int = 4000
    seeds: int = 3
    width: int = 64
    batch_size: int = 128
    lr: float = 1e-3
    held_out: int = 2500


def watch(settings: Settings, work: Work) -> Watched:
    """All contests; each is a piece of its own, so that a second start goes on."""
    from functools import partial

    every = [(gap, seed) for gap in settings.gaps for seed in range(settings.seeds)]
    pieces = [
        work.piece(f"gap-{gap:g}-seed-{seed}", partial(_contest, settings, gap, seed))
        for gap, seed in work.each("training fresh critics", every)
    ]
    n = settings.seeds
    return Watched.of([pieces[i : i + n] for i in range(0, len(pieces), n)])


def _contest(settings: Settings, gap: float, seed: int) -> dict[str, object]:
    from divmin.adversary import Settings as Training
    from divmin.adversary import contest
    from divmin.adversary.pulls import OF_D
    from divmin.objectives import recipe

    seen = contest(
        smooth_critic(settings.width, seed),
        frozen(gap),
        data(settings.held_out, seed),
        loss=recipe("minimax").critic_loss,
        pulls=OF_D,
        settings=Training(settings.steps, settings.batch_size, settings.lr, seed),
    )
    return curves_of(seen)


def data(held_out: int, seed: int) -> Split:
    """Points of the curve at height 0."""
    import torch
    from torch import Tensor

    from divmin.adversary import split
    from divmin.data.density import Density, DensitySource

    class Curve(Density):
        """(t, sin t) for t uniform on [-1, 1]: a law on a line in the plane, without a density."""

        @property
        def dim(self) -> int:
            return 2

        def _draw(self, n: int, generator: torch.Generator) -> Tensor:
            t = 2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1
            return torch.stack([t, t.sin()], dim=1)

    return split(DensitySource("sine curve", Curve(), seed), held_out, seed)


def shifted(gap: float) -> nn.Module:
    """z ~ N(0, 1) to the curve moved up by a gap; its weights are the shift, a vector in the plane."""
    import torch
    from torch import Tensor, nn

    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shift = nn.Parameter(torch.tensor([0.0, gap]))

        def forward(self, z: Tensor) -> Tensor:
            t = torch.erf(z[:, 0] / math.sqrt(2))  # uniform on [-1, 1]
            return torch.stack([t, t.sin()], dim=1) + self.shift

    return Shifted()


def frozen(gap: float) -> Sampler:
    """That generator as `divmin.adversary` takes it."""
    from divmin.training import Sampler, TrainConfig

    generator = shifted(gap).requires_grad_(False)
    return Sampler(TrainConfig(model="mlp"), (2,), 1, 0, generator, generator)


def smooth_critic(width: int, seed: int) -> nn.Module:
    """Points to d: two hidden layers with tanh, freshly drawn; the global random state is left as it was."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))


def names(settings: Settings) -> list[str]:
    """Of the generators, for legends and tables."""
    return [f"gap {gap:g}" for gap in settings.gaps]
