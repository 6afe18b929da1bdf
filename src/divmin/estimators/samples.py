"""Two sets of samples, from whatever array a user has, as float64 rows with weights; and what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from divmin.errors import DivminError, counted

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FEWEST = 10  # samples in a set, below which five folds leave nothing to learn from
REPEATED = 5  # rows a distinct value, from which on the values are categories and not ties


@dataclass(frozen=True, eq=False)
class Samples:
    """x [n, k] from p, the data, and y [m, k] from q, the model; weights of mean 1 on each side."""

    x: Floats
    y: Floats
    x_weights: Floats
    y_weights: Floats

    @cached_property
    def groups(self) -> tuple[Whole, Whole]:
        """A number for every row, the same for equal rows of either set."""
        rows = np.ascontiguousarray(np.concatenate([self.x, self.y]) + 0.0)  # -0.0 equals 0.0
        keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
        numbers = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        return numbers[: len(self.x)], numbers[len(self.x) :]

    @cached_property
    def distinct(self) -> int:
        """How many different rows there are in both sets together."""
        return int(max(group.max() for group in self.groups)) + 1

    @property
    def discrete(self) -> bool:
        """Whether values repeat so often that they are categories: then equal rows are no leak from fold to fold."""
        return self.distinct * REPEATED <= len(self.x) + len(self.y)

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """What a reader of an estimate should know about the samples: constant columns, ties, rows in both sets."""
        said = []
        constant = int(((np.ptp(self.x, axis=0) == 0) & (np.ptp(self.y, axis=0) == 0)).sum())
        if constant:
            said.append(
                f"{constant} of {self.x.shape[1]} columns {'is' if constant == 1 else 'are'} constant within each set"
            )
        tied = len(self.x) + len(self.y) - self.distinct
        if self.discrete:
            said.append(f"only {self.distinct} distinct rows: the values are categories, or rows were copied")
        elif tied:
            said.append(
                f"{counted(tied, 'row repeats another', 'rows repeat others')}: equal rows are kept in one fold"
            )
        shared = int(np.isin(self.groups[0], self.groups[1]).sum())
        if shared and not self.discrete:
            also = counted(shared, "row of the first set is", "rows of the first set are")
            said.append(f"{also} also in the second: the sets are not independent")
        return tuple(said)


def read(x: Any, y: Any, weights: tuple[Any, Any] | None = None) -> Samples:
    """Two arrays as samples.

    Args:
        x, y: NumPy arrays, tensors, pandas objects or lists, [n, ...] and [m, ...] with the same shape of one sample; one
            number a sample may come as [n]. Samples are flattened.
        weights: non-negative weights [n] and [m], either None for equal ones. They are importance weights: rescaled to mean 1.

    Raises:
        DivminError: text, numbers that are not finite, shapes that differ, too few samples, weights that do not fit.

    Example:
        >>> read([[1, 2]] * 10, np.zeros((12, 2))).y.shape
        (12, 2)
    """
    first, second = rows("the first set", x), rows("the second set", y)
    if first.shape[1:] != second.shape[1:]:
        raise DivminError(
            f"samples of the first set have shape {first.shape[1:]}, of the second {second.shape[1:]}: "
            "the shapes must agree"
        )
    for name, array in (("first", first), ("second", second)):
        if len(array) < FEWEST:
            raise DivminError(f"the {name} set has {counted(len(array), 'sample')}: expected at least {FEWEST}")
    given = weights if weights is not None else (None, None)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise DivminError("weights: expected a pair, weights of x and weights of y; either may be None")
    flat = first.reshape(len(first), -1), second.reshape(len(second), -1)
    return Samples(*flat, _weights("first", given[0], len(first)), _weights("second", given[1], len(second)))


def rows(name: str, values: Any) -> Floats:
    """An array [n, ...] of finite float64 numbers, on the CPU; [n] becomes [n, 1].

    Raises:
        DivminError: what is not such an array, naming the column of a table where it is to blame.
    """
    array = _as_array(name, values)
    if array.dtype.kind == "c":
        raise DivminError(f"{name} holds complex numbers: give real and imaginary parts as two columns")
    try:
        floats: Floats = np.array(array, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise DivminError(f"{name} holds text or other things that are not numbers: leave such columns out") from error
    if floats.ndim == 0 or floats.size == 0:
        raise DivminError(f"{name} has shape {floats.shape}: expected [samples, ...] with at least one number each")
    broken = int((~np.isfinite(floats)).reshape(len(floats), -1).any(axis=1).sum())
    if broken:
        raise DivminError(
            f"{name} has NaN or infinite numbers in {broken} of {len(floats)} samples: remove or mend them"
        )
    return floats[:, None] if floats.ndim == 1 else floats


def _as_array(name: str, values: Any) -> NDArray[Any]:
    if hasattr(values, "detach"):  # a tensor, on any device and of any float dtype
        values = values.detach().cpu()
        return np.asarray(values.double() if values.is_floating_point() else values)
    if hasattr(values, "columns"):  # a table: the column that is text can be named
        text = [str(key) for key, kind in zip(values.columns, values.dtypes, strict=True) if not _is_number(kind)]
        if text:
            raise DivminError(f"{name} has columns that are not numbers ({', '.join(text[:5])}): leave them out")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DivminError(f"{name} is ragged: every sample must have the same shape") from error


def _is_number(kind: Any) -> bool:
    return getattr(kind, "kind", "O") in "biuf"


def _weights(name: str, values: Any, n: int) -> Floats:
    if values is None:
        return np.ones(n)
    weights = rows(f"the weights of the {name} set", values)
    if weights.shape != (n, 1):
        raise DivminError(f"weights of the {name} set have shape {weights.shape[:1]}: expected ({n},)")
    if (weights < 0).any() or not weights.sum() > 0:
        raise DivminError(f"weights of the {name} set: expected non-negative numbers that are not all zero")
    flat: Floats = weights[:, 0] / weights.mean()
    return flat
