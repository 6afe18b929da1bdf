"""Published sets of images by their names: from a folder of the user's, or from the Hugging Face hub."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from divmin.data.base import Source
from divmin.data.parquet import fetch, from_table, parquet
from divmin.data.sets import Asked, register_set
from divmin.errors import DivminError, suggest

PLACE = "DIVMIN_DATA"  # the environment variable that names the user's folder of data sets
SPLITS = ["train", "test"]


@register_set("mnist[:SPLIT]", "MNIST, 60000 handwritten digits (test: 10000), 1x28x28, with labels; needs divmin[hub]")
def mnist(split: str, asked: Asked) -> Source:
    """The handwritten digits of LeCun, Cortes and Burges."""
    return published("mnist", "ylecun/mnist", split, asked)


@register_set("cifar10[:SPLIT]", "CIFAR-10, 50000 photographs (test: 10000), 3x32x32, with labels; needs divmin[hub]")
def cifar10(split: str, asked: Asked) -> Source:
    """The tiny photographs of Krizhevsky, in ten classes."""
    return published("cifar10", "uoft-cs/cifar10", split, asked)


def published(name: str, repository: str, split: str, asked: Asked) -> Source:
    """A set from $DIVMIN_DATA/NAME/SPLIT*.parquet where that folder exists, which needs no network; else from the hub.

    Args:
        name: what the set is called here.
        repository: what it is called on the hub.
        split: train or test; train when empty.
        asked: what every picture is turned into.

    Returns:
        Images with labels.

    Raises:
        DivminError: another split, a folder without its files, or nothing in reach.
    """
    split = split or SPLITS[0]
    if split not in SPLITS:
        raise DivminError(f"{name} has no split {split!r}: {suggest(split, SPLITS)}")
    called = name if split == SPLITS[0] else f"{name}:{split}"
    own = os.environ.get(PLACE, "")
    if own and not os.path.isdir(own):
        raise DivminError(f"{PLACE} is {own!r}, which is no folder: give it a folder of data sets, or unset it")
    if own and os.path.isdir(Path(own, name)):
        found = parquet(str(Path(own, name, f"{split}*.parquet")), asked)
    else:
        fix = f"connect to the network once, or set {PLACE} to a folder that has {name}/{split}*.parquet"
        found = from_table(called, *fetch(repository, split, fix), asked)
    return replace(found, name=called)
