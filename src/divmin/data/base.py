"""What every data set is: a pure function from indices to samples, and a pure function from a position to indices."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from divmin.errors import DivminError


@runtime_checkable
class Source(Protocol):
    """Samples that are named by whole numbers.

    `batch(indices)` maps int64 [n] to float32 [n, *shape] on the CPU and depends on nothing but the indices, so that a
    run which knows its position can be resumed exactly. Images are in [-1, 1], channels first. `size` is None when no
    sample is the last (densities).
    """

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def size(self) -> int | None: ...

    def batch(self, indices: Tensor) -> Tensor: ...


def index_stream(size: int | None, batch_size: int, seed: int, position: int) -> tuple[Tensor, int]:
    """The indices of one batch, and the position after it.

    A finite source is visited in epochs: epoch e is a permutation of all indices that depends on (seed, e) alone, and a
    batch may begin in one epoch and end in a later one. Cutting the stream into other batches gives the same stream.

    Args:
        size: number of samples of the source, None when endless (then the indices are position, position + 1, ...).
        batch_size: number of indices wanted.
        seed: names the shuffling.
        position: number of samples seen before.

    Returns:
        Indices, int64 [batch_size], and position + batch_size.

    Raises:
        DivminError: a size or batch size below 1, or a negative position.

    Example:
        >>> first, position = index_stream(5, 3, seed=0, position=0)
        >>> second, position = index_stream(5, 3, seed=0, position=position)
        >>> sorted(torch.cat([first, second])[:5].tolist()), position
        ([0, 1, 2, 3, 4], 6)
    """
    if batch_size < 1:
        raise DivminError(f"batch size is {batch_size}: expected at least 1")
    if position < 0:
        raise DivminError(f"position is {position}: expected the number of samples seen so far, at least 0")
    after = position + batch_size
    if size is None:
        return torch.arange(position, after), after
    if size < 1:
        raise DivminError(f"a source of {size} samples has no batches: expected at least 1 sample")
    parts = []
    while position < after:
        epoch, start = divmod(position, size)
        taken = min(size - start, after - position)
        parts.append(_permutation(size, seed, epoch)[start : start + taken])
        position += taken
    return torch.cat(parts), after


@lru_cache(maxsize=4)
def _permutation(size: int, seed: int, epoch: int) -> Tensor:
    """Never handed out itself: `index_stream` returns copies of its slices."""
    return torch.randperm(size, generator=generator_for(seed, epoch))


def generator_for(seed: int, counter: int) -> torch.Generator:
    """A fresh CPU generator for the counter-th draw of a stream; equal arguments give equal draws.

    Example:
        >>> torch.equal(torch.rand(3, generator=generator_for(1, 2)), torch.rand(3, generator=generator_for(1, 2)))
        True
    """
    # PyTorch's CPU generator keeps 32 bits of its seed. Both steps are one-to-one on 32 bits, so the first 2^32 draws
    # of one stream all differ, and the streams of neighbouring seeds start far from each other.
    return torch.Generator().manual_seed(_scramble(_scramble(seed & 0xFFFFFFFF) + counter))


BLOCK = 1024


def from_blocks(indices: Tensor, draw: Callable[[int], Tensor]) -> Tensor:
    """Samples of an endless stream by index, of which the b-th 1024 are drawn together.

    Args:
        indices: int64 [n], at least 0.
        draw: from the number b of a block to its samples [1024, ...]; a pure function.

    Returns:
        Samples [n, ...].

    Example:
        >>> from_blocks(torch.tensor([0, 1025]), lambda b: torch.arange(1024) + 1024 * b)
        tensor([   0, 1025])
    """
    check_indices(indices, None)
    if not len(indices):
        return draw(0)[:0]
    blocks, place = torch.unique(indices // BLOCK, return_inverse=True)
    return torch.stack([draw(b) for b in blocks.tolist()])[place, indices % BLOCK]


def _scramble(number: int) -> int:
    """Avalanche of 32 bits (the finaliser of MurmurHash3): multiplications by odd numbers and shifts, so invertible."""
    number &= 0xFFFFFFFF
    number ^= number >> 16
    number = number * 0x85EBCA6B & 0xFFFFFFFF
    number ^= number >> 13
    number = number * 0xC2B2AE35 & 0xFFFFFFFF
    return number ^ number >> 16


def check_indices(indices: Tensor, size: int | None) -> None:
    """Refuse indices that are not int64 [n] or that lie outside the source."""
    if indices.dtype != torch.int64 or indices.ndim != 1:
        raise DivminError(f"indices are {indices.dtype} of shape {tuple(indices.shape)}: expected int64 of shape [n]")
    if indices.numel() == 0:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or (size is not None and high >= size):
        end = "" if size is None else f" and below {size}"
        raise DivminError(f"indices run from {low} to {high}: expected at least 0{end}")
