"""Mixtures and products of laws of several families, which torch has not, and what all laws have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.values.precise import parameters

Given = Distribution | Density
Transformed = distributions.TransformedDistribution


@dataclass(frozen=True)
class Mixed(Density):
    """A mixture of laws of several families, on one space.

    Args:
        weights: [k], positive, adding up to 1.
        parts: k laws.
    """

    weights: Tensor
    parts: tuple[Given, ...]

    @property
    def dim(self) -> int:
        return dimension(self.parts[0])

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        edges = self.weights.detach().cumsum(0)[:-1]
        which = torch.bucketize(torch.rand(n, generator=generator, dtype=torch.float64), edges, right=True)
        every = torch.stack([draw(part, n, generator) for part in self.parts])
        return every[which, torch.arange(n)]

    def _log_density(self, x: Tensor) -> Tensor:
        flat = x.reshape(-1, self.dim)
        each = torch.stack([log_density(part, flat) for part in self.parts], -1)
        return (each + self.weights.log()).logsumexp(-1).reshape(x.shape[:-1])


@dataclass(frozen=True)
class Product(Density):
    """Independent laws beside each other, of several families or dimensions."""

    parts: tuple[Given, ...]

    @property
    def dim(self) -> int:
        return sum(map(dimension, self.parts))

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.cat([draw(part, n, generator) for part in self.parts], 1)

    def _log_density(self, x: Tensor) -> Tensor:
        coordinates = x.reshape(-1, self.dim).split([dimension(part) for part in self.parts], 1)
        each = [log_density(part, at) for part, at in zip(self.parts, coordinates, strict=True)]
        return torch.stack(each).sum(0).reshape(x.shape[:-1])


def components(batch: Distribution) -> list[Distribution]:
    """The laws of a batch [..., k] of them, one by one.

    Example:
        >>> [float(each.loc) for each in components(distributions.Normal(torch.tensor([0.0, 3.0]), 1.0))]
        [0.0, 3.0]
    """
    if isinstance(batch, distributions.Independent):
        return [
            distributions.Independent(each, batch.reinterpreted_batch_ndims) for each in components(batch.base_dist)
        ]
    values = {name: torch.as_tensor(value) for name, value in parameters(batch).items()}
    count = batch.batch_shape[0]
    whole = {name: value.expand(count) if value.dim() == 0 else value for name, value in values.items()}
    family: type[Any] = type(batch)
    return [family(**{name: value[i] for name, value in whole.items()}) for i in range(count)]


def dimension(given: Given) -> int:
    """How many coordinates a sample has."""
    return given.dim if isinstance(given, Density) else math.prod(given.event_shape)


def discrete(given: Given) -> bool:
    """Whether a law lives on whole numbers."""
    if isinstance(given, Mixed | Product):
        return any(map(discrete, given.parts))
    return isinstance(given, Distribution) and bool(given.support.is_discrete)  # type: ignore[union-attr]


def draw(given: Given, n: int, generator: torch.Generator) -> Tensor:
    """Independent samples, float64 [n, dim]."""
    if isinstance(given, Density):
        return given.sample(n, generator=generator, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):  # torch's laws draw from the global generator only
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        drawn: Tensor = given.sample((n,))
    return drawn.reshape(n, -1).double()


def log_density(given: Given, x: Tensor) -> Tensor:
    """log p at points [n, dim] in nats, -inf off the support, where torch's laws refuse to answer."""
    if isinstance(given, Density):
        return given.log_prob(x)
    if isinstance(given, distributions.MixtureSameFamily) and type(given.component_distribution) is not Transformed:
        each = torch.stack([log_density(part, x) for part in components(given.component_distribution)], -1)
        return (each + given.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)
    at = x.reshape(len(x), *given.event_shape)
    inside: Tensor = given.support.check(at).reshape(len(x), -1).all(1)  # type: ignore[union-attr]
    if isinstance(given, distributions.VonMises):  # one turn of the circle, though torch says the line
        inside = inside & (at.abs() <= math.pi)
    outside = torch.full((len(x),), -math.inf, dtype=torch.float64)
    return outside.masked_scatter(inside, given.log_prob(at[inside]).double())
