"""Stacked pictures: every sample is three members in the order of its label, and depends on seed and index alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from divmin.data import Labelled, StackedSource, from_array, index_stream, load
from divmin.errors import DivminError


def stacked(spec: str = "stacked:digits", **settings: int) -> StackedSource:
    source = load(spec, **settings)  # type: ignore[arg-type]
    assert isinstance(source, StackedSource)
    return source


def test_channels_are_members_and_labels_are_theirs() -> None:
    source, digits = stacked(), load("digits")
    assert isinstance(source, Labelled) and isinstance(digits, Labelled)
    assert (source.name, source.shape, source.size, source.classes) == ("stacked:digits", (3, 8, 8), None, 1000)
    indices = torch.tensor([0, 5, 1023, 1024, 10**7])
    batch, labels = source.batch(indices), source.labels_of(indices)
    for colour, digit in ((0, labels // 100), (1, labels // 10 % 10), (2, labels % 10)):
        members = source.members_of(indices)[:, colour]
        assert torch.equal(batch[:, colour], digits.batch(members)[:, 0])
        assert torch.equal(digit, digits.labels_of(members))


def test_samples_are_named_by_index_and_seed() -> None:
    indices = torch.randint(0, 10**9, (40,), generator=torch.Generator().manual_seed(0))
    source = stacked(seed=4)
    backwards = source.batch(indices.flip(0)).flip(0)
    assert torch.equal(source.batch(indices), backwards)
    assert torch.equal(source.labels_of(indices), torch.cat([source.labels_of(one) for one in indices.split(7)]))
    assert not torch.equal(source.batch(indices), stacked(seed=5).batch(indices))
    assert source.batch(indices[:0]).shape == (0, 3, 8, 8) and source.labels_of(indices[:0]).shape == (0,)
    for bad in (torch.tensor([-1]), torch.tensor([0.5])):
        with pytest.raises(DivminError, match="indices"):
            source.labels_of(bad)


def test_members_are_uniform_and_independent() -> None:
    """Chi-squares of 64 members, and of their 4096 ordered pairs, within four standard deviations of their means."""
    source = StackedSource("s", from_array(torch.randn(64, 1, 2, 2), labels=torch.arange(64)))
    members = source.members_of(torch.arange(100_000))
    for counts in (
        *(torch.bincount(column, minlength=64) for column in members.T),
        *(torch.bincount(members[:, i] * 64 + members[:, j], minlength=4096) for i, j in ((0, 1), (1, 2), (0, 2))),
    ):
        expected, free = 100_000 / len(counts), len(counts) - 1
        chi2 = float((counts - expected).square().sum() / expected)
        assert abs(chi2 - free) < 4 * (2 * free) ** 0.5
    assert source.classes == 64**3
    assert torch.equal(source.labels_of(torch.arange(9)), members[:9] @ torch.tensor([4096, 64, 1]))


def test_a_stream_of_positions_reads_it(tmp_path: Path) -> None:
    source = stacked()
    first, position = index_stream(source.size, 10, 0, 0)
    second, _ = index_stream(source.size, 10, 0, position)
    assert torch.equal(torch.cat([source.batch(first), source.batch(second)]), source.batch(torch.arange(20)))


def test_colour_pictures_are_turned_grey_and_sizes_declared(tmp_path: Path) -> None:
    for kind in ("cat", "dog"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            drawn = np.random.default_rng(i).integers(0, 256, (9, 7, 3), dtype=np.uint8)
            Image.fromarray(drawn).save(tmp_path / kind / f"{i}.png")
    source = stacked(f"stacked:{tmp_path}", image_size=4, channels=3)
    assert (source.shape, source.classes) == ((3, 4, 4), 8)
    assert set(source.labels_of(torch.arange(500)).tolist()) == set(range(8))


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("stacked:", "needs data to stack"),
        ("stacked:ring", "ring has no images"),
        ("stacked:stacked:digits", "channels is 1: stacked pictures have 3"),
        ("stacked:rnig", "did you mean ring"),
    ],
)
def test_what_cannot_be_stacked(spec: str, says: str) -> None:
    with pytest.raises(DivminError, match=says):
        load(spec)


def test_sources_that_cannot_be_stacked() -> None:
    for source, says in (
        (from_array(torch.zeros(4, 1, 2, 2), name="bare"), "bare has no labels"),
        (from_array(torch.zeros(4, 3, 2, 2), labels=torch.zeros(4, dtype=torch.int64)), "shape .3, 2, 2."),
        (from_array(torch.zeros(4, 2), labels=torch.zeros(4, dtype=torch.int64)), "shape .2,."),
    ):
        with pytest.raises(DivminError, match=says):
            StackedSource("s", source)
    with pytest.raises(DivminError, match="channels is 1"):
        load("stacked:digits", channels=1)
