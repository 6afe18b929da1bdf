"""A progress bar for fits that last, on a terminal and only when asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0  # seconds without a bar


@contextmanager
def watched(total: int, show: bool) -> Iterator[Callable[[], None]]:
    """A function to call after each of `total` fits; it draws a bar on standard error once two seconds have passed."""
    if not show or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    started, done = time.perf_counter(), 0
    bar = Progress(console=Console(file=sys.stderr), transient=True)
    task = bar.add_task("fitting", total=total)

    def tick() -> None:
        nonlocal done
        done += 1
        if time.perf_counter() - started > PATIENCE:
            bar.start()
        bar.update(task, completed=done, total=max(total, done))

    try:
        yield tick
    finally:
        bar.stop()
