"""Swiss roll, moons, circles and spirals: curves in the plane, blurred by normal noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.noisy_curve import NoisyCurve
from divmin.data.registry import check_positive, register_density
from divmin.errors import DivminError


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)


@register_density(
    "swiss_roll", "spiral of scikit-learn's make_swiss_roll, 2-D, divided by 7.5 (noise, before the division)"
)
def swiss_roll(noise: float = 0.25) -> SwissRoll:
    """The swiss roll of the Wasserstein GAN papers: noise .25, then everything divided by 7.5."""
    check_positive("swiss_roll", "noise", noise)
    return SwissRoll(noise / 7.5)


@dataclass(frozen=True)
class SwissRoll(NoisyCurve):
    """t (cos t, sin t) / 7.5 for t uniform on [1.5 pi, 4.5 pi], plus noise."""

    noise: float

    def __post_init__(self) -> None:
        self.check_noise()

    @property
    def interval(self) -> tuple[float, float]:
        return 1.5 * math.pi, 4.5 * math.pi

    def strands(self, t: Tensor) -> Tensor:
        return _polar(t / 7.5, t).unsqueeze(0)


@register_density("two_moons", "two interleaved half circles, 2-D (noise)")
@dataclass(frozen=True)
class TwoMoons(NoisyCurve):
    """Half circles of radius 1, one turned around and shifted to (1, 1/2), plus noise."""

    noise: float = 0.1

    def __post_init__(self) -> None:
        self.check_noise()

    @property
    def interval(self) -> tuple[float, float]:
        return 0.0, math.pi

    def strands(self, t: Tensor) -> Tensor:
        upper = _polar(torch.ones_like(t), t)
        return torch.stack([upper, torch.tensor([1.0, 0.5], dtype=t.dtype) - upper])


@register_density("circles", "two circles around the origin, of radius 1 and factor, 2-D (factor, noise)")
@dataclass(frozen=True)
class Circles(NoisyCurve):
    """Circles of radius 1 and `factor`, equally likely, plus noise."""

    factor: float = 0.5
    noise: float = 0.05

    def __post_init__(self) -> None:
        self.check_noise()
        if not 0 < self.factor < 1:
            raise DivminError(f"factor is {self.factor}: expected a radius between 0 and 1")

    @property
    def interval(self) -> tuple[float, float]:
        return 0.0, 2 * math.pi

    def strands(self, t: Tensor) -> Tensor:
        return torch.stack([_polar(torch.full_like(t, radius), t) for radius in (1.0, self.factor)])


@register_density("spiral", "arms that wind out of the centre to radius 2, 2-D (arms, turns, noise)")
@dataclass(frozen=True)
class Spiral(NoisyCurve):
    """Archimedean arms: radius 2 t at angle 2 pi turns t, t uniform on [0.1, 1], plus noise."""

    arms: int = 2
    turns: float = 1.5
    noise: float = 0.05

    def __post_init__(self) -> None:
        self.check_noise()
        if self.arms < 1:
            raise DivminError(f"arms is {self.arms}: expected at least 1")

    @property
    def interval(self) -> tuple[float, float]:
        return 0.1, 1.0

    def strands(self, t: Tensor) -> Tensor:
        winding = 2 * math.pi * self.turns * t
        return torch.stack([_polar(2 * t, winding + 2 * math.pi * arm / self.arms) for arm in range(self.arms)])
