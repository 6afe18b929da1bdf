"""Known laws with a known error of the critic: what a diagnosis has to name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal

BATCH, STEPS = 128, 160
SOUND = "sound"
EXPECTED = {
    SOUND: None,
    "scaled by 2": "overconfident",
    "halved": "underconfident",
    "shifted": "shifted",
    "clipped at 3": "clipped",
    "trained on one side": "one-sided",
    "frozen": "frozen",
}


@dataclass(frozen=True)
class Case:
    """A stream of scores: data of a law p, samples of q(t) for t from 0 to 1, and a critic.

    Args:
        error: what is wrong with the critic, a key of `EXPECTED`.
        seed: of everything.
    """

    error: str
    seed: int

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Scores of data and of samples, for one training step after the other."""
        random = torch.Generator().manual_seed(self.seed)
        p, q = laws(random, far=self.error == "clipped at 3")
        moves = self.error == "frozen" or (self.error in (SOUND, "scaled by 2") and self.seed % 2 == 0)
        sample = sampler(random)
        critic = ERRORS[self.error](p, q, random)
        for step in range(STEPS):
            now = q(step / STEPS if moves else 1.0)
            yield critic(sample(p), now), critic(sample(now), now)


Critic = Callable[[Tensor, Distribution], Tensor]


def laws(random: torch.Generator, far: bool) -> tuple[Distribution, Callable[[float], Distribution]]:
    """A law of one or two bumps and another that moves towards it; far ones have log-ratios beyond 3."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    gap = uniform(2.5, 3.5) if far else uniform(0.8, 1.6)
    sign = 1.0 if uniform(0, 1) > 0.5 else -1.0
    if uniform(0, 1) > 0.5:
        p: Distribution = Normal(0.0, 1.0)
    else:
        weights, means = Categorical(torch.tensor([0.4, 0.6])), torch.tensor([-uniform(0.5, 1.5), uniform(0.5, 1.5)])
        p = MixtureSameFamily(weights, Normal(means, torch.tensor([0.8, 0.8])))
    scale, start = uniform(0.9, 1.3), sign * (gap + uniform(1.2, 2.0))
    return p, lambda t: Normal(torch.tensor((1 - t) * start + t * sign * gap), torch.tensor(scale))


def sampler(random: torch.Generator) -> Callable[[Distribution], Tensor]:
    def sample(law: Distribution) -> Tensor:
        if isinstance(law, MixtureSameFamily):
            parts = torch.multinomial(law.mixture_distribution.probs, BATCH, replacement=True, generator=random)
            means, scales = law.component_distribution.loc[parts], law.component_distribution.scale[parts]
        else:
            means, scales = law.loc, law.scale
        return means + scales * torch.randn(BATCH, generator=random)

    return sample


def sound(p: Distribution, q: Callable[[float], Distribution], random: torch.Generator) -> Critic:
    return lambda x, now: p.log_prob(x) - now.log_prob(x)


def changed(change: Callable[[Tensor], Tensor]) -> Callable[..., Critic]:
    def critic(p: Distribution, q: Callable[[float], Distribution], random: torch.Generator) -> Critic:
        return lambda x, now: change(p.log_prob(x) - now.log_prob(x))

    return critic


def shifted(p: Distribution, q: Callable[[float], Distribution], random: torch.Generator) -> Critic:
    by = (1.0 if float(torch.rand((), generator=random)) > 0.5 else -1.0) * (
        0.4 + 2 * float(torch.rand((), generator=random))
    )
    return lambda x, now: p.log_prob(x) - now.log_prob(x) + by


def frozen(p: Distribution, q: Callable[[float], Distribution], random: torch.Generator) -> Critic:
    first = q(0.0)
    return lambda x, now: p.log_prob(x) - first.log_prob(x)


def one_sided(p: Distribution, q: Callable[[float], Distribution], random: torch.Generator) -> Critic:
    """A network that is trained with the loss on data alone, or on samples alone."""
    network = torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    for weight in network.parameters():
        torch.nn.init.normal_(weight, 0.0, 1 / math.sqrt(max(weight.shape[-1], 2)), generator=random)
    law, sign = (p, -1.0) if float(torch.rand((), generator=random)) > 0.5 else (q(1.0), 1.0)
    sample, optimizer = sampler(random), torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.softplus(sign * network(sample(law)[:, None])).mean().backward()
        optimizer.step()

    def critic(x: Tensor, now: Distribution) -> Tensor:
        with torch.no_grad():
            scores: Tensor = network(x[:, None])[:, 0]
        return scores

    return critic


ERRORS: dict[str, Callable[..., Critic]] = {
    SOUND: sound,
    "scaled by 2": changed(lambda d: 2 * d),
    "halved": changed(lambda d: d / 2),
    "shifted": shifted,
    "clipped at 3": changed(lambda d: d.clamp(-3, 3)),
    "trained on one side": one_sided,
    "frozen": frozen,
}
