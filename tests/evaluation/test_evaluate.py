"""One call for all metrics: its settings stand beside every number, and it draws what it says it draws."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from divmin.data import DensitySource, densities, from_array, load
from divmin.errors import DivminError
from divmin.evaluation import (
    Evaluation,
    Metric,
    Modes,
    Number,
    best,
    evaluate,
    evaluate_view,
    frechet,
    metrics,
    register_metric,
)
from divmin.evaluation.evaluate import data_of
from divmin.training import Probe, TrainConfig, View, train

RING = densities()["ring"]()


def ring(n: int, seed: int) -> Tensor:
    return RING.sample(n, seed=seed + 100)


def faces(n: int = 60, labels: bool = False) -> object:
    """Pictures without structure."""
    random = torch.Generator().manual_seed(0)
    which = torch.arange(n) % 2 if labels else None
    return from_array(torch.rand(n, 1, 8, 8, generator=random) * 2 - 1, name="noise", labels=which)


def test_a_perfect_generator_of_a_mixture() -> None:
    found = evaluate(load("ring"), ring)
    assert list(found.values) == [*("modes", "high_quality", "reverse_kl"), *list(metrics())[:6]]
    assert found["modes"].value == 8 and found["high_quality"].value > 0.97 and found["reverse_kl"].value < 0.01
    assert found["frechet"].value < 0.01 and abs(found["kernel"].value) < 5 * found["kernel"].error
    assert min(found[name].value for name in ("precision", "recall", "density", "coverage")) > 0.9
    assert (found.n_real, found.n_fake, found.extractor) == (2500, 2500, "pixels")


def test_settings_stand_beside_every_number() -> None:
    found = evaluate(load("ring"), ring, n_real=300, n_fake=200, neighbours=3, seed=2)
    lines = {line.split()[0]: line for line in str(found).splitlines()[1:]}
    assert set(lines) == set(found.values)
    for name, line in lines.items():
        by_modes = name in ("modes", "high_quality", "reverse_kl")
        assert f"n_real {'none' if by_modes else 300}, n_fake 200, " in line
        assert ("modes: nearest mean within 3" if by_modes else "pixels: coordinates as they are, flattened") in line
        assert found[name].text in line and f"({found[name].better} is better)" in line
    assert all("3 neighbours" in lines[name] for name in ("precision", "recall", "density", "coverage"))
    assert "10 subsets of 20" in lines["kernel"] and "8 modes in all" in lines["modes"]
    assert "seed 2" in str(found)


def test_the_record_is_json() -> None:
    found = evaluate(load("ring"), lambda n, seed: torch.full((n, 2), 9.0), n_fake=50)
    record = json.loads(json.dumps(found.to_record(), allow_nan=False))
    assert record["numbers"]["reverse_kl"]["value"] == "inf"  # no sample is near a mode
    assert record["numbers"]["modes"] == {
        "name": "modes", "value": 0.0, "error": None, "better": "higher", "n_real": None, "n_fake": 50, "extractor": "modes",
        "preprocessing": "nearest mean within 3 standard deviations", "settings": "8 modes in all",
    }  # fmt: skip
    assert (record["n_real"], record["n_fake"], record["seed"]) == (2500, 50, 0)


def test_aliases_commas_and_repeats() -> None:
    found = evaluate(load("ring"), ring, "fid, frechet,kid", n_fake=100)
    assert list(found.values) == ["frechet", "kernel"]


def test_equal_arguments_give_equal_records_and_no_global_state_moves() -> None:
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one, two, other = (evaluate(load("ring"), ring, n_fake=300, seed=seed) for seed in (1, 1, 2))
    assert one == two != other
    assert torch.equal(torch_before, torch.get_rng_state())
    assert (numpy_before == np.random.get_state()[1]).all()  # noqa: NPY002


def test_data_of_a_density_is_fresh() -> None:
    source = DensitySource("ring", RING, seed=0)
    trained_on = {tuple(x) for x in source.batch(torch.arange(20_000)).tolist()}
    assert not trained_on & {tuple(x) for x in data_of(source, 2000, 0).tolist()}


def test_data_of_a_set_has_no_repeats_and_depends_on_the_seed() -> None:
    source = from_array(torch.arange(50.0)[:, None])
    drawn = data_of(source, 30, 0)
    assert len(drawn.unique()) == 30
    assert not torch.equal(drawn, data_of(source, 30, 1))
    assert data_of(source, 50, 3).flatten().sort().values.tolist() == list(range(50))


def test_numbers_are_those_of_the_functions() -> None:
    digits = load("digits")
    fake = digits.batch(torch.arange(500)).flip(2)
    found = evaluate(digits, lambda n, seed: fake, "frechet", extractor="pixels", n_real=400, n_fake=500, seed=4)
    expected = frechet(data_of(digits, 400, 4).flatten(1), fake.flatten(1))
    assert found["frechet"].value == expected
    assert found.preprocessing == "pixels in [-1, 1] as they are, flattened"


def test_labelled_images_have_classes_and_a_classifier() -> None:
    digits = load("digits")
    fours = digits.batch(torch.where(digits.labels == 4)[0][:100])
    found = evaluate(digits, lambda n, seed: fours, "modes, reverse_kl, frechet, recall", n_fake=100, n_real=500)
    assert found["modes"].value <= 3 and found["reverse_kl"].value > 2
    assert found["recall"].value < 0.4
    assert found.extractor == "classifier" and "held out)" in found.preprocessing
    assert "held out)" in found["modes"].preprocessing


def test_a_classifier_may_learn_from_other_data_than_is_compared_with() -> None:
    digits = load("digits")
    held = from_array(digits.values[:300], name="held out")  # no labels of its own
    found = evaluate(held, lambda n, seed: digits.values[:n], "modes, frechet", learned_from=digits, n_fake=200)
    assert found.source == "held out" and "classifier of digits" in found.preprocessing
    with pytest.raises(DivminError, match="no modes"):
        evaluate(held, lambda n, seed: digits.values[:n], "modes", n_fake=200)


def test_defaults_by_the_kind_of_data() -> None:
    unlabelled = evaluate(faces(), lambda n, seed: torch.rand(n, 1, 8, 8), n_fake=60)
    assert list(unlabelled.values) == list(metrics())[:6] and unlabelled.extractor == "pixels"
    assert any("60 samples do not determine a covariance of 64 features" in each for each in unlabelled.warnings)
    moons = evaluate(load("two_moons"), lambda n, seed: torch.rand(n, 2), "recall", n_fake=60)
    assert moons.n_real == 2500
    with pytest.raises(DivminError, match="no modes"):
        evaluate(load("two_moons"), lambda n, seed: torch.rand(n, 2), "modes", n_fake=60)


@dataclass(frozen=True, eq=False)
class Stacked:
    """Three digits as the channels of one image."""

    members: object
    name: str = "stacked"
    shape: tuple[int, ...] = (3, 8, 8)
    size: None = None

    def batch(self, indices: Tensor) -> Tensor:
        rows = torch.stack([indices * prime % self.members.size for prime in (7, 11, 13)], 1)
        return self.members.batch(rows.flatten()).reshape(-1, 3, 8, 8)


def test_stacked_images_have_a_thousand_modes() -> None:
    source = Stacked(load("digits"))
    random = torch.Generator().manual_seed(0)

    def draw(n: int, seed: int) -> Tensor:
        return source.members.batch(torch.randint(1797, (3 * n,), generator=random)).reshape(-1, 3, 8, 8)

    found = evaluate(source, draw, "modes, reverse_kl", n_real=600)
    assert found.n_fake == 26_000 and found["modes"].value == 1000
    assert found["reverse_kl"].value < 0.05  # (1000 - 1)/52,000 = 0.019 for perfect samples
    near = evaluate(source, draw, "coverage", n_real=600, n_fake=600)["coverage"]
    assert near.value > 0.9 and "each of 3 channels" in near.preprocessing
    few = evaluate(source, lambda n, seed: draw(20, 0).repeat(n // 20, 1, 1, 1), "modes, reverse_kl", n_fake=2000)
    assert few["modes"].value <= 20 and few["reverse_kl"].value > 3.5


def test_modes_of_ones_own() -> None:
    signs = Modes("sign of the first coordinate", (0.5, 0.5), lambda x: (x[:, 0] > 0).long())
    found = evaluate(load("two_moons"), lambda n, seed: torch.ones(n, 2), modes=signs, n_fake=30)
    assert found["modes"].value == 1 and found["reverse_kl"].value == pytest.approx(math.log(2))
    assert "high_quality" not in found.values  # these modes leave nothing out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"metrics": "frechett"}, "unknown metric 'frechett': did you mean frechet"),
        ({"extractor": "inceptoin"}, "did you mean inception"),
        ({"n_fake": 0}, "n_fake is 0"),
        ({"n_real": 1.5}, "n_real is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"n_fake": 5}, "5 neighbours among"),
        ({"draw": lambda n, seed: torch.zeros(n, 3)}, r"gave samples \(2500, 3\): expected \(2500, 2\)"),
        ({"draw": lambda n, seed: torch.full((n, 2), torch.nan)}, "2500 of 2500 samples .* not finite"),
    ],
)
def test_one_line_says_what_is_wrong(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(DivminError, match=says):
        evaluate(**{"source": load("ring"), "draw": ring, **{"metrics": "precision"}, **arguments})  # type: ignore[arg-type]


def test_more_data_than_there_is() -> None:
    with pytest.raises(DivminError, match="n_real is 61: noise has 60 samples"):
        evaluate(faces(), lambda n, seed: torch.zeros(n, 1, 8, 8), n_real=61)  # type: ignore[arg-type]


def test_a_registered_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = sys.modules["divmin.evaluation.metric"]
    monkeypatch.setattr(module, "_METRICS", dict(module._METRICS))
    register_metric(
        Metric("shift", "for tests", "lower", "features", lambda c: (float(c.fake.mean() - c.real.mean()), None))
    )
    found = evaluate(load("ring"), lambda n, seed: ring(n, seed) + 3, "shift", n_fake=2000)
    assert found["shift"].value == pytest.approx(3, abs=0.1)
    with pytest.raises(DivminError, match="is taken"):
        register_metric(Metric("fid", "again", "lower", "features", lambda c: (0.0, None)))


def numbered(value: float, name: str = "frechet", better: str = "lower", n: int = 10) -> Evaluation:
    number = Number(name, value, None, better, n, n, "pixels", "as they are")
    return Evaluation((number,), "ring", n, n, "pixels", "as they are", 0)


def test_the_best_of_several() -> None:
    assert best([numbered(3), numbered(1), numbered(2), numbered(1)], "frechet") == 1
    assert best([numbered(3, "recall", "higher"), numbered(1, "recall", "higher")], "recall") == 0
    assert best([numbered(math.nan), numbered(math.inf), numbered(5)], "frechet") == 2
    with pytest.raises(DivminError, match="2 different ways"):
        best([numbered(1), numbered(1, n=20)], "frechet")
    with pytest.raises(DivminError, match="no number 'recal' in this evaluation"):
        best([numbered(1)], "recal")
    with pytest.raises(DivminError, match="no evaluations"):
        best([], "frechet")


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.3456789, None, "12.346"),
        (0.123456, 0.0123, "0.123 +- 0.012"),
        (1234.5678, 21.0, "1235 +- 21"),
        (math.inf, math.inf, "inf"),
        (0.5, 0.0, "0.5 +- 0"),
    ],
)
def test_digits_that_the_error_leaves(value: float, error: float | None, text: str) -> None:
    assert Number("x", value, error, "lower", 1, 1, "", "").text == text


def test_a_probe_finds_the_best_step(tmp_path: Path) -> None:
    found: list[tuple[int, Evaluation]] = []

    def look(view: View) -> None:
        found.append((view.step, evaluate_view(view, "kernel, recall", n_fake=300, n_real=300)))

    config = TrainConfig(
        data="ring(sigma=0.1)", model="mlp", width=32, steps=300, ema_decay=0.9, out=str(tmp_path / "run")
    )
    run = train(config, probes=[Probe(100, look)])
    assert [step for step, _ in found] == [0, 100, 200, 300] and run.state == "finished"
    assert found[best([each for _, each in found], "recall")][0] > 0  # training helps
    plain = train(TrainConfig(**{**config.to_mapping(), "out": str(tmp_path / "plain")}))
    assert [x.critic_loss for x in run.records()] == [
        x.critic_loss for x in plain.records()
    ]  # and looking changes nothing
