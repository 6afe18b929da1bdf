"""A run before its own critic and before a fresh one, from Python and from the command line."""

from __future__ import annotations

import hashlib
import json
import math
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

import divmin as dm
from divmin import diagnosis
from divmin.cli import main
from divmin.diagnosis import CALIBRATION, CURVES, FAKE, RECORD, WORST, place_of, write
from divmin.models import Pair, build

FILES = {RECORD, WORST, FAKE, CALIBRATION}


def shifted(by: float) -> Pair:
    """A generator of N((by, 0), 1) in the plane."""
    generator = nn.Linear(2, 2)
    with torch.no_grad():
        generator.weight.copy_(torch.eye(2))
        generator.bias.copy_(torch.tensor([by, 0.0]))
    return Pair(generator, build("mlp", shape=(2,), width=32).critic, latent=2, shape=(2,), name="shift")


def normal_run(folder: Path, by: float, **settings: Any) -> Path:
    """A run on N(0, 1) in the plane whose one step moves nothing."""
    config = dm.TrainConfig(
        data="normal(dim=2)", generator_lr=1e-12, steps=1, batch_size=16, out=str(folder), **settings
    )
    return dm.train(config, pair=shifted(by), show=False).folder


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> dm.Diagnosis:
    run = normal_run(tmp_path_factory.mktemp("far") / "run", 12.0)
    return dm.diagnose(run, fresh_critic=True, pair=shifted(0), steps=300, lr=3e-3, n=1000, show=False)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ring"
    config = dm.TrainConfig(data="ring", model="mlp", width=16, steps=60, ema_decay=0.9, out=str(folder))
    return dm.train(config, show=False).folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    return dm.train(dm.TrainConfig(model="mlp", width=16, steps=40, out=str(folder)), show=False).folder


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "diagnosis" not in path.parts
    }


def test_a_generator_far_away_is_separated_and_its_saturating_gradient_vanishes(far: dm.Diagnosis) -> None:
    assert far.contest is not None
    assert far.separation.accuracy == 1.0 and far.separation.auc == 1.0
    assert far.contest.below(0.1) is not None and far.contest.below(0.01) is not None
    lengths = {name: [look.gradients[name].mean for look in far.contest.looks] for name in ("saturating", "own")}
    assert max(lengths["saturating"]) / lengths["saturating"][-1] > 100
    assert lengths["own"][-1] > 0.1 * max(lengths["own"])  # the run's own loss is -E log D
    for look in far.contest.looks:
        assert look.gradients["own"].mean == pytest.approx(look.gradients["non-saturating"].mean, rel=1e-4)
    said = "\n".join(far.sentences)
    assert "separates them (accuracy 100%" in said and "supports do not meet as far as it sees" in said
    assert "of E log(1 - D) fell by a factor of" in said and "which is that of -E log D" in said
    assert "stands still: the run's own loss does not" in said and "instance noise" in said and "R1" in said
    js = next(each for each in far.reading.estimates if each.divergence == "js")
    assert js.value == pytest.approx(math.log(2), abs=0.01)


def test_a_generator_of_the_data_has_nothing_wrong(tmp_path: Path) -> None:
    run = normal_run(tmp_path / "run", 0.0)
    found = dm.diagnose(run, fresh_critic=True, pair=shifted(5), steps=200, n=2000, show=False)
    assert abs(found.separation.auc - 0.5) < 0.03 and found.separation.blind
    for each in found.reading.estimates:
        assert each.interval[0] <= 0 <= each.interval[1], each
    assert found.reading.warnings == ()
    assert "finds no difference" in found.sentences[0] and "nothing wrong is seen" in found.sentences[0]
    assert not any("what helps" in each for each in found.sentences)


def test_bounds_of_a_fresh_critic_are_below_the_truth_and_near_it(tmp_path: Path) -> None:
    run = normal_run(tmp_path / "run", 1.0)
    found = dm.diagnose(run, fresh_critic=True, pair=shifted(0), steps=500, n=4000, show=False)
    p, q = dm.law("normal(0, 1)"), dm.law("normal(1, 1)")  # the other coordinate is shared
    for each in found.reading.estimates:
        exact = dm.exact(each.divergence, p, q).value
        assert each.value - 3 * each.stderr < exact, each
        assert each.value > 0.75 * exact, each
    d = found.worst_covered.d
    x = found.worst_covered.samples[:, 0].double()
    assert float((d - (0.5 - x)).abs().mean()) < 0.25  # log p/q = 1/2 - x
    assert [each.divergence for each in found.reading.estimates][-1] == "0.5*softened_reverse_kl"


def test_equal_arguments_give_equal_answers_and_nothing_is_changed(ring: Path) -> None:
    before, state = sums(ring), torch.get_rng_state()
    found = [
        dm.diagnose(ring, fresh_critic=True, steps=20, n=300, seed=seed, show=False).to_record() for seed in (3, 3, 4)
    ]
    assert torch.equal(state, torch.get_rng_state())
    assert sums(ring) == before
    assert found[0] == found[1] and found[0] != found[2]
    assert json.loads(json.dumps(found[0], allow_nan=False)) == found[0]


def test_the_own_critic_is_read_as_evaluate_reads_it(ring: Path) -> None:
    found = dm.diagnose(ring, n=300, divergences=["js"], ema=False, show=False)
    critic = dm.training.load_critic(ring)
    real, fake = found.worst_covered.samples, dm.load(ring).sample(300, seed=0, ema=False)
    expected = dm.evaluation.from_critic("js", critic.score(real), critic.score(fake))
    assert found.reading.estimates[0].value == pytest.approx(expected.estimates[0].value, rel=1e-9)
    assert found.contest is None and found.reading.warnings == ()
    assert bool((found.worst_covered.d.diff() <= 0).all()) and bool((found.most_fake.d.diff() >= 0).all())
    torch.testing.assert_close(found.most_fake.samples, fake[found.most_fake.places])
    again = dm.data.load("ring").batch(found.worst_covered.places)
    assert torch.equal(again, real)
    torch.testing.assert_close(critic.score(real).double(), found.worst_covered.d)


def test_scores_go_through_the_link_of_the_recipe(tmp_path: Path) -> None:
    config = dm.TrainConfig(
        recipe="lsgan", data="ring", model="mlp", width=8, steps=5, batch_size=16, out=str(tmp_path / "run")
    )
    run = dm.train(config, show=False).folder
    found = dm.diagnose(run, n=200, show=False)
    c = dm.training.load_critic(run).score(found.worst_covered.samples).double()
    torch.testing.assert_close(found.worst_covered.d, (c / (1 - c)).log(), rtol=0, atol=2e-3)
    fresh = dm.diagnose(run, fresh_critic=True, n=200, steps=3, show=False)
    assert fresh.contest is not None and fresh.contest.losses == "minimax" and "own" in fresh.contest.last.gradients


def test_data_of_the_run_is_said_to_be_seen(digits: Path) -> None:
    data = dm.data.load("digits")
    other = dm.data.from_array(-data.batch(torch.arange(500)), name="negatives")
    own, again, held = (dm.diagnose(digits, held_out=x, show=False).reading for x in (None, data, other))
    assert "trained on this data" in own.warnings[0] and diagnosis.AVERAGE in own.warnings
    assert again.warnings == own.warnings, "the same data under another name"
    assert not any("trained on this data" in each for each in held.warnings)
    assert {each.kind for each in own.estimates} == {"no bound"} and {each.kind for each in held.estimates} == {
        "lower bound"
    }
    fresh = dm.diagnose(digits, fresh_critic=True, steps=2, show=False)
    assert any("the generator was trained on all of it" in each for each in fresh.reading.warnings)
    assert fresh.contest is not None and "898 to learn from, 449 of the next" in fresh.contest.said
    assert fresh.reading.estimates[0].n == (450, 450)


@contextmanager
def interrupting(what: str) -> Iterator[Any]:
    """Progress in whose third step Ctrl-C is pressed."""

    def steps(numbers: Iterable[int]) -> Iterator[int]:
        for number in numbers:
            if number == 3:
                signal.raise_signal(signal.SIGINT)
            yield number

    yield steps


def test_ctrl_c_keeps_what_was_measured(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(diagnosis, "tracking", interrupting)
    out = tmp_path / "out"
    assert main(["diagnose", str(ring), "--fresh-critic", "--steps", "50", "-n", "200", "--out", str(out)]) == 130
    assert "stopped after 3 of 50 steps: this is what was measured so far" in capsys.readouterr().out
    record = json.loads((out / RECORD).read_text())["fresh_critic"]
    assert record["stopped"] == signal.SIGINT and [look["step"] for look in record["looks"]] == [0, 1, 2, 3]
    assert {path.name for path in out.iterdir()} == FILES | {CURVES}


def test_sheets_of_images(digits: Path, tmp_path: Path) -> None:
    found = dm.diagnose(digits, fresh_critic=True, steps=30, model="mlp", width=32, show=False)
    files = write(found, tmp_path / "out")
    assert {path.name for path in files} == FILES | {CURVES}
    sizes = {}
    for path in files[1:]:
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    assert sizes[WORST] == sizes[FAKE] == (936, 634)  # 8 columns, 4 rows and a title, at 130 dots an inch
    assert min(sizes[CALIBRATION]) > 400 and sizes[CURVES] == (1690, 468)
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    assert len(record["worst_covered"]) == 32
    first = record["worst_covered"][0]
    assert torch.equal(dm.data.load("digits").batch(torch.tensor([first["index"]]))[0], found.worst_covered.samples[0])
    write(dm.diagnose(digits, n=100, show=False), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES  # no curves of an earlier critic


@pytest.mark.parametrize("dim", [1, 5])
def test_vectors_of_other_dimensions(dim: int, tmp_path: Path) -> None:
    config = dm.TrainConfig(data=f"normal(dim={dim})", model="mlp", width=8, steps=2, batch_size=16)
    source = dm.data.from_array(torch.randn(80, dim, generator=torch.Generator().manual_seed(0)), name="mine")
    run = dm.train(
        dm.TrainConfig.from_mapping({**config.to_mapping(), "out": str(tmp_path / "run")}), source=source, show=False
    )
    with pytest.raises(dm.DivminError, match="again, as source="):
        dm.diagnose(run.folder, held_out=None, source=None, show=False)
    found = dm.diagnose(run.folder, source=source, fresh_critic=True, steps=2, show=False)
    assert {path.name for path in write(found, tmp_path / "out")} == FILES | {CURVES}


def test_packs_and_spectral_norm_of_the_run_are_left_out(tmp_path: Path) -> None:
    config = dm.TrainConfig(
        data="ring", model="mlp", width=8, steps=2, batch_size=8, packing=2, spectral_norm=True, out=str(tmp_path / "a")
    )
    run = dm.train(config, show=False).folder
    with pytest.raises(dm.DivminError, match="judges 2 samples together"):
        dm.diagnose(run, show=False)
    found = dm.diagnose(run, fresh_critic=True, steps=2, n=100, show=False)
    assert found.contest is not None and found.contest.critic == "mlp of width 8, 177 parameters"


def test_runs_with_an_encoder(tmp_path: Path) -> None:
    shared: dict[str, Any] = {"data": "ring", "model": "mlp", "width": 8, "steps": 2, "batch_size": 8}
    one = dm.TrainConfig(recipe="sdkl", fakes="both", **shared, out=str(tmp_path / "a"))
    run = dm.train(one, show=False).folder
    with pytest.raises(dm.DivminError, match="compares data with reconstructions too"):
        dm.diagnose(run, show=False)
    found = dm.diagnose(run, fresh_critic=True, steps=2, n=100, show=False)
    assert found.contest is not None and sorted(found.contest.last.gradients) == ["non-saturating", "saturating"]
    two = dm.TrainConfig(recipe="berger_kl", critic_steps=0, **shared, out=str(tmp_path / "b"))
    with pytest.raises(dm.DivminError, match="was not trained"):
        dm.diagnose(dm.train(two, show=False).folder, show=False)


def test_losses_without_a_ratio(tmp_path: Path) -> None:
    config = dm.TrainConfig(
        recipe="wgan", gradient_penalty=10.0, data="ring", model="mlp", width=8, steps=2, batch_size=8,
        out=str(tmp_path / "a"),
    )  # fmt: skip
    run = dm.train(config, show=False).folder
    assert "does not tell every ratio" in dm.diagnose(run, n=100, show=False).reading.link
    with pytest.raises(dm.DivminError, match="wgan does not say log p/q itself"):
        dm.diagnose(run, fresh_critic=True, losses="wgan", show=False)
    by_kl = dm.diagnose(run, fresh_critic=True, losses="fgan(kl)", steps=2, n=100, show=False)
    assert by_kl.contest is not None and by_kl.contest.losses == "fgan(kl)"


def test_where_files_go(ring: Path) -> None:
    assert place_of(ring) == ring / "diagnosis"
    assert place_of(ring / "checkpoint.pt") == ring / "checkpoint-diagnosis"


def test_the_command_writes_into_the_run(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sums(ring)
    assert main(["diagnose", str(ring), "-n", "200", "-f", "js, tv", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [each["divergence"] for each in record["estimates"]][:2] == ["js", "total_variation"]
    assert record["fresh_critic"] is None and {Path(each).name for each in record["files"]} == FILES
    assert {path.name for path in (ring / "diagnosis").iterdir()} == FILES and sums(ring) == before
    assert main(["diagnose", str(ring), "-n", "200", "--last"]) == 0
    said = capsys.readouterr().out
    assert "the run's own critic, on 200 data and 200 samples" in said and "picture: " in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--steps", "5"], "--steps is of a fresh critic: give --fresh-critic too"),
        (["--width", "5"], "--width is of a fresh critic"),
        (["--fresh-critic", "--steps", "0"], "steps is 0"),
        (["--fresh-critic", "--lr", "-1"], "lr is -1.0"),
        (["--fresh-critic", "--lr", "nan"], "lr is nan"),
        (["--fresh-critic", "--batch-size", "0"], "batch_size is 0"),
        (["--fresh-critic", "--recipe", "hinge"], "hinge does not say log p/q"),
        (["--fresh-critic", "--model", "dcgan"], "square images"),
        (["--fresh-critic", "--model", "mlpp"], "did you mean mlp"),
        (["-n", "3"], "n is 3"),
        (["--seed", "-1"], "seed is -1"),
        (["-f", "klq"], "klq"),
        (["--held-out", "nowhere"], "unknown data 'nowhere'"),
        (["--held-out", "digits"], "the run makes samples of shape (2,)"),
        (["--device", "abacus"], "device 'abacus' cannot be used here"),
        (["--out", "no/such/folder"], "does not exist"),
    ],
)
def test_one_line_says_what_is_wrong(
    arguments: list[str], says: str, ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", str(ring), *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and len(caught.err.splitlines()) == 1 and says in caught.err


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", str(tmp_path)]) == 2
    assert "no checkpoint" in capsys.readouterr().err
