"""Counts: for data whose rows repeat, the share of every distinct row in each set, with half a sample added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats, Samples
from divmin.family import Divergence


@dataclass(frozen=True)
class Counts:
    """`added` samples of each kind are added to each set; with 0, rows of one set alone have an infinite log-ratio."""

    added: float = 0.5
    steady: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.added < 0:
            raise DivminError(f"added of counts is {self.added}: expected a number of at least 0")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        kinds, where = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
        where = where.ravel()
        log = [
            _log_shares(np.bincount(part, weights, minlength=len(kinds)).astype(np.float64), self.added)
            for part, weights in ((where[: len(x)], x_weights), (where[len(x) :], y_weights))
        ]
        index = {kind.tobytes(): i for i, kind in enumerate(kinds + 0.0)}
        return Shares(index, log[0], log[1])

    def __str__(self) -> str:
        return written("counts", self)


@dataclass(frozen=True, eq=False)
class Shares:
    """Two discrete laws: the log of the share of every kind of row."""

    index: dict[bytes, int]
    log_p: Floats
    log_q: Floats

    @property
    def parameters(self) -> int:
        return max(1, len(self.log_p) - 1)

    def __call__(self, z: Floats) -> Floats:
        """d of every row; a row that neither set has tells nothing: 0."""
        where = np.array([self.index.get(row.tobytes(), -1) for row in np.ascontiguousarray(z + 0.0)])
        d: Floats = np.append(self._d, 0.0)[where]
        return d

    @property
    def _d(self) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.where(self.log_p == self.log_q, 0.0, self.log_p - self.log_q)

    def contradicted(self, samples: Samples) -> str | None:
        return None

    def divergence(self, f: Divergence) -> float:
        """The sum of max(p, q) s(log p/q) over the kinds."""
        return float((np.exp(np.maximum(self.log_p, self.log_q)) * f.s(self._d)).sum())

    def influence(self, f: Divergence, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        a, b = f.a(self(x)), f.b(self(y))
        return a - a.mean(), b.mean() - b


def _log_shares(counts: Floats, added: float) -> Floats:
    with np.errstate(divide="ignore"):
        log: Floats = np.log((counts + added) / (counts.sum() + added * len(counts)))
    return log


register_numbers(
    "counts",
    Counts,
    "shares of every distinct row, half a sample added: for discrete data",
    "Krichevsky and Trofimov 1981",
)
