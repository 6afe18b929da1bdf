"""A slow answer shows a sign of life on a terminal, and nothing elsewhere."""

from __future__ import annotations

import io
import re
import sys
import time
from types import SimpleNamespace

import pytest

from divmin.progress import Pace, progress, tracking, waiting
from divmin.training import Record
from divmin.training.evaluations import Evaluation


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "seconds", "said"), [(Terminal(), 0.3, True), (Terminal(), 0.0, False), (io.StringIO(), 0.3, False)]
)
def test_only_where_it_takes_long_and_somebody_watches(
    stream: io.StringIO, seconds: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with waiting("thinking", after=0.1):
        time.sleep(seconds)
    assert ("thinking" in stream.getvalue()) == said


@pytest.mark.parametrize(
    ("stream", "seconds", "said"), [(Terminal(), 0.3, True), (Terminal(), 0.0, False), (io.StringIO(), 0.3, False)]
)
def test_steps_are_counted_only_where_somebody_watches(
    stream: io.StringIO, seconds: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with tracking("searching js", after=0.1) as track:
        for _ in range(2):
            assert [time.sleep(seconds / 3) or i for i in track(range(3))] == [0, 1, 2]
    assert ("searching js" in stream.getvalue()) == said


@pytest.mark.parametrize(("seconds", "said"), [(3.0, True), (0.01, False)])
def test_reading_data_is_a_line_beside_the_bar_of_training(
    seconds: float, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, clock = Terminal(), iter(i * seconds for i in range(100))
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress(100) as (_, track):
        monkeypatch.setattr("divmin.progress.time", SimpleNamespace(monotonic=lambda: next(clock)))
        seen = []
        for i in track(range(3)):
            seen.append(i)
            time.sleep(0.15)  # the bar draws itself ten times a second
    assert seen == [0, 1, 2]
    assert ("reading data" in stream.getvalue()) == said


def seen(step: int, steps: int, evaluation: Evaluation | None = None) -> SimpleNamespace:
    latest = Record(step, 8 * step, 1.25, 0.7, 0.1, 1.0, -0.2, 1.0, 1.0, 8.0)
    return SimpleNamespace(step=step, steps=steps, latest=latest if step else None, evaluation=evaluation)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_bar_and_its_numbers_fit_into_a_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    with progress(2000) as ((probe,), _):
        for step in range(0, 400, 20):
            probe.act(seen(step, 2000))
            time.sleep(0.01)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).split("\r")[-1].split("\n")
    assert "380/2000" in shown[0] and "ETA 0:00:0" in shown[0]
    assert re.fullmatch(r"[\d.]+ steps/s  critic 1.250  generator 0.700  d \+0.10 real -0.20 fake", shown[1].strip())


@pytest.mark.parametrize("stream", [Terminal(), io.StringIO()], ids=["terminal", "file"])
def test_evaluations_are_shown_by_the_metric_that_decides(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    found = Evaluation(10, {"frechet": 0.25, "recall": 0.5})
    for best, said in ((None, "frechet 0.25"), ("recall", "recall 0.5")):
        with progress(20, 0, best) as ((probe,), _):
            probe.act(seen(0, 20))
            probe.act(seen(10, 20, found))
            time.sleep(0.15)
            probe.act(seen(20, 20, found))
        assert f"{said} (of step 10)" in stream.getvalue()
    assert stream.getvalue().index("frechet") < stream.getvalue().index("recall")


def test_lines_come_at_a_low_rate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After every tenth of the steps; and when those take long, after a minute."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with progress(1000) as ((probe,), _):
        for step in range(0, 201, probe.every):
            clock[0] = 0.5 * step  # two steps a second
            probe.act(seen(step, 1000))
        for step in range(205, 400, probe.every):
            clock[0] += 25.0
            probe.act(seen(step, 1000))
    told = [int(line.split("/")[0].removeprefix("step ")) for line in capsys.readouterr().err.splitlines()]
    assert told[:3] == [0, 100, 200]
    assert told[3:6] == [215, 230, 245] and 300 in told


def test_rate_and_eta(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    pace = Pace()
    assert (pace.said(40), pace.left(40, 100)) == ("", "")
    clock[0] = 60.0
    assert (pace.said(60), pace.left(60, 100)) == ("2 steps/s", "ETA 0:00:20")
    clock[0] = 61.0
    assert pace.said(60_000) == "5451 steps/s"
