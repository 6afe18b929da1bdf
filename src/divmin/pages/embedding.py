"""Pictures of a run folder as data: addresses, small enough that the whole page can be mailed."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from PIL.Image import Image

Thing = TypeVar("Thing")

# Of WebP; more effort takes twice the time for a twentieth of the size. Drawings and coarse pixels are smaller without loss.
LOSSY: dict[str, Any] = {"quality": 82, "method": 2}
LOSSLESS: dict[str, Any] = {"lossless": True, "quality": 50, "method": 2}
WIDE, SMALL = 1500, 640  # pixels across of drawings, and of samples
LEAST = 160  # pixels across, below which there are fewer frames and no smaller ones
TALL = 4  # times as high as wide, at most
FRAMES = 24


def embedded(path: Path, *, width: int = WIDE, budget: int) -> str | None:
    """A picture file as a data: address of at most `budget` bytes; None where there is no readable picture.

    Args:
        path: any picture that Pillow reads.
        width: the largest number of pixels across.
        budget: bytes.
    """
    return film([path], width=width, budget=budget).get(path)


def film(paths: Sequence[Path], *, width: int = SMALL, budget: int) -> dict[Path, str]:
    """Pictures as data: addresses that have `budget` bytes together: smaller where they must be, then fewer.

    Args:
        paths: picture files; one that cannot be read is left out.
        width: the largest number of pixels across.
        budget: bytes.

    Returns:
        The address of each that is shown, in the order of `paths`.
    """
    images = {path: image for path in paths if (image := _opened(path, width)) is not None}
    scale, how = 1.0, LOSSLESS
    while images:
        found: dict[Path, str] = {}
        size = 0
        for path, image in reversed(images.items()):
            found[path] = _address(image, scale, how)
            if (
                how is LOSSLESS
                and not found.keys() - {path}
                and len(other := _address(image, scale, LOSSY)) < len(found[path])
            ):
                found[path], how = other, LOSSY
            size += len(found[path])
        if size <= budget:
            return {path: found[path] for path in images}
        if scale * max(image.width for image in images.values()) > LEAST:
            scale *= min(0.8, max(0.4, math.sqrt(budget / size)))
        elif len(images) > 1:
            images = {path: images[path] for path in spread(list(images), len(images) // 2)}
        else:
            break
    return {}


def spread(things: Sequence[Thing], count: int = FRAMES) -> list[Thing]:
    """At most `count` of them, evenly, the last included, and the first where there is more than one.

    >>> spread(range(10), 4), spread(range(10), 1)
    ([0, 3, 6, 9], [9])
    """
    if len(things) <= count:
        return list(things)
    return [things[round((len(things) - 1) * (i + 1 if count == 1 else i) / max(1, count - 1))] for i in range(count)]


def _opened(path: Path, width: int) -> Image | None:
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):  # Pillow's words for damage, and for a picture of gigabytes
        return None
    image.thumbnail((width, TALL * width), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return image


def _address(image: Image, scale: float, how: Mapping[str, Any]) -> str:
    from PIL import Image

    if scale < 1:
        size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", **how)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
