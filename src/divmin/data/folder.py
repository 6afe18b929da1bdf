"""A folder of picture files, with all folders below it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.data.base import Source
from divmin.data.pictures import Form, assemble
from divmin.errors import DivminError

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True)
class Files:
    """Picture files, in order."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def open(self, index: int) -> Image.Image:
        from PIL import Image

        with Image.open(self.paths[index]) as picture:
            picture.load()
            return picture

    def where(self, index: int) -> str:
        return str(self.paths[index])


def picture_files(root: Path) -> tuple[Path, ...]:
    """Every picture file below a folder, sorted; links are followed, and no folder is entered twice."""
    found: list[Path] = []
    entered: set[str] = set()
    for folder, below, names in os.walk(root, onerror=_refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in entered:
            below.clear()
            continue
        entered.add(real)
        below.sort()
        found += [Path(folder, name) for name in names if name.lower().endswith(SUFFIXES)]
    return tuple(sorted(found))


def _refuse(error: OSError) -> None:
    raise DivminError(f"cannot list the folder {error.filename}: {error.strerror}") from error


def folder(root: Path, form: Form) -> Source:
    """The pictures below a folder.

    Args:
        root: an existing folder.
        form: what every picture is turned into.

    Returns:
        Images in the order of their paths.

    Raises:
        DivminError: no pictures, an unreadable one, or pictures of more than one shape where the form declares none.
    """
    paths = picture_files(root)
    if not paths:
        raise DivminError(f"no pictures in the folder {root}: expected files ending in {', '.join(SUFFIXES)}")
    return assemble(str(root), Files(paths), form)
