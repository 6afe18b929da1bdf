"""From encoded pictures, wherever they are kept, to a source of images of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from divmin.data.arrays import ByteSource, from_bytes
from divmin.data.base import Source, check_indices
from divmin.errors import DivminError

if TYPE_CHECKING:
    from PIL import Image

# Decoded images up to this many bytes are kept in memory; larger sets are decoded batch by batch.
MEMORY = 2**31


class Pictures(Protocol):
    """Encoded pictures: a folder of files, or a column of a table."""

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image:
        """The picture, decoded or not yet; raises OSError where the bytes are not a picture."""
        ...

    def where(self, index: int) -> str:
        """How an error calls that picture."""
        ...


@dataclass(frozen=True)
class Form:
    """What every picture is turned into.

    Args:
        image_size: side length in pixels: crop the middle square, resize it (Lanczos). None keeps pictures as they are.
        channels: 1 (grey), 3 (RGB), or None to keep what the pictures have.
    """

    image_size: int | None = None
    channels: int | None = None

    def __post_init__(self) -> None:
        if self.image_size is not None and self.image_size < 1:
            raise DivminError(f"image_size is {self.image_size}: expected a number of pixels of at least 1")
        if self.image_size is not None and self.image_size > LARGEST:
            raise DivminError(f"image_size is {self.image_size}: expected at most {LARGEST} pixels")
        if self.channels not in (None, 1, 3):
            raise DivminError(f"channels is {self.channels}: expected 1 (grey) or 3 (RGB)")


LARGEST = 1024  # resized pictures are held in memory, and no model here takes larger ones
GREY = ("1", "L", "LA", "La")
COLOUR = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")


def decode(pictures: Pictures, index: int, form: Form) -> Tensor:
    """One picture as bytes, uint8 [channels, height, width]: turned upright, transparency dropped, brought to the form.

    Raises:
        DivminError: bytes that are not a picture, or more than 8 bits a channel; the text names the picture.
    """
    import numpy as np
    from PIL import Image, ImageOps

    try:
        picture = pictures.open(index)
        picture.load()
    # Decoders report broken bytes in all of these ways.
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DivminError(f"cannot read the picture {pictures.where(index)}: {reason}; remove or replace it") from error
    if picture.mode not in GREY + COLOUR:
        kind = f"{pictures.where(index)} has pixels of kind {picture.mode}"
        raise DivminError(f"{kind}: expected 8 bits a channel; convert the pictures to 8 bits first")
    picture = ImageOps.exif_transpose(picture)
    grey = picture.mode in GREY if form.channels is None else form.channels == 1
    picture = picture.convert("L" if grey else "RGB")
    if form.image_size is not None:
        picture = square(picture, form.image_size)
    pixels = np.array(picture)
    return torch.from_numpy(pixels[None] if grey else pixels.transpose(2, 0, 1).copy())


def square(picture: Image.Image, side: int) -> Image.Image:
    """The middle square of a picture, resized."""
    from PIL import Image

    width, height = picture.size
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    if (width, height) != (short, short):
        picture = picture.crop((left, top, left + short, top + short))
    return picture if short == side else picture.resize((side, side), Image.Resampling.LANCZOS)


def checked(pictures: Pictures, index: int, form: Form, shape: tuple[int, ...]) -> Tensor:
    """One decoded picture, of the shape of the first one."""
    pixels = decode(pictures, index, form)
    if tuple(pixels.shape) != shape:
        first, other = (
            f"{place} is {describe(size)}"
            for place, size in ((pictures.where(0), shape), (pictures.where(index), tuple(pixels.shape)))
        )
        raise DivminError(f"pictures differ: {first}, {other}; give image_size and channels to bring them to one shape")
    return pixels


def describe(shape: Sequence[int]) -> str:
    """A shape in words, as in '28x28 grey'."""
    return f"{shape[2]}x{shape[1]} {'grey' if shape[0] == 1 else 'RGB'}"


@dataclass(frozen=True, eq=False)
class PictureSource:
    """Images that stay encoded until a batch asks for them."""

    name: str
    pictures: Pictures
    form: Form
    shape: tuple[int, ...]
    labels: Tensor | None = None

    @property
    def size(self) -> int:
        return len(self.pictures)

    def batch(self, indices: Tensor) -> Tensor:
        """Images [n, channels, height, width] by index, float32 in [-1, 1]."""
        check_indices(indices, self.size)
        pixels = torch.empty((len(indices), *self.shape), dtype=torch.uint8)
        for row, index in enumerate(indices.tolist()):
            pixels[row] = checked(self.pictures, index, self.form, self.shape)
        return from_bytes(pixels)


def assemble(
    name: str, pictures: Pictures, form: Form, *, labels: Tensor | None = None, memory: int = MEMORY
) -> Source:
    """A source of images: decoded once when they fit in `memory` bytes, else batch by batch.

    Args:
        name: what to call it.
        pictures: at least one encoded picture.
        form: what every picture is turned into.
        labels: int64 [size], or None.
        memory: bytes of decoded images that may be held.

    Returns:
        A source with the same samples either way.

    Raises:
        DivminError: a picture that cannot be read, or pictures of more than one shape.
    """
    shape = tuple(decode(pictures, 0, form).shape)
    lazy = PictureSource(name, pictures, form, shape, labels)
    if len(pictures) * shape[0] * shape[1] * shape[2] > memory:
        return lazy
    pixels = torch.empty((len(pictures), *shape), dtype=torch.uint8)
    for index in range(len(pictures)):
        pixels[index] = checked(pictures, index, form, shape)
    return ByteSource(name, pixels, labels)
