"""Relativistic losses: the critic says which of two samples is the more real, so each loss looks at data and samples together.

pairing    critic E_pq[phi(c(x) - c(y))]                             generator E_pq[phi(c(y) - c(x))]
average    critic E_p[phi(c(x) - E_q c)] + E_q[phi(E_p c - c(y))]    generator the same with data and samples exchanged
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.objectives.reduce import Scores, readable, reduced
from divmin.objectives.terms import Term


@dataclass(frozen=True)
class Relativistic:
    """A game over differences of critic outputs; `phi` is what a difference in favour of the data costs the critic."""

    name: str
    phi: Term
    average: bool
    summary: str = ""

    @property
    def minimises(self) -> None:
        """No f-divergence: the generator's weight depends on all of p (and q), not on the ratio at one point."""
        return

    @property
    def needs_real(self) -> bool:
        """Whether `generator_loss` also takes the scores of data, as `real`."""
        return True

    @property
    def real(self) -> str:
        """The critic's loss on data, as text."""
        return self._text("c(x)", "E_q c" if self.average else "c(y)")

    @property
    def fake(self) -> str:
        """The critic's loss on model samples, as text."""
        return self._text("E_p c", "c(y)") if self.average else "the same pairs"

    @property
    def generator(self) -> str:
        """The generator's loss, as text."""
        if self.average:
            return f"{self._text('c(y)', 'E_p c')}, and {self._text('E_q c', 'c(x)')} on data"
        return self._text("c(y)", "c(x)")

    def _text(self, one: str, other: str) -> str:
        return str(self.phi).replace("-c", f"-({one} - {other})")

    def critic_loss(self, real: Scores, fake: Scores, *, reduction: str = "mean", check_finite: bool = False) -> Tensor:
        """What the critic minimises: phi of how much more real the data look.

        Args:
            real: the critic's outputs on data, [n]; or a list, one tensor a critic, whose losses are averaged.
            fake: its outputs on model samples; for pairing as many as of data.
            reduction: "mean", "sum" or "none"; averages have "mean" only.
            check_finite: raise on NaN or infinite scores.

        Returns:
            A scalar, or the losses of the pairs.

        Raises:
            DivminError: on empty batches, and for pairing on batches of different sizes.

        Example:
            >>> import divmin as dm, torch
            >>> dm.recipe("rpgan").critic_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
            tensor(0.6931)
        """
        return self._loss(real, fake, reduction, check_finite)

    def generator_loss(
        self, fake: Scores, *, real: Scores | None = None, reduction: str = "mean", check_finite: bool = False
    ) -> Tensor:
        """What the generator minimises, the critic held fixed: phi of how much more real its samples look than data.

        Args:
            fake: the critic's outputs on model samples, with a graph to the generator; or a list.
            real: its outputs on data, likewise; they need no graph.
            reduction: as in `critic_loss`.
            check_finite: raise on NaN or infinite scores.

        Returns:
            A scalar, or the losses of the pairs.

        Raises:
            DivminError: as `critic_loss`, and without `real`.

        Example:
            >>> import divmin as dm, torch
            >>> dm.recipe("rpgan").generator_loss(torch.tensor([1.0, 2.0]), real=torch.tensor([1.0, 2.0]))
            tensor(0.6931)
        """
        if real is None:
            raise DivminError(f"{self.name} compares samples with data: call generator_loss(fake, real=scores_of_data)")
        return self._loss(fake, real, reduction, check_finite)

    def _loss(self, better: Scores, worse: Scores, reduction: str, check: bool) -> Tensor:
        if isinstance(better, Tensor) and isinstance(worse, Tensor):
            return self._one(readable(better, "one side's", check), readable(worse, "other side's", check), reduction)
        if (
            not isinstance(better, Sequence)
            or not isinstance(worse, Sequence)
            or len(better) != len(worse)
            or not better
        ):
            raise DivminError(f"{self.name} needs two tensors of scores, or two lists with one tensor a critic")
        each = [self._loss(x, y, reduction, check) for x, y in zip(better, worse, strict=True)]
        return torch.stack(each).mean(0)

    def _one(self, better: Tensor, worse: Tensor, reduction: str) -> Tensor:
        if not self.average:
            if better.shape != worse.shape:
                raise DivminError(
                    f"{self.name} pairs data with samples: expected batches of one shape, got {tuple(better.shape)} and "
                    f"{tuple(worse.shape)}"
                )
            return reduced(self.phi(better - worse), reduction)
        if reduction != "mean":
            raise DivminError(f"{self.name} compares with averages over the batch: its only reduction is mean")
        return reduced(self.phi(better - worse.mean()), "mean") + reduced(self.phi(better.mean() - worse), "mean")
