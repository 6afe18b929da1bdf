"""Which data a fresh critic learns from, by which it is chosen, and on which it is read: none of it twice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data import Source, index_stream
from divmin.errors import DivminError, counted
from divmin.evaluation.evaluate import PICTURES, POINTS, UNSEEN

LEAST = 40  # samples of a data set, of which a quarter is what a divergence needs at least


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of a source that share no index.

    Args:
        source: the data.
        learned: indices to learn from; None where a source is endless and every batch is new.
        start: the first index to learn from where it is endless.
        chosen: indices on which the critic is looked at while it learns.
        scored: indices on which the chosen critic is read.
        seed: names the order.
        said: how it was split, in words.
    """

    source: Source
    learned: Tensor | None
    start: int
    chosen: Tensor
    scored: Tensor
    seed: int
    said: str

    def batch(self, position: int, size: int) -> Tensor:
        """The data of one step [size, *shape], from a position in the stream of the part that is learned from."""
        if self.learned is None:
            return self.source.batch(torch.arange(self.start + position, self.start + position + size))
        places, _ = index_stream(len(self.learned), size, self.seed, position)
        return self.source.batch(self.learned[places])


def some(source: Source, n: int | None, seed: int) -> Tensor:
    """Indices of n samples of a source, each once: in random order, or of an endless one where no training has been.

    Args:
        source: the data.
        n: how many; when None 2,500 of an endless source, at most 5,000 of a data set.
        seed: names the choice.

    Raises:
        DivminError: fewer than 10, or more than there are.

    Example:
        >>> from divmin.data import load
        >>> len(some(load("ring"), None, 0)), len(some(load("digits"), None, 0))
        (2500, 1797)
    """
    if source.size is None:
        start = _unseen(seed)
        return torch.arange(start, start + _checked(n, POINTS, None, source.name))
    wanted = _checked(n, min(PICTURES, source.size), source.size, source.name)
    return index_stream(source.size, wanted, seed, 0)[0]


def split(source: Source, n: int | None, seed: int) -> Split:
    """Half of a data set to learn from, a quarter to choose by and a quarter to be read on; new draws of an endless source.

    Args:
        source: the data.
        n: the samples of the last two parts; when None as many as there are, at most 5,000, and 2,500 of an endless source.
        seed: names the parts.

    Raises:
        DivminError: a data set that is too small, or more samples than a part has.

    Example:
        >>> from divmin.data import load
        >>> parts = split(load("digits"), None, 0)
        >>> len(parts.learned), len(parts.chosen), len(parts.scored)
        (898, 449, 450)
    """
    if source.size is None:
        n, first = _checked(n, POINTS, None, source.name), _unseen(seed)
        chosen, scored = (torch.arange(first + k * n, first + (k + 1) * n) for k in (0, 1))
        said = f"new draws of {source.name} at every step, {n} others to choose by, {n} others to be read on"
        return Split(source, None, first + 2 * n, chosen, scored, seed, said)
    if source.size < LEAST:
        raise DivminError(f"{source.name} has {counted(source.size, 'sample')}: a fresh critic needs at least {LEAST}")
    half, quarter = source.size // 2, source.size // 4
    mixed = index_stream(source.size, source.size, seed, 0)[0]
    parts = mixed[:half], mixed[half : half + quarter], mixed[half + quarter :]
    n = (
        _checked(n, PICTURES, None, source.name)
        if n is None
        else _checked(n, 0, quarter, f"a quarter of {source.name}")
    )
    learned, chosen, scored = parts[0], parts[1][:n], parts[2][:n]
    said = (
        f"{source.name}, {source.size} samples in the random order of seed {seed}: {half} to learn from, {len(chosen)} of the "
        f"next quarter to choose by, {len(scored)} of the last to be read on"
    )
    return Split(source, learned, 0, chosen, scored, seed, said)


def _unseen(seed: int) -> int:
    return UNSEEN + seed % 2**16 * 2**24


def _checked(n: int | None, usual: int, most: int | None, name: str) -> int:
    if n is None:
        return usual
    if isinstance(n, bool) or not isinstance(n, int) or n < 10:
        raise DivminError(f"n is {n!r}: expected a whole number of at least 10")
    if most is not None and n > most:
        raise DivminError(f"n is {n}: {name} has {counted(most, 'sample')}")
    return n
