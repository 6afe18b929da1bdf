"""A progress bar with an ETA for training, plain lines where nobody watches a terminal, and a sign of life of slow answers."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from divmin.training import Probe, View

PLAIN_LINES = 10  # progress lines in a log file
SILENCE = 60.0  # seconds without one, at most


def _bar(console: Console, transient: bool = False) -> Progress:
    """A bar with its steps, the time that passed and the time that is left; a task's field `below` stands under it."""
    from rich.console import RenderableType
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Over(Progress):
        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            for task in self.tasks:
                if task.fields.get("below"):
                    yield Text(task.fields["below"], overflow="ellipsis", no_wrap=True)

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    return Over(*columns, TextColumn("ETA"), TimeRemainingColumn(), console=console, transient=transient)


Track = Callable[[Iterable[int]], Iterable[int]]


@contextmanager
def progress(steps: int, start: int = 0, best: str | None = None) -> Iterator[tuple[tuple[Probe, ...], Track]]:
    """What shows progress on standard error: a bar over a line of numbers on a terminal, single lines elsewhere.

    Args:
        steps: generator steps in all.
        start: how many were done before.
        best: the metric that is shown of evaluations on the way; the first when None.

    Yields:
        Probes of training, and what wraps the steps of reading data before it. Elsewhere a line comes after every tenth of
        the steps, and after a minute without one; reading says nothing.
    """
    from rich.console import Console

    from divmin.training import Probe

    console = Console(file=sys.stderr)
    pace = Pace()
    if not console.is_terminal:
        lines = Lines(steps, pace, best)
        yield (Probe(every=max(1, steps // 200), act=lines.look),), iter
        return
    with _bar(console) as bar:
        task = bar.add_task("training", total=steps, completed=start)

        def look(view: View) -> None:
            numbers = "  ".join(each for each in (pace.said(view.step), _numbers(view)) if each)
            below = "\n".join(each for each in (numbers, _evaluated(view, best)) if each)
            bar.update(task, completed=view.step, below=below)

        probe = Probe(every=max(1, min(20, steps // 200)), act=look)
        yield (probe,), lambda numbers: _reading(bar, list(numbers))


def _reading(bar: Progress, numbers: list[int], after: float = 2.0) -> Iterator[int]:
    """The numbers, counted on a line of their own once they have taken so many seconds, which goes away at the end."""
    task = bar.add_task("reading data", total=len(numbers), visible=False)
    begun = time.monotonic()
    try:
        for number in numbers:
            yield number
            bar.update(task, advance=1, visible=time.monotonic() - begun > after)
    finally:
        bar.remove_task(task)


@dataclass
class Pace:
    """How fast steps come, from the first one that it was asked about."""

    first: int | None = None
    since: float = 0.0

    def rate(self, step: int) -> float | None:
        """Generator steps a second on average; None before there are any."""
        now = time.monotonic()
        if self.first is None:
            self.first, self.since = step, now
        return (step - self.first) / (now - self.since) if step > self.first and now > self.since else None

    def said(self, step: int) -> str:
        """The rate in words.

        >>> Pace().said(0)
        ''
        """
        rate = self.rate(step)
        return "" if rate is None else f"{rate:.3g} steps/s" if rate < 1000 else f"{rate:.0f} steps/s"

    def left(self, step: int, steps: int) -> str:
        """The time until the last step at this rate, in words; nothing at the end."""
        rate = self.rate(step)
        return "" if rate is None or step >= steps else f"ETA {timedelta(seconds=round((steps - step) / rate))}"


@dataclass
class Lines:
    """Progress as lines of a log file: after every tenth of the steps, and after a minute without one.

    Args:
        steps: generator steps in all.
        pace: how fast they come.
        best: the metric that is shown of evaluations.
        tenths: how many tenths were told.
        told: when the last line was written, in seconds.
    """

    steps: int
    pace: Pace
    best: str | None = None
    tenths: int = -1
    told: float = -math.inf

    def look(self, view: View) -> None:
        """Write a line if it is time for one."""
        tenths, now = PLAIN_LINES * view.step // self.steps, time.monotonic()
        if tenths == self.tenths and now - self.told < SILENCE:
            return
        self.tenths, self.told = tenths, now
        latest = view.latest
        seen = f"(of step {latest.step})" if latest is not None and latest.step != view.step else ""
        pace = (self.pace.said(view.step), self.pace.left(view.step, self.steps))
        said = (_numbers(view), seen, _evaluated(view, self.best), *pace)
        line = "  ".join([f"step {view.step}/{self.steps}", *(each for each in said if each)])
        print(line, file=sys.stderr, flush=True)


@contextmanager
def waiting(what: str, after: float = 2.0) -> Iterator[None]:
    """A line on standard error that says what takes long, on a terminal and after so many seconds; it goes away at the end."""
    from rich.console import Console

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield
        return
    status = console.status(f"{what} ...")
    timer = Timer(after, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # it may be starting just now
        status.stop()


@contextmanager
def tracking(what: str, after: float = 2.0) -> Iterator[Callable[[Iterable[int]], Iterable[int]]]:
    """What wraps the steps of slow work: a bar on a terminal after so many seconds, which goes away at the end."""
    from rich.console import Console

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield iter
        return
    bar = _bar(console, transient=True)
    task = bar.add_task(what, total=None)

    def steps(numbers: Iterable[int]) -> Iterator[int]:
        every = list(numbers)
        bar.reset(task, total=len(every))
        for number in every:
            yield number
            bar.advance(task)

    timer = Timer(after, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield steps
    finally:
        timer.cancel()
        timer.join()
        bar.stop()


def _numbers(view: View) -> str:
    latest = view.latest
    if latest is None:
        return ""
    shown = [f"generator {latest.generator_loss:.3f}"]
    if latest.critic_loss is not None:
        shown = [f"critic {latest.critic_loss:.3f}", *shown, f"d {latest.d_real:+.2f} real {latest.d_fake:+.2f} fake"]
    if latest.reconstruction is not None:
        shown.append(f"reconstruction {latest.reconstruction:.4g}  prior {latest.prior:.3g}")
    return "  ".join(shown)


def _evaluated(view: View, best: str | None) -> str:
    """One metric of the last evaluation, with its step where that was before."""
    found = view.evaluation
    if found is None or not found.values:
        return ""
    name = best if best in found.values else next(iter(found.values))
    when = "" if found.step == view.step else f" (of step {found.step})"
    return f"{name} {found.values[name]:.4g}{when}"
