"""From what a user types to a source."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from divmin.data.base import Source
from divmin.data.density import DensitySource
from divmin.data.digits import digits
from divmin.data.folder import folder, picture_files
from divmin.data.parquet import hub, parquet, parquet_files
from divmin.data.pictures import Form
from divmin.data.registry import densities, parse_call
from divmin.errors import DivminError, suggest

# Data sets of images that need nothing but a name: what `sources` says of each, and what makes it.
IMAGES: dict[str, tuple[str, Callable[[Form], Source]]] = {
    "digits": ("1797 handwritten digits of scikit-learn, 1x8x8, with labels", digits),
}

PLACES = {
    "FOLDER": "every png, jpg, webp or bmp below a folder; image_size brings them to one size",
    "FILE.parquet": "pictures in a Parquet file, a folder of them, or a pattern (train-*.parquet); needs divmin[hub]",
    "hub:NAME[:SPLIT]": "a data set of images on the Hugging Face hub; needs divmin[hub]",
}


def sources() -> dict[str, str]:
    """What `load` understands: names, then kinds of places, each with a line that describes it.

    Example:
        >>> sources()["digits"]
        '1797 handwritten digits of scikit-learn, 1x8x8, with labels'
    """
    named = {name: entry.summary for name, entry in densities().items()}
    return named | {name: summary for name, (summary, _) in IMAGES.items()} | PLACES


def load(spec: str, *, seed: int = 0, image_size: int | None = None, channels: int | None = None) -> Source:
    """The source that a line of text names.

    Args:
        spec: a name of `sources()`, with parameters where it has some, as in "ring(n=6, sigma=0.05)"; a path to
            pictures in a folder or in Parquet files (./name where it looks like a name); or hub:NAME[:SPLIT].
        seed: names the stream of samples of a density; of no effect on data sets.
        image_size: side length in pixels that images are brought to; their own when None.
        channels: 1 or 3 for images; their own when None.

    Returns:
        The source.

    Raises:
        DivminError: an unknown name, parameter or place, or data that cannot be read.

    Example:
        >>> load("ring(n=6)").shape, load("digits").size
        ((2,), 1797)
    """
    form = Form(image_size, channels)
    if not spec.strip():
        raise DivminError("the name of the data is empty: " + suggest("", [*densities(), *IMAGES]))
    if spec.startswith("hub:"):
        return hub(spec.removeprefix("hub:"), form)
    call = parse_call(spec)
    if call is not None and call[0] in densities():
        name, parameters = call
        if form != Form():
            raise DivminError(f"{name} has no images: leave image_size and channels out")
        return DensitySource(spec.strip(), densities()[name](**parameters), seed)
    if call is not None and call[0] in IMAGES:
        if call[1]:
            raise DivminError(f"{call[0]} has no parameters: write {call[0]} alone")
        return IMAGES[call[0]][1](form)
    return _place(spec, form)


def _place(spec: str, form: Form) -> Source:
    """A folder, Parquet files, or the error that says what could have been meant."""
    path = Path(os.path.expanduser(spec))
    # The functions of os.path answer "no" where those of pathlib raise, as for a text that is too long for a path.
    if os.path.isdir(path):
        tables, pictures = bool(parquet_files(str(path))), bool(picture_files(path))
        if tables and pictures:
            raise DivminError(
                f"{spec} holds both Parquet files and pictures: name the one meant, as in {spec}/*.parquet"
            )
        return parquet(str(path), form) if tables else folder(path, form)
    if path.suffix == ".parquet":
        return parquet(str(path), form)
    if os.path.exists(path):
        raise DivminError(f"{spec} is neither a folder nor a .parquet file: expected one of these, or a name")
    named = parse_call(spec)
    names = [*densities(), *IMAGES]
    raise DivminError(f"unknown data {spec!r}, and no such path: {suggest(named[0] if named else spec, names)}")
