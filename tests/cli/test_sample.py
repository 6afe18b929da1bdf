"""`divmin sample`: paths between z and animations, besides plain samples (test_commands.py)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import divmin as dm
from divmin.cli import main

SMALL = {"model": "mlp", "width": 8, "batch_size": 8, "steps": 4, "sample_every": 2, "samples": 4}


@pytest.fixture(scope="module", params=["ring", "two_modes", "digits"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / request.param
    return dm.train(dm.TrainConfig(**SMALL, data=request.param, out=str(folder)), show=False).folder


def test_paths(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("paths.png", "paths.npy"):
        assert main(["sample", str(run), "--interpolate", "3", "--out", str(tmp_path / name), "--json"]) == 0
    record = json.loads(capsys.readouterr().out.splitlines()[-1])
    points = 9 if run.name == "digits" else 91
    assert (record["n"], record["points"]) == (3, points)
    paths = np.load(tmp_path / "paths.npy", allow_pickle=False)
    assert paths.shape == (3, points, *record["shape"])
    assert (paths == dm.load(run).interpolate(3, points=points).numpy()).all()
    with Image.open(tmp_path / "paths.png") as picture:
        assert min(picture.size) > 200


def test_animation(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = tmp_path / "film.gif"
    assert main(["sample", str(run), "--gif", str(film), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": str(film), "steps": [0, 2, 4]}
    assert film.read_bytes() == (run / "samples.gif").read_bytes()  # the run made the same at its end


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--interpolate", "0"], "--interpolate is the number of paths, expected at least 1, got 0"),
        (["--interpolate", "2", "--n", "5"], "leave out --n"),
        (["--gif", "film.gif", "--n", "5"], "leave out --n, --interpolate and --out"),
        (["--gif", "film.png"], "must end in .gif"),
    ],
)
def test_requests_that_contradict_themselves(
    arguments: list[str],
    said: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["sample", str(run), *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
