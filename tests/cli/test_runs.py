"""`divmin runs`: every run below a folder, whatever became of it, quickly."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import divmin as dm
from divmin.cli import main
from divmin.training import Probe, Run
from divmin.training.process import Process, current

SMALL = {"data": "ring", "model": "mlp", "width": 8, "batch_size": 8, "log_every": 2, "samples": 4}


def config(folder: Path, **settings: object) -> dm.TrainConfig:
    return dm.TrainConfig(**(SMALL | {"steps": 4, "out": str(folder)} | settings))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dm.train(config(tmp_path_factory.mktemp("runs") / "ring", recipe="fgan(kl)"), show=False).folder


def table(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, object]]:
    assert main(["runs", str(folder), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_in_a_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(run.parent)]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["run", "data", "recipe", "minimises", "state", "step"]
    assert line.split()[:6] == ["ring", "ring", "fgan(kl)", "kl", "finished", "4/4"]
    last = Run.open(run).records()[-1]
    assert f"critic {last.critic_loss:.3g}, generator {last.generator_loss:.3g}" in line and line.endswith(" ago")
    (record,) = table(run.parent, capsys)
    assert record["losses"] == [last.critic_loss, last.generator_loss]
    assert record["folder"] == str(run)


def test_every_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(view: dm.training.View) -> None:
        if view.step == 2:
            signal.raise_signal(signal.SIGINT)

    def fail(view: dm.training.View) -> None:
        if view.step == 2:
            raise RuntimeError("the probe broke")

    finished = dm.train(config(tmp_path / "deep" / "er" / "finished"), show=False).folder
    dm.train(config(tmp_path / "interrupted"), probes=[Probe(1, stop)], show=False)
    with pytest.raises(RuntimeError, match="the probe broke"):
        dm.train(config(tmp_path / "failed"), probes=[Probe(1, fail)], show=False)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for name, process in (
        ("running", current()),
        ("stopped", Process(int(ended.stdout), current().host, 1)),
        ("reborn", Process(os.getpid(), current().host, 1)),  # another process has the number now
        ("elsewhere", Process(1, "another-host", 1)),
    ):
        shutil.copytree(finished, tmp_path / name)
        status = json.loads((finished / "status.json").read_text())
        status |= {"state": "running", "process": process.__dict__}
        (tmp_path / name / "status.json").write_text(json.dumps(status))
    assert {each["name"]: each["state"] for each in table(tmp_path, capsys)} == {
        "deep/er/finished": "finished",
        "interrupted": "interrupted",
        "failed": "failed",
        "running": "running",
        "stopped": "stopped",
        "reborn": "stopped" if current().born is not None else "running",
        "elsewhere": "running",
    }
    status = json.loads((tmp_path / "running" / "status.json").read_text()) | {"step": 0}  # no checkpoint yet
    (tmp_path / "running" / "status.json").write_text(json.dumps(status))
    assert {each["name"]: each["step"] for each in table(tmp_path, capsys)}["running"] == 4
    main(["runs", str(tmp_path)])
    assert "failed: RuntimeError: the probe broke" in capsys.readouterr().out


def test_a_process_that_is_not_waited_for_has_ended() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    process = Process(child.pid, current().host, current().born)
    deadline = time.monotonic() + 20
    while process.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.alive is False
    child.wait()


def test_best_metrics_by_their_direction(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, tmp_path / "run")
    lines = [
        {"step": 1, "values": {"frechet": 3.0, "recall": 0.2, "mine": 5}},
        {"step": 2, "values": {"frechet": 1.5, "recall": 0.6, "mine": 9}, "better": {"mine": "higher"}},
        {"step": 3, "values": {"frechet": 2.0, "recall": 0.4, "mine": 7}, "better": {"mine": "higher"}},
    ]
    odd = ["", "{", "3", '{"step": 4}', '{"step": "4", "values": {}}', '{"step": 5, "values": {"frechet": null}}', "[]"]
    text = "\n".join([json.dumps(lines[0]), *odd, *map(json.dumps, lines[1:]), '{"step": 9, "val'])
    (tmp_path / "run" / "evaluation.jsonl").write_text(text)
    assert table(tmp_path, capsys)[0]["best"] == {"metric": "frechet", "value": 1.5, "step": 2}
    for metric, value in (("recall", 0.6), ("mine", 9.0)):
        assert table(tmp_path, capsys, "--metric", metric)[0]["best"] == {"metric": metric, "value": value, "step": 2}
    assert table(tmp_path, capsys, "--metric", "kernel")[0]["best"] is None
    main(["runs", str(tmp_path), "--metric", "kernel"])
    assert capsys.readouterr().err == "no run here has measured kernel\n"
    main(["runs", str(tmp_path)])
    assert "frechet 1.5 at 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["status.json", "config.yaml", "metrics.jsonl", "explanation.json", "evaluation.jsonl"]
)
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"{}\n", b'{"state": 3}\n', None])
def test_damage_has_a_reason_and_spares_the_others(
    name: str, content: bytes | None, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in ("good", "bad"):
        shutil.copytree(run, tmp_path / each)
    path = tmp_path / "bad" / name
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    found = {each["name"]: each for each in table(tmp_path, capsys)}
    assert found["good"]["state"] == "finished"
    if found["bad"]["state"] == "damaged":
        assert str(path) in str(found["bad"]["reason"]) or name == "status.json"
    else:  # no records yet, no evaluations and all settings by default are no damage
        assert name in ("metrics.jsonl", "evaluation.jsonl", "config.yaml")
    assert main(["runs", str(tmp_path)]) == 0


def test_a_lost_status_is_damage(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "status.json").unlink()
    (found,) = table(tmp_path, capsys)
    assert found["state"] == "damaged" and "status.json is missing" in found["reason"]


def test_places_without_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no runs in {tmp_path} or below it\n"
    assert main(["runs", str(tmp_path / "none")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_runs_of_other_ways_are_explained_once(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a folder does not say what it minimises, its recipe is asked, and each recipe once."""
    from divmin import aim

    for i in range(3):
        shutil.copytree(run, tmp_path / str(i))
        (tmp_path / str(i) / "explanation.json").unlink()
        file = tmp_path / str(i) / "config.yaml"
        file.write_text(file.read_text().replace("fgan(kl)", "fgan(reverse_kl)"))
    asked: list[object] = []
    explained = aim.explained
    monkeypatch.setattr(aim, "explained", lambda config: asked.append(config.recipe) or explained(config))
    assert [each.minimises for each in dm.runs(tmp_path)] == ["reverse_kl"] * 3
    assert asked == ["fgan(reverse_kl)"]


def test_two_hundred_runs_take_less_than_two_seconds_and_no_torch(run: Path, tmp_path: Path) -> None:
    for i in range(200):
        folder = tmp_path / f"group{i % 7}" / f"run{i}"
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("*.png", "*.gif", "*.pt"))
    code = (
        "import sys, time\nfrom divmin.cli import main\n"
        f"main(['runs', {str(tmp_path)!r}])\n"
        "assert 'torch' not in sys.modules and 'sympy' not in sys.modules, 'slow import'\n"
        "print(time.process_time())"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    *lines, seconds = done.stdout.splitlines()
    assert len(lines) == 201
    assert float(seconds) < 2
