"""Files that commands read and write: told to be unusable before the work, and never seen half written."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from divmin.errors import DivminError

PICTURES = ("png", "svg", "pdf")
SAMPLES = (".npy", ".npz", ".csv", ".parquet", ".pt")


def check_folder(path: Path) -> None:
    """Refuse a file in a folder that does not exist, which is more often a slip than a wish for a new folder.

    Raises:
        DivminError: naming the folder.
    """
    if not path.absolute().parent.is_dir():
        raise DivminError(f"cannot write {path}: the folder {path.parent} does not exist; make it first")


def check_picture(path: Path | None) -> None:
    """Refuse what `picture_format` and `check_folder` refuse, before the work and not after it; None is no picture."""
    if path is not None:
        picture_format(path)
        check_folder(path)


def picture_format(path: Path) -> str:
    """The format that a file name asks for.

    Raises:
        DivminError: for another one than png, svg and pdf.
    """
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in PICTURES:
        raise DivminError(f"cannot draw '{path}': the name must end in {', '.join('.' + each for each in PICTURES)}")
    return suffix


def split_place(place: str) -> tuple[Path, str]:
    """PATH or PATH:NAME as path and name; a path that exists is not taken apart."""
    path = Path(os.path.expanduser(place))
    before, _, name = place.rpartition(":")
    # The functions of os.path answer "no" where those of pathlib raise, as for a text that is too long for a path.
    return (path, "") if not before or os.path.exists(path) else (Path(os.path.expanduser(before)), name)


def place_of_samples(place: str) -> tuple[Path, str]:
    """A path that exists, and the name of one array in it: PATH, or PATH:NAME.

    Raises:
        DivminError: no such file, or a kind that is not read.
    """
    path, name = split_place(place)
    if not os.path.exists(path):
        raise DivminError(f"no such file or folder: {place}")
    if not path.is_dir() and path.suffix.lower() not in SAMPLES:
        raise DivminError(f"cannot read {path}: expected a folder of pictures or a file in {', '.join(SAMPLES)}")
    return path, name


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it over `path`.

    A crash at any moment leaves either the old file or the new one. The temporary file is removed when `write` raises.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; a result is an ordinary file.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    write_atomically(path, lambda stream: stream.write(text.encode()))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically; a NaN or an infinity is refused, because JSON has none."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")
