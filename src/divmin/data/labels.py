"""Labels, kept beside samples for evaluation; training never looks at them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from divmin.data.base import Source, check_indices
from divmin.errors import DivminError


@runtime_checkable
class Labelled(Source, Protocol):
    """A source that can have labels.

    `labels_of(indices)` maps int64 [n] to int64 [n], each at least 0 and below `classes`; like `batch` it depends on
    nothing but the indices. `classes` is None where there are no labels, and then `labels_of` raises.
    """

    @property
    def classes(self) -> int | None: ...

    def labels_of(self, indices: Tensor) -> Tensor: ...


class KeptLabels:
    """What sources that keep one tensor of labels have in common.

    Args:
        labels: int64 [size], or None.
        class_names: what the classes are called, in their order; empty when nobody says.
    """

    name: str
    labels: Tensor | None
    class_names: tuple[str, ...]

    @property
    def classes(self) -> int | None:
        """The number of classes; None without labels."""
        if self.labels is None:
            return None
        return len(self.class_names) or int(self.labels.max()) + 1

    def labels_of(self, indices: Tensor) -> Tensor:
        """Labels [n] by index, int64.

        Raises:
            DivminError: no labels, or indices outside the source.
        """
        if self.labels is None:
            raise DivminError(f"{self.name} has no labels: give data with labels (docs/training.md, Data)")
        check_indices(indices, len(self.labels))
        return self.labels[indices]
