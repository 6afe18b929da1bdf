"""The answers of `divmin.estimate` and of the choice of a method, as records."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tried:
    """A method that was considered.

    Args:
        method: how it is written.
        score: the held-out lower bound on JS that it reached, nats; None where it was not fitted.
        behind: how far that is below the best, and the standard error of the difference; None where it was not fitted.
        seconds: what fitting took.
        note: why it was not fitted, or "chosen".
    """

    method: str
    score: float | None
    behind: tuple[float, float] | None
    seconds: float = field(compare=False)  # the clock is no part of the answer
    note: str = ""

    def __str__(self) -> str:
        if self.score is None or self.behind is None:
            return f"{self.method:<28}{'-':>9}{'':>20}  {self.note}"
        behind = f"{-self.behind[0]:.4f} +- {self.behind[1]:.4f}"
        return f"{self.method:<28}{self.score:>9.4f}{behind:>20}{self.seconds:>8.1f} s  {self.note}".rstrip()


@dataclass(frozen=True)
class Estimate:
    """A divergence estimated from samples.

    Args:
        divergence: which one, in the scale of its name.
        value: the estimate, nats.
        stderr: its standard error.
        interval: 95%, value -+ 1.96 stderr, longer upwards where estimates are skewed; cut at the supremum of the divergence, and
            at 0, but for a lower bound, which may be negative.
        kind: "lower bound", "plug-in", "split" or "fitted laws" (docs/estimates.md says what each may be used for); "no bound" of a
            critic that is read on what it was trained on.
        shortfall: of the value, what the noise of the fit takes from a lower bound and was put back; 0 for other kinds.
        method: what learned the log-ratio.
        n: samples of p and of q.
        seed: names the folds and every random choice.
        tried: the methods that were compared, with held-out scores; empty where one was asked for.
        warnings: what a reader should know before quoting the value.
    """

    divergence: str
    value: float
    stderr: float
    interval: tuple[float, float]
    kind: str
    shortfall: float
    method: str
    n: tuple[int, int]
    seed: int
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is infinite is the text "inf" or "-inf"."""
        return {
            "divergence": self.divergence,
            "value": finite(self.value),
            "stderr": finite(self.stderr),
            "interval": [finite(end) for end in self.interval],
            "kind": self.kind,
            "shortfall": self.shortfall,
            "method": self.method,
            "n": list(self.n),
            "seed": self.seed,
            "tried": [
                {
                    "method": each.method,
                    "score": each.score,
                    "behind": None if each.behind is None else list(each.behind),
                    "seconds": each.seconds,
                    "note": each.note,
                }
                for each in self.tried
            ],
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        return "\n".join([self.headline, *self.notes])

    @property
    def headline(self) -> str:
        """The value with its error, in one line."""
        low, high = self.interval
        return (
            f"{self.divergence:<28}{self.value:>10.4g} +- {self.stderr:<9.3g} 95% [{low:.4g}, {high:.4g}] nats  "
            f"{self.kind} by {self.method}"
        )

    @property
    def notes(self) -> list[str]:
        """What was tried and the warnings, a line each."""
        lines = [f"  n = {self.n[0]}, m = {self.n[1]}, seed {self.seed}"]
        if self.tried:
            lines += [f"  {'tried':<28}{'JS bound':>9}{'behind the best':>20}"]
            lines += [f"  {each}" for each in self.tried]
        return lines + [f"  warning: {warning}" for warning in self.warnings]


def finite(x: float) -> float | str:
    """A number for JSON, which has no infinities."""
    return x if math.isfinite(x) else str(x)
