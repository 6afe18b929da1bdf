"""Laws in one or two dimensions: samples, and log-densities in nats."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.base import BLOCK, from_blocks, generator_for
from divmin.errors import DivminError


class Density(ABC):
    """A law on R^dim; a member is a frozen dataclass whose fields are its parameters.

    A member writes `dim` and `_draw`, and `_log_density` where the law has one.
    """

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of coordinates of a sample."""

    @abstractmethod
    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        """n samples, float64 [n, dim]."""

    def _log_density(self, x: Tensor) -> Tensor:
        """log p at x [..., dim], in the dtype of x."""
        raise DivminError(f"{type(self).__name__} has no log-density: it can be sampled only")

    @property
    def has_log_prob(self) -> bool:
        """Whether `log_prob` exists."""
        return type(self)._log_density is not Density._log_density

    def sample(
        self,
        n: int,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """Independent samples.

        Args:
            n: how many.
            seed: names the draw; give this or a generator.
            generator: CPU generator to draw from.
            dtype: floating type of the result; the draw is made in float64 and rounded.

        Returns:
            Samples [n, dim].

        Raises:
            DivminError: negative n, or not exactly one of seed and generator.

        Example:
            >>> from divmin.data import densities
            >>> densities()["ring"]().sample(3, seed=0).shape
            torch.Size([3, 2])
        """
        if n < 0:
            raise DivminError(f"cannot draw {n} samples: expected at least 0")
        if (seed is None) == (generator is None):
            raise DivminError("sample needs either seed=... or generator=..., and not both")
        return self._draw(n, generator or generator_for(seed or 0, 0)).to(dtype)

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in nats, -inf off the support; differentiable in x.

        Args:
            x: points [..., dim], any floating type.

        Returns:
            Log-densities [...], in the type of x.

        Raises:
            DivminError: x of another dimension or not floating, or a law without a log-density.

        Example:
            >>> from divmin.data import densities
            >>> densities()["normal"](dim=2).log_prob(torch.zeros(1, 2))
            tensor([-1.8379])
        """
        if not x.is_floating_point() or x.ndim == 0 or x.shape[-1] != self.dim:
            raise DivminError(
                f"log_prob got {x.dtype} of shape {tuple(x.shape)}: expected floats whose last dimension is {self.dim}"
            )
        return self._log_density(x)


@dataclass(frozen=True)
class DensitySource:
    """An endless source: sample i is number i mod 1024 of the i div 1024-th block of draws.

    Args:
        name: what to call it.
        density: the law.
        seed: names the stream of samples; another seed gives an independent stream.

    Example:
        >>> from divmin.data import densities
        >>> source = DensitySource("ring", densities()["ring"](), seed=0)
        >>> both = source.batch(torch.tensor([7, 5000]))
        >>> torch.equal(both[1:], source.batch(torch.tensor([5000])))
        True
    """

    name: str
    density: Density
    seed: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.density.dim,)

    @property
    def size(self) -> None:
        return None

    def batch(self, indices: Tensor) -> Tensor:
        """Samples [n, dim] by index, float32."""
        # Draw 0 of a seed belongs to `Density.sample`, so that a test set drawn with the same seed holds no training data.
        return from_blocks(indices, lambda b: self.density.sample(BLOCK, generator=generator_for(self.seed, 1 + b)))
