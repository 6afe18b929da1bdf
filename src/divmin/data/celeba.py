"""CelebA as it is published: a folder of aligned faces, lists of splits and attributes beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from divmin.data.assemble import assemble
from divmin.data.base import Source
from divmin.data.folder import Files
from divmin.data.sets import Asked, register_set
from divmin.errors import DivminError, suggest

CROP, SIDE = 148, 64
PICTURES, PARTITION, ATTRIBUTES = "img_align_celeba", "list_eval_partition.txt", "list_attr_celeba.txt"
SPLITS = {"train": "0", "valid": "1", "test": "2"}  # as the list of partitions writes them
_WRITTEN = re.compile(r"(?P<folder>.*?)(?::(?P<split>train|valid|test|all)(?::(?P<attribute>\w+))?)?", re.DOTALL)


@register_set(
    "celeba:FOLDER[:SPLIT[:ATTRIBUTE]]",
    f"CelebA as published (FOLDER/{PICTURES}/*.jpg), middle {CROP} pixels, 3x{SIDE}x{SIDE}; split train, valid, test or all; "
    "an attribute as label",
)
def celeba(rest: str, asked: Asked) -> Source:
    """Aligned faces of 178x218 pixels: the middle 148x148, resized to 64x64 or image_size.

    Args:
        rest: FOLDER[:SPLIT[:ATTRIBUTE]]. FOLDER has img_align_celeba/ and, in itself or in Eval/ and Anno/ as on the
            authors' page, list_eval_partition.txt (without it there is only the split all) and list_attr_celeba.txt
            (read for an attribute only). The split is train when left out and listed.
        asked: image_size and channels, where other ones are wanted.

    Returns:
        Images in the order of the list; with an attribute, its labels 0 and 1.

    Raises:
        DivminError: a folder, a listed picture or a list that is missing, an unknown split or attribute, an unreadable
            picture.

    Source: Z. Liu, P. Luo, X. Wang, X. Tang, Deep learning face attributes in the wild, ICCV 2015.
    """
    written = _WRITTEN.fullmatch(rest)
    assert written is not None  # the pattern fits every text
    root, split, attribute = Path(os.path.expanduser(written["folder"])), written["split"], written["attribute"]
    pictures = _pictures(root, written["folder"])
    names = _split(root, pictures, split)
    labels = None if attribute is None else _labels(root, names, attribute)
    form = replace(asked.form, image_size=asked.form.image_size or SIDE, crop=CROP)
    return assemble(
        f"celeba:{rest}",
        Files(tuple(pictures / name for name in names)),
        form,
        labels=labels,
        class_names=() if attribute is None else (f"not {attribute}", attribute),
        track=asked.track,
    )


def _pictures(root: Path, written: str) -> Path:
    """The folder of pictures."""
    if not written:
        raise DivminError(
            f"celeba: needs a folder that has {PICTURES}/, as in celeba:data/celeba or celeba:data/celeba:test"
        )
    before, _, split = written.rpartition(":")
    if not root.is_dir() and before and os.path.isdir(os.path.expanduser(before)):
        raise DivminError(f"celeba has no split {split!r}: {suggest(split, [*SPLITS, 'all'])}")
    if not root.is_dir():
        raise DivminError(f"no folder {root}: expected one that has {PICTURES}/, with the pictures of CelebA")
    found = [place for place in (root / PICTURES, root / "Img" / PICTURES) if place.is_dir()]
    if not found:
        raise DivminError(
            f"{root} has no folder {PICTURES}: unpack {PICTURES}.zip there, or name the folder that has it"
        )
    return found[0]


def _split(root: Path, pictures: Path, split: str | None) -> Sequence[str]:
    """The files of a split."""
    present = {entry.name for entry in os.scandir(pictures)}
    listed = None if split == "all" else _list(root, PARTITION, "Eval")
    if listed is None and split not in (None, "all"):
        raise DivminError(
            f"{root} has no {PARTITION}, which tells what is in {split}: put it there, or leave the split out"
        )
    if listed is None:
        names = sorted(name for name in present if name.lower().endswith(".jpg"))
    else:
        names = [fields[0] for fields in listed if fields[1:] == [SPLITS[split or "train"]]]
    if not names:
        raise DivminError(
            f"no pictures of CelebA's split {split or 'train'} in {pictures}: expected files ending in .jpg"
        )
    missing = [name for name in names if name not in present]
    if missing:
        raise DivminError(
            f"{pictures} lacks {len(missing)} of {len(names)} pictures that {PARTITION} names, the first is {missing[0]}: "
            f"unpack {PICTURES}.zip again"
        )
    return names


def _labels(root: Path, names: Sequence[str], attribute: str) -> Tensor:
    """1 where a picture has the attribute, else 0."""
    lines = _list(root, ATTRIBUTES, "Anno")
    if lines is None:
        raise DivminError(f"{root} has no {ATTRIBUTES}, which tells who is {attribute}: put it there")
    next(lines, None)  # the number of pictures
    known = next(lines, [])
    if attribute not in known:
        raise DivminError(f"CelebA has no attribute {attribute!r}: {suggest(attribute, known)}")
    column = 1 + known.index(attribute)
    has = {fields[0]: fields[column] == "1" for fields in lines if len(fields) == 1 + len(known)}
    without = [name for name in names if name not in has]
    if without:
        raise DivminError(
            f"{ATTRIBUTES} says nothing of {len(without)} pictures, the first is {without[0]}: get it again"
        )
    return torch.tensor([has[name] for name in names], dtype=torch.int64)


def _list(root: Path, name: str, folder: str) -> Iterator[list[str]] | None:
    """The lines of a published list, as fields; None where it is missing."""
    for path in (root / name, root / folder / name):
        if path.is_file():
            return (fields for line in path.read_text(encoding="utf-8").splitlines() if (fields := line.split()))
    return None
