"""A run with its surroundings: pictures, progress, and the run itself untouched by both."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

import divmin as dm
from divmin import training
from divmin.illustrations import pictures
from divmin.progress import progress
from divmin.training.run import frames

SMALL = {"model": "mlp", "width": 8, "data": "digits", "batch_size": 8, "log_every": 2, "sample_every": 3, "samples": 9}


def test_pictures_change_nothing(tmp_path: Path) -> None:
    with_pictures = dm.train(dm.TrainConfig(**SMALL, steps=6, out=str(tmp_path / "a")), show=False)
    without = training.train(dm.TrainConfig(**SMALL, steps=6, out=str(tmp_path / "b")))
    assert torch.equal(dm.load(with_pictures.folder).sample(5), dm.load(without.folder).sample(5))
    assert {path.name for path in pictures(with_pictures)} == {
        "samples.png", "curves.png", "divergence.png", "monitor.png", "samples.gif", "00000000.png", "00000003.png", "00000006.png",
    }  # fmt: skip


def test_resume_goes_on_with_pictures(tmp_path: Path) -> None:
    whole = dm.train(dm.TrainConfig(**SMALL, steps=8, out=str(tmp_path / "whole")), show=False)
    dm.train(dm.TrainConfig(**SMALL, steps=4, out=str(tmp_path / "half")), show=False)
    half = dm.resume(tmp_path / "half", steps=8, show=False)
    assert torch.equal(dm.load(whole.folder).sample(5), dm.load(half.folder).sample(5))
    assert half.folder / "samples" / "00000008.png" in pictures(half)


def test_own_objects(tmp_path: Path) -> None:
    recipe = dm.recipe("hybrid(kl, js)")
    source = dm.data.from_array(torch.randn(40, 3, generator=torch.Generator().manual_seed(0)))
    config = dm.TrainConfig(model="mlp", width=8, batch_size=8, steps=2, samples=4, out=str(tmp_path / "run"))
    assert dm.train(config, recipe=recipe, source=source, show=False).config.recipe == "hybrid(kl, js)"


def test_resume_with_own_recipe(tmp_path: Path) -> None:
    from divmin.objectives import hybrid

    mine = hybrid(dm.from_f(lambda u: u * u.log() + (u - 1) ** 2, name="mine"), dm.divergence("js"))
    dm.train(dm.TrainConfig(**SMALL, steps=2, out=str(tmp_path / "run")), recipe=mine, show=False)
    with pytest.raises(dm.DivminError, match="recipe"):
        dm.resume(tmp_path / "run", steps=4, show=False)
    assert dm.resume(tmp_path / "run", steps=4, recipe=mine, show=False).step == 4


@pytest.mark.parametrize("room", ["data", "family", "objectives", "models", "training", "plots"])
def test_rooms_are_reached_from_a_fresh_import(room: str) -> None:
    import subprocess
    import sys

    subprocess.run([sys.executable, "-W", "error", "-c", f"import divmin as dm; dm.{room}.__name__"], check=True)


def test_plain_progress_ends_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dm.train(dm.TrainConfig(**SMALL, steps=30, out=str(tmp_path / "run")))
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("step ")]
    assert said[-1].startswith("step 30/30") and 10 <= len(said) <= 12
    for part in ("critic ", "generator ", "d ", "real", "fake", "steps/s", "ETA 0:00:0"):
        assert part in said[-2]
    assert "ETA" not in said[-1]  # it is over


def test_the_folder_says_what_was_minimised_from_the_start(tmp_path: Path) -> None:
    def die(view: training.View) -> None:
        raise RuntimeError("killed")

    recipe = dm.recipe("hybrid(kl, js)")
    config = dm.TrainConfig(**SMALL, steps=4, out=str(tmp_path / "run"))
    with pytest.raises(RuntimeError, match="killed"):
        dm.train(config, recipe=recipe, probes=[training.Probe(4, die)], show=False)
    record = json.loads((tmp_path / "run" / "explanation.json").read_text())
    assert record["minimises"] == record["name"] == "kl"
    assert record["sentence"] == dm.explain(recipe).sentence


def test_pictures_of_vectors_keep_their_axes(tmp_path: Path) -> None:
    """What does not move is the same in every picture: the axes, their numbers and the data."""
    config = dm.TrainConfig(**(SMALL | {"data": "ring"}), steps=6, generator_lr=0.05, out=str(tmp_path / "run"))
    run = dm.train(config, show=False)
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in frames(run.folder)]
    assert len({picture.shape for picture in pictures}) == 1
    left = pictures[0].shape[1] // 8  # numbers and name of the vertical axis
    assert all((picture[:, :left] == pictures[0][:, :left]).all() for picture in pictures)
    below = -pictures[0].shape[0] // 10
    assert all((picture[below:] == pictures[0][below:]).all() for picture in pictures)
    assert any((picture != pictures[0]).any() for picture in pictures)


def test_bar_shows_eta_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda self: True))
    with progress(100, 40) as ((probe,), _):
        assert probe.every >= 1
    assert "ETA" in capsys.readouterr().err


def test_evaluation_on_the_way_by_settings(tmp_path, monkeypatch):
    """Lines with named numbers and what they depend on, the best checkpoint, and names checked before any work."""
    monkeypatch.setenv("DIVMIN_CACHE", str(tmp_path / "cache"))
    config = dm.TrainConfig(
        data="digits", model="mlp", width=8, steps=4, evaluate_every=2, metrics="frechet,recall", evaluate_samples=60,
        best="recall", device="cpu", out=f"{tmp_path}/run",
    )  # fmt: skip
    run = dm.train(config, show=False)
    lines = [json.loads(line) for line in (run.folder / "evaluation.jsonl").read_text().splitlines()]
    with Image.open(run.folder / "curves.png") as picture:
        assert picture.width / picture.height > 4  # a third panel, of evaluations
    assert [line["step"] for line in lines] == [2, 4] and set(lines[0]["values"]) == {"frechet", "recall"}
    assert lines[0]["better"] == {"frechet": "lower", "recall": "higher"}
    assert "n_real 60, n_fake 60, classifier: " in lines[0]["settings"]
    assert dm.load(run.folder / "best.pt").step in (2, 4)
    with pytest.raises(dm.DivminError, match="unknown metric 'frechett': did you mean frechet"):
        dm.train(dm.TrainConfig(evaluate_every=1, metrics="frechett", out=f"{tmp_path}/other"), show=False)
    for settings, message in (
        ({"data": "two_moons", "metrics": "modes"}, r"modes needs data with modes .*, and two_moons has none"),
        ({"data": "ring", "metrics": "frechet", "best": "recall"}, "best by 'recall': it is not among the metrics"),
    ):
        asked = dm.TrainConfig(**settings, model="mlp", evaluate_every=1, device="cpu", out=f"{tmp_path}/other")
        with pytest.raises(dm.DivminError, match=message):
            dm.train(asked, show=False)
    with pytest.raises(dm.DivminError, match="metrics and best say what is evaluated, which needs evaluate_every"):
        dm.TrainConfig(best="recall")
    assert not (tmp_path / "other").exists()
