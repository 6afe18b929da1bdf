"""Several runs side by side: facts in columns, settings that differ, and metrics in one picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

from divmin.pages.cautions import cautions, counts
from divmin.pages.embedding import embedded
from divmin.pages.parts import Picture, Table, number, table
from divmin.pages.told import Told, facts
from divmin.plots import save_progress
from divmin.training import TrainConfig, evaluations

METRICS = 6  # in the picture


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Args:
        names: of the runs, no two alike.
        facts: a row for each fact, a column for each run.
        differences: settings that are not the same in all runs, likewise.
        pictures: metrics over steps.
    """

    names: tuple[str, ...]
    facts: Table
    differences: Table
    pictures: tuple[Picture, ...]


def comparison(runs: Sequence[Told]) -> Comparison:
    """Put runs beside each other.

    Args:
        runs: at least two.
    """
    names = distinct(runs)
    known = [_facts(told) for told in runs]
    rows = list(dict.fromkeys(name for each in known for name in each))
    settings = [item.name for item in fields(TrainConfig) if item.name != "out"]
    differ = [name for name in settings if len({str(getattr(told.run.config, name)) for told in runs}) > 1]
    return Comparison(
        names,
        table(("", *names), [(name, *(each.get(name, "-") for each in known)) for name in rows]),
        table(("", *names), [(name, *(str(getattr(told.run.config, name)) for told in runs)) for name in differ]),
        _picture(names, runs),
    )


def distinct(runs: Sequence[Told]) -> tuple[str, ...]:
    """A name for each run: its folder's, the whole path where folders share a name, and a number where runs are given twice."""
    shared = Counter(told.name for told in runs)
    found = [told.name if shared[told.name] == 1 else str(told.run.folder) for told in runs]
    again = Counter(found)
    return tuple(name if again[name] == 1 else f"{name} ({i})" for i, name in enumerate(found, start=1))


def _facts(told: Told) -> dict[str, str]:
    """Facts by name, with the best of everything that was measured."""
    bests = [best for name in told.metrics if (best := evaluations.best(told.evaluations, name)) is not None]
    measured = {f"best {best.metric}": f"{number(best.value)} at step {best.step:,}" for best in bests}
    return {"state": told.run.condition, **dict(facts(told)), **measured, "warnings": counts(cautions(told))}


def _picture(names: Sequence[str], runs: Sequence[Told]) -> tuple[Picture, ...]:
    """What was measured on the way; where nothing was, the losses."""
    lines: dict[str, dict[str, tuple[list[int], list[float]]]] = {}
    for metric in list(dict.fromkeys(name for told in runs for name in told.metrics))[:METRICS]:
        for name, told in zip(names, runs, strict=True):
            having = [each for each in told.evaluations if metric in each.values]
            if having:
                values = [each.values[metric] for each in having]
                lines.setdefault(metric, {})[name] = [each.step for each in having], values
    if not lines:
        for name, told in zip(names, runs, strict=True):
            if told.records:
                values = [each.generator_loss for each in told.records]
                lines.setdefault("generator loss", {})[name] = [each.step for each in told.records], values
    if not lines:
        return ()
    path = runs[0].place / "side_by_side.png"
    save_progress(lines, path)
    source = embedded(path, budget=runs[0].budget)
    last = "; ".join(
        f"{metric}: " + ", ".join(f"{name} {number(values[-1])}" for name, (_, values) in each.items())
        for metric, each in lines.items()
    )
    different = len({told.run.config.recipe for told in runs}) > 1
    caption = (
        "Losses of different recipes have different scales and do not compare."
        if different and "generator loss" in lines
        else ""
    )
    alt = f"numbers over generator steps, a line for each run, the last of which are: {last}"
    return () if source is None else (Picture(source, alt, caption, drawing=True),)
