"""A slow answer shows a sign of life on a terminal, and nothing elsewhere."""

from __future__ import annotations

import io
import sys
import time
from types import SimpleNamespace

import pytest

from divmin.progress import progress, tracking, waiting


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
