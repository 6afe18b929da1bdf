"""Points of a sine curve as data, the same curve shifted as a generator, both with noise, and a smooth critic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from divmin.data.density import Density
from divmin.data.noisy_curve import NoisyCurve
from divmin.training.seen import Sight


def _curve(t: Tensor) -> Tensor:
    return torch.stack([t, t.sin()], dim=-1)


@dataclass(frozen=True)
class Sine(Density):
    """(t, sin t) for t uniform on [-1, 1]: a law on a line in the plane, without a density."""

    @property
    def dim(self) -> int:
        return 2

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return _curve(2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1)


@dataclass(frozen=True)
class NoisySine(NoisyCurve):
    """The same with normal noise, which has a density everywhere."""

    noise: float

    def __post_init__(self) -> None:
        self.check_noise()

    @property
    def interval(self) -> tuple[float, float]:
        return -1.0, 1.0

    def strands(self, t: Tensor) -> Tensor:
        return _curve(t).unsqueeze(0)


class ShiftedSine(nn.Module):
    """z ~ N(0, 1) to the curve moved up by a gap; its weights are the shift, a vector in the plane."""

    def __init__(self, gap: float) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([0.0, gap]))

    def forward(self, z: Tensor) -> Tensor:
        return _curve(torch.erf(z[:, 0] / math.sqrt(2))) + self.shift


class Seeing(nn.Module):
    """A critic before which noise is added to all it sees, in training and after, with a gradient through it."""

    def __init__(self, critic: nn.Module, noise: float) -> None:
        super().__init__()
        self.critic, self.sight = critic, Sight(noise=noise, noise_steps=1, changes=(), packing=1)

    def forward(self, x: Tensor) -> Tensor:
        d: Tensor = self.critic(self.sight(x, 0))
        return d


def smooth_critic(width: int, seed: int) -> nn.Module:
    """Points to d: two hidden layers with tanh, freshly drawn; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))


def exact_gradient(shift: Sequence[float], noise: float, nodes: int) -> tuple[float, float]:
    """The gradient of E log(1 - D) by the shift for the best critic of noisy curves: that of 2 JS (corollary 3.2).

    Args:
        shift: of the generator's curve, a vector in the plane.
        noise: its standard deviation, on both.
        nodes: of each of three quadratures: along the curve, and of the noise in both directions.

    Returns:
        Both coordinates, nats per unit of length.
    """
    law = NoisySine(noise)
    along, share = (torch.from_numpy(each) for each in np.polynomial.legendre.leggauss(nodes))
    roots, weight = (torch.from_numpy(each) for each in np.polynomial.hermite_e.hermegauss(nodes))
    around, moved = noise * torch.cartesian_prod(roots, roots), torch.tensor(shift, dtype=torch.float64)
    x = (_curve(along)[:, None] + around + moved).requires_grad_()  # samples, with their noise
    mass = share[:, None] / 2 * (torch.outer(weight, weight) / (2 * math.pi)).flatten()
    d = law.log_prob(x) - law.log_prob(x - moved)
    (slope,) = torch.autograd.grad((mass * logsigmoid(-d)).sum(), x)  # log(1 - D), the critic standing still
    across, up = slope.sum(dim=(0, 1)).tolist()
    return across, up
