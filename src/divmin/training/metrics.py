"""What a run tells about itself: one record for every `log_every` generator steps."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor

from divmin.errors import DivminError

TIMING = ("seconds", "samples_per_second")
CRITIC_COLUMNS = ("critic_loss", "the mean of d_real", "the variance of d_real", "the mean of d_fake",
                  "the variance of d_fake", "penalty")  # fmt: skip
GENERATOR_COLUMNS = ("generator_loss", "reconstruction", "prior")


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


class Table:
    """Rows of numbers that stay on the device until somebody reads them, so that a step never waits for one.

    Args:
        rows, columns: the largest number of rows held, and the numbers in each.
        device: where the numbers arise.

    >>> table = Table(4, 2, torch.device("cpu"))
    >>> table.write(torch.tensor(1.0), torch.tensor(2.0))
    >>> table.rows
    tensor([[1., 2.]])
    """

    def __init__(self, rows: int, columns: int, device: torch.device) -> None:
        self._buffer = torch.empty(rows, columns, device=device)
        self._used = 0

    @property
    def rows(self) -> Tensor:
        """The rows written so far, [n, columns]."""
        return self._buffer[: self._used]

    def write(self, *values: Tensor) -> None:
        """Append one row of 0-dimensional tensors."""
        torch.stack(values, out=self._buffer[self._used])
        self._used += 1

    def restore(self, rows: Tensor) -> None:
        """Hold exactly these rows."""
        self._used = len(rows)
        self._buffer[: self._used] = rows

    def clear(self) -> None:
        """Hold no rows."""
        self._used = 0


def spread(means: Tensor, variances: Tensor) -> float:
    """The standard deviation of equally large batches taken together, from their means and variances.

    >>> spread(torch.tensor([0.0, 2.0]), torch.tensor([3.0, 3.0]))
    2.0
    """
    return math.sqrt(float(variances.mean() + means.var(correction=0)))


def summarise(
    critic: Tensor,
    generator: Tensor,
    *,
    step: int,
    samples: int,
    seconds: float,
    rate: float,
    penalised: bool = False,
    data_term: bool = False,
) -> Record:
    """One record from the rows of its interval.

    Args:
        critic: rows of `CRITIC_COLUMNS`, [n, 6]; none where the critic is not trained.
        generator: rows of `GENERATOR_COLUMNS`, [m, 3].
        step, samples, seconds: as in `Record`.
        rate: data samples a second.
        penalised, data_term: whether the last columns mean anything.
    """
    critic, generator = critic.double().cpu(), generator.double().cpu()
    loss, real, real_variance, fake, fake_variance, penalty = critic.unbind(1)
    played = len(critic) > 0
    of_generator, reconstruction, prior = (float(column.mean()) for column in generator.unbind(1))
    return Record(
        step=step,
        samples=samples,
        critic_loss=float(loss.mean()) if played else None,
        generator_loss=of_generator,
        d_real=float(real.mean()) if played else None,
        d_real_sd=spread(real, real_variance) if played else None,
        d_fake=float(fake.mean()) if played else None,
        d_fake_sd=spread(fake, fake_variance) if played else None,
        seconds=seconds,
        samples_per_second=rate,
        penalty=float(penalty.mean()) if penalised and played else None,
        reconstruction=reconstruction if data_term else None,
        prior=prior if data_term else None,
    )


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
