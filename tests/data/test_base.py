"""The stream of indices is one sequence, however it is cut; block draws name their samples."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from divmin.data import DensitySource, Source, densities, from_array, index_stream, load
from divmin.data.base import _permutation, generator_for
from divmin.errors import DivminError


def read(size: int | None, seed: int, cuts: list[int], position: int = 0) -> list[int]:
    found: list[int] = []
    for cut in cuts:
        indices, after = index_stream(size, cut, seed, position)
        assert indices.dtype == torch.int64
        assert after == position + cut
        found += indices.tolist()
        position = after
    return found


@given(st.integers(1, 12), st.integers(0, 5), st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_the_stream_does_not_depend_on_the_cuts(size: int, seed: int, cuts: list[int]) -> None:
    assert read(size, seed, cuts) == read(size, seed, [sum(cuts)]) == read(size, seed, [1] * sum(cuts))


def test_each_epoch_is_a_permutation_of_its_own() -> None:
    epochs = torch.tensor(read(50, 3, [200])).reshape(4, 50)
    assert torch.equal(epochs.sort(dim=1).values, torch.arange(50).expand(4, 50))
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 4


def test_seeds_differ() -> None:
    assert len({tuple(read(50, seed, [50])) for seed in range(20)}) == 20


def test_a_stream_resumes_in_the_middle_of_an_epoch() -> None:
    whole = read(7, 1, [5] * 6)
    assert read(7, 1, [5, 5], position=15) == whole[15:25]


def test_the_cache_is_not_part_of_the_result() -> None:
    whole = read(9, 2, [40])
    first, _ = index_stream(9, 4, 2, 0)
    first.zero_()
    assert read(9, 2, [40]) == whole
    _permutation.cache_clear()
    assert read(9, 2, [40]) == whole


def test_endless_sources_count() -> None:
    assert read(None, 0, [3, 2], position=10) == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("size", "batch", "position"), [(0, 1, 0), (5, 0, 0), (5, 1, -1)])
def test_impossible_streams(size: int, batch: int, position: int) -> None:
    with pytest.raises(DivminError, match="expected"):
        index_stream(size, batch, 0, position)


def test_generators_of_one_stream_and_of_neighbouring_seeds_differ() -> None:
    draws = {
        tuple(torch.rand(2, generator=generator_for(seed, counter)).tolist())
        for seed in range(30)
        for counter in range(30)
    }
    assert len(draws) == 900


@pytest.mark.parametrize("source", [load("ring"), load("digits"), from_array(torch.randn(6, 2))], ids=lambda s: s.name)
def test_sources_keep_the_contract(source: Source) -> None:
    assert isinstance(source, Source)
    indices = torch.tensor([5, 0, 3, 3])
    batch = source.batch(indices)
    assert batch.dtype == torch.float32
    assert batch.shape == (4, *source.shape)
    assert torch.equal(batch, torch.cat([source.batch(one) for one in indices.split(1)]))
    assert torch.equal(batch[2], batch[3])
    assert not torch.equal(batch[0], batch[1])
    batch.zero_()
    assert source.batch(indices).any()
    assert source.batch(indices[:0]).shape == (0, *source.shape)
    for bad in (torch.tensor([-1]), torch.tensor([1.0]), torch.tensor([[0]])):
        with pytest.raises(DivminError, match="indices"):
            source.batch(bad)
    if source.size is not None:
        with pytest.raises(DivminError, match=f"below {source.size}"):
            source.batch(torch.tensor([source.size]))


def test_density_samples_are_named_by_index_and_seed() -> None:
    ring = densities()["ring"]()
    source = DensitySource("ring", ring, seed=4)
    indices = torch.randint(0, 10**9, (50,), generator=torch.Generator().manual_seed(0))
    backwards = source.batch(indices.flip(0)).flip(0)
    assert torch.equal(source.batch(indices), backwards)
    assert not torch.equal(source.batch(indices), DensitySource("ring", ring, seed=5).batch(indices))


def test_a_draw_shares_nothing_with_a_source_of_the_same_seed() -> None:
    normal = densities()["normal"]()
    stream = DensitySource("normal", normal, seed=9).batch(torch.arange(4096))
    assert not torch.isin(normal.sample(1024, seed=9), stream).any()


def test_density_samples_do_not_repeat_from_block_to_block() -> None:
    samples = load("normal(dim=2)").batch(torch.arange(5000))
    assert len(samples.unique(dim=0)) == 5000
    assert samples.mean().abs() < 0.05
    assert (samples.std() - 1).abs() < 0.05
