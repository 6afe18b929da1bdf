"""Stacked pictures: three of a labelled set as the colours of one, with the cube of its classes as known modes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.base import BLOCK, from_blocks, generator_for
from divmin.data.labels import Labelled
from divmin.errors import DivminError


@dataclass(frozen=True, eq=False)
class StackedSource:
    """An endless source: sample i shows three members, drawn uniformly and independently by (seed, i), in red, green and blue.

    With K classes the label is K^2 a + K b + c: 1000 modes for MNIST, 100 a + 10 b + c.

    Args:
        name: what to call it.
        members: a finite labelled source of grey images.
        seed: names the draws; another seed gives an independent stream.

    Raises:
        DivminError: members that are endless, without labels or no grey images.

    Example:
        >>> from divmin.data import load
        >>> source = StackedSource("stacked:digits", load("digits"))
        >>> source.shape, source.classes, source.batch(torch.tensor([7])).shape
        ((3, 8, 8), 1000, torch.Size([1, 3, 8, 8]))

    Source: L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, Unrolled generative adversarial networks, ICLR 2017, section 3.3.1.
    """

    name: str
    members: Labelled
    seed: int = 0

    def __post_init__(self) -> None:
        given, needed = self.members.name, "expected a finite labelled set of grey pictures, as mnist"
        if len(self.members.shape) != 3 or self.members.shape[0] != 1:
            raise DivminError(
                f"{given} has samples of shape {tuple(self.members.shape)}, which cannot be stacked: {needed}"
            )
        if self.members.size is None or getattr(self.members, "classes", None) is None:
            what = "no last sample" if self.members.size is None else "no labels"
            raise DivminError(f"{given} has {what}, and cannot be stacked: {needed}")

    @property
    def shape(self) -> tuple[int, ...]:
        return (3, *self.members.shape[1:])

    @property
    def size(self) -> None:
        return None

    @property
    def classes(self) -> int:
        """The number of modes: the cube of the members' classes."""
        return (self.members.classes or 0) ** 3

    @property
    def skipped(self) -> tuple[str, ...]:
        """The members that could not be read."""
        return getattr(self.members, "skipped", ())

    def members_of(self, indices: Tensor) -> Tensor:
        """Which members samples [n] consist of, int64 [n, 3]."""
        size = self.members.size or 0
        return from_blocks(
            indices, lambda b: torch.randint(size, (BLOCK, 3), generator=generator_for(self.seed, 1 + b))
        )

    def batch(self, indices: Tensor) -> Tensor:
        """Images [n, 3, height, width] by index, float32 in [-1, 1]."""
        return self.members.batch(self.members_of(indices).flatten()).reshape(-1, *self.shape)

    def labels_of(self, indices: Tensor) -> Tensor:
        """Labels [n] by index, int64, at least 0 and below `classes`."""
        classes = self.members.classes or 0
        digits = self.members.labels_of(self.members_of(indices).flatten()).reshape(-1, 3)
        return (digits * torch.tensor([classes**2, classes, 1])).sum(1)
