"""Runs as one page of HTML that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from divmin.errors import DivminError
from divmin.files import check_folder, write_text
from divmin.illustrations import refresh
from divmin.pages.chapter import Told, chapter, facts
from divmin.pages.comparison import comparison
from divmin.training import Run
from divmin.training.run import REPORT
from divmin.version import __version__

MAIL = 4_500_000  # bytes that pictures may have together; the page stays below 5 MB
MOST = 40  # runs on one page


def report(*runs: str | Path, out: str | Path | None = None) -> Path:
    """Write one page about some runs: what they minimise, how they went, what is wrong, and the commands that repeat them.

    Args:
        runs: run folders, also of runs that are not finished.
        out: an .html file; RUN/report.html for one run and report.html here for several if None.

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
    for run in opened:
        refresh(run)
    try:
        write_text(path, page(opened))
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error
    return path


def page(runs: Sequence[Run]) -> str:
    """The HTML of some runs.

    Args:
        runs: at least one.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    budget = MAIL // (len(runs) + (1 if len(runs) > 1 else 0))
    files = Environment(
        loader=PackageLoader("divmin.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = (files.get_template(name).render() for name in ("page.js", "page.css"))
    chapters = [chapter(run, budget) for run in runs]
    compared: Any = comparison([Told(run, budget) for run in runs]) if len(runs) > 1 else None
    return files.get_template("page.html").render(
        title=chapters[0].name if len(runs) == 1 else f"{len(runs)} runs",
        chapters=chapters,
        comparison=compared,
        facts=[facts(Told(run, budget)) for run in runs],
        script=script,
        style=style,
        script_hash=_hash(script),
        style_hash=_hash(style),
        written=f"{datetime.now():%Y-%m-%d %H:%M}",
        version=__version__,
    )


def _hash(text: str) -> str:
    """What a content security policy calls this text, so that nothing else may run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
