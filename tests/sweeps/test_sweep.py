"""Sweeps as people run them: stopped, started again, with a run that fails, and with settings that changed meanwhile."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import divmin as dm
from divmin.cli import main
from divmin.models import registry
from divmin.models.mlp import MLPCritic, MLPGenerator
from divmin.sweeps import grid, processes, run, table
from divmin.sweeps.outcome import Ending
from divmin.sweeps.processes import Task
from divmin.sweeps.standing import Standing
from divmin.training import Run
from divmin.training.process import current

RING = dm.TrainConfig(data="ring", model="mlp", width=8, batch_size=8, steps=6, log_every=2, samples=4)
FLAGS = ["--data", "ring", "--model", "mlp", "--width", "8", "--batch-size", "8", "--steps", "6", "--log-every", "2"]


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A model called `stopping` whose generator raises SIGINT when it has made as many training batches as the list says."""
    calls: list[int] = []

    class Stopping(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner, self.made = inner, 0

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            self.made += self.training
            if calls and self.made == calls[0]:
                calls.clear()
                signal.raise_signal(signal.SIGINT)
            return self.inner(z)

    def generator(shape: tuple[int, ...], *, latent: int, width: int) -> nn.Module:
        return Stopping(MLPGenerator(shape, latent=latent, width=width))

    model = registry.Model("stopping", "for tests", generator, MLPCritic, width=8, latent=4)
    monkeypatch.setitem(registry._MODELS, "stopping", model)
    return calls


def weights(config: dm.TrainConfig) -> torch.Tensor:
    return dm.load(str(config.out)).sample(5)


def test_each_run_is_what_it_would_be_alone(tmp_path: Path) -> None:
    configs = grid(RING, recipes=["minimax", "fgan(kl)"], seeds=[0, 1], out=tmp_path / "sweep")
    outcomes = dm.sweep(configs, show=False)
    assert [(each.state, each.step, each.trained) for each in outcomes] == [("finished", 6, True)] * 4
    for each in outcomes[1:3]:
        alone = dm.train(replace(each.config, out=str(tmp_path / "alone")), overwrite=True, show=False)
        assert torch.equal(weights(each.config), weights(alone.config))
        assert each.values["critic_loss"] == alone.records()[-1].critic_loss
    again = dm.sweep(configs, show=False)
    assert [(each.state, each.trained) for each in again] == [("finished", False)] * 4
    assert [each.values for each in again] == [each.values for each in outcomes]


def test_a_sweep_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path: Path, signals: list[int]) -> None:
    base = replace(RING, model="stopping")
    whole = grid(base, recipes=["minimax", "huszar"], seeds=[1], out=tmp_path / "whole")
    dm.sweep(whole, show=False)
    configs = grid(base, recipes=["nonsaturating", "minimax", "huszar"], seeds=[1], out=tmp_path / "stopped")
    dm.sweep(configs[:1], show=False)
    signals.append(6)  # two batches a step, so in the third step of the second run
    outcomes = dm.sweep(configs, show=False)
    assert [(each.state, each.step) for each in outcomes] == [
        ("finished", 6), ("interrupted", 3), ("waiting", 0),
    ]  # fmt: skip
    assert outcomes[1].signal == signal.SIGINT
    outcomes = dm.sweep(configs, show=False)
    assert [(each.state, each.trained) for each in outcomes] == [("finished", False), *[("finished", True)] * 2]
    for one, other in zip(whole, configs[1:], strict=True):
        assert torch.equal(weights(one), weights(other))


def test_more_steps_go_on_and_other_settings_are_refused_before_any_work(tmp_path: Path) -> None:
    def plan(**changes: Any) -> list[dm.TrainConfig]:
        return grid(replace(RING, **changes), recipes=["minimax"], seeds=[0, 1], out=tmp_path)

    dm.sweep(plan()[1:], show=False)
    for changes, said in (({"critic_lr": 0.5}, r"critic_lr 0.001 -> 0.5"), ({"steps": 4}, r"steps 6 -> 4")):
        with pytest.raises(
            dm.DivminError, match=rf"minimax-seed1 holds a run with other settings: {said}; only steps can"
        ):
            dm.sweep(plan(**changes), show=False)
    assert not (tmp_path / "minimax-seed0").exists()
    assert [each.step for each in dm.sweep(plan(steps=8), show=False)] == [8, 8]


def test_a_failure_is_told_and_stops_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sweep", *FLAGS, "--recipes", "fgan(chi2_model_denominator), minimax", "--grid", "critic_lr=1e6,1e-3"]
    arguments += ["--seeds", "0", "--out", str(tmp_path), "--check-finite", "--steps", "60"]
    assert main(arguments) == 1
    said = capsys.readouterr()
    head, *rows = said.out.splitlines()
    assert head.split() == ["recipe", "critic_lr", "finished", "critic_loss", "generator_loss", "d_real", "d_fake"]
    by_name = {tuple(row.split()[:3]): row for row in rows[:4]}
    assert ("fgan(chi2_model_denominator)", "1000000.0", "0/1") in by_name
    assert ("minimax", "0.001", "1/1") in by_name
    assert "failed at step" in rows[4] and "is not finite" in rows[4]
    assert "run 4 of 4" in said.err  # the others were trained
    assert main(arguments) == 1  # it fails again where it failed before; what is finished is left alone
    assert "run 4 of 4" not in capsys.readouterr().err


def test_damaged_and_busy_runs_are_left_alone(tmp_path: Path) -> None:
    configs = grid(RING, recipes=["minimax"], seeds=[0, 1, 2], out=tmp_path)
    dm.sweep(configs, show=False)
    damaged, busy = (Path(str(config.out)) / "status.json" for config in configs[:2])
    damaged.write_text("{")
    status = json.loads(busy.read_text()) | {"state": "running", "process": current().__dict__}
    busy.write_text(json.dumps(status))
    outcomes = dm.sweep(configs, show=False)
    assert [(each.state, each.trained) for each in outcomes] == [
        ("failed", False),
        ("failed", False),
        ("finished", False),
    ]
    assert "status.json is damaged" in str(outcomes[0].reason)
    assert f"process {current().id} on {current().host} trains it" in str(outcomes[1].reason)
    assert table(outcomes)[0].finished == 1


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path: Path) -> None:
    (config,) = grid(RING, recipes=["minimax"], seeds=[0], out=tmp_path)
    run = dm.train(config, show=False)
    wanted = weights(config)
    run.checkpoint.unlink()
    status = json.loads((run.folder / "status.json").read_text())
    dead = {"id": 2**22 + 1, "host": current().host, "born": 1}  # above the largest number that Linux gives
    (run.folder / "status.json").write_text(json.dumps(status | {"state": "running", "step": 0, "process": dead}))
    (outcome,) = dm.sweep([config], show=False)
    assert outcome.state == "finished" and torch.equal(weights(config), wanted)


def test_the_record_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "sweep",
        *FLAGS,
        "--recipes",
        "minimax,fgan(kl, nonsaturating)",
        "--seeds",
        "0,1",
        "--out",
        str(tmp_path),
    ]
    assert main([*arguments, "--dry-run"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["train"] * 4
    assert list(tmp_path.iterdir()) == []
    assert main([*arguments, "--json", "--log", "tensorboard", "--metric", "d_real,critic_loss"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    record = json.loads(said.out)
    assert [each["settings"] for each in record["table"]] == [
        {"recipe": "minimax"},
        {"recipe": "fgan(kl, nonsaturating)"},
    ]
    assert [list(each["means"]) for each in record["table"]] == [["d_real", "critic_loss"]] * 2
    assert all(each["means"]["d_real"]["n"] == 2 for each in record["table"])
    assert len(list(tmp_path.glob("*/events.out.tfevents.*"))) == 4
    assert [each["state"] for each in record["runs"]] == ["finished"] * 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipes", "minimx"], "did you mean minimax"),
        (["--recipes", "minimax,"], "commas between"),
        (["--seeds", "x"], "whole numbers"),
        (["--grid", "critic_lr=1", "--grid", "critic-lr=2"], "names a field twice"),
        (["--grid", "width=0"], "at least 1"),
        (["--jobs", "0"], "jobs must be at least 1"),
        (["--recipe", "minimax"], "--recipe"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *FLAGS, "--out", str(tmp_path / "s"), *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and len(caught.err.splitlines()) == 1 and said in caught.err
    assert not (tmp_path / "s").exists()


MODULE = """
import torch
from divmin.models import Model, register
from divmin.models.mlp import MLPCritic, MLPGenerator

def generator(shape, *, latent, width):
    if torch.initial_seed() == 1:
        raise ValueError("this seed is broken")
    return MLPGenerator(shape, latent=latent, width=width)

register(Model("breaking", "breaks for seed 1", generator, MLPCritic, width=8, latent=4))
"""


def test_a_signal_is_passed_on_to_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ends by itself; then comes the signal: the second, which would take an hour, stops, and the third never begins."""
    monkeypatch.setattr(processes, "command", lambda config, *rest: [sys.executable, "-c", config.data])
    data = ["", "import time; time.sleep(3600)", "raise SystemExit(1)"]
    tasks = [Task(i, replace(RING, data=code or "pass"), Standing("train")) for i, code in enumerate(data)]
    told: list[tuple[int, str]] = []

    def tell(place: int, how: str) -> None:
        told.append((place, how))
        if place == 0:
            signal.raise_signal(signal.SIGINT)

    began = time.monotonic()
    ended = processes.side_by_side(tasks, 2, (), (), tell)
    assert time.monotonic() - began < 60
    assert ended == {0: Ending(), 1: Ending(signal=signal.SIGINT)}
    assert told == [(0, "finished"), (1, "stopped")]


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("import sys; print('x', file=sys.stderr); sys.exit('divmin: it broke')", Ending("it broke")),
        ("import os; os.kill(os.getpid(), 9)", Ending("its process was ended by signal 9")),
        ("raise SystemExit(3)", Ending("it said nothing")),
        ("raise SystemExit(143)", Ending(signal=15)),
    ],
)
def test_how_a_process_ended(code: str, ending: Ending) -> None:
    worker = processes.Worker([sys.executable, "-c", code])
    assert worker.ending(None) == ending


def test_a_run_of_several_processes_gets_a_command_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Task] = []
    monkeypatch.setattr(run, "side_by_side", lambda tasks, *rest: seen.extend(tasks) or {})
    dm.sweep(grid(replace(RING, devices=2), recipes=["minimax"], seeds=[0], out=tmp_path), show=False)
    assert [task.config.devices for task in seen] == [2]


def test_processes_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two at once, with a module of the user's, and one that fails; the others are what they are in this process."""
    (tmp_path / "mine.py").write_text(MODULE)
    flags = [*FLAGS, "--import", str(tmp_path / "mine.py"), "--recipes", "minimax", "--seeds", "0,1"]
    arguments = ["sweep", *flags, "--model", "breaking", "--out", str(tmp_path / "s"), "--jobs", "2"]
    try:
        assert main(arguments) == 1
    finally:
        registry._MODELS.pop("breaking")
    said = capsys.readouterr()
    assert "minimax-seed1: failed at step 0" in said.out and "this seed is broken" in said.out
    assert "minimax-seed0: finished" in said.err
    assert Run.open(tmp_path / "s" / "minimax-seed0").state == "finished"
