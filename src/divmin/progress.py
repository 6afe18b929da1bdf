"""A progress bar with an ETA for training, plain lines where nobody watches a terminal, and a sign of life of slow answers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from divmin.training import Probe, View

PLAIN_LINES = 10  # progress lines in a log file


def _bar(console: Console, more: str = "", transient: bool = False) -> Progress:
    """A bar with its steps, the time that passed and the time that is left, and more text of its own."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    columns += [TextColumn("ETA"), TimeRemainingColumn(), *([TextColumn(more)] if more else [])]
    return Progress(*columns, console=console, transient=transient)


Track = Callable[[Iterable[int]], Iterable[int]]


@contextmanager
def progress(steps: int, start: int = 0) -> Iterator[tuple[tuple[Probe, ...], Track]]:
    """What shows progress on standard error: probes of training, and what wraps the steps of reading data before it.

    On a terminal they move a bar; elsewhere training prints about ten lines, and reading nothing.
    """
    from rich.console import Console

    from divmin.training import Probe

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield (Probe(every=max(1, steps // PLAIN_LINES), act=_print_line),), iter
        return
    with _bar(console, "{task.fields[numbers]}") as bar:
        task = bar.add_task("training", total=steps, completed=start, numbers="")
        every = max(1, min(20, steps // 200))
        probe = Probe(every=every, act=lambda view: bar.update(task, completed=view.step, numbers=_numbers(view)))
        yield (probe,), lambda numbers: _reading(bar, list(numbers))


def _reading(bar: Progress, numbers: list[int], after: float = 2.0) -> Iterator[int]:
    """The numbers, counted on a line of their own once they have taken so many seconds, which goes away at the end."""
    task = bar.add_task("reading data", total=len(numbers), visible=False, numbers="")
    begun = time.monotonic()
    try:
        for number in numbers:
            yield number
            bar.update(task, advance=1, visible=time.monotonic() - begun > after)
    finally:
        bar.remove_task(task)


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


def _print_line(view: View) -> None:
    seen = f"  (of step {view.latest.step})" if view.latest is not None and view.latest.step != view.step else ""
    print(f"step {view.step}/{view.steps}  {_numbers(view)}{seen}".rstrip(), file=sys.stderr, flush=True)
