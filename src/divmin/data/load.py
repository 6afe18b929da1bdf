"""From what a user types to a source."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from divmin.data import celeba, digits, published  # noqa: F401  (fill the registry)
from divmin.data.arrays import from_array
from divmin.data.base import Source
from divmin.data.density import DensitySource
from divmin.data.folder import folder, picture_files
from divmin.data.form import Form
from divmin.data.labels import Labelled
from divmin.data.parquet import parquet, parquet_files
from divmin.data.registry import densities, parse_call
from divmin.data.sets import Asked, Track, register_set, sets, split_word
from divmin.data.stacked import StackedSource
from divmin.data.tables import read_samples, split_place
from divmin.errors import DivminError, suggest

NUMBERS = (".npy", ".npz", ".csv", ".pt")
PLACES = {
    "FOLDER": "every png, jpg, webp or bmp below a folder; image_size brings them to one size; sub-folders are labels",
    "FILE.parquet": "pictures in a Parquet file, a folder of them, or a pattern (train-*.parquet); needs divmin[hub]",
    "FILE.npy, .npz[:NAME], .csv, .pt[:NAME]": "floats [samples, ...], taken as they are",
}


def sources() -> dict[str, str]:
    """What `load` understands: names, then kinds of places, each with a line that describes it.

    Example:
        >>> sources()["digits"]
        '1797 handwritten digits of scikit-learn, 1x8x8, with labels'
    """
    named = {name: entry.summary for name, entry in densities().items()}
    return named | {entry.usage: entry.summary for entry in sets().values()} | PLACES


def load(
    spec: str,
    *,
    seed: int = 0,
    image_size: int | None = None,
    channels: int | None = None,
    corrupt: str = "fatal",
    track: Track = iter,
) -> Source:
    """The source that a line of text names.

    Args:
        spec: a name of `sources()`, with parameters where it has some, as in "ring(n=6, sigma=0.05)" or "mnist:test"; or
            a path to pictures in a folder or in Parquet files, or to an array of floats (./name where it looks like a
            name).
        seed: names the stream of samples of a density and of stacked pictures; of no effect on other data.
        image_size: side length in pixels that images are brought to; their own when None.
        channels: 1 or 3 for images; their own when None.
        corrupt: "fatal" names an unreadable picture in an error; "skip" leaves such pictures out, warns once, and lists
            them in the source's `skipped`.
        track: wraps the numbers of the pictures while they are read, to show progress.

    Returns:
        The source; where it has labels it is `Labelled`.

    Raises:
        DivminError: an unknown name, parameter or place, or data that cannot be read.

    Example:
        >>> load("ring(n=6)").shape, load("digits").size, load("stacked:digits").classes
        ((2,), 1797, 1000)
    """
    return _find(spec, Asked(Form(image_size, channels, corrupt=corrupt), seed, track))


def _find(spec: str, asked: Asked) -> Source:
    names = [*densities(), *sets()]
    if not spec.strip():
        raise DivminError("the name of the data is empty: " + suggest("", names))
    if (known := split_word(spec)) is not None:
        entry, rest = known
        return entry.make(rest, asked)
    call = parse_call(spec)
    if call is not None and call[0] in densities():
        name, parameters = call
        _refuse_form(name, asked)
        return DensitySource(spec.strip(), densities()[name](**parameters), asked.seed)
    path, _ = split_place(spec)
    if path.suffix.lower() in NUMBERS and os.path.isfile(path):
        _refuse_form(spec, asked)
        values = read_samples(spec)
        return from_array(values[:, None] if values.ndim == 1 else values, name=spec)
    return _place(spec, asked)


@register_set(
    "stacked:DATA", "three grey pictures of labelled data as the colours of one, as in stacked:mnist: 1000 modes"
)
def stacked(rest: str, asked: Asked) -> Source:
    """Stacked pictures of the data that `rest` names, which are turned grey."""
    if not rest:
        raise DivminError("stacked: needs data to stack, as in stacked:mnist")
    if asked.form.channels not in (None, 3):
        raise DivminError(f"channels is {asked.form.channels}: stacked pictures have 3; leave it out")
    members = _find(rest, replace(asked, form=replace(asked.form, channels=1)))
    if not isinstance(members, Labelled):
        raise DivminError(f"{members.name} has no labels, and cannot be stacked: expected labelled pictures, as mnist")
    return StackedSource(f"stacked:{rest}", members, asked.seed)


def _refuse_form(name: str, asked: Asked) -> None:
    if not asked.form.is_own:
        raise DivminError(f"{name} has no images: leave image_size and channels out")


def _place(spec: str, asked: Asked) -> Source:
    """A folder, Parquet files, or the error that says what could have been meant."""
    path = Path(os.path.expanduser(spec))
    # The functions of os.path answer "no" where those of pathlib raise, as for a text that is too long for a path.
    if os.path.isdir(path):
        tables, pictures = bool(parquet_files(str(path))), bool(picture_files(path))
        if tables and pictures:
            raise DivminError(
                f"{spec} holds both Parquet files and pictures: name the one meant, as in {spec}/*.parquet"
            )
        return parquet(str(path), asked) if tables else folder(path, asked.form, asked.track)
    if path.suffix == ".parquet":
        return parquet(str(path), asked)
    if os.path.exists(path):
        raise DivminError(
            f"{spec} is neither a folder nor a file of a known kind (.parquet, {', '.join(NUMBERS)}): expected one of "
            "these, or a name"
        )
    named = parse_call(spec)
    names = [*densities(), *sets()]
    raise DivminError(f"unknown data {spec!r}, and no such path: {suggest(named[0] if named else spec, names)}")
