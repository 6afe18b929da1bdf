"""What all pictures share: colours that colour-blind readers can tell apart, and how a figure reaches the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.errors import DivminError
from divmin.files import picture_format, write_atomically

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito's palette without its yellow, which fades on white, and black last.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":")


@contextmanager
def figure(path: str | Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of this size in inches, saved atomically to `path` when the block ends well.

    No window and no global state of pyplot: pictures can be drawn in the middle of anyone's program.
    """
    path = Path(path)
    suffix = picture_format(path)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width, height), layout="constrained", dpi=130)
    FigureCanvasAgg(drawn)
    yield drawn
    try:
        write_atomically(path, lambda stream: drawn.savefig(stream, format=suffix))
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error


def plain_ticks(axis: Axis) -> None:
    """Ticks at 1, 2 and 5 times powers of ten, as plain numbers: for a logarithmic axis over few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def line_style(i: int) -> tuple[str, str]:
    """Colour and dash of the i-th line; lines that share a colour differ in their dash."""
    return COLOURS[i % len(COLOURS)], DASHES[(i % len(COLOURS) + i // len(COLOURS)) % len(DASHES)]
