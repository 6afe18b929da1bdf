"""What loggers are told, whatever they are; and how a missing one is refused."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import divmin as dm
from divmin.cli import main
from divmin.loggers import Logger, Start, base, loggers, register
from divmin.loggers.wandb import Board
from divmin.training import Probe, View

SMALL = {"data": "ring", "model": "mlp", "width": 8, "batch_size": 8, "log_every": 4, "sample_every": 3, "samples": 9}


class Notebook:
    """A sink that remembers."""

    pages: list[tuple[int, dict[str, float], str | None]] = []  # noqa: RUF012
    starts: list[Start] = []  # noqa: RUF012

    def __init__(self, start: Start) -> None:
        self.starts.append(start)

    def tell(self, step: int, values: Mapping[str, float], picture: Path | None) -> None:
        self.pages.append((step, dict(values), None if picture is None else picture.name))

    def flush(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> type[Notebook]:
    monkeypatch.setitem(base._LOGGERS, "notebook", Logger("notebook", "json", Notebook, "for tests"))
    Notebook.pages.clear()
    Notebook.starts.clear()
    return Notebook


def test_steps_come_in_order_with_all_that_belongs_to_them(tmp_path: Path, notebook: type[Notebook]) -> None:
    def measure(view: View) -> None:
        with (view.folder / "evaluation.jsonl").open("a") as stream:
            stream.write(json.dumps({"step": view.step, "values": {"recall": view.step / 10}}) + "\n")

    config = dm.TrainConfig(**SMALL, steps=8, out=str(tmp_path / "run"))
    dm.train(config, probes=[Probe(5, measure)], log=("notebook", "notebook"), show=False)
    steps = [step for step, _, _ in notebook.pages]
    assert steps == [0, 3, 4, 5, 6, 8]
    by_step = {step: (values, picture) for step, values, picture in notebook.pages}
    assert by_step[5] == ({"evaluation/recall": 0.5}, None)
    assert by_step[3] == ({}, "00000003.png")
    assert by_step[8][0]["evaluation/recall"] == 0.8 and "train/critic_loss" in by_step[8][0]
    (start,) = notebook.starts
    assert start.fresh and start.folder == tmp_path / "run" and start.settings["steps"] == 8


def test_the_name_of_a_run_stays_when_it_goes_on(tmp_path: Path, notebook: type[Notebook]) -> None:
    dm.train(dm.TrainConfig(**SMALL, steps=4, out=str(tmp_path / "run")), log=("notebook",), show=False)
    dm.resume(tmp_path / "run", steps=8, log=("notebook",), show=False)
    first, second = notebook.starts
    assert (first.id, first.fresh) == (second.id, not second.fresh)


def test_what_came_after_the_last_look_of_a_stopped_run_is_told(tmp_path: Path, notebook: type[Notebook]) -> None:
    import signal

    stop = Probe(1, lambda view: signal.raise_signal(signal.SIGINT) if view.step == 6 else None)
    config = dm.TrainConfig(**SMALL, steps=20, out=str(tmp_path / "run"))
    run = dm.train(config, probes=[stop], log=("notebook",), show=False)
    assert (run.state, run.step) == ("interrupted", 6)
    assert [step for step, _, _ in notebook.pages] == [0, 3, 4, 6]


def test_a_run_that_is_refused_is_not_told(tmp_path: Path, notebook: type[Notebook]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(dm.DivminError, match="holds other files"):
        dm.train(dm.TrainConfig(**SMALL, steps=4, out=str(tmp_path)), log=("notebook",), show=False)
    assert notebook.starts == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_missing_library_is_told_before_any_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda which, *rest: None if which == name else there(which, *rest)
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["--data", "ring", "--model", "mlp", "--steps", "2", "--log", name]
    assert main(["train", *arguments]) == 2
    assert main(["sweep", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count(f"pip install 'divmin[{name}]'") == len(said.err.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_names_are_checked() -> None:
    config = dm.TrainConfig(**SMALL, steps=4)
    with pytest.raises(dm.DivminError, match="unknown logger 'tensorbord': did you mean tensorboard"):
        dm.train(config, log=("tensorbord",))
    with pytest.raises(dm.DivminError, match="sequence of names"):
        dm.train(config, log="tensorboard")
    with pytest.raises(dm.DivminError, match="two loggers are called 'wandb'"):
        register(loggers()["wandb"])


def test_a_step_goes_to_weights_and_biases_in_one_call(tmp_path: Path) -> None:
    calls: list[Any] = []
    run = SimpleNamespace(log=lambda values, step: calls.append((step, values)), finish=lambda: calls.append("finish"))
    board = Board(run, image=lambda path: f"image of {path}")
    board.tell(7, {"train/d_real": 0.5}, tmp_path / "a.png")
    board.tell(8, {"train/d_real": 0.25}, None)
    board.close()
    pictured = {"train/d_real": 0.5, "samples": f"image of {tmp_path / 'a.png'}"}
    assert calls == [(7, pictured), (8, {"train/d_real": 0.25}), "finish"]


def test_weights_and_biases_offline_needs_no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "run"
    dm.train(dm.TrainConfig(**SMALL, steps=7, out=str(folder)), log=("wandb",), show=False)
    dm.resume(folder, steps=14, log=("wandb",), show=False)
    parts = sorted(folder.glob("wandb/offline-run-*"))
    assert len(parts) == 2 and len({part.name.rpartition("-")[2] for part in parts}) == 1
    for part in parts:
        (log,) = part.glob("run-*.wandb")
        assert b"train/critic_loss" in log.read_bytes()
    assert [len(list((part / "files/media/images").iterdir())) for part in parts] == [4, 3]  # 0 3 6 7, 9 12 14
