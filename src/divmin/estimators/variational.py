"""A neural critic that raises the bound of any divergence: D_f >= E_p[a(d)] - E_q[b(d)], tight at the log-ratio.

Source: Nguyen, Wainwright and Jordan 2010; Nowozin et al. 2016; Shannon et al., eq. 13.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.method import Entry, LogRatio, Method, register
from divmin.estimators.neural import Neural
from divmin.estimators.samples import Floats
from divmin.family import Divergence
from divmin.family.expression import build as build_divergence
from divmin.family.expression import divergence
from divmin.grammar import Call, write

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.estimators.critic import Pair


@dataclass(frozen=True)
class Variational:
    """The critic of the f-GAN, written in the log-ratio."""

    f: Divergence = field(default_factory=lambda: divergence("js"))
    width: int = Neural.width
    steps: int = Neural.steps

    def __post_init__(self) -> None:
        if not self.f.smooth:
            raise DivminError(f"variational({self.f.name}): its f has a kink, so its bound does not tell the ratio")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        from divmin.estimators.critic import trained

        fitted = trained(self._loss, x, y, x_weights, y_weights, width=self.width, steps=self.steps, seed=seed)
        if not np.isfinite(fitted(np.concatenate([x, y]))).all():
            raise DivminError(f"{self} diverged: this bound is too steep for such samples; take variational(js)")
        return fitted

    def _loss(self, scores: Pair, weights: Pair) -> Tensor:
        f = self.f
        return (weights[1] * f.in_a_mean(scores[1], 0)).mean() - (weights[0] * f.in_a_mean(scores[0], 1)).mean()

    def __str__(self) -> str:
        return f"variational({self.f.name})"


def _from(call: Call) -> Method:
    if len(call.arguments) > 1 or call.keywords:
        raise DivminError("variational takes one divergence, as in variational(kl)")
    if not call.arguments:
        return Variational()
    return Variational(build_divergence(call.arguments[0], write(call.arguments[0])))


register(
    Entry(
        "variational(f)", _from, "a neural critic that raises the bound of any divergence",
        "Nguyen et al. 2010; Nowozin et al. 2016", ("nwj",), ("variational(js)", "variational(kl)"),
    )
)  # fmt: skip
