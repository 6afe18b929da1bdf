"""Two parallel curves in the plane, a critic that tells them apart, and how steep it has to be between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from divmin.adversary import Settings, contest, fresh, split
from divmin.objectives import recipe
from divmin.training import Sampler, TrainConfig

GOLDEN = (math.sqrt(5) - 1) / 2  # multiples of it fill (0, 1) evenly


def curve(u: Tensor) -> Tensor:
    """Points [n, 2] of the sine curve at places u [n] in (0, 1)."""
    t = 2 * math.pi * (u - 0.5)
    return torch.stack([t, t.sin()], 1)


class Data:
    """An endless source of points of the curve."""

    name, shape, size = "sine", (2,), None

    def batch(self, indices: Tensor) -> Tensor:
        """Points [n, 2], float32."""
        return curve((indices.double() * GOLDEN) % 1).float()


class Reconstructions(nn.Module):
    """z [n, 1] to the curve moved up by a gap."""

    def __init__(self, gap: float) -> None:
        super().__init__()
        self.up = nn.Parameter(torch.tensor([0.0, gap]))

    def forward(self, z: Tensor) -> Tensor:
        points: Tensor = curve((1 + torch.erf(z[:, 0] / math.sqrt(2))) / 2) + self.up
        return points


def critic(gap: float, steps: int, seed: int, width: int = 64) -> nn.Module:
    """A fresh critic after so many steps against reconstructions that stand still."""
    network, _ = fresh(TrainConfig(model="mlp"), (2,), width=width, seed=seed)
    generator = Reconstructions(gap)
    sampler = Sampler(TrainConfig(), (2,), 1, 0, generator, generator)
    settings = Settings(steps=steps, batch_size=128, lr=1e-3, seed=seed)
    contest(network, sampler, split(Data(), 200, seed), loss=recipe("minimax").critic_loss, pulls={}, settings=settings)
    return network


@dataclass(frozen=True)
class Steepness:
    """A critic on segments from data x to reconstructions y.

    Args:
        margin: log((1 - e)/e) for the smallest e with D(x) >= 1 - e and D(y) <= e, [n]; below 0 where there is none
            below 1/2.
        bound: what the mean value theorem asks for, 2 margin / |x - y|, [n].
        largest: the largest slope of the score at nodes of the segment, [n].
        scores: along each segment, [n, nodes].
    """

    margin: Tensor
    bound: Tensor
    largest: Tensor
    scores: Tensor


def steepness(network: nn.Module, x: Tensor, y: Tensor, nodes: int = 129) -> Steepness:
    """How steep a critic is between pairs of points [n, k], beside how steep it must be.

    Example:
        >>> x = torch.zeros(1, 1, dtype=torch.float64)
        >>> found = steepness(nn.Linear(1, 1).double(), x, x + 1)
        >>> bool(found.largest >= found.bound)
        True
    """
    t = torch.linspace(0, 1, nodes, dtype=x.dtype)[:, None, None]
    points = (x + t * (y - x)).reshape(-1, x.shape[1]).requires_grad_()
    scores = network(points).flatten()
    (slopes,) = torch.autograd.grad(scores.sum(), points)
    along = scores.detach().reshape(nodes, -1)
    margin = torch.minimum(along[0], -along[-1])
    return Steepness(margin, 2 * margin / (x - y).norm(dim=1), slopes.norm(dim=1).reshape(nodes, -1).amax(0), along.T)
