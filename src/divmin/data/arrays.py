"""Data that is already in memory: anyone's array, and images kept as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.data.base import check_indices
from divmin.errors import DivminError, counted

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Samples held as one tensor [size, *shape], float32; labels int64 [size] where it has them."""

    name: str
    values: Tensor
    labels: Tensor | None = None

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
        array: floats [size, *shape], all finite; images channels first and in [-1, 1]. A copy is kept.
        name: what to call it.
        labels: whole numbers [size], kept beside the samples.

    Returns:
        The source, float32.

    Raises:
        DivminError: no samples, numbers that are not floating or not finite, labels of another length.

    Example:
        >>> import numpy as np
        >>> from_array(np.zeros((10, 2))).shape
        (2,)
    """
    values = torch.as_tensor(array)
    if not values.is_floating_point():
        raise DivminError(f"{name} holds {values.dtype}: expected floating numbers; scale it first (images to [-1, 1])")
    if values.ndim < 2 or values.numel() == 0:
        raise DivminError(
            f"{name} has shape {tuple(values.shape)}: expected [samples, *shape of a sample], none of them zero"
        )
    values = values.detach().to(device="cpu", dtype=torch.float32, copy=True).contiguous()
    # Judged after the rounding to float32, which can overflow.
    broken = int((~values.isfinite()).flatten(1).any(1).sum())
    if broken:
        raise DivminError(
            f"{name} has {counted(broken, 'sample')} with numbers that are not finite in float32: remove or mend them"
        )
    kept = None
    if labels is not None:
        kept = torch.as_tensor(labels)
        if kept.is_floating_point() or kept.shape != (len(values),):
            raise DivminError(
                f"labels of {name} are {kept.dtype} {tuple(kept.shape)}: expected whole numbers [{len(values)}]"
            )
        kept = kept.detach().to(device="cpu", dtype=torch.int64, copy=True)
    return ArraySource(name, values, kept)
