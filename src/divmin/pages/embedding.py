"""Pictures of a run folder as data: addresses, small enough that the whole page can be mailed."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

QUALITY = 82  # of WebP
WIDE, SMALL = 1500, 640  # pixels across of drawings, and of samples
FRAMES = 24
STEPS = 5  # sizes that are tried, each .7 of the one before


def embedded(path: Path, *, width: int = WIDE, budget: int) -> str | None:
    """A picture file as a data: address of at most `budget` bytes; None where there is no readable picture.

    Args:
        path: any picture that Pillow reads.
        width: the largest number of pixels across.
        budget: bytes.
    """
    found = films([path], width=width, budget=budget)
    return found[0] if found else None


def films(paths: Sequence[Path], *, width: int = SMALL, budget: int) -> list[str]:
    """Pictures of one size as data: addresses that have `budget` bytes together, smaller where they must be.

    Args:
        paths: picture files; one that cannot be read is left out.
        width: the largest number of pixels across.
        budget: bytes.
    """
    for _ in range(STEPS):
        found = [address for path in paths if (address := _address(path, width)) is not None]
        if sum(map(len, found)) <= budget:
            return found
        width = int(0.7 * width)
    return []


def spread(paths: Sequence[Path], count: int = FRAMES) -> list[Path]:
    """At most `count` of them, evenly, the first and the last included.

    >>> spread([Path(str(i)) for i in range(10)], 4) == [Path("0"), Path("3"), Path("6"), Path("9")]
    True
    """
    if len(paths) <= count:
        return list(paths)
    return [paths[round(i * (len(paths) - 1) / (count - 1))] for i in range(count)]


def _address(path: Path, width: int) -> str | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError):
        return None
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=QUALITY, method=4)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
