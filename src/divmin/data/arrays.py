"""Data that is already in memory: anyone's array, and images kept as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.data.base import check_indices
from divmin.data.labels import KeptLabels
from divmin.errors import DivminError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class ArraySource(KeptLabels):
    """Samples held as one tensor [size, *shape], float32; `skipped` names pictures that could not be read."""

    name: str
    values: Tensor
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.values.shape[1:])

    @property
    def size(self) -> int:
        return len(self.values)

    def batch(self, indices: Tensor) -> Tensor:
        """Samples [n, *shape] by index, float32."""
        check_indices(indices, self.size)
        return self.values[indices]


@dataclass(frozen=True, eq=False)
class ByteSource(ArraySource):
    """Images held as one uint8 tensor [size, channels, height, width], a quarter of the memory of floats."""

    def batch(self, indices: Tensor) -> Tensor:
        """Images [n, channels, height, width] by index, float32 in [-1, 1]."""
        return from_bytes(super().batch(indices))


def from_bytes(pixels: Tensor) -> Tensor:
    """Bytes 0 to 255 as float32 from -1 to 1.

    Example:
        >>> from_bytes(torch.tensor([0, 255], dtype=torch.uint8))
        tensor([-1.,  1.])
    """
    return pixels.to(torch.float32) / 127.5 - 1


def from_array(
    array: Tensor | np.ndarray, *, name: str = "array", labels: Tensor | np.ndarray | None = None
) -> ArraySource:
    """A source made of anyone's data.

    Args:
        array: floats [size, *shape], all finite, taken as they are; images channels first and in [-1, 1]. A copy is kept.
        name: what to call it.
        labels: whole numbers [size], at least 0, kept beside the samples.

    Returns:
        The source, float32.

    Raises:
        DivminError: no samples, numbers that are not floating or not finite, labels of another length or below 0.

    Example:
        >>> import numpy as np
        >>> from_array(np.zeros((10, 2))).shape
        (2,)
    """
    values = _tensor(array, name)
    if not values.is_floating_point():
        raise DivminError(f"{name} holds {values.dtype}: expected floating numbers; scale it first (images to [-1, 1])")
    if values.ndim < 2 or values.numel() == 0:
        raise DivminError(
            f"{name} has shape {tuple(values.shape)}: expected [samples, *shape of a sample], none of them zero"
        )
    values = values.detach().to(device="cpu", dtype=torch.float32, copy=True).contiguous()
    # Judged after the rounding to float32, which can overflow.
    broken = (~values.isfinite()).flatten(1).any(1).nonzero().flatten()
    if len(broken):
        raise DivminError(
            f"{name} has {len(broken)} samples with numbers that are not finite in float32: remove or mend them; the first "
            f"is sample {int(broken[0])}, counted from 0"
        )
    return ArraySource(name, values, None if labels is None else _kept(labels, name, len(values)))


def _kept(labels: Tensor | np.ndarray, name: str, size: int) -> Tensor:
    kept = _tensor(labels, f"the labels of {name}")
    whole = not kept.is_floating_point() and not kept.is_complex()
    if not whole or kept.shape != (size,) or int(kept.min()) < 0:
        least = f", from {int(kept.min())}" if whole and kept.numel() else ""
        raise DivminError(
            f"labels of {name} are {kept.dtype} {tuple(kept.shape)}{least}: expected whole numbers [{size}], at least 0"
        )
    return kept.detach().to(device="cpu", dtype=torch.int64, copy=True)


def _tensor(array: Tensor | np.ndarray, name: str) -> Tensor:
    """Anyone's array, whatever the order of its bytes and rows."""
    import numpy as np

    if isinstance(array, Tensor):
        return array
    array = np.asarray(array)
    # torch reads neither of them, and warns of arrays that cannot be written to.
    plain = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
    try:
        return torch.from_numpy(plain)
    except TypeError as error:  # text, objects, and floats wider than 64 bits
        raise DivminError(f"{name} holds {array.dtype}: expected floating numbers of at most 64 bits") from error
