"""One item from its settings to its folder."""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from zipfile import BadZipFile

from divmin.errors import DivminError
from divmin.estimators.threads import one_thread
from divmin.files import write_atomically, write_text
from divmin.papers import Found, Item, Work, check, item
from divmin.papers.work import Tracking, save_arrays, silent
from divmin.plots import save_film
from divmin.plots.style import figure
from divmin.reproduction.book import page
from divmin.reproduction.shelf import (
    DATA,
    FIGURE,
    FILM,
    FRAMES,
    PAGE,
    PIECES,
    RESULT,
    Outcome,
    drawable,
    fingerprint,
    pen,
    place,
    published,
    read,
    recorded,
    write,
)

OUT = "reproductions"


def reproduce(
    name: str | Item,
    *,
    quick: bool = False,
    out: str | Path = OUT,
    again: bool = False,
    jobs: int = 1,
    tracking: Tracking = silent,
) -> Outcome:
    """Compute a figure, table or claim of a source, compare it with what it ought to be, draw it and write it down.

    A result that is there with the same settings is returned as it is; work that was interrupted goes on. Settings of one's own,
    of an item that `dataclasses.replace` made from a published one, have a folder of their own; what is expected is then what
    was published for other settings.

    Args:
        name: of the item, or an Item of your own.
        quick: at toy size.
        out: where the results lie.
        again: from the beginning, also where there is a result.
        jobs: how many runs an item trains at once, each in a process of its own.
        tracking: opens a progress bar.

    Returns:
        The numbers and their checks; the folder holds result.json, data.npz, figure.png, film.gif where it moves, index.html.

    Raises:
        DivminError: no such item, fewer than one job, settings changed for the other size, or a folder that cannot be written.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dm.reproduce("shannon-table-1", quick=True, out=folder).verdict
        'passed'
    """
    _no_mistake(name, quick)
    if jobs < 1:
        raise DivminError(f"jobs must be at least 1, got {jobs}")
    chosen = item(name) if isinstance(name, str) else name
    folder = place(chosen, quick=quick, out=Path(out))
    if not again and (before := read(chosen, quick=quick, out=Path(out))) is not None and made_whole(chosen, before):
        return replace(before, drawn=pen(chosen))
    try:
        if again and folder.exists():
            shutil.rmtree(folder)
        (folder / RESULT).unlink(missing_ok=True)
        work = Work(folder / PIECES / fingerprint(chosen, quick=quick), tracking, jobs)
        work.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DivminError(f"cannot write to {folder}: {error.strerror}") from error
    settings = chosen.quick if quick else chosen.settings
    begun, spent = time.monotonic(), _spent(work.folder)
    try:
        with one_thread(True):  # numbers that do not depend on how many cores there are, and no waiting for busy ones
            found = chosen.compute(settings, work)
    finally:
        seconds = spent + time.monotonic() - begun
        write_text(work.folder / "seconds", f"{seconds:.3f}\n")
    outcome = Outcome(
        item=chosen.name,
        quick=quick,
        settings=asdict(settings),
        # NaN says that a number was asked for and not computed; one that is not there, that nobody knew of it
        numbers=dict.fromkeys(chosen.expected, math.nan) | {name: float(each) for name, each in found.numbers.items()},
        checks=check(found.numbers, chosen.expected, quick=quick),
        tables=found.tables,
        notes=found.notes,
        seconds=seconds,
        folder=folder,
        drawn=pen(chosen),
    )
    save_arrays(folder / DATA, found.arrays)
    _draw(chosen, found, folder)
    _write_down(chosen, outcome)
    return outcome


def _no_mistake(chosen: str | Item, quick: bool) -> None:
    """Settings that were changed for the other size change nothing: that is hardly what was meant."""
    if isinstance(chosen, Item) and published(chosen, quick=quick) and not published(chosen, quick=not quick):
        changed, used = ("settings", "quick") if quick else ("quick", "settings")
        raise DivminError(
            f"the {changed} of {chosen.name} were changed, and this size uses its {used}: change those, or give quick={not quick}"
        )


def made_whole(chosen: Item, before: Outcome) -> bool:
    """Whether a result could be completed from its data: pictures that were lost or are drawn otherwise now, and checks.

    Nothing is computed: where the data are damaged, or of a time when nothing was drawn, it is False.
    """
    folder = before.folder
    drawn = [name for name, made in ((FIGURE, chosen.draw), (FILM, chosen.animate)) if made is not None]
    try:
        if new := before.drawn != pen(chosen) or not all((folder / name).exists() for name in (DATA, *drawn)):
            found = drawable(before)
            if chosen.draw is not None and not found.arrays:
                return False
            _draw(chosen, found, folder)
    except (OSError, ValueError, LookupError, BadZipFile):
        return False
    if new or before.to_record()["checks"] != recorded(folder) or not (folder / PAGE).exists():
        _write_down(chosen, replace(before, drawn=pen(chosen)))
    return True


def _write_down(chosen: Item, outcome: Outcome) -> None:
    write_text(outcome.folder / PAGE, page(chosen, outcome))
    write(outcome)


def _draw(chosen: Item, found: Found, folder: Path) -> None:
    if chosen.draw is not None:
        with figure(folder / FIGURE, *chosen.size) as drawn:
            chosen.draw(found, drawn)
    if chosen.animate is not None:
        paths = _frames(chosen, found, folder / FRAMES)
        save_film(paths, folder / FILM)


def _frames(chosen: Item, found: Found, folder: Path) -> list[Path]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    assert chosen.animate is not None
    folder.mkdir(exist_ok=True)
    drawn = Figure(figsize=chosen.size, dpi=90)
    FigureCanvasAgg(drawn)
    paths = []
    for i, _ in enumerate(chosen.animate(found, drawn)):
        path = folder / f"{i:05d}.png"
        write_atomically(path, lambda stream: drawn.savefig(stream, format="png"))
        paths.append(path)
    return paths


def _spent(folder: Path) -> float:
    """Seconds of the starts before."""
    try:
        return float((folder / "seconds").read_text())
    except (OSError, ValueError):
        return 0.0
