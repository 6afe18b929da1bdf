"""Two parallel sine curves in the plane, one of data and one of a generator: manifolds that never meet, however close."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from divmin.papers.arjovsky.fresh_critics import Watched, curves_of

if TYPE_CHECKING:
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
    every = [(gap, seed) for gap in settings.gaps for seed in range(settings.seeds)]
    pieces = [
        work.piece(f"gap-{gap:g}-seed-{seed}", partial(seen, settings, gap, seed))
        for gap, seed in work.each("training fresh critics", every)
    ]
    n = settings.seeds
    return Watched.of([pieces[i : i + n] for i in range(0, len(pieces), n)])


def seen(settings: Settings, gap: float, seed: int, noise: float = 0.0) -> dict[str, object]:
    """One contest, with noise on all that the critic sees."""
    from divmin.adversary import Settings as Training
    from divmin.adversary import contest
    from divmin.adversary.pulls import OF_D
    from divmin.objectives import recipe
    from divmin.papers.arjovsky.sine_curves import Seeing, smooth_critic

    critic = smooth_critic(settings.width, seed)
    found = contest(
        Seeing(critic, noise) if noise else critic,
        frozen(gap),
        data(settings.held_out, seed),
        loss=recipe("minimax").critic_loss,
        pulls=OF_D,
        settings=Training(settings.steps, settings.batch_size, settings.lr, seed),
    )
    return curves_of(found)


def data(held_out: int, seed: int) -> Split:
    """Points of the curve at height 0."""
    from divmin.adversary import split
    from divmin.data.density import DensitySource
    from divmin.papers.arjovsky.sine_curves import Sine

    return split(DensitySource("sine curve", Sine(), seed), held_out, seed)


def frozen(gap: float) -> Sampler:
    """The curve at the height of a gap, as a generator."""
    from divmin.papers.arjovsky.sine_curves import ShiftedSine
    from divmin.training import Sampler, TrainConfig

    generator = ShiftedSine(gap).requires_grad_(False)
    return Sampler(TrainConfig(model="mlp"), (2,), 1, 0, generator, generator)


def names(settings: Settings) -> list[str]:
    """Of the generators, for legends and tables."""
    return [f"gap {gap:g}" for gap in settings.gaps]
