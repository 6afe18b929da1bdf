"""The numbers of a run while they arise, and how they become one record."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from divmin.training.record import Record as Record

CRITIC_COLUMNS = ("critic_loss", "the mean of d_real", "the variance of d_real", "the mean of d_fake",
                  "the variance of d_fake", "penalty")  # fmt: skip
GENERATOR_COLUMNS = ("generator_loss", "reconstruction", "prior")


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
