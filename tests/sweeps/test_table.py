"""The table: means over the seeds that finished, standard errors, and only settings that differ."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import divmin as dm
from divmin.sweeps import Mean, Outcome, metrics_of, table

LOSSES = ("critic_loss", "generator_loss", "d_real", "d_fake")


def outcome(recipe: str, seed: int, value: float, state: str = "finished", **more: float) -> Outcome:
    config = dm.TrainConfig(recipe=recipe, seed=seed, out=f"s/{recipe}-{seed}")
    values = dict.fromkeys(LOSSES, value)
    return Outcome(config, state, 4, None, None, True, values | more, tuple(more))


def test_mean_and_standard_error_over_seeds() -> None:
    found = [outcome("minimax", i, x) for i, x in enumerate([1.0, 2.0, 6.0])]
    found += [outcome("huszar", i, x) for i, x in enumerate([5.0, 9.0])]
    first, second = table(found)
    assert (first.settings, first.runs, first.finished) == ({"recipe": "minimax"}, 3, 3)
    assert list(first.means) == list(LOSSES)
    assert first.means["d_real"].mean == pytest.approx(3)
    assert first.means["d_real"].standard_error == pytest.approx(math.sqrt(7 / 3))  # variance (4 + 1 + 9)/2, n = 3
    assert second.means["d_fake"] == Mean(7.0, 2.0, 2)


def test_only_finished_runs_count() -> None:
    found = [
        outcome("minimax", 0, 1.0),
        outcome("minimax", 1, 99.0, "interrupted"),
        outcome("minimax", 2, 99.0, "failed"),
    ]
    (line,) = table(found)
    assert (line.runs, line.finished, line.means["d_real"]) == (3, 1, Mean(1.0, None, 1))
    assert table([outcome("minimax", 0, 1.0, "waiting")])[0].means == {}


def test_what_was_measured_comes_before_losses() -> None:
    found = [outcome("minimax", 0, 1.0, recall=0.5), outcome("minimax", 1, 1.0, recall=0.7, frechet=2.0)]
    assert metrics_of(found) == ["recall", "frechet"]
    (line,) = table(found)
    assert line.means["recall"].mean == pytest.approx(0.6) and line.means["frechet"] == Mean(2.0, None, 1)
    assert list(table(found, ["d_real"])[0].means) == ["d_real"]
    with pytest.raises(dm.DivminError, match="no run has a metric 'recal': did you mean recall"):
        table(found, ["recal"])


def test_settings_that_differ_have_columns() -> None:
    found = [outcome("minimax", 0, 1.0), outcome("minimax", 0, 3.0)]
    found[1] = replace(found[1], config=replace(found[1].config, critic_lr=0.5, out="s/other"))
    assert [line.settings for line in table(found)] == [
        {"recipe": "minimax", "critic_lr": 0.001},
        {"recipe": "minimax", "critic_lr": 0.5},
    ]


@pytest.mark.parametrize(
    ("mean", "text"),
    [
        (Mean(0.0123456, 0.00042, 3), "0.01235 ± 0.00042"),
        (Mean(123.456, 7.8, 3), "123.5 ± 7.8"),
        (Mean(12345.6, 780.0, 3), "1.235e+04 ± 7.8e+02"),
        (Mean(1.0, 0.0, 3), "1 ± 0"),
        (Mean(-0.25, None, 1), "-0.25"),
    ],
)
def test_digits_follow_the_error(mean: Mean, text: str) -> None:
    assert str(mean) == text
