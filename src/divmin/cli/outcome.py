"""What `train` and `resume` print when they end."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from divmin.aim import explained
from divmin.errors import counted
from divmin.experiment import judge_of
from divmin.explanation import Explanation
from divmin.illustrations import pictures
from divmin.training import Run, evaluations, first_process
from divmin.training.run import BEST, REPORT


def report(run: Run, as_json: bool) -> int:
    """Print the outcome for people or programs; return the exit code."""
    if not first_process():  # of several that train together, one talks
        return run.exit_code
    found = explained(run.config)
    print(json.dumps(_record(run, found), indent=2) if as_json else "\n".join(_lines(run, found)))
    return run.exit_code


def _lines(run: Run, found: Explanation | None) -> list[str]:
    ended = {"finished": "finished", "interrupted": f"interrupted ({run.reason or 'stopped'})"}.get(
        run.state, run.state
    )
    lines = [
        f"{ended} at step {run.step} of {run.config.steps}",
        *([] if found is None else [f"minimised: {found.formula_name}"]),  # in full it was said at the beginning
        f"run folder: {run.folder}",
    ]
    if run.state == "interrupted":
        lines.append(f"go on with: divmin resume {run.folder}")
    judge = judge_of(run.config)
    by = None if judge is None else judge.by  # the metric's own name, not another that it goes by
    if (best := evaluations.best(evaluations.read(run.folder), by)) is not None:
        lines.append(f"best {best.metric}: {best.value:.5g} at step {best.step}: {run.folder / BEST}")
    drawn = pictures(run)
    lines += [f"picture: {path}" for path in drawn if path.parent == run.folder]
    on_the_way = [path for path in drawn if path.parent != run.folder]
    if on_the_way:
        lines.append(f"samples on the way: {on_the_way[0].parent} ({counted(len(on_the_way), 'picture')})")
    if (page := run.folder / REPORT).exists():
        lines.append(f"report: {page}")
    return lines


def _record(run: Run, found: Explanation | None) -> dict[str, Any]:
    records = run.records()
    return {
        "state": run.state,
        "step": run.step,
        "folder": str(run.folder),
        "config": run.config.to_mapping(),
        "explanation": None if found is None else found.to_record(),
        "metrics": asdict(records[-1]) if records else None,
        "pictures": [str(path) for path in pictures(run)],
        "report": str(page) if (page := run.folder / REPORT).exists() else None,
    }
