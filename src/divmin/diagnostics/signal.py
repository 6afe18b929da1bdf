"""What reaches the generator: the pull of its loss over model samples, and how much of it is lost or rests on few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from divmin.diagnostics.history import Window


@dataclass(frozen=True)
class Signal:
    """The generator's signal in the last windows.

    Args:
        pull: E_q[w] over w at parity: 1 where the critic cannot tell anything.
        lost: share of the pull at parity that saturation takes from samples that look fake.
        variation: standard deviation of w over its mean.
        effective: effective share of the samples, (sum of w)^2 over n times the sum of w^2.
        gradient: mean of the gradient norms that the caller gave; None without.
        gradient_variation: their standard deviation over the mean.
        gradient_before: their largest mean in a window so far.
        gradient_least: and the smallest.
    """

    pull: float
    lost: float
    variation: float
    effective: float
    gradient: float | None = None
    gradient_variation: float | None = None
    gradient_before: float | None = None
    gradient_least: float | None = None

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        said = (
            f"mean pull {self.pull:.3g} of that at parity; {self.lost:.1%} lost to saturation; spread {self.variation:.2f} of the "
            f"mean; {self.effective:.1%} of the samples carry it"
        )
        if self.gradient is not None:
            said += f"; gradient norm {self.gradient:.3g}, spread {self.gradient_variation:.2f} of the mean"
        return said


def signal(recent: Window, windows: Sequence[Window]) -> Signal | None:
    """From the last windows as one, and all of them; None where the pull was not followed."""
    pull, lost = recent.moments.get("pull"), recent.moments.get("lost")
    if pull is None or lost is None or not pull.n:
        return None
    found = Signal(pull.mean, lost.mean, pull.variation, pull.effective / pull.n)
    norms = recent.moments.get("gradient")
    if norms is None or not norms.n:
        return found
    means = [
        each.moments["gradient"].mean for each in windows if "gradient" in each.moments and each.moments["gradient"].n
    ]
    return Signal(
        found.pull, found.lost, found.variation, found.effective, norms.mean, norms.variation, max(means), min(means)
    )
