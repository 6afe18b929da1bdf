"""What `train` and `resume` print when they end."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from divmin.experiment import pictures
from divmin.family import Divergence
from divmin.objectives import recipe
from divmin.training import Run


def report(run: Run, as_json: bool) -> int:
    """Print the outcome for people or programs; return the exit code."""
    minimises = recipe(run.config.recipe).minimises
    if as_json:
        print(json.dumps(_record(run, minimises), indent=2))
    else:
        print("\n".join(_lines(run, minimises)))
    return run.exit_code


def sentence(recipe_name: str, minimises: Divergence | None) -> str:
    """Which divergence a recipe minimises, in one sentence."""
    if minimises is None:
        return f"{recipe_name}: no divergence is known for it."
    left, right = ("bounded" if side else "unbounded" for side in (minimises.left_bounded, minimises.right_bounded))
    return (
        f"{recipe_name} minimises {minimises.name} (best critic): tail weights (R, S) = {minimises.tails}, "
        f"left-{left}, right-{right}; {minimises.character}."
    )


def _lines(run: Run, minimises: Divergence | None) -> list[str]:
    ended = {"finished": "finished", "interrupted": f"interrupted ({run.reason or 'stopped'})"}.get(
        run.state, run.state
    )
    lines = [
        f"{ended} at step {run.step} of {run.config.steps}",
        sentence(run.config.recipe, minimises),
        f"run folder: {run.folder}",
    ]
    if run.state == "interrupted":
        lines.append(f"go on with: divmin resume {run.folder}")
    drawn = pictures(run)
    lines += [f"picture: {path}" for path in drawn if path.parent == run.folder]
    on_the_way = [path for path in drawn if path.parent != run.folder]
    if on_the_way:
        lines.append(f"samples on the way: {on_the_way[0].parent} ({len(on_the_way)} pictures)")
    return lines


def _record(run: Run, minimises: Divergence | None) -> dict[str, Any]:
    records = run.records()
    return {
        "state": run.state,
        "step": run.step,
        "folder": str(run.folder),
        "config": run.config.to_mapping(),
        "minimises": None if minimises is None else minimises.name,
        "tails": None if minimises is None else [minimises.tails.R, minimises.tails.S],
        "metrics": asdict(records[-1]) if records else None,
        "pictures": [str(path) for path in pictures(run)],
    }
