"""What a reader should worry about: every source of warnings is a function, and a further one is one more in `SOURCES`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from divmin.diagnostics.findings import CAUTION, NOTE, SERIOUS, SEVERITIES
from divmin.errors import counted
from divmin.pages.parts import Warned, number
from divmin.pages.told import Told
from divmin.training.run import BEST


def cautions(told: Told) -> tuple[Warned, ...]:
    """All warnings about a run, the most important first."""
    found = [each for source in SOURCES for each in source(told)]
    return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))


def counts(warned: tuple[Warned, ...]) -> str:
    """How many there are of each severity.

    >>> counts((Warned("serious", "a"), Warned("note", "b"), Warned("note", "c")))
    '1 serious, 2 notes'
    """
    of = {severity: sum(each.severity == severity for each in warned) for severity in SEVERITIES}
    return ", ".join(counted(n, name, name if name == SERIOUS else "") for name, n in of.items() if n) or "none"


def _of_the_end(told: Told) -> Iterator[Warned]:
    run = told.run
    if run.condition in ("failed", "stopped", "interrupted"):
        why = f": {run.reason}" if run.reason else ": its process is gone" if run.condition == "stopped" else ""
        yield Warned(
            SERIOUS if run.condition == "failed" else CAUTION,
            f"The run is {run.condition} at step {told.step:,} of {run.config.steps:,}{why}.",
            f"Go on from its checkpoint with divmin resume {shlex.quote(str(run.folder))}.",
        )


def _of_the_aim(told: Told) -> Iterator[Warned]:
    if told.explanation.get("is_divergence") is False:
        yield Warned(CAUTION, "The generator follows the gradient of no f-divergence, also with the best critic.")


def _of_the_critic(told: Told) -> Iterator[Warned]:
    for each in () if told.heard is None else told.heard.findings:
        yield Warned(each.severity, each.sentence, each.remedy)


def _of_the_files(told: Told) -> Iterator[Warned]:
    yield from (Warned(CAUTION, sentence) for sentence in told.damage)


def _of_the_samples(told: Told) -> Iterator[Warned]:
    best = told.best
    if best is None:
        return
    last = next(each for each in reversed(told.evaluations) if best.metric in each.values)
    if last.step > best.step and last.values[best.metric] != best.value:
        path = told.run.folder / BEST
        yield Warned(
            NOTE,
            f"By {best.metric} samples were best at step {best.step:,} ({number(best.value)}); at step {last.step:,} it is "
            f"{number(last.values[best.metric])}.",
            f"The checkpoint of the best is kept: divmin sample {shlex.quote(str(path))}." if path.exists() else "",
        )


def _of_the_recipe(told: Told) -> Iterator[Warned]:
    said = told.explanation.get("warnings")
    yield from (Warned(NOTE, str(each)) for each in (said if isinstance(said, list) else ()))


SOURCES: tuple[Callable[[Told], Iterator[Warned]], ...] = (
    _of_the_end, _of_the_files, _of_the_critic, _of_the_aim, _of_the_samples, _of_the_recipe
)  # fmt: skip
