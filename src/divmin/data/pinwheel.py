"""Stretched normals around the origin, twisted by a map that keeps areas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.density import Density
from divmin.data.registry import register_density
from divmin.errors import DivminError


@register_density("pinwheel", "arms bent like a pinwheel, 2-D (arms, radial, tangential, twist)")
@dataclass(frozen=True)
class Pinwheel(Density):
    """Arms N((1, 0), diag(radial^2, tangential^2)) at even angles, then every point turned by twist times its radius.

    Turning by an angle that depends on the radius alone keeps areas, so the density is that of the untwisted point.
    """

    arms: int = 5
    radial: float = 0.3
    tangential: float = 0.1
    twist: float = 0.7

    def __post_init__(self) -> None:
        if self.arms < 1:
            raise DivminError(f"arms is {self.arms}: expected at least 1")
        if not (0 < self.radial < math.inf and 0 < self.tangential < math.inf):
            raise DivminError(
                f"radial is {self.radial}, tangential {self.tangential}: expected positive finite numbers"
            )

    @property
    def dim(self) -> int:
        return 2

    def _angles(self) -> Tensor:
        return 2 * math.pi / self.arms * torch.arange(self.arms, dtype=torch.float64)

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        arm = torch.randint(self.arms, (n,), generator=generator)
        noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        straight = noise * torch.tensor([self.radial, self.tangential], dtype=torch.float64)
        straight[:, 0] += 1
        return _turn(straight, self._angles()[arm] + self.twist * torch.linalg.vector_norm(straight, dim=-1))

    def _log_density(self, x: Tensor) -> Tensor:
        twisted = self.twist * torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        straight = _turn(x.unsqueeze(-2), -(self._angles().to(x) + twisted))
        along, across = (straight[..., 0] - 1) / self.radial, straight[..., 1] / self.tangential
        log_scale = math.log(2 * math.pi * self.radial * self.tangential * self.arms)
        return torch.logsumexp(-(along.square() + across.square()) / 2, dim=-1) - log_scale


def _turn(x: Tensor, angle: Tensor) -> Tensor:
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x[..., 0] - sin * x[..., 1], sin * x[..., 0] + cos * x[..., 1]], dim=-1)
