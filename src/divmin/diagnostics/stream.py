"""One critic's scores as they come: kept on their device until some updates are there, then counted and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from divmin.diagnostics.bins import Floats, counted
from divmin.diagnostics.history import History, Moments, Window
from divmin.diagnostics.pull import Pull
from divmin.diagnostics.reading import RATIO, Reading
from divmin.errors import DivminError
from divmin.family import Divergence

TOGETHER, CROWD = 32, 2**16  # updates, or scores, that are counted at once
FAR = 300.0  # log-ratios beyond which e^d is not squared


class Stream:
    """Counts the scores of one critic.

    Args:
        reading: how scores become log-ratios.
        members: divergences whose values are followed where scores tell ratios.
        pull: of the generator's loss; None where it is not known.
        keep: how many of the last scores of each side are kept one by one.
    """

    def __init__(self, reading: Reading, members: Sequence[Divergence], pull: Pull | None, keep: int) -> None:
        self.reading, self.members, self.pull, self.keep = reading, tuple(members), pull, keep
        self.history = History()
        self.real: Floats = np.empty(0)
        self.fake: Floats = np.empty(0)
        self._waiting: list[tuple[int, Tensor, Tensor, Tensor | None]] = []
        self._scores = 0

    def take(self, step: int, real: Tensor, fake: Tensor, norms: Tensor | None = None) -> None:
        """Keep copies of scores without reading them."""
        self._waiting.append((step, _copy(real), _copy(fake), None if norms is None else _copy(norms)))
        self._scores += real.numel() + fake.numel()
        if len(self._waiting) >= TOGETHER or self._scores > CROWD:
            self.count()

    def count(self) -> None:
        """Count what is waiting."""
        if not self._waiting:
            return
        steps, reals, fakes, norms = zip(*self._waiting, strict=True)
        self._waiting, self._scores = [], 0
        real, fake = _Side.of(reals), _Side.of(fakes)
        moments: dict[str, tuple[Floats, list[int]]] = {}
        x, y = self.reading.convert(real.scores), self.reading.convert(fake.scores)
        moments |= {"d real": (x, real.ends), "d fake": (y, fake.ends)}
        if self.reading.kind == RATIO:
            moments |= self._values((x, real.ends), (y, fake.ends))
        if self.pull is not None and not real.broken and not fake.broken:
            weights = self.pull(fake.batches, real.batches)
            if len(weights) == len(y):  # pairs leave some out where batches differ in size
                moments |= {"pull": (weights, fake.ends), "lost": (_lost(weights, y), fake.ends)}
        if any(each is not None for each in norms):
            parts = [torch.empty(0) if each is None else each for each in norms]
            found = _Side.of(parts)
            moments["gradient"] = (found.scores, found.ends)
            if found.broken:  # counted with the first window of these updates
                moments["broken gradient"] = (np.ones(found.broken), [0] + [found.broken] * len(steps))
        start = 0
        while start < len(steps):
            stop = min(start + self.history.room, len(steps))
            cut = {name: Moments.of(values[ends[start] : ends[stop]]) for name, (values, ends) in moments.items()}
            on_real, on_fake = (counted(d[ends[start] : ends[stop]]) for d, ends in ((x, real.ends), (y, fake.ends)))
            broken = real.broken + fake.broken if start == 0 else 0
            window = Window(steps[start], steps[stop - 1], stop - start, on_real, on_fake, cut, broken)
            self.history, start = self.history.with_update(window), stop
        self.real, self.fake = (
            np.concatenate([old, new.scores])[-self.keep :] for old, new in ((self.real, real), (self.fake, fake))
        )

    def _values(self, x: tuple[Floats, list[int]], y: tuple[Floats, list[int]]) -> dict[str, tuple[Floats, list[int]]]:
        """What bounds and the two means that should be 1 are made of."""
        found = {"e^d": (np.exp(y[0].clip(max=FAR)), y[1]), "e^-d": (np.exp((-x[0]).clip(max=FAR)), x[1])}
        on_x, on_y = torch.from_numpy(x[0]), torch.from_numpy(y[0])
        with torch.no_grad():
            for f in self.members:
                found |= {f"a {f.name}": (f.a(on_x).numpy(), x[1]), f"b {f.name}": (f.b(on_y).numpy(), y[1])}
        return found

    def to_record(self) -> dict[str, Any]:
        """Plain values, from which `restore` makes the same stream."""
        self.count()
        return {
            "span": self.history.span,
            "windows": [window.to_record() for window in self.history.windows],
            "real": [float(f"{c:.7g}") for c in self.real],
            "fake": [float(f"{c:.7g}") for c in self.fake],
        }

    def restore(self, record: dict[str, Any], step: int) -> None:
        """Go on from a record, without what came after a step."""
        windows = tuple(Window.from_record(each) for each in record["windows"])
        self.history = History(windows, int(record["span"])).until(step)
        if len(self.history.windows) == len(windows):
            self.real, self.fake = np.asarray(record["real"], dtype=float), np.asarray(record["fake"], dtype=float)


@dataclass(frozen=True)
class _Side:
    """The finite scores of some updates one after the other, and where each update ends; `ends` begins with 0."""

    scores: Floats
    ends: list[int]
    broken: int
    batches: tuple[Tensor, ...]

    @classmethod
    def of(cls, parts: Sequence[Tensor]) -> _Side:
        whole = torch.cat(list(parts)).double().cpu()
        sizes = [len(part) for part in parts]
        values = whole.numpy()
        good = np.isfinite(values)
        kept = (
            [0, *np.cumsum(good)[np.maximum(np.cumsum(sizes) - 1, 0)].tolist()]
            if len(values)
            else [0] * (len(sizes) + 1)
        )
        return cls(values[good], kept, int((~good).sum()), whole.split(sizes))


def scores(given: Any, who: str) -> list[Tensor]:
    """One tensor [n] a critic, from a tensor of any shape, an array, or a list with one of them a critic.

    Raises:
        DivminError: nothing in it, or no numbers.

    >>> [len(each) for each in scores([torch.zeros(4, 1, 2, 2), torch.zeros(4, 1)], "real")]
    [16, 4]
    """
    parts = (
        list(given)
        if isinstance(given, list | tuple) and not all(isinstance(x, int | float) for x in given)
        else [given]
    )
    found = []
    for part in parts:
        try:
            tensor = part if isinstance(part, Tensor) else torch.as_tensor(part)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DivminError(
                f"{who} are {type(part).__name__}: expected a tensor of critic outputs, or one a critic"
            ) from error
        if not tensor.numel() or not tensor.is_floating_point():
            raise DivminError(
                f"{who} have shape {tuple(tensor.shape)} and type {tensor.dtype}: expected floats, at least one"
            )
        found.append(tensor.flatten())
    if not found:
        raise DivminError(f"{who} are empty: expected a tensor of critic outputs, or one a critic")
    return found


def _copy(scores: Tensor) -> Tensor:
    return scores.detach().clone()  # a copy: the caller may go on in place


def _lost(weights: Floats, d: Floats) -> Floats:
    """The share of the pull at parity that is lost on samples that look fake."""
    lost: Floats = np.where(d < 0, (1 - weights).clip(0, 1), 0.0)
    return lost
