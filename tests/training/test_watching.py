"""The monitor of divmin's own runs: what it writes, and that a run that goes on keeps its past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import divmin as dm
from divmin.diagnostics import Report
from divmin.errors import DivminError
from divmin.training import Run, TrainConfig
from divmin.training.run import MONITOR
from divmin.watching import watched

SMALL: dict[str, Any] = {
    "data": "ring", "model": "mlp", "width": 16, "batch_size": 32, "log_every": 50, "checkpoint_every": 32, "sample_every": 10**6,
    "device": "cpu",
}  # fmt: skip


def run(folder: Path, steps: int, **changes: Any) -> Run:
    return dm.train(TrainConfig(**{**SMALL, **changes, "steps": steps, "out": str(folder)}), show=False)


def seen(run: Run) -> Report:
    report = watched(run)
    assert report is not None
    return report


def test_a_run_keeps_what_its_critic_said(tmp_path: Path) -> None:
    found = run(tmp_path / "run", 200)
    report = seen(found)
    assert (tmp_path / "run" / "monitor.png").exists()
    assert report.steps == (1, 200) and report.subject == "nonsaturating"
    whole = report.critics[0].windows
    assert sum(each.updates for each in whole) == 50  # one move in four
    assert sum(int(each.real.sum()) for each in whole) == 50 * 32
    assert not any(path.name.startswith(".") for path in (tmp_path / "run").iterdir())


def test_going_on_is_heard_as_one_run(tmp_path: Path) -> None:
    once = seen(run(tmp_path / "once", 256))
    run(tmp_path / "twice", 128)
    again = seen(dm.resume(tmp_path / "twice", steps=256, show=False))
    assert again.steps == once.steps
    for one, other in zip(once.critics[0].windows, again.critics[0].windows, strict=True):
        assert (one.first, one.last, one.updates) == (other.first, other.last, other.updates)
        assert np.array_equal(one.real, other.real) and np.array_equal(one.fake, other.fake)


def test_hearing_changes_no_weight(tmp_path: Path) -> None:
    from divmin import training

    config = TrainConfig(**SMALL, steps=64, out=str(tmp_path / "plain"))
    training.train(config)
    run(tmp_path / "heard", 64)
    one, other = (dm.load(tmp_path / name).sample(16, ema=False) for name in ("plain", "heard"))
    assert (one == other).all()


def test_going_back_forgets_what_came_after(tmp_path: Path) -> None:
    run(tmp_path / "run", 256, keep=8)
    back = dm.resume(tmp_path / "run", file=tmp_path / "run" / "checkpoints" / "00000128.pt", steps=160, show=False)
    assert seen(back).steps[1] == 160
    assert max(each.last for each in seen(back).critics[0].windows) == 157  # the last move that was counted


def test_a_damaged_record_is_a_lost_past_and_no_lost_run(tmp_path: Path) -> None:
    first = run(tmp_path / "run", 64)
    (first.folder / MONITOR).write_text('{"format": 1, "crit')
    with pytest.raises(DivminError, match="damaged"):
        watched(first)
    on = dm.resume(first.folder, steps=128, show=False)
    assert on.state == "finished" and seen(on).steps == (65, 128)
    (first.folder / MONITOR).write_text(json.dumps({"format": 99}))
    on = dm.resume(first.folder, steps=192, show=False)
    assert on.state == "finished" and seen(on).steps[1] == 192


@pytest.mark.parametrize(
    "settings", [{"recipe": "hinge"}, {"recipe": "rpgan"}, {"accumulate": 2}, {"packing": 2}, {"r1": 1.0}]
)
def test_runs_of_other_kinds_are_heard(tmp_path: Path, settings: dict[str, Any]) -> None:
    report = seen(run(tmp_path / "run", 64, **settings))
    assert report.critics[0].n[0] > 100


def test_a_run_over_an_old_one_begins_anew(tmp_path: Path) -> None:
    run(tmp_path / "run", 64)
    (tmp_path / "run" / "diagnosis").mkdir()
    for name in ("diagnosis.json", "mine.txt"):
        (tmp_path / "run" / "diagnosis" / name).write_text("{}")
    config = TrainConfig(**SMALL, steps=32, out=str(tmp_path / "run"))
    assert seen(dm.train(config, show=False, overwrite=True)).steps == (1, 32)
    assert [path.name for path in (tmp_path / "run" / "diagnosis").iterdir()] == [
        "mine.txt"
    ]  # what divmin wrote is gone
