"""One run as a chapter: every section is a function of what its folder tells, and a further one is one more in `SECTIONS`.

A section that finds nothing says why, and stands in a line at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from divmin.illustrations import CURVES, DIVERGENCE, GRID, WATCHED
from divmin.pages.cautions import cautions
from divmin.pages.commands import commands, objects
from divmin.pages.diagnosed import diagnosis
from divmin.pages.embedding import film, spread
from divmin.pages.parts import Chapter, Film, Picture, Section, number, table
from divmin.pages.told import PART, Told, facts
from divmin.training import TrainConfig, evaluations
from divmin.training.run import EVALUATION, MONITOR, frames, read_text

SHOWN = 12  # rows of the table of metrics


def chapter(told: Told) -> Chapter:
    """All about a run."""
    found = [make(told) for make in SECTIONS]
    return Chapter(
        told.name,
        told.run.condition,
        told.headline,
        facts(told),
        tuple(each for each in found if not each.empty),
        tuple(f"{each.title}: {each.missing}" for each in found if each.empty),
    )


def warnings(told: Told) -> Section:
    """Everything to worry about, the most important first."""
    found = cautions(told)
    return Section("Warnings", () if found else ("Nothing is wrong that the run's records show.",), found)


def samples(told: Told) -> Section:
    """Samples beside data, and the same z over training."""
    shown = film(spread(frames(told.run.folder)), budget=told.budget * 3 // PART)
    steps = tuple(int(path.stem) for path in shown)
    drawn = [
        Picture(source, f"samples of the same z at step {step:,}")
        for source, step in zip(shown.values(), steps, strict=True)
    ]
    alt = f"samples of the averaged generator beside data, step {told.run.step:,}"
    return Section(
        "Samples",
        film=Film(tuple(drawn), steps) if drawn else None,
        pictures=told.picture(GRID, alt, "beside data"),
        missing="no pictures have been drawn, or they cannot be read",
    )


def minimised(told: Told) -> Section:
    """The divergence, its tails, and where samples are pushed."""
    title, found = "What is minimised", told.explanation
    if not found:
        return Section(title, missing="there is no explanation.json, and the name of the recipe does not tell")
    formula, tails, saturation = told.part("link").get("formula"), told.part("tails"), told.part("saturation")
    rows = [
        ("name", found.get("name")), ("expression", found.get("expression")), ("F''(u), u = p/q", found.get("F''")),
        ("best critic", formula and f"c* = {formula}"), ("tail weights (R, S)", tails and f"({tails.get('R')}, {tails.get('S')})"),
        ("pull on samples that look fake", saturation.get("left")), ("pull where data are missed", saturation.get("right")),
    ]  # fmt: skip
    alt = f"three curves over the log-ratio: the best critic, the pull on a sample, the cost of a mismatch; {told.headline}"
    shown = table((), [(name, str(value)) for name, value in rows if value])
    return Section(title, pictures=told.picture(DIVERGENCE, alt), tables=(shown,) if shown.rows else ())


def curves(told: Told) -> Section:
    """Losses and scores over time."""
    if not told.records:
        return Section("Curves", missing="there are no records yet")
    last = told.records[-1]
    alt = (
        f"losses and critic outputs over {last.step:,} steps; at the end critic loss {number(last.critic_loss)}, generator loss "
        f"{number(last.generator_loss)}, mean output {number(last.d_real)} on data and {number(last.d_fake)} on samples"
    )
    for name in told.metrics:
        values = [each.values[name] for each in told.evaluations if name in each.values]
        alt += f"; {name} from {number(values[0])} to {number(values[-1])}"
    return Section("Curves", pictures=told.picture(CURVES, alt), missing="they could not be drawn")


def critic(told: Told) -> Section:
    """Pushforwards, calibration and values, from the monitor."""
    title, heard = "Pushforward and calibration", told.heard
    alt = "laws of the critic's d on data and samples over time, bounds on divergences, the generator's signal, and calibration"
    if heard is None:
        return Section(title, pictures=told.picture(WATCHED, alt), missing=_unheard(told))
    first = heard.critics[0]
    values = [
        (each.divergence, number(each.value), f"{number(each.interval[0])} to {number(each.interval[1])}", each.kind)
        for each in first.values
    ]
    said = [str(part) for part in (first.balance, first.signal, first.support) if part is not None]
    slope, mean = first.calibration.slope, first.calibration.mean_ratio
    alt += f": slope {slope[0]:.2f}, E_q[e^d] = {mean[0]:.3g}, AUC {first.balance.auc[0]:.3f}"
    note = f"by the last {first.n[0]:,} and {first.n[1]:,} {heard.about}; {first.reading.words}"
    shown = table(("divergence", "bound, nats", "95%", "kind"), values, note)
    return Section(title, tuple(said), pictures=told.picture(WATCHED, alt), tables=(shown,))


def metrics(told: Told) -> Section:
    """What was measured of samples, and how."""
    rows, names = told.evaluations, told.metrics
    if not rows:
        return Section(
            "Metrics", missing="nothing was measured on the way (divmin train --evaluate-every, or divmin evaluate)"
        )
    bests = [best for name in names if (best := evaluations.best(rows, name)) is not None]
    above = table(
        ("metric", "best", "at step"), [(best.metric, number(best.value), f"{best.step:,}") for best in bests]
    )
    cells = [(f"{each.step:,}", *(number(each.values.get(name)) for name in names)) for each in spread(rows, SHOWN)]
    below = table(("step", *names), cells, _how(told.run.folder))
    return Section("Metrics", tables=(above, below))


def configuration(told: Told) -> Section:
    """All settings, those that were chosen before those that were left."""
    config, default = told.run.config, TrainConfig()
    pairs = [(item.name, getattr(config, item.name)) for item in fields(TrainConfig) if item.name != "out"]
    chosen = [(name, str(value)) for name, value in pairs if value != getattr(default, name)]
    left = [(name, str(value)) for name, value in pairs if value == getattr(default, name)]
    tables = (table((), chosen, "settings that differ from the defaults"), table((), left, "defaults"))
    return Section("Configuration", tables=tuple(each for each in tables if each.rows), folded=True)


def reproduction(told: Told) -> Section:
    """How to make it again, and to look further."""
    said = "The first makes the run again; on one machine's CPU bit for bit."
    if given := objects(told.run.config):
        said = f"Objects of Python's were given as {' and '.join(given)}: the first needs them from a module, with --import."
    return Section("Commands", (said,), commands=commands(told))


SECTIONS: tuple[Callable[[Told], Section], ...] = (
    warnings, samples, minimised, curves, critic, diagnosis, metrics, configuration, reproduction
)  # fmt: skip


def _unheard(told: Told) -> str:
    config = told.run.config
    if config.critic_steps == 0:
        return "the recipe trains no critic"
    if config.fakes != "prior":
        return "the critic compares data with reconstructions, and says nothing of the model's samples"
    if not (told.run.folder / MONITOR).exists():
        return "there is no monitor.json"
    return "monitor.json holds too few scores, or they cannot be read without the recipe's object"


def _how(folder: Path) -> str:
    """What the last line of evaluation.jsonl says of how it was measured."""
    for line in reversed(read_text(folder / EVALUATION).splitlines()):
        try:
            return str(json.loads(line).get("settings") or "")
        except (json.JSONDecodeError, AttributeError):
            continue
    return ""
