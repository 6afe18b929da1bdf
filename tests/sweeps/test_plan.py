"""Grids: every combination once, in folders that tell them apart, read from text that people type."""

from __future__ import annotations

from pathlib import Path

import pytest

import divmin as dm
from divmin.sweeps import grid, read_seeds, read_values
from divmin.sweeps.plan import slug


def test_every_combination_once() -> None:
    values = {"critic_lr": [1e-3, 1e-4], "data": ["ring(n=6)", "grid"]}
    configs = grid(dm.TrainConfig(steps=7), recipes=["minimax", "fgan(kl)"], seeds=[3, 5], values=values, out="s")
    assert len(configs) == len({config.out for config in configs}) == 16
    told = {(c.recipe, c.critic_lr, c.data, c.seed) for c in configs}
    assert len(told) == 16 and ("fgan(kl)", 1e-4, "ring(n=6)", 5) in told
    assert {c.steps for c in configs} == {7}
    assert [c.out for c in configs[:3]] == [
        "s/minimax-critic_lr-0.001-data-ring-n-6-seed3",
        "s/minimax-critic_lr-0.001-data-ring-n-6-seed5",
        "s/minimax-critic_lr-0.001-data-grid-seed3",
    ]


def test_folders_do_not_depend_on_the_other_runs() -> None:
    few = grid(dm.TrainConfig(), recipes=["huszar"], seeds=[1], out="s")
    many = grid(dm.TrainConfig(), recipes=["minimax", "huszar"], seeds=[0, 1], out="s")
    assert few[0] in many


def test_recipes_keep_apart_in_file_names() -> None:
    texts = [named.example for named in dm.recipes().values()]
    texts += [
        "lsgan(-1, 1, 0)",
        "lsgan(1, 1, 0)",
        "lsgan(1, -1, 0)",
        "fgan(2*kl)",
        "fgan(2 + kl)",
        "fgan(kl - 2)",
        "fgan(kl/2)",
    ]
    texts += ["smoothed(minimax, 0.9)", "smoothed(minimax, 0.9, 0.1)"]
    slugs = [slug(text) for text in dict.fromkeys(texts)]
    assert len(set(slugs)) == len(slugs)
    assert all(Path(each).name == each for each in slugs)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("critic-lr=1e-3, 1e-4", ("critic_lr", [1e-3, 1e-4])),
        ("batch_size=8", ("batch_size", [8])),
        ("image_size=none,16", ("image_size", [None, 16])),
        ("check_finite=true,no", ("check_finite", [True, False])),
        ("data=ring(n=6, sigma=0.1),grid", ("data", ["ring(n=6, sigma=0.1)", "grid"])),
    ],
)
def test_values_are_read_by_their_type(text: str, found: tuple[str, list[object]]) -> None:
    assert read_values(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("critic_lr", "critic_lr=1e-3,1e-4"),
        ("critc_lr=1", "did you mean critic_lr"),
        ("steps=1.5", "value of type int; got '1.5'"),
        ("check_finite=2", "value of type bool"),
        ("steps=none", "value of type int"),
        ("steps=1,,2", "commas between"),
        ("recipe=minimax", "arguments of their own"),
        ("out=a", "arguments of their own"),
    ],
)
def test_values_that_cannot_be_are_refused(text: str, said: str) -> None:
    with pytest.raises(dm.DivminError, match=said):
        read_values(text)


def test_seeds() -> None:
    assert read_seeds("0,2 , 11") == [0, 2, 11]
    for text in ("", "a", "1.5", "1,,2"):
        with pytest.raises(dm.DivminError, match=r"whole numbers|commas between"):
            read_seeds(text)


def test_the_same_twice_is_refused() -> None:
    with pytest.raises(dm.DivminError, match="s/minimax-seed0 is asked for twice"):
        grid(dm.TrainConfig(), recipes=["minimax"], seeds=[0, 0], out="s")
    with pytest.raises(dm.DivminError, match=r"s/fgan-kl-seed0 is meant for fgan\(kl\) and for fgan\( kl \)"):
        grid(dm.TrainConfig(), recipes=["fgan(kl)", "fgan( kl )"], seeds=[0], out="s")
    with pytest.raises(dm.DivminError, match="needs a folder"):
        dm.sweep([dm.TrainConfig()])
    with pytest.raises(dm.DivminError, match="at least one"):
        grid(dm.TrainConfig(), recipes=["minimax"], seeds=[], out="s")
