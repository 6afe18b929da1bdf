"""A folder of picture files, with all folders below it; where these sort the pictures, their names are classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from divmin.data.assemble import assemble
from divmin.data.base import Source
from divmin.data.form import Form
from divmin.data.sets import Track
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


def folder(root: Path, form: Form, track: Track = iter) -> Source:
    """The pictures below a folder.

    Args:
        root: an existing folder.
        form: what every picture is turned into.
        track: wraps the numbers of the pictures while they are read, to show progress.

    Returns:
        Images in the order of their paths. Where every picture lies exactly one folder down, and there are at least two
        such folders, their sorted names are the classes, as in torchvision's ImageFolder.

    Raises:
        DivminError: no pictures, an unreadable one, or pictures of more than one shape where the form declares none.
    """
    paths = picture_files(root)
    if not paths:
        raise DivminError(f"no pictures in the folder {root}: expected files ending in {', '.join(SUFFIXES)}")
    labels, names = folder_labels(root, paths)
    return assemble(str(root), Files(paths), form, labels=labels, class_names=names, track=track)


def folder_labels(root: Path, paths: Sequence[Path]) -> tuple[Tensor | None, tuple[str, ...]]:
    """Labels int64 [size] and names of the classes, where sub-folders sort the pictures; else None and nothing.

    Example:
        >>> folder_labels(Path("x"), [Path("x/cat/0.png"), Path("x/dog/0.png"), Path("x/dog/1.png")])
        (tensor([0, 1, 1]), ('cat', 'dog'))
    """
    names = tuple(sorted({path.parent.name for path in paths}))
    if len(names) < 2 or any(path.parent.parent != root for path in paths):
        return None, ()
    number = {name: place for place, name in enumerate(names)}
    return torch.tensor([number[path.parent.name] for path in paths]), names
