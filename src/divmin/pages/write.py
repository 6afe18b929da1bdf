"""Runs as one page of HTML that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from divmin.errors import DivminError
from divmin.files import check_folder, write_text
from divmin.pages.chapter import chapter
from divmin.pages.comparison import Comparison, comparison
from divmin.pages.parts import Chapter, Contents
from divmin.pages.told import Known, Told, tell
from divmin.progress import Track
from divmin.training import Run
from divmin.training.run import REPORT
from divmin.version import __version__

MAIL = 4_800_000  # bytes of a page, which stays below 5 MB
WORDS = 30_000  # of them for what is no picture, for each run
MOST = 40  # runs on one page


def report(*runs: str | Path, out: str | Path | None = None, track: Track = iter) -> Path:
    """Write one page about some runs: what they minimise, how they went, what is wrong, and the commands that repeat them.

    Args:
        runs: run folders, also of runs that are not finished; nothing in them is changed but their page.
        out: an .html file; RUN/report.html for one run and report.html here for several if None.
        track: wraps the numbers of the runs while they are read, to show progress.

    Returns:
        The file.

    Raises:
        DivminError: no run, a folder that is none, or a file that cannot be written.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = dm.train(dm.TrainConfig(model="mlp", width=8, steps=2, out=folder + "/run"), show=False)
        ...     "softened reverse KL" in dm.report(run.folder).read_text()
        True
    """
    opened = [Run.open(folder) for folder in runs]
    if not opened or len(opened) > MOST:
        raise DivminError(f"{len(opened)} runs: expected 1 to {MOST} run folders")
    path = Path(out) if out is not None else opened[0].folder / REPORT if len(opened) == 1 else Path(REPORT)
    if path.suffix != ".html":
        raise DivminError(f"cannot write the report to '{path}': the name must end in .html")
    check_folder(path)
    return _write(opened, path, track=track)


def report_known(run: Run, known: Known) -> Path:
    """The page of a run in its folder, with what the process that trained knows: losses that are objects cannot be asked later."""
    return _write([run], run.folder / REPORT, known)


def page(told: Sequence[Told], chapters: Sequence[Chapter]) -> str:
    """The HTML of some runs.

    Args:
        told: at least one.
        chapters: one of each.
    """
    title = told[0].name if len(told) == 1 else f"{len(told)} runs"
    return render(title, chapters, comparison=comparison(told) if len(told) > 1 else None)


def render(
    title: str, chapters: Sequence[Chapter], *, comparison: Comparison | None = None, contents: Contents | None = None
) -> str:
    """Chapters as a page of HTML that needs nothing else.

    Args:
        title: of the page.
        chapters: what it holds.
        comparison: of runs, at its top.
        contents: a table of the chapters, at its top.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    files = Environment(
        loader=PackageLoader("divmin.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = (files.get_template(name).render() for name in ("page.js", "page.css"))
    return files.get_template("page.html").render(
        title=title,
        chapters=chapters,
        comparison=comparison,
        contents=contents,
        script=script,
        style=style,
        script_hash=_hash(script),
        style_hash=_hash(style),
        written=f"{datetime.now():%Y-%m-%d %H:%M}",
        version=__version__,
    )


def _write(runs: Sequence[Run], path: Path, known: Known | None = None, track: Track = iter) -> Path:
    shares = len(runs) + (len(runs) > 1)
    budget = (MAIL - WORDS * len(runs)) // shares
    with TemporaryDirectory(prefix="divmin-report-") as folder:
        told, chapters = [], []
        for number in track(range(len(runs))):
            place = Path(folder) / str(number)
            place.mkdir()
            told.append(tell(runs[number], place, budget, known))
            chapters.append(chapter(told[-1]))
        text = page(told, chapters)
    try:
        # The name of a folder may hold bytes that are no text.
        write_text(path, text.encode(errors="replace").decode())
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error
    return path


def _hash(text: str) -> str:
    """What a content security policy calls this text, so that nothing else may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
