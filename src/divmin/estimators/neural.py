"""A neural critic with the logistic loss, whose best output is the log-ratio; stopped early on held-out samples.

d(z) = quadratic form(z) + network(z): the network starts at 0 and learns what the quadratic fit leaves over, so that in many
columns it need not find by chance what a convex problem tells.
"""

from __future__ import annotations

from dataclasses import dataclass

from divmin.errors import DivminError
from divmin.estimators.logistic import Quadratic
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats

CHECKS = 60  # looks at the held-out loss, and so the fewest steps
WIDEST = 100  # columns, up to which a quadratic form comes first: beyond, it has more numbers than most sets can tell


@dataclass(frozen=True)
class Neural:
    """A multilayer perceptron that corrects a quadratic fit; `steps` 0 takes as many as six passes need, 1,500 to 6,000."""

    width: int = 96
    steps: int = 0

    def __post_init__(self) -> None:
        if self.width < 1 or 0 != self.steps < CHECKS:
            raise DivminError(
                f"neural has width {self.width}, steps {self.steps}: expected at least 1, and at least {CHECKS} or 0"
            )

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        from divmin.estimators.critic import logistic_loss, trained

        first = Quadratic() if x.shape[1] <= WIDEST else None
        return trained(
            logistic_loss, x, y, x_weights, y_weights, width=self.width, steps=self.steps, seed=seed, first=first
        )

    def __str__(self) -> str:
        return written("neural", self)


register_numbers(
    "neural",
    Neural,
    "a perceptron that corrects a quadratic fit, with the logistic loss, stopped early",
    "Goodfellow et al. 2014; Hermans et al. 2020",
)
