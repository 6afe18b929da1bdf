"""Laws with a constant density on their support: a box and a checkerboard."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.density import Density
from divmin.data.registry import register_density
from divmin.errors import DivminError


def _constant_on(inside: Tensor, x: Tensor, level: float) -> Tensor:
    """`level` where inside, -inf elsewhere, with a gradient of zero everywhere."""
    # Only points inside enter the zero, so that an infinite coordinate cannot turn it into nan.
    zero = torch.where(inside.unsqueeze(-1), x, 0).sum(-1) * 0
    return torch.where(inside, zero + level, -math.inf)


@register_density("uniform", "uniform law on a box in any dimension (dim, low, high)")
@dataclass(frozen=True)
class Uniform(Density):
    """The uniform law on [low, high]^dimensions."""

    dim: int = 1
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise DivminError(f"dim is {self.dim}: expected at least 1")
        if not -math.inf < self.low < self.high < math.inf:
            raise DivminError(f"low is {self.low} and high is {self.high}: expected finite numbers, low below high")

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return self.low + (self.high - self.low) * torch.rand(n, self.dim, generator=generator, dtype=torch.float64)

    def _log_density(self, x: Tensor) -> Tensor:
        inside = ((x >= self.low) & (x <= self.high)).all(-1)
        return _constant_on(inside, x, -self.dim * math.log(self.high - self.low))


@register_density("checkerboard", "uniform law on every second cell of a square, 2-D (cells a side, half_width)")
@dataclass(frozen=True)
class Checkerboard(Density):
    """The uniform law on the cells (i, j) with i + j even of a board [-half_width, half_width]^2."""

    cells: int = 4
    half_width: float = 2.0

    def __post_init__(self) -> None:
        if self.cells < 1:
            raise DivminError(f"cells is {self.cells}: expected at least 1")
        if not 0 < self.half_width < math.inf:
            raise DivminError(f"half_width is {self.half_width}: expected a positive finite number")

    @property
    def dim(self) -> int:
        return 2

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        i, j = torch.meshgrid(torch.arange(self.cells), torch.arange(self.cells), indexing="ij")
        filled = torch.stack([i, j], -1)[(i + j) % 2 == 0]
        cell = filled[torch.randint(len(filled), (n,), generator=generator)]
        uniform = torch.rand(n, 2, generator=generator, dtype=torch.float64)
        # A sample on the edge of its cell could be rounded into the empty one next to it, where the density is zero; a
        # millionth of the cell is left free at either side.
        place = cell + 1e-6 + (1 - 2e-6) * uniform
        return place * (2 * self.half_width / self.cells) - self.half_width

    def _log_density(self, x: Tensor) -> Tensor:
        cell = ((x + self.half_width) * (self.cells / (2 * self.half_width))).floor()
        on_board = ((cell >= 0) & (cell < self.cells)).all(-1)
        inside = on_board & (cell.sum(-1).remainder(2) == 0)
        filled = (self.cells**2 + 1) // 2
        return _constant_on(inside, x, math.log(self.cells**2 / filled) - 2 * math.log(2 * self.half_width))
