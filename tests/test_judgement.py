"""A run folder judged as a whole, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import divmin as dm
from divmin.cli import main
from divmin.training import load_critic


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIVMIN_CACHE", str(tmp_path_factory.getbasetemp() / "divmin_cache"))


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ring"
    config = dm.TrainConfig(data="ring", model="mlp", width=32, steps=200, ema_decay=0.9, out=str(folder))
    return dm.train(config, show=False).folder


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    return dm.train(dm.TrainConfig(model="mlp", width=16, steps=60, out=str(folder)), show=False).folder


def test_metrics_of_a_density(ring: Path) -> None:
    found = dm.evaluate(ring, n_fake=400, n_real=500, seed=3, show=False)
    assert found.step == 200 and found.critic is None and found.fresh is None
    fake = dm.load(ring).sample(400, seed=3)
    real = dm.data.densities()["ring"]().sample(500, seed=3)
    assert found["frechet"].value == dm.evaluation.frechet(real, fake)
    assert found["recall"].value == dm.evaluation.manifold(real, fake).recall
    assert found["modes"].n_fake == 400 and found["modes"].n_real is None
    assert dm.evaluate(ring, n_fake=400, n_real=500, seed=3, show=False) == found


def test_divergences_by_the_critic_and_anew(ring: Path) -> None:
    found = dm.evaluate(ring, "modes", divergences="js", method="logistic", n_fake=400, n_real=500, show=False)
    real, fake = dm.data.densities()["ring"]().sample(500, seed=0), dm.load(ring).sample(400, seed=0)
    critic = load_critic(ring)
    expected = dm.evaluation.from_critic("js", critic.score(real), critic.score(fake))
    assert found.critic is not None and found.fresh is not None
    assert found.critic.estimates == expected.estimates and found.critic.warnings == expected.warnings
    assert found.fresh.estimates[0] == dm.estimate("js", real, fake, method="logistic")
    assert "coordinates as they are" in found.fresh.over


def test_a_critic_that_saw_the_data_bounds_nothing(digits: Path) -> None:
    arguments = {
        "metrics": [],
        "divergences": "js",
        "method": "logistic",
        "extractor": "pixels",
        "n_real": 200,
        "n_fake": 200,
    }
    seen = dm.evaluate(digits, **arguments, show=False)
    same = dm.data.load("digits")
    other = dm.data.from_array(same.batch(torch.arange(400)).flip(-1))
    again = dm.evaluate(digits, **arguments, held_out=same, show=False)
    held = dm.evaluate(digits, **arguments, held_out=other, show=False)
    assert seen.critic is not None and again.critic is not None and held.critic is not None
    assert any("trained on this data" in each for each in seen.critic.warnings)
    assert any("trained on this data" in each for each in again.critic.warnings)  # called held out, but learned from
    assert not any("trained on this data" in each for each in held.critic.warnings)
    assert seen.evaluation.numbers == ()


def test_the_last_weights_are_others(ring: Path) -> None:
    average, last = (dm.evaluate(ring, "frechet", ema=ema, n_fake=200, show=False) for ema in (True, False))
    assert average["frechet"].value != last["frechet"].value


def test_the_critic_of_a_run_is_its_own(tmp_path: Path) -> None:
    from divmin.models import build

    pair = build("mlp", shape=(2,), width=8)
    config = dm.TrainConfig(data="ring", steps=3, out=str(tmp_path / "run"))
    dm.training.train(config, pair=pair)
    x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    other = build("mlp", shape=(2,), width=8, seed=5)
    scores = load_critic(tmp_path / "run", pair=other).score(x)
    with torch.no_grad():
        torch.testing.assert_close(scores, pair.critic(x))
    with pytest.raises(dm.DivminError, match="its own pair"):
        load_critic(tmp_path / "run")
    assert dm.evaluate(tmp_path / "run", "modes", pair=other, n_fake=50, show=False).step == 3


def test_own_data_is_needed_again(tmp_path: Path) -> None:
    source = dm.data.from_array(torch.randn(60, 3, generator=torch.Generator().manual_seed(0)), name="mine")
    config = dm.TrainConfig(model="mlp", width=8, batch_size=8, steps=2, out=str(tmp_path / "run"))
    dm.train(config, source=source, show=False)
    with pytest.raises(
        dm.DivminError, match=r"trained on a source of its own, 'mine': give its data again, as source= \(--"
    ):
        dm.evaluate(tmp_path / "run", show=False)
    assert dm.evaluate(tmp_path / "run", "recall", source=source, n_fake=50, show=False)["recall"].n_real == 60
    with pytest.raises(dm.DivminError, match=r"shape \(2,\): the run makes samples of shape \(3,\)"):
        dm.evaluate(tmp_path / "run", source=source, held_out="ring", show=False)


def test_the_command_reads_own_data_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = (torch.randn(n, 2, generator=torch.Generator().manual_seed(n)).numpy() for n in (60, 80))
    np.save(tmp_path / "mine.npy", x)
    np.save(tmp_path / "held.npy", y)
    run = tmp_path / "run"
    # The name is also that of a density, which is not these data.
    config = dm.TrainConfig(model="mlp", width=8, batch_size=8, steps=2, out=str(run))
    dm.train(config, source=dm.data.from_array(x, name="ring"), show=False)
    arguments = ["evaluate", str(run), "--metrics", "frechet", "-n", "50"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "--data with a .npy" in said and len(said.splitlines()) == 1
    assert main([*arguments, "--data", str(tmp_path / "mine.npy")]) == 0
    assert "n_real 50" in capsys.readouterr().out
    assert main([*arguments, "--held-out", str(tmp_path / "held.npy"), "-f", "js", "--method", "logistic"]) == 0
    assert "trained on this data" not in capsys.readouterr().out
    assert main([*arguments, "--data", str(tmp_path / "held.npy")]) == 2
    assert "has 80 samples, and had 60 when" in capsys.readouterr().err


def test_own_data_that_can_be_read_by_name_are(tmp_path: Path) -> None:
    config = dm.TrainConfig(model="mlp", width=8, batch_size=8, steps=2, out=str(tmp_path / "run"))
    dm.train(config, source=dm.data.load("ring"), show=False)
    assert dm.evaluate(tmp_path / "run", "modes", n_fake=50, show=False)["modes"].n_fake == 50


def test_the_command_prints_a_table(ring: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(ring), "-n", "300", "--metrics", "modes,fid,precision", "--neighbours", "4"]) == 0
    said = capsys.readouterr().out
    assert "n_real 300, n_fake 300, pixels: coordinates as they are, flattened, 4 neighbours" in said
    assert "step 200" in said.splitlines()[0] and "nearest mean within 3 standard deviations" in said


def test_the_command_writes_a_record(ring: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "found.json"
    arguments = [
        "evaluate",
        str(ring),
        "-n",
        "200",
        "--metrics",
        "kid",
        "-f",
        "kl,js",
        "--method",
        "logistic",
        "--json",
    ]
    assert main([*arguments, "--out", str(file)]) == 0
    record = json.loads(capsys.readouterr().out)
    written = json.loads(file.read_text())
    assert record == written and list(record["numbers"]) == ["kernel"]
    assert [each["divergence"] for each in record["critic"]["estimates"]] == ["kl", "js"]
    assert [each["divergence"] for each in record["fresh"]["estimates"]] == ["kl", "js"]


def test_the_command_takes_ones_own_features(
    ring: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text("def radius(x):\n    return x.norm(dim=1, keepdim=True)\n")
    monkeypatch.chdir(tmp_path)
    arguments = ["evaluate", str(ring), "-n", "100", "--metrics", "frechet", "--extractor", "mine:radius"]
    assert main([*arguments, "--import", "mine.py"]) == 0
    assert "radius: samples of shape (2,)" in capsys.readouterr().out
    assert main(arguments) == 2
    assert "allow it with --import mine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--metrics", "fidd"], "did you mean fid"),
        (["--extractor", "pixel"], "did you mean pixels"),
        (["-n", "0"], "n_real is 0"),
        (["-f", "klq"], "klq"),
        (["--held-out", "nowhere"], "unknown data 'nowhere'"),
        (["--out", "found.txt"], "must end in .json"),
        (["--extractor", "inception"], "inception needs images"),
    ],
)
def test_one_line_says_what_is_wrong(
    arguments: list[str], says: str, ring: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(ring), *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and len(caught.err.splitlines()) == 1 and says in caught.err


def test_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "no checkpoint" in capsys.readouterr().err


def test_help_lists_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and all(name in said for name in dm.evaluation.metrics())


def test_critics_with_spectral_norm_and_packs(tmp_path: Path) -> None:
    config = dm.TrainConfig(
        data="ring",
        model="mlp",
        width=8,
        steps=3,
        batch_size=8,
        packing=2,
        spectral_norm=True,
        out=str(tmp_path / "run"),
    )
    dm.train(config, show=False)
    critic = load_critic(tmp_path / "run")
    x = torch.randn(101, 2, generator=torch.Generator().manual_seed(0))
    scores = critic.score(x)
    assert critic.packing == 2 and scores.shape == (50,)
    torch.testing.assert_close(scores[7:8], critic.score(x[14:16]))
    found = dm.evaluate(tmp_path / "run", [], divergences="js", method="logistic", n_real=100, n_fake=100, show=False)
    assert found.critic is not None
    assert found.critic.estimates[0].n == (50, 50)
    assert any("judges 2 samples together" in each for each in found.critic.warnings)
