"""From pictures that are encoded to a source of images: read through once, then held in memory or decoded batch by batch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.data.arrays import ByteSource, from_bytes
from divmin.data.base import check_indices
from divmin.data.form import Form
from divmin.data.labels import KeptLabels
from divmin.data.pictures import Pictures, UnreadableError, fitting, read
from divmin.data.sets import Track
from divmin.errors import DivminError, DivminWarning

if TYPE_CHECKING:
    from PIL import Image

# Decoded images up to this many bytes are kept in memory; larger sets are decoded batch by batch.
MEMORY = 2**31


@dataclass(frozen=True)
class Some:
    """Those of some pictures that could be read."""

    pictures: Pictures
    kept: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.kept)

    def open(self, index: int) -> Image.Image:
        return self.pictures.open(self.kept[index])

    def where(self, index: int) -> str:
        return self.pictures.where(self.kept[index])


@dataclass(frozen=True, eq=False)
class PictureSource(KeptLabels):
    """Images that stay encoded until a batch asks for them."""

    name: str
    pictures: Pictures
    form: Form
    shape: tuple[int, ...]
    labels: Tensor | None = None
    class_names: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.pictures)

    def batch(self, indices: Tensor) -> Tensor:
        """Images [n, channels, height, width] by index, float32 in [-1, 1]."""
        check_indices(indices, self.size)
        pixels = torch.empty((len(indices), *self.shape), dtype=torch.uint8)
        wanted = indices.tolist()
        for row, found in enumerate(read(self.pictures, wanted, self.form)):
            if isinstance(found, UnreadableError):
                raise DivminError(
                    f"cannot read the picture {found.place} any more: {found.reason}; put back what was there before"
                ) from found
            pixels[row] = fitting(found, self.pictures.where(wanted[row]), self.shape, self.pictures.where(0))
        return from_bytes(pixels)


Images = ByteSource | PictureSource


def assemble(
    name: str,
    pictures: Pictures,
    form: Form,
    *,
    labels: Tensor | None = None,
    class_names: tuple[str, ...] = (),
    track: Track = iter,
    memory: int = MEMORY,
) -> Images:
    """A source of images. Every picture is decoded once here; those that fit in `memory` bytes are held, else each batch
    decodes its own.

    Args:
        name: what to call it.
        pictures: at least one encoded picture.
        form: what every picture is turned into, and what happens to one that cannot be read.
        labels: int64 [size], or None.
        class_names: what the classes are called.
        track: wraps the numbers of the pictures, to show progress.
        memory: bytes of decoded images that may be held.

    Returns:
        A source with the same samples either way; `skipped` names what was left out.

    Raises:
        DivminError: a picture that cannot be read (none that can, when such pictures are skipped), or pictures of more
            than one shape.
    """
    held = torch.empty(0, dtype=torch.uint8)
    shape: tuple[int, ...] = ()
    kept: list[int] = []
    unreadable: list[UnreadableError] = []
    for index, found in zip(track(range(len(pictures))), read(pictures, range(len(pictures)), form), strict=True):
        if isinstance(found, UnreadableError):
            if form.corrupt == "fatal":
                raise found
            unreadable.append(found)
            continue
        if not kept:
            shape = tuple(found.shape)
            fits = len(pictures) * found.numel() <= memory
            held = torch.empty((len(pictures) if fits else 0, *shape), dtype=torch.uint8)
        fitting(found, pictures.where(index), shape, pictures.where(kept[0] if kept else index))
        if len(held):
            held[len(kept)] = found
        kept.append(index)
    if not kept:
        first = f"{unreadable[0].place} ({unreadable[0].reason})"
        raise DivminError(f"none of the {len(pictures)} pictures of {name} can be read, beginning with {first}")
    skipped = tuple(error.place for error in unreadable)
    if skipped:
        labels = None if labels is None else labels[kept]
        warnings.warn(
            DivminWarning(
                f"left out {len(skipped)} of {len(pictures)} pictures of {name}, which cannot be read; the first is {skipped[0]}"
            ),
            stacklevel=2,
        )
    if len(held):
        return ByteSource(name, held[: len(kept)], labels, class_names, skipped)
    some = Some(pictures, tuple(kept)) if skipped else pictures
    return PictureSource(name, some, form, shape, labels, class_names, skipped)
