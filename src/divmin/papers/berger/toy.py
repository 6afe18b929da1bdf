"""The exact toy: a linear decoder with noise on the line, for which log q, the posterior and the best critic are known.

z ~ N(0, 1), x = w z + b + sd noise, so q = N(b, w^2 + sd^2) and the posterior of z is a normal law too.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from divmin.data import Density
from divmin.values import exact


class Decoder(nn.Linear):
    """z [n, 1] to the mean of p(x|z) [n, 1].

    Args:
        mean, sd: of q.
        noise: standard deviation of p(x|z), below sd.
    """

    def __init__(self, mean: float, sd: float, noise: float) -> None:
        super().__init__(1, 1)
        with torch.no_grad():
            self.weight.fill_(math.sqrt(sd**2 - noise**2))
            self.bias.fill_(mean)


class BestCritic(nn.Module):
    """log p/q of the decoder as it stands, which is held fixed."""

    def __init__(self, p: Density, decoder: Decoder, noise: float) -> None:
        super().__init__()
        self.p, self.noise, self.of = p, noise, [decoder]  # in a list, so that its weights are not the critic's
        self.scale = nn.Parameter(torch.ones(()))  # a critic must have something to train

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.scale * (self.p.log_prob(x) - law(*_still(self.of[0]), self.noise).log_prob(x[:, 0]))
        return scores


class Posterior(nn.Module):
    """Mean and log-variance of p(z|x), [n, 2], for the decoder as it stands.

    Args:
        decoder: it.
        noise: standard deviation of p(x|z).
        wider: a factor on the posterior's standard deviation; 1 for the exact one.
    """

    def __init__(self, decoder: Decoder, noise: float, wider: float = 1.0) -> None:
        super().__init__()
        self.of, self.noise, self.wider = [decoder], noise, wider
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        w, b = _still(self.of[0])
        variance = 1 / (1 + (w / self.noise) ** 2)
        mean = variance * w * (x - b) / self.noise**2
        return self.scale * torch.cat([mean, (variance.log() + 2 * math.log(self.wider)).expand_as(mean)], 1)


class Toy:
    """The networks of a run.

    Args:
        p: the data.
        mean, sd: of q at the beginning.
        noise: standard deviation of p(x|z).
        critic, encoder: others than the exact ones.
    """

    name, latent = "linear", 1

    def __init__(
        self,
        p: Density,
        mean: float,
        sd: float,
        noise: float,
        critic: nn.Module | None = None,
        encoder: nn.Module | None = None,
    ) -> None:
        self.generator = Decoder(mean, sd, noise)
        self.critic = BestCritic(p, self.generator, noise) if critic is None else critic
        self.encoder = Posterior(self.generator, noise) if encoder is None else encoder


def law(w: Tensor, b: Tensor, noise: float) -> Normal:
    """q of a decoder's weight and bias."""
    return Normal(b, (w.square() + noise**2).sqrt())


def mean_and_sd(decoder: nn.Module, noise: float) -> tuple[float, float]:
    """Those of q."""
    w, b = _still(decoder)
    return float(b), math.sqrt(float(w) ** 2 + noise**2)


def exact_gradient(name: str, p: Density, decoder: Decoder, noise: float) -> Tensor:
    """The gradient of a divergence between p and q by the decoder's weight and bias, [2], float64."""
    theta = torch.stack(_still(decoder)).double().requires_grad_()
    (slope,) = torch.autograd.grad(exact(name, p, law(theta[0], theta[1], noise)).tensor, theta)
    return slope


def _still(decoder: Any) -> tuple[Tensor, Tensor]:
    return copy.deepcopy(decoder.weight.detach()[0, 0]), copy.deepcopy(decoder.bias.detach()[0])
