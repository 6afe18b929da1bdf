"""An adversarial recipe: what the critic minimises, what the generator minimises, and the divergence that results.

critic      E_p[l_p(c(x))] + E_q[l_q(c(x))]        generator      E_q[h(c(x))] (- E_p[G(c(x)) log q(x)])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

from torch import Tensor

from divmin.family import Divergence
from divmin.objectives.reduce import Scores, expectation
from divmin.objectives.terms import Term


@dataclass(frozen=True)
class Recipe:
    """A critic loss and a generator loss, both of raw critic outputs and both minimised; more real is higher.

    `minimises` is the divergence whose gradient the generator follows when the critic is at its optimum, with its factor,
    where that is known by construction; `divmin.explain` derives it for any recipe.
    """

    name: str
    real: Term  # l_p: what the critic pays for data, per sample
    fake: Term  # l_q: what the critic pays for model samples
    generator: Term  # h: what the generator pays for model samples
    minimises: Divergence | None = None
    summary: str = ""
    likelihood: Term | None = (
        None  # G: the weight of -log q(x) on data, for losses that also use the model's likelihood
    )

    @property
    def needs_real(self) -> bool:
        """Whether `generator_loss` also takes the scores of data, as `real`."""
        return False

    @overload
    def critic_loss(
        self, real: Scores, fake: Scores, *, reduction: Literal["none"], weight_real: Tensor | None = ...,
        weight_fake: Tensor | None = ..., check_finite: bool = ...,
    ) -> tuple[Tensor, Tensor]: ...  # fmt: skip
    @overload
    def critic_loss(
        self, real: Scores, fake: Scores, *, reduction: Literal["mean", "sum"] = ..., weight_real: Tensor | None = ...,
        weight_fake: Tensor | None = ..., check_finite: bool = ...,
    ) -> Tensor: ...  # fmt: skip
    def critic_loss(
        self,
        real: Scores,
        fake: Scores,
        *,
        reduction: str = "mean",
        weight_real: Tensor | None = None,
        weight_fake: Tensor | None = None,
        check_finite: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """What the critic minimises.

            mean of l_p over data + mean of l_q over model samples

        Args:
            real: the critic's outputs on data, any shape; or a list, one tensor a critic, whose losses are averaged.
            fake: its outputs on model samples, likewise; the two batches may differ in size.
            reduction: "mean", "sum", or "none" for the per-sample losses.
            weight_real: weights of the shape of `real`; a weighted mean divides by their sum.
            weight_fake: weights of the shape of `fake`.
            check_finite: raise on NaN or infinite scores, at the price of a synchronisation.

        Returns:
            A scalar; for "none" the two tensors of per-sample losses (stacked means over critics for lists).

        Raises:
            DivminError: on empty batches, mismatched weights, and non-finite scores when asked.

        Example:
            >>> import divmin as dm, torch
            >>> dm.recipe("minimax").critic_loss(torch.zeros(4), torch.zeros(6)) / torch.log(torch.tensor(2.0))
            tensor(2.)
        """
        parts = (
            expectation(self.real, real, weight_real, reduction, "real", check_finite),
            expectation(self.fake, fake, weight_fake, reduction, "fake", check_finite),
        )
        return parts if reduction == "none" else parts[0] + parts[1]

    def generator_loss(
        self,
        fake: Scores,
        *,
        reduction: str = "mean",
        weight: Tensor | None = None,
        check_finite: bool = False,
    ) -> Tensor:
        """What the generator minimises, the critic held fixed.

            mean of h over model samples

        Args:
            fake: the critic's outputs on model samples, with a graph to the generator; or a list, one tensor a critic.
            reduction: "mean", "sum", or "none" for the per-sample losses.
            weight: weights of the shape of `fake`; a weighted mean divides by their sum.
            check_finite: raise on NaN or infinite scores, at the price of a synchronisation.

        Returns:
            A scalar, or per-sample losses for "none".

        Raises:
            DivminError: on empty batches, mismatched weights, and non-finite scores when asked.

        Example:
            >>> import divmin as dm, torch
            >>> dm.recipe("huszar").generator_loss(torch.tensor([1.0, 3.0]))
            tensor(-2.)
        """
        return expectation(self.generator, fake, weight, reduction, "fake", check_finite)
