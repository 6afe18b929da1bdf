"""What a number ought to be: an interval, with where that stands, and whether it is known not to hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

PASS, FAIL, FINDING, LATER = "pass", "fail", "finding", "full size only"


@dataclass(frozen=True)
class Expected:
    """A closed interval in which a number must lie.

    Args:
        low: its lower end.
        high: its upper end.
        text: how it reads.
        source: where it stands: an equation of the source, or what it was derived from.
        full: whether it is asked at full size only.
        finding: why it does not hold, with the evidence, where that is known; a miss is then a finding and no failure.
        aim: the number itself, where one is expected; None for a bound.
    """

    low: float
    high: float
    text: str
    source: str = ""
    full: bool = False
    finding: str = ""
    aim: float | None = None

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")

    def holds(self, number: float) -> bool:
        """Whether the number is in the interval; NaN never is."""
        return self.low <= number <= self.high


def near(
    value: float, within: float = 0.0, *, relative: float = 0.0, source: str = "", full: bool = False, finding: str = ""
) -> Expected:
    """A number with its tolerance, absolute or relative; an infinite one is asked as it is.

    Example:
        >>> near(0.5, 1e-3).holds(0.5004), near(float("inf")).holds(1e300)
        (True, False)
    """
    room = max(within, relative * abs(value)) if math.isfinite(value) else 0.0
    text = f"{value:.12g}" + (f" ± {room:.2g}" if room else "")
    return Expected(value - room, value + room, text, source, full, finding, value)


def between(low: float, high: float, *, source: str = "", full: bool = False, finding: str = "") -> Expected:
    """Both ends belong to it."""
    return Expected(low, high, f"{low:.6g} to {high:.6g}", source, full, finding)


def at_most(value: float, *, source: str = "", full: bool = False, finding: str = "") -> Expected:
    """An upper bound."""
    return Expected(-math.inf, value, f"<= {value:.6g}", source, full, finding)


def at_least(value: float, *, source: str = "", full: bool = False, finding: str = "") -> Expected:
    """A lower bound."""
    return Expected(value, math.inf, f">= {value:.6g}", source, full, finding)


@dataclass(frozen=True)
class Check:
    """A number beside what it ought to be.

    Args:
        name: which number.
        got: it; NaN where it was not computed.
        expected: how the expectation reads.
        verdict: "pass", "fail", "finding" (it does not hold, and the item says why), or "full size only".
        source: where the expectation stands.
        why: the item's words on a finding.
        aim: the expected number itself; None for a bound.
    """

    name: str
    got: float
    expected: str
    verdict: str
    source: str = ""
    why: str = ""
    aim: float | None = None

    @property
    def difference(self) -> float | None:
        """How far the number is from the expected one; None for a bound, and where one of both is not finite."""
        finite = self.aim is not None and math.isfinite(self.aim) and math.isfinite(self.got)
        return self.got - self.aim if finite and self.aim is not None else None


def check(numbers: Mapping[str, float], expected: Mapping[str, Expected], *, quick: bool) -> tuple[Check, ...]:
    """Compare numbers with what they ought to be; one that is missing or NaN fails, whatever is known of it.

    Args:
        numbers: by name.
        expected: by the same names.
        quick: whether this is the toy size, at which some expectations are not asked.

    Example:
        >>> [each.verdict for each in check({"a": 1.0}, {"a": near(1.0), "b": at_most(2.0)}, quick=True)]
        ['pass', 'fail']
    """
    checks = []
    for name, wanted in expected.items():
        got = float(numbers.get(name, math.nan))
        if quick and wanted.full:
            verdict = LATER
        elif wanted.holds(got):
            verdict = PASS
        else:
            verdict = FINDING if wanted.finding and not math.isnan(got) else FAIL
        why = wanted.finding if verdict == FINDING else ""
        checks.append(Check(name, got, wanted.text, verdict, wanted.source, why, wanted.aim))
    return tuple(checks)
