"""The pictures of a run one after the other: how the samples of fixed z change while the generator trains."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.errors import DivminError
from divmin.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES, COLOURS, LARGEST = 100, 64, 6_000_000  # at most so many frames, colours and bytes
LENGTH, LONGEST, REST = 8000, 400, 2000  # milliseconds: all frames, one frame at most, the last one


def save_film(pictures: Sequence[Path], path: Path) -> None:
    """An animated GIF of pictures of one size; each frame is a picture as it is, with its step in it.

    Of more than 100 pictures, 100 are taken at equal distances, the first and the last among them, and fewer if the file
    would have more than 6 MB.

    Args:
        pictures: .png files in their order.
        path: a .gif file.

    Raises:
        DivminError: no pictures, one that cannot be read, another format, or a file that cannot be written.
    """
    if path.suffix.lower() != ".gif":
        raise DivminError(f"cannot write an animation to '{path}': the name must end in .gif")
    if not pictures:
        raise DivminError(f"cannot write {path}: there are no pictures to show one after the other")
    images = [_opened(pictures[i]) for i in evenly(len(pictures), FRAMES)]
    film = _film(images)
    if len(film) > LARGEST:
        film = _film([images[i] for i in evenly(len(images), max(2, len(images) * LARGEST // len(film)))])
    try:
        write_atomically(path, lambda stream: stream.write(film))
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error


def evenly(n: int, most: int) -> list[int]:
    """At most `most` of the numbers below n, at equal distances, with the first and the last.

    >>> evenly(3, 100), evenly(10, 4)
    ([0, 1, 2], [0, 3, 6, 9])
    """
    return list(range(n)) if n <= most else [round(i * (n - 1) / (most - 1)) for i in range(most)]


def _opened(path: Path) -> Image:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError) as error:  # Pillow's word for a broken PNG is SyntaxError
        raise DivminError(f"cannot read the picture {path}: remove it, or draw it again") from error


def _film(images: Sequence[Image]) -> bytes:
    """The bytes of the GIF. One palette serves all frames, made of three of them: colours that change would flicker."""
    from PIL import Image

    width, height = images[0].size
    three = Image.new("RGB", (width, 3 * height))
    for row, i in enumerate((0, len(images) // 2, len(images) - 1)):
        three.paste(images[i], (0, row * height))
    palette = three.quantize(COLOURS)
    frames = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    lasting = [min(LONGEST, LENGTH // len(frames))] * (len(frames) - 1) + [REST]
    stream = io.BytesIO()
    frames[0].save(stream, format="GIF", save_all=True, append_images=frames[1:], duration=lasting, loop=0)
    return stream.getvalue()
