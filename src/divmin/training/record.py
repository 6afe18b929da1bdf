"""What a run tells about itself: a record for every `log_every` generator steps. Needs no torch, since lists of runs don't."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from divmin.errors import DivminError

TIMING = ("seconds", "samples_per_second")


@dataclass(frozen=True)
class Record:
    """Means over the generator steps since the record before.

    d is the critic's raw output: the estimated log-ratio log p/q in nats where the recipe's critic is logistic.

    Args:
        step: generator steps done.
        samples: data samples that the critic has seen.
        critic_loss, generator_loss: the minimised losses, without penalties and data terms.
        d_real, d_real_sd: mean and standard deviation of d over data.
        d_fake, d_fake_sd: the same over the model's samples.
        seconds: training time since step 0, without the time between runs.
        samples_per_second: data samples a second since the record before.
        penalty: what the critic paid for its slopes and weights; None in a run without penalties.
        reconstruction, prior: -log p(x|z) without its constant, and KL(q(z|x) || N(0, 1)), in nats a sample; None without
            a data term.
    """

    step: int
    samples: int
    critic_loss: float | None
    generator_loss: float
    d_real: float | None
    d_real_sd: float | None
    d_fake: float | None
    d_fake_sd: float | None
    seconds: float
    samples_per_second: float
    penalty: float | None = None
    reconstruction: float | None = None
    prior: float | None = None

    def to_json(self) -> str:
        """One line; JSON has no NaN, and a record never holds one."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, line: str, *, where: str) -> Record:
        """The inverse of `to_json`; `where` names the line in an error."""
        try:
            values = json.loads(line)
            if isinstance(values, dict) and set(values) == {item.name for item in fields(cls)}:
                return cls(**values)
        except json.JSONDecodeError:
            pass  # The same line of text serves both kinds of damage.
        raise DivminError(f"{where}: not a metrics record: remove the line, or restore the file")


def parse(text: str, *, where: str, last_step: int | None = None, log_every: int = 1) -> list[Record]:
    """The records of a metrics file, or those that belong to the run as it stood after `last_step`.

    A record written at the end of a run, between two log intervals, does not survive a resumption: the
    uninterrupted run would not have written it.

    Args:
        text: the file's content.
        where: its name, for errors.
        last_step: None for all records, or the step of the checkpoint that is resumed.
        log_every: generator steps between records.
    """
    records: list[Record] = []
    lines: Sequence[str] = text.splitlines()
    for number, line in enumerate(lines, start=1):
        # A process that was killed can leave half a line, always as the last one.
        if number == len(lines) and not text.endswith("\n"):
            break
        record = Record.from_json(line, where=f"{where}, line {number}")
        if last_step is None or (record.step <= last_step and record.step % log_every == 0):
            records.append(record)
    return records
