"""The pictures in a run folder that are drawn from its records, at the end of a run or when somebody asks for them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from divmin import plots
from divmin.aim import explained
from divmin.diagnostics import Report
from divmin.errors import DivminError
from divmin.explanation import Explanation
from divmin.explanation.curves import lines
from divmin.training import Run, evaluations
from divmin.training.run import CONFIG, METRICS, MONITOR
from divmin.watching import watched

CURVES, DIVERGENCE, WATCHED, GRID, FILM = "curves.png", "divergence.png", "monitor.png", "samples.png", "samples.gif"


def illustrate(run: Run, found: Explanation | None, heard: Report | None) -> None:
    """Draw losses and scores over time, the divergence that is minimised, and what the monitor heard, as far as there is any.

    Args:
        run: it.
        found: what it minimises.
        heard: what its monitor heard.
    """
    if records := run.records():
        plots.save_history(records, run.folder / CURVES, evaluations=evaluations.read(run.folder))
    if found is not None and (record := lines([found])).members[0].weight is not None:
        plots.save_explanations(record, run.folder / DIVERGENCE, caption=f"{found.subject}: {found.sentence}")
    if heard is not None:
        plots.save_monitor(heard, run.folder / WATCHED)


def refresh(run: Run) -> None:
    """Draw what is missing or older than its records, as in a run that was killed or is still training."""
    sources = {CURVES: METRICS, DIVERGENCE: CONFIG, WATCHED: MONITOR}
    if any(_stale(run.folder / picture, run.folder / source) for picture, source in sources.items()):
        found, heard = explained(run.config), None
        with suppress(DivminError):  # a damaged monitor.json: the page says so
            heard = watched(run, found=found)
        illustrate(run, found, heard)


def _stale(picture: Path, source: Path) -> bool:
    return source.exists() and (not picture.exists() or picture.stat().st_mtime < source.stat().st_mtime)


def pictures(run: Run) -> list[Path]:
    """The pictures that a run has written, the summaries first.

    Args:
        run: any run.

    Returns:
        Existing files.
    """
    named = [run.folder / name for name in (GRID, CURVES, DIVERGENCE, WATCHED, FILM)]
    return [path for path in (*named, *sorted(run.samples.glob("*.png"))) if path.exists()]
