"""Ctrl-C and SIGTERM end a run after the step in hand; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Stop:
    """The signal that asked for the end, if one did."""

    signal: int | None = None


@contextmanager
def polite_stop() -> Iterator[Stop]:
    """Turn the first SIGINT or SIGTERM into a note that the loop reads, and undo that when left.

    After the first signal the handlers of before are back, so that a second one does what it always does.
    Outside the main thread, where Python allows no handlers, nothing is installed.

    >>> with polite_stop() as stop:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     stop.signal == signal.SIGTERM
    True
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        restore()

    def restore() -> None:
        for number, handler in before.items():
            # None stands for a handler that was not installed from Python and cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        restore()
