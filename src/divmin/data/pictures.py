"""From encoded pictures, wherever they are kept, to bytes of one shape."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from divmin.data.form import Form
from divmin.errors import DivminError

if TYPE_CHECKING:
    from PIL import Image

GREY = ("1", "L", "LA", "La")
COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
# Pictures of fewer pixels are decoded so fast that handing them to threads costs as much as it brings.
THREADED = 2**14
AHEAD = 256  # pictures that threads may hold decoded


class Pictures(Protocol):
    """Encoded pictures: a folder of files, or a column of a table."""

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image:
        """The picture, decoded or not yet; raises OSError where the bytes are not a picture."""
        ...

    def where(self, index: int) -> str:
        """How an error calls that picture."""
        ...


class UnreadableError(DivminError):
    """A picture whose bytes are none, or are gone."""

    def __init__(self, place: str, reason: str) -> None:
        self.place, self.reason = place, reason
        super().__init__(
            f"cannot read the picture {place}: {reason}; remove or replace it, or leave such pictures out (corrupt: skip)"
        )


def decode(pictures: Pictures, index: int, form: Form) -> Tensor:
    """One picture as bytes, uint8 [channels, height, width]: turned upright, transparency dropped, brought to the form.

    Raises:
        UnreadableError: bytes that are not a picture.
        DivminError: more than 8 bits a channel, or less than the crop; the text names the picture.
    """
    return _formed(_opened(pictures, index), pictures.where(index), form)


def read(pictures: Pictures, indices: Sequence[int], form: Form) -> Iterator[Tensor | UnreadableError]:
    """`decode` for each index, in their order, with an unreadable picture as the error that names it.

    Large pictures are decoded in several threads; what comes out does not depend on them.
    """

    def attempt(index: int) -> Tensor | UnreadableError:
        try:
            return decode(pictures, index, form)
        except UnreadableError as error:
            return error

    if not indices:
        return
    try:
        first = _opened(pictures, indices[0])
        large = first.width * first.height >= THREADED
        yield _formed(first, pictures.where(indices[0]), form)
    except UnreadableError as error:
        large = True  # nothing is known, and threads cost less where they don't pay than they bring where they do
        yield error
    if not large:
        yield from map(attempt, indices[1:])
        return
    from PIL import Image

    Image.init()  # else Pillow loads rarer formats at first need, and of threads that meet there the later ones fail
    with ThreadPoolExecutor(_cores()) as pool:
        for start in range(1, len(indices), AHEAD):
            yield from pool.map(attempt, indices[start : start + AHEAD])


def _cores() -> int:
    """How many this process may use, at most 16: threads wait for Python's lock for a part of each picture."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 16)


def _opened(pictures: Pictures, index: int) -> Image.Image:
    """The decoded picture, turned upright."""
    from PIL import ImageOps

    try:
        picture = pictures.open(index)
        picture.load()
        return ImageOps.exif_transpose(picture)
    except MemoryError:
        raise
    # Broken bytes make decoders raise a dozen types (OSError, SyntaxError, struct.error, ...), and warnings of theirs are
    # errors where the caller wants it.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableError(pictures.where(index), reason) from error


def _formed(picture: Image.Image, place: str, form: Form) -> Tensor:
    import numpy as np

    if picture.mode not in GREY + COLOUR:
        raise DivminError(
            f"{place} has pixels of kind {picture.mode}: expected 8 bits a channel; convert the pictures to 8 bits first"
        )
    picture.info.pop("transparency", None)  # Pillow would warn that it drops the one of a palette
    grey = picture.mode in GREY if form.channels is None else form.channels == 1
    picture = picture.convert("L" if grey else "RGB")
    if form.crop is not None and min(picture.size) < form.crop:
        width, height = picture.size
        raise DivminError(
            f"{place} is {width}x{height} pixels: expected at least {form.crop} a side, which are cropped"
        )
    if form.crop is not None or form.image_size is not None:
        picture = square(picture, form.image_size, form.crop)
    pixels = np.array(picture)
    return torch.from_numpy(pixels[None] if grey else pixels.transpose(2, 0, 1).copy())


def square(picture: Image.Image, side: int | None, crop: int | None = None) -> Image.Image:
    """The middle square of a picture, its largest or of `crop` pixels a side, resized to `side`."""
    from PIL import Image

    width, height = picture.size
    short = min(width, height) if crop is None else crop
    left, top = (width - short) // 2, (height - short) // 2
    if (width, height) != (short, short):
        picture = picture.crop((left, top, left + short, top + short))
    return picture if side in (None, short) else picture.resize((side, side), Image.Resampling.LANCZOS)


def fitting(pixels: Tensor, place: str, shape: tuple[int, ...], first: str) -> Tensor:
    """A decoded picture, if it has the shape of the first one.

    Raises:
        DivminError: another shape; the text names both places.
    """
    if tuple(pixels.shape) == shape:
        return pixels
    both = f"{first} is {describe(shape)}, {place} is {describe(tuple(pixels.shape))}"
    raise DivminError(f"pictures differ: {both}; give image_size and channels to bring them to one shape")


def describe(shape: Sequence[int]) -> str:
    """A shape in words, as in '28x28 grey'."""
    return f"{shape[2]}x{shape[1]} {'grey' if shape[0] == 1 else 'RGB'}"
