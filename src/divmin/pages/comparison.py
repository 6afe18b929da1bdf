"""Several runs side by side: facts in columns, settings that differ, and metrics in one picture."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from divmin.pages.chapter import Told, facts
from divmin.pages.embedding import embedded
from divmin.pages.parts import Picture, Table, table
from divmin.plots import save_progress
from divmin.training import TrainConfig

METRICS = 3  # in the picture


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Args:
        facts: a row for each fact, a column for each run.
        differences: settings that are not the same in all runs, likewise.
        pictures: metrics over steps.
    """

    facts: Table
    differences: Table
    pictures: tuple[Picture, ...]


def comparison(runs: Sequence[Told]) -> Comparison:
    """Put runs beside each other.

    Args:
        runs: at least two.
    """
    names = [told.run.folder.name for told in runs]
    known = [{**dict(facts(told)), "state": told.run.condition} for told in runs]
    rows = list(dict.fromkeys(name for each in known for name in each))
    settings = [item.name for item in fields(TrainConfig) if item.name != "out"]
    differ = [name for name in settings if len({str(getattr(told.run.config, name)) for told in runs}) > 1]
    return Comparison(
        table(("", *names), [(name, *(each.get(name, "-") for each in known)) for name in rows]),
        table(("", *names), [(name, *(str(getattr(told.run.config, name)) for told in runs)) for name in differ]),
        _picture(names, runs),
    )


def _picture(names: Sequence[str], runs: Sequence[Told]) -> tuple[Picture, ...]:
    """What was measured on the way; where nothing was, the losses."""
    measured = list(dict.fromkeys(name for told in runs for each in told.evaluations for name in each.values))[:METRICS]
    lines: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for metric in measured:
        for name, told in zip(names, runs, strict=True):
            having = [each for each in told.evaluations if metric in each.values]
            lines.setdefault(metric, {})[name] = (
                [each.step for each in having],
                [each.values[metric] for each in having],
            )
    if not measured:
        for name, told in zip(names, runs, strict=True):
            steps = [each.step for each in told.records]
            lines.setdefault("generator loss", {})[name] = steps, [each.generator_loss for each in told.records]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.png"
        save_progress(lines, path)
        source = embedded(path, budget=runs[0].budget)
    alt = f"{', '.join(lines)} over generator steps, one line for each of {len(runs)} runs"
    return () if source is None else (Picture(source, alt),)
