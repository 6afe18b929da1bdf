"""A normal model against a learned critic on the line: both by stochastic gradients, several runs side by side.

Runs of one seed see the same data and the same z and begin with the same critic, so that what differs between them is due to
where they start and to the generator's loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from divmin.data import densities
from divmin.data.density import Density
from divmin.objectives import recipe

RECIPE = "nonsaturating"  # whose critic is logistic
CHUNK = 50  # generator steps whose data and z are drawn at once


@dataclass(frozen=True)
class Play:
    """How both sides learn.

    Args:
        steps: of the generator, stochastic gradient descent on (mu, log sigma).
        generator_rate: its step size.
        critic_steps: for each of them, with Adam.
        critic_rate: its step size.
        beta1: Adam's decay of the mean gradient.
        batch: samples of data, and of the model, in every step.
        width: units in both hidden layers (tanh) of the critic.
        ahead: rounds of critic steps before the generator's first, so that it does not follow an untrained critic.
    """

    steps: int = 2500
    generator_rate: float = 0.04
    critic_steps: int = 5
    critic_rate: float = 2e-3
    beta1: float = 0.5
    batch: int = 512
    width: int = 32
    ahead: int = 0


class Critics:
    """As many critics as there are runs, x to c(x), with two hidden layers of tanh; they begin alike."""

    def __init__(self, runs: int, width: int, random: torch.Generator) -> None:
        def drawn(inputs: int, *shape: int) -> Tensor:
            uniform = 2 * torch.rand(*shape, generator=random) - 1
            return (uniform / math.sqrt(inputs)).expand(runs, *shape).clone().requires_grad_()

        self.first, self.first_bias = drawn(1, 1, width), drawn(1, 1, width)
        self.second, self.second_bias = drawn(width, width, width), drawn(width, 1, width)
        self.last, self.last_bias = drawn(width, width, 1), drawn(width, 1, 1)

    def __call__(self, x: Tensor) -> Tensor:
        """Samples [runs, n] to scores [runs, n]."""
        h = torch.tanh(x[..., None] * self.first + self.first_bias)
        h = torch.tanh(torch.baddbmm(self.second_bias, h, self.second))
        return torch.baddbmm(self.last_bias, h, self.last)[..., 0]

    @property
    def weights(self) -> list[Tensor]:
        return [self.first, self.first_bias, self.second, self.second_bias, self.last, self.last_bias]


def play(
    data: str, recipes: Sequence[str], starts: Sequence[tuple[float, float]], settings: Play, seed: int
) -> NDArray[np.float64]:
    """Runs of every recipe from every start.

    Args:
        data: the name of a density on the line.
        recipes: their losses are used as they are.
        starts: (mu, sigma) at first.
        settings: how both sides learn.
        seed: names the critic's first weights and all draws.

    Returns:
        (mu, sigma) before the first step and after each [recipes, starts, steps + 1, 2].
    """
    law, losses = densities()[data](), [recipe(name) for name in recipes]
    random = torch.Generator().manual_seed(seed)
    begin = torch.tensor(starts, dtype=torch.float32).repeat(len(recipes), 1)
    runs, n = len(begin), settings.batch
    mu, log_sigma = begin[:, :1].clone(), begin[:, 1:].log()
    critics = Critics(runs, settings.width, random)
    optimiser = torch.optim.Adam(critics.weights, lr=settings.critic_rate, betas=(settings.beta1, 0.999))
    paths = [torch.cat([mu, log_sigma], 1)]
    for step in range(settings.ahead + settings.steps):
        if step % CHUNK == 0:
            real = law.sample(CHUNK * settings.critic_steps * n, generator=random).reshape(CHUNK, -1, n)
            z = torch.randn(CHUNK, settings.critic_steps + 1, n, generator=random)
        for k in range(settings.critic_steps):
            fake = mu + log_sigma.exp() * z[step % CHUNK, k]
            scores = critics(torch.cat([real[step % CHUNK, k].expand(runs, n), fake], 1))
            of_real, of_fake = (each.chunk(len(losses)) for each in scores.split(n, 1))
            # a mean over the runs of one recipe, times their number: each run has the gradient that it has alone
            loss = len(starts) * sum(
                each.critic_loss(one.flatten(), other.flatten())
                for each, one, other in zip(losses, of_real, of_fake, strict=True)
            )
            optimiser.zero_grad()
            torch.as_tensor(loss).backward()
            optimiser.step()
        if step < settings.ahead:
            continue
        mu.requires_grad_()
        log_sigma.requires_grad_()
        judged = critics(mu + log_sigma.exp() * z[step % CHUNK, -1]).chunk(len(losses))
        pulled = len(starts) * sum(each.generator_loss(one.flatten()) for each, one in zip(losses, judged, strict=True))
        slopes = torch.autograd.grad(torch.as_tensor(pulled), [mu, log_sigma])
        mu, log_sigma = (
            (at - settings.generator_rate * slope).detach() for at, slope in zip((mu, log_sigma), slopes, strict=True)
        )
        paths.append(torch.cat([mu, log_sigma], 1))
    path = torch.stack(paths, 1).double()
    path[..., 1] = path[..., 1].exp()
    return path.reshape(len(recipes), len(starts), -1, 2).numpy()


def trained(p: Density, q: Density, settings: Play, seed: int) -> Callable[[Tensor], Tensor]:
    """A critic of two laws on the line that stand still, by the logistic loss on new samples at every step.

    Args:
        p: the data.
        q: the model.
        settings: their steps are here the critic's own; its rate falls to 0 along half a cosine.
        seed: names the first weights and all draws.

    Returns:
        The critic: samples [n, 1] to d [n].
    """
    random = torch.Generator().manual_seed(seed)
    critic, loss = Critics(1, settings.width, random), recipe(RECIPE)
    optimiser = torch.optim.Adam(critic.weights, lr=settings.critic_rate, betas=(settings.beta1, 0.999))
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.steps)
    for _ in range(settings.steps):
        both = torch.cat([law.sample(settings.batch, generator=random) for law in (p, q)])
        real, fake = critic(both.T)[0].split(settings.batch)
        optimiser.zero_grad()
        loss.critic_loss(real, fake).backward()
        optimiser.step()
        rate.step()

    @torch.no_grad()
    def d(x: Tensor) -> Tensor:
        return critic(x.T)[0]

    return d
