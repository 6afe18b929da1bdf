"""One run as a chapter: every section is a function of what its folder holds, and one that finds nothing is left out.

A section more is a function more in `SECTIONS`, and a source of warnings more one in `warnings`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from divmin.diagnostics import Report
from divmin.diagnostics.findings import CAUTION, NOTE, SERIOUS, SEVERITIES
from divmin.errors import DivminError
from divmin.illustrations import CURVES, DIVERGENCE, GRID, WATCHED
from divmin.pages.embedding import SMALL, embedded, films, spread
from divmin.pages.parts import Chapter, Film, Picture, Section, Table, Warned, number, table
from divmin.training import Record, Run, TrainConfig, evaluations
from divmin.training.evaluations import Best, Evaluation
from divmin.training.run import EVALUATION, EXPLANATION, frames, read_text
from divmin.watching import watched

DIAGNOSIS = "diagnosis"  # the folder in which divmin diagnose writes
SHOWN = 12  # rows of the table of metrics


@dataclass(frozen=True, eq=False)
class Told:
    """What the folder of a run tells, read once.

    Args:
        run: it.
        budget: bytes that its pictures may have.
    """

    run: Run
    budget: int

    @cached_property
    def records(self) -> list[Record]:
        return self.run.records()

    @cached_property
    def evaluations(self) -> list[Evaluation]:
        return evaluations.read(self.run.folder)

    @cached_property
    def best(self) -> Best | None:
        return evaluations.best(self.evaluations)

    @cached_property
    def explanation(self) -> dict[str, Any]:
        """The record of explanation.json; empty where there is none."""
        path = self.run.folder / EXPLANATION
        try:
            found = json.loads(read_text(path)) if path.exists() else {}
        except json.JSONDecodeError:
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def hearing(self) -> Report | str | None:
        """What the monitor heard; why it cannot be told; None where there was none."""
        try:
            return watched(self.run)
        except DivminError as error:
            return str(error)

    @property
    def heard(self) -> Report | None:
        return None if isinstance(self.hearing, str) else self.hearing

    def picture(self, name: str, alt: str, caption: str = "", width: int | None = None) -> tuple[Picture, ...]:
        """A picture of the folder, if it is there."""
        part = self.budget // 9
        path = self.run.folder / name
        source = embedded(path, budget=part) if width is None else embedded(path, width=width, budget=part)
        return () if source is None else (Picture(source, alt, caption),)


def chapter(run: Run, budget: int) -> Chapter:
    """All about a run.

    Args:
        run: it.
        budget: bytes that its pictures may have.
    """
    told = Told(run, budget)
    found = [make(told) for make in SECTIONS]
    return Chapter(
        run.folder.name, run.condition, headline(told), facts(told), tuple(each for each in found if not each.empty)
    )


def headline(told: Told) -> str:
    """What the run minimises."""
    unknown = "What this run minimises is not known: its folder has no explanation of its losses."
    return str(told.explanation.get("sentence") or unknown)


def facts(told: Told) -> tuple[tuple[str, str], ...]:
    """The few numbers that people look for first."""
    run, config, last = told.run, told.run.config, told.records[-1] if told.records else None
    found = [
        ("recipe", config.recipe), ("minimises", str(told.explanation.get("minimises", "-"))), ("data", config.data),
        ("model", config.model), ("seed", str(config.seed)), ("steps", f"{run.step:,} of {config.steps:,}"),
    ]  # fmt: skip
    if last is not None:
        found.append(("critic and generator loss", f"{number(last.critic_loss)}, {number(last.generator_loss)}"))
        found.append(("training time", _duration(last.seconds)))
    if told.best is not None:
        found.append((f"best {told.best.metric}", f"{number(told.best.value)} at step {told.best.step:,}"))
    return tuple(found)


def warnings(told: Told) -> Section:
    """Everything to worry about, the most important first."""
    run, found = told.run, []
    if run.condition in ("failed", "stopped", "interrupted"):
        why = f": {run.reason}" if run.reason else ""
        remedy = f"Go on with divmin resume {shlex.quote(str(run.folder))}."
        severity = SERIOUS if run.condition == "failed" else CAUTION
        found.append(
            Warned(severity, f"The run is {run.condition} at step {run.step:,} of {run.config.steps:,}{why}.", remedy)
        )
    if told.explanation and told.explanation.get("is_divergence") is False:
        found.append(
            Warned(CAUTION, "The generator follows the gradient of no f-divergence, also with the best critic.", "")
        )
    if told.heard is not None:
        found += [Warned(each.severity, each.sentence, each.remedy) for each in told.heard.findings]
    if isinstance(told.hearing, str):
        found.append(Warned(CAUTION, f"What the critic said is lost: {told.hearing}."))
    found += [Warned(NOTE, str(each)) for each in told.explanation.get("warnings", ())]
    ordered = sorted(found, key=lambda each: SEVERITIES.index(each.severity))
    quiet = () if ordered else ("Nothing is wrong that the run's records show.",)
    return Section("Warnings", quiet, tuple(ordered))


def samples(told: Told) -> Section:
    """Samples beside data, and the same z over training."""
    paths = spread(frames(told.run.folder))
    sources = films(paths, budget=told.budget // 3)
    steps = tuple(int(path.stem) for path in paths) if len(sources) == len(paths) else ()
    film = None
    if steps:
        shown = (
            Picture(source, f"samples of the same z at step {step:,}")
            for source, step in zip(sources, steps, strict=True)
        )
        film = Film(tuple(shown), steps)
    alt = f"samples of the averaged generator beside data, step {told.run.step:,}"
    return Section("Samples", film=film, pictures=told.picture(GRID, alt, "beside data", SMALL))


def minimised(told: Told) -> Section:
    """The divergence, its tails, and where samples are pushed."""
    found = told.explanation
    if not found:
        return Section("What is minimised")
    link, tails, saturation = found.get("link") or {}, found.get("tails") or {}, found.get("saturation") or {}
    rows = [
        ("name", found.get("name")), ("expression", found.get("expression")), ("F''(u), u = p/q", found.get("F''")),
        ("best critic", link.get("formula") and f"c* = {link['formula']}"),
        ("tail weights (R, S)", tails and f"({tails.get('R')}, {tails.get('S')})"),
        ("pull on samples that look fake", saturation.get("left")), ("pull where data are missed", saturation.get("right")),
    ]  # fmt: skip
    alt = f"three curves over the log-ratio: the best critic, the pull on a sample, the cost of a mismatch; {headline(told)}"
    shown = table((), [(name, str(value)) for name, value in rows if value])
    return Section("What is minimised", (headline(told),), pictures=told.picture(DIVERGENCE, alt), tables=(shown,))


def curves(told: Told) -> Section:
    """Losses and scores over time."""
    if not told.records:
        return Section("Curves")
    last = told.records[-1]
    alt = (
        f"losses and critic outputs over {last.step:,} steps; at the end critic loss {number(last.critic_loss)}, generator loss "
        f"{number(last.generator_loss)}, mean output {number(last.d_real)} on data and {number(last.d_fake)} on samples"
    )
    return Section("Curves", pictures=told.picture(CURVES, alt))


def critic(told: Told) -> Section:
    """Pushforwards, calibration and values, from the monitor."""
    heard = told.heard
    if heard is None:
        return Section("Pushforward and calibration")
    first = heard.critics[0]
    values = [
        (each.divergence, number(each.value), f"{number(each.interval[0])} to {number(each.interval[1])}", each.kind)
        for each in first.values
    ]
    said = [str(part) for part in (first.balance, first.signal, first.support) if part is not None]
    slope, mean = first.calibration.slope, first.calibration.mean_ratio
    alt = (
        f"laws of the critic's d on data and samples over time, bounds on divergences, the generator's signal, and calibration: "
        f"slope {slope[0]:.2f}, E_q[e^d] = {mean[0]:.3g}, AUC {first.balance.auc[0]:.3f}"
    )
    note = f"by the last {first.n[0]:,} and {first.n[1]:,} {heard.about}; {first.reading.words}"
    shown = table(("divergence", "bound, nats", "95%", "kind"), values, note)
    return Section("Pushforward and calibration", tuple(said), pictures=told.picture(WATCHED, alt), tables=(shown,))


def diagnosis(told: Told) -> Section:
    """What divmin diagnose found, where it was asked, of the step at which it was."""
    title, folder = "Before another critic", told.run.folder / DIAGNOSIS
    try:
        found = json.loads(read_text(folder / "diagnosis.json")) if (folder / "diagnosis.json").exists() else None
    except (json.JSONDecodeError, DivminError):
        return Section(title, ("diagnosis.json is damaged: run divmin diagnose again.",))
    if not isinstance(found, dict):
        return Section(title)
    sheets = (
        ("worst_covered.png", "data that the model lacks most: those with the highest d"),
        ("most_fake.png", "samples that give the model away: those with the lowest d"),
        (
            "fresh_critic.png",
            "loss and accuracy of a fresh critic while it learns, and the generator's gradients meanwhile",
        ),
    )
    pictures = tuple(shown for name, alt in sheets for shown in told.picture(f"{DIAGNOSIS}/{name}", alt, alt))
    values = [
        (
            str(each["divergence"]),
            str(each["value"])[:8],
            " to ".join(str(end)[:8] for end in each["interval"]),
            str(each["kind"]),
        )
        for each in found.get("estimates", ())
    ]
    shown = table(("divergence", "bound, nats", "95%", "kind"), values, f"divmin diagnose at step {found.get('step')}")
    return Section(
        title, tuple(map(str, found.get("sentences", ()))), pictures=pictures, tables=(shown,) if values else ()
    )


def metrics(told: Told) -> Section:
    """What was measured of samples, and how."""
    rows = told.evaluations
    if not rows:
        return Section("Metrics")
    names = list(dict.fromkeys(name for each in rows for name in each.values))
    kept = rows if len(rows) <= SHOWN else [rows[round(i * (len(rows) - 1) / (SHOWN - 1))] for i in range(SHOWN)]
    cells = [(f"{each.step:,}", *(number(each.values.get(name)) for name in names)) for each in kept]
    bests = [best for name in names if (best := evaluations.best(rows, name)) is not None]
    above = table(
        ("metric", "best", "at step"), [(best.metric, number(best.value), f"{best.step:,}") for best in bests]
    )
    return Section("Metrics", tables=(above, table(("step", *names), cells, _how(told.run.folder))))


def configuration(told: Told) -> Section:
    """All settings, those that were chosen before those that were left."""
    config, default = told.run.config, TrainConfig()
    pairs = [(item.name, getattr(config, item.name)) for item in fields(TrainConfig) if item.name != "out"]
    chosen = [(name, str(value)) for name, value in pairs if value != getattr(default, name)]
    left = [(name, str(value)) for name, value in pairs if value == getattr(default, name)]
    tables: tuple[Table, ...] = (
        table((), chosen, "settings that differ from the defaults"),
        table((), left, "defaults"),
    )
    return Section("Configuration", tables=tuple(each for each in tables if each.rows), folded=True)


def commands(told: Told) -> Section:
    """How to make it again, and to look further."""
    folder = shlex.quote(str(told.run.folder))
    again = [
        "divmin train" + "".join(f" {flag}" for flag in flags(told.run.config)) + f" --out {folder}-again",
        f"divmin resume {folder} --steps {2 * told.run.config.steps}",
        f"divmin evaluate {folder}",
        f"divmin diagnose {folder} --fresh-critic",
        f"divmin sample {folder} --out samples.png",
    ]
    return Section(
        "Commands", ("The first makes the run again; on one machine's CPU bit for bit.",), commands=tuple(again)
    )


def flags(config: TrainConfig) -> list[str]:
    """The flags of `divmin train` for settings that differ from the defaults, quoted for a shell."""
    default, found = TrainConfig(), []
    for item in fields(TrainConfig):
        value, flag = getattr(config, item.name), item.name.replace("_", "-")
        if item.name == "out" or value == getattr(default, item.name):
            continue
        if isinstance(value, bool):
            found.append(f"--{'' if value else 'no-'}{flag}")
        else:  # with the sign of equality, since a value may begin with a minus
            found.append(shlex.quote(f"--{flag}={value}"))
    return found


SECTIONS: tuple[Callable[[Told], Section], ...] = (
    warnings, samples, minimised, curves, critic, diagnosis, metrics, configuration, commands
)  # fmt: skip


def _how(folder: Path) -> str:
    """What the last line of evaluation.jsonl says of how it was measured."""
    lines = read_text(folder / EVALUATION).splitlines()
    for line in reversed(lines):
        try:
            return str(json.loads(line).get("settings", ""))
        except (json.JSONDecodeError, AttributeError):
            continue
    return ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
