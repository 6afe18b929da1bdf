"""Laws that are a curve blurred by normal noise: their density is an integral along the curve."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from divmin.data.density import Density
from divmin.errors import DivminError

# Gauss-Legendre nodes in a panel no longer than two noise radii: near the curve the sum is exact to about 1e-11.
NODES, PANEL = 8, 2.0
# A curve of half a million noise radii; beyond, one point alone would take a noticeable time.
MOST_NODES = 2**21
# Points times nodes held at once: little memory, and few enough pieces that starting threads for each costs nothing.
CHUNK = 2**20


class NoisyCurve(Density):
    """Points c_k(t) + noise * N(0, I), the strand k equally likely and t uniform on an interval.

    p(x) = mean over k, t of N(x; c_k(t), noise^2 I). A member is a frozen dataclass that writes `strands` and
    `interval`, calls `check_noise` when it is built, and has a field `noise`, the standard deviation a coordinate.
    """

    noise: float

    @property
    def dim(self) -> int:
        return 2

    @property
    @abstractmethod
    def interval(self) -> tuple[float, float]:
        """Where t lies."""

    @abstractmethod
    def strands(self, t: Tensor) -> Tensor:
        """The curves at t [m], as points [k, m, 2]."""

    def check_noise(self) -> None:
        if not 0 < self.noise < math.inf:
            raise DivminError(f"noise is {self.noise}: expected a positive number (without noise there is no density)")

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        start, stop = self.interval
        uniform = torch.rand(n, 2, generator=generator, dtype=torch.float64)
        points = self.strands(start + (stop - start) * uniform[:, 0])
        strand = (uniform[:, 1] * len(points)).long()
        noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        return points[strand, torch.arange(n)] + self.noise * noise

    def _log_density(self, x: Tensor) -> Tensor:
        centres, log_weights = (part.to(x) for part in self._quadrature())
        rows = max(1, CHUNK // len(centres))
        parts = [self._log_mean(part, centres, log_weights) for part in x.reshape(-1, 2).split(rows)]
        return torch.cat(parts).reshape(x.shape[:-1]) if parts else x.new_zeros(x.shape[:-1])

    def _log_mean(self, x: Tensor, centres: Tensor, log_weights: Tensor) -> Tensor:
        # The differences are formed before they are squared: expanding the square would lose float32 near the curve.
        across, up = ((x[:, axis, None] - centres[:, axis]).square() for axis in (0, 1))
        exponent = log_weights - (across + up) / (2 * self.noise**2)
        return torch.logsumexp(exponent, dim=-1) - math.log(2 * math.pi * self.noise**2)

    def _quadrature(self) -> tuple[Tensor, Tensor]:
        """Points on the curve [m, 2] and the logs of their weights [m], which add up to one."""
        import numpy as np

        start, stop = self.interval
        t = torch.linspace(start, stop, 1025, dtype=torch.float64)
        steps = torch.linalg.vector_norm(self.strands(t).diff(dim=1), dim=-1)
        panels = max(8, math.ceil(float(steps.max()) * (len(t) - 1) / (PANEL * self.noise)))
        if panels * NODES > MOST_NODES:
            raise DivminError(
                f"{self} has a curve too long for its noise: log_prob would need {panels * NODES:,} nodes"
            )
        roots, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(NODES))
        edges = torch.linspace(start, stop, panels + 1, dtype=torch.float64)
        half = (stop - start) / panels / 2
        points = self.strands((edges[:-1, None] + half * (1 + roots)).flatten())
        share = (weights / 2 / panels / len(points)).log().repeat(panels * len(points))
        return points.reshape(-1, 2), share
