"""The 1797 handwritten digits that come with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.data.arrays import from_array
from divmin.data.assemble import assemble
from divmin.data.base import Source
from divmin.data.sets import Asked, register_set
from divmin.errors import DivminError

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True, eq=False)
class _Levels:
    """Pictures with 17 levels of grey, as bytes."""

    levels: Tensor

    def __len__(self) -> int:
        return len(self.levels)

    def open(self, index: int) -> Image.Image:
        from PIL import Image

        return Image.fromarray((self.levels[index] * 255 / 16).round().to(torch.uint8).numpy())

    def where(self, index: int) -> str:
        return f"digit {index}"


@register_set("digits", "1797 handwritten digits of scikit-learn, 1x8x8, with labels")
def digits(rest: str, asked: Asked) -> Source:
    """Digits 0 to 9, 8x8 pixels with 17 levels of grey, and their labels.

    Args:
        rest: empty: there is one set.
        asked: image_size and channels other than 8 and 1 resize the pictures or repeat the channel.

    Returns:
        1797 images; in their own size the levels 0 to 16 become -1 to 1 exactly.

    Example:
        >>> digits("", Asked()).shape
        (1, 8, 8)
    """
    from sklearn.datasets import load_digits

    if rest:
        raise DivminError(f"digits has no part {rest!r}: write digits alone")
    bundled = load_digits()
    levels, labels = torch.from_numpy(bundled.images), torch.from_numpy(bundled.target)
    if asked.form.image_size in (None, 8) and asked.form.channels in (None, 1):
        return from_array(levels.unsqueeze(1) / 8 - 1, name="digits", labels=labels)
    return assemble("digits", _Levels(levels), asked.form, labels=labels.to(torch.int64), track=asked.track)
