"""The pictures in a run folder that are drawn from its records, at the end of a run or when somebody asks for them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from divmin import plots
from divmin.diagnostics import Report
from divmin.explanation import Explanation
from divmin.explanation.curves import lines
from divmin.training import Run, evaluations
from divmin.training.run import CONFIG, EVALUATION, METRICS, MONITOR

CURVES, DIVERGENCE, WATCHED, GRID, FILM = "curves.png", "divergence.png", "monitor.png", "samples.png", "samples.gif"
# pictures, and what they are drawn from
DRAWN = {CURVES: (METRICS, EVALUATION), DIVERGENCE: (CONFIG,), WATCHED: (MONITOR,)}


def illustrate(
    run: Run,
    found: Explanation | None,
    heard: Report | None,
    place: Path | None = None,
    wanted: Collection[str] = tuple(DRAWN),
) -> None:
    """Draw losses and scores over time, the divergence that is minimised, and what the monitor heard, as far as there is any.

    Args:
        run: it.
        found: what it minimises.
        heard: what its monitor heard.
        place: the folder of the pictures; the run's own if None.
        wanted: which of `DRAWN`.
    """
    place = run.folder if place is None else place
    if CURVES in wanted and (records := run.records()):
        plots.save_history(records, place / CURVES, evaluations=evaluations.read(run.folder))
    if DIVERGENCE in wanted and found is not None and (record := lines([found])).members[0].weight is not None:
        plots.save_explanations(record, place / DIVERGENCE, caption=f"{found.subject}: {found.sentence}")
    if WATCHED in wanted and heard is not None:
        plots.save_monitor(heard, place / WATCHED)


def stale(run: Run) -> list[str]:
    """The pictures of `DRAWN` that are missing or older than their records, as in a run that was killed or is still training."""
    return [
        name for name, sources in DRAWN.items() if any(_older(run.folder / name, run.folder / each) for each in sources)
    ]


def _older(picture: Path, source: Path) -> bool:
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
