"""A fresh critic learns to tell a frozen generator's samples from data, and is looked at on the way.

How fast its loss reaches zero, and how long the generator's gradients are while it does: Arjovsky and Bottou 2017, figures 2 and 3.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from divmin.adversary.parts import Split
from divmin.adversary.pulls import Norm, Pull, norms
from divmin.adversary.separation import BLIND, separation
from divmin.data.sets import Track
from divmin.errors import DivminError
from divmin.estimators.crossfit import Scores, line_of
from divmin.estimators.samples import Floats
from divmin.training.critic import TrainedCritic
from divmin.training.probes import device_of, draw
from divmin.training.randomness import derive, seed_global, seeded, undisturbed
from divmin.training.sampler import Sampler
from divmin.training.signals import polite_stop

A_DECADE = 8  # looks in a factor of ten of steps
BATCHES = 10  # of z, between which the gradients spread


@dataclass(frozen=True)
class Settings:
    """How a fresh critic is trained.

    Args:
        steps: of Adam.
        batch_size: data, and as many new samples, in one.
        lr: learning rate.
        seed: names the weights, the batches and the samples.

    Raises:
        DivminError: a value that cannot be.
    """

    steps: int = 2000
    batch_size: int = 128
    lr: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise DivminError(f"{name} is {value!r}: expected a whole number of at least {least}")
        if not isinstance(self.lr, float | int) or not 0 < self.lr < math.inf:
            raise DivminError(f"lr is {self.lr!r}: expected a positive number")


@dataclass(frozen=True)
class Look:
    """The critic after so many steps.

    Args:
        step: how many.
        training_loss: what it was trained on, the mean since the last look; None before the first step.
        loss: the logistic loss of d on data and samples that it has not learned from; 2 log 2 at D = 1/2.
        accuracy: the share of them with the right sign of d.
        gradients: the length of the generator's gradient by each loss.
    """

    step: int
    training_loss: float | None
    loss: float
    accuracy: float
    gradients: Mapping[str, Norm]


@dataclass(frozen=True)
class Contest:
    """What was seen of a fresh critic against a frozen generator.

    Args:
        looks: at step 0, then at equal distances of log(steps), and at the end.
        best: the step of the look with the lowest loss, whose weights the critic has.
        line: intercept and slope of the logistic recalibration of its output that the same held-out part asks for.
        critic: what it is.
        losses: the recipe whose critic loss trained it.
        settings: how.
        said: how data were split.
        stopped: the number of the signal that ended it early; None where it came to its end.
    """

    looks: tuple[Look, ...]
    best: int
    line: tuple[float, float]
    critic: str
    losses: str
    settings: Settings
    said: str
    stopped: int | None = None

    @property
    def lowest(self) -> Look:
        """The look whose weights the critic has."""
        return next(look for look in self.looks if look.step == self.best)

    @property
    def last(self) -> Look:
        """The last look."""
        return self.looks[-1]

    def log_ratio(self, scores: Floats) -> Floats:
        """d from the critic's output: intercept + slope c."""
        return self.line[0] + self.line[1] * np.asarray(scores, dtype=np.float64)

    def below(self, share: float) -> int | None:
        """The first look at which the held-out loss was below a share of 2 log 2, in steps; None where it never was."""
        return next((look.step for look in self.looks if look.loss < share * BLIND), None)

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON; what is not finite is None."""
        return {
            "critic": self.critic,
            "losses": self.losses,
            **asdict(self.settings),
            "data": self.said,
            "stopped": self.stopped,
            "best": self.best,
            "line": list(self.line),
            "below_10_percent": self.below(0.1),
            "below_1_percent": self.below(0.01),
            "looks": [
                {
                    "step": look.step,
                    "training_loss": look.training_loss,
                    "loss": _plain(look.loss),
                    "accuracy": look.accuracy,
                    "gradients": {
                        name: {"mean": _plain(each.mean), "sd": _plain(each.sd)}
                        for name, each in look.gradients.items()
                    },
                }
                for look in self.looks
            ],
        }


def contest(
    critic: nn.Module,
    sampler: Sampler,
    parts: Split,
    *,
    loss: Callable[[Tensor, Tensor], Tensor],
    pulls: Mapping[str, Pull],
    settings: Settings,
    ema: bool = True,
    names: tuple[str, str] = ("own", "own"),
    track: Track = iter,
) -> Contest:
    """Train a critic against a generator that stands still, with looks at equal distances of log(steps).

    Ctrl-C or SIGTERM ends it after the step in hand, with a last look; a second one ends it at once.

    Args:
        critic: trained in place; at the end it has the weights of its best look, in evaluation mode.
        sampler: the generator.
        parts: the data.
        loss: of scores of data and of samples, so that the best score is d.
        pulls: the losses of the generator whose gradients are measured.
        settings: steps, batch size, learning rate, seed.
        ema: whether samples are those of the averaged generator.
        names: what to call the critic and its loss.
        track: wraps the steps, to show progress.

    Returns:
        All looks. The generator and the global random state are as they were.

    Raises:
        DivminError: a loss that is not finite.
    """
    device = device_of(critic)
    generator, seed = sampler.average if ema else sampler.last, settings.seed
    chosen = parts.source.batch(parts.chosen)
    others = sampler.sample(len(chosen), seed=derive(seed, "others to choose by"), ema=ema)
    open_generator = copy.deepcopy(generator).requires_grad_(True)
    z_of = seeded(seed, "z of gradients")
    batches = [torch.randn(settings.batch_size, sampler.latent, generator=z_of).to(device) for _ in range(BATCHES)]
    optimizer = torch.optim.Adam(critic.parameters(), lr=settings.lr)
    noise, places = seeded(seed, "fresh critic"), set(schedule(settings.steps))
    looks: list[Look] = []
    since: list[float] = []
    best: dict[str, Tensor] = {}

    def held_out(step: int) -> tuple[Tensor, Tensor]:
        critic.eval()
        judge = TrainedCritic(critic, step)
        return judge.score(chosen, batch_size=512), judge.score(others, batch_size=512)

    def look(step: int) -> None:
        d_real, d_fake = held_out(step)
        seen = separation(d_real.numpy(), d_fake.numpy())
        compared = d_real[torch.arange(settings.batch_size) % len(d_real)]
        lengths = norms(open_generator, critic, batches, compared, pulls)
        if not looks or seen.loss < min(each.loss for each in looks):
            best.update({name: value.clone() for name, value in critic.state_dict().items()})
        looks.append(Look(step, sum(since) / len(since) if since else None, seen.loss, seen.accuracy, lengths))
        since.clear()
        critic.train()

    with undisturbed(device), polite_stop() as stop:
        seed_global(seed, device)
        look(0)
        for step in track(range(1, settings.steps + 1)):
            real = parts.batch((step - 1) * settings.batch_size, settings.batch_size).to(device)
            fake = draw(generator, torch.randn(settings.batch_size, sampler.latent, generator=noise)).to(device)
            optimizer.zero_grad(set_to_none=True)
            paid = loss(critic(real).flatten(), critic(fake).flatten())
            paid.backward()
            optimizer.step()
            since.append(paid.item())
            if not math.isfinite(since[-1]):
                raise DivminError(
                    f"the fresh critic's loss is {since[-1]} at step {step}: take a smaller learning rate than {settings.lr:g}"
                )
            if step in places or stop.signal is not None:
                look(step)
            if stop.signal is not None:
                break
    critic.load_state_dict(best)
    lowest = min(looks, key=lambda each: each.loss).step
    line = _line(*(each.numpy() for each in held_out(lowest)))
    return Contest(tuple(looks), lowest, line, *names, settings, parts.said, stop.signal)


def schedule(steps: int) -> list[int]:
    """The steps of looks: 0, then eight in a factor of ten, and the last.

    >>> schedule(20)
    [0, 1, 2, 3, 4, 6, 7, 10, 13, 18, 20]
    """
    decades = math.log10(steps)
    powers = {round(10 ** (k / A_DECADE)) for k in range(int(A_DECADE * decades) + 1)}
    return sorted({0, *(each for each in powers if each <= steps), steps})


def _line(real: Floats, fake: Floats) -> tuple[float, float]:
    """The line that takes out what the last steps before a look leave in every score, and shrinks what was learned by heart.

    Its slope is at most 1: where the sets are separate any steeper one looks better, until the first sample on the wrong side.
    """
    x, y = real.astype(np.float64), fake.astype(np.float64)
    folds = (np.zeros(len(x), dtype=np.int64), np.zeros(len(y), dtype=np.int64))
    return line_of(Scores(x, y, np.ones_like(x), np.ones_like(y), *folds))


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
