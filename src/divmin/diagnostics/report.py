"""What a monitor has seen, as one record: values, calibration, balance, signal, support, and findings in order of importance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from divmin.diagnostics.balance import Balance, Drift, auc, balance, drift
from divmin.diagnostics.findings import NOTE, SEVERITIES, Finding, Seen, findings
from divmin.diagnostics.history import Window
from divmin.diagnostics.reading import Reading, fitted
from divmin.diagnostics.signal import Signal, signal
from divmin.diagnostics.stream import Stream
from divmin.diagnostics.support import Dimension, Support, overlap
from divmin.estimators import Calibration, Estimate
from divmin.estimators.calibration import plain
from divmin.evaluation.divergences import from_critic
from divmin.explanation import Explanation
from divmin.explanation.curves import Lines, lines
from divmin.family import Divergence

FAR = 40.0  # nats: how far weight and cost are told for pictures
LATELY = 4  # the last windows, one in so many, are what is called now
SAID = "scores of training batches, each seen by the critic once or more: values hold what it remembers"


@dataclass(frozen=True, eq=False)
class Curve:
    """A number over windows: steps at their middle, values, and standard errors."""

    steps: tuple[float, ...]
    values: tuple[float, ...]
    stderrs: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Critic:
    """What was seen of one critic.

    Args:
        reading: what its output can be read as.
        n: the last scores of data and of samples that `values` and `calibration` rest on.
        values: lower bounds of the divergences asked for; those of the last scores.
        calibration: of the last scores.
        curves: the same bounds over time, where scores tell ratios.
        balance, signal, support, drift: see there; None where there is too little or nothing is known.
        windows: histograms and moments over time.
        findings: what is worth saying, the most important first.
    """

    reading: Reading
    n: tuple[int, int]
    values: tuple[Estimate, ...]
    calibration: Calibration
    curves: dict[str, Curve]
    balance: Balance
    signal: Signal | None
    support: Support
    drift: Drift | None
    windows: tuple[Window, ...] = field(repr=False)
    findings: tuple[Finding, ...]

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON; histograms stay with the monitor's own record."""
        parts = {"balance": self.balance, "signal": self.signal, "support": self.support, "drift": self.drift}
        return {
            "reading": {"kind": self.reading.kind, "words": self.reading.words},
            "n": list(self.n),
            "values": [each.to_dict() for each in self.values],
            "calibration": self.calibration.to_dict(),
            **{name: None if part is None else plain(part.to_record()) for name, part in parts.items()},
            "findings": [each.to_record() for each in self.findings],
        }

    @property
    def numbers(self) -> dict[str, float]:
        """The finite numbers by name, for programs that draw them."""
        found: dict[str, float] = {
            "auc": self.balance.auc[0], "right on data": self.balance.right_real, "right on samples": self.balance.right_fake,
            "slope": self.calibration.slope[0], "intercept": self.calibration.intercept[0],
            "E_q[e^d]": self.calibration.mean_ratio[0], "E_p[e^-d]": self.calibration.mean_inverse[0],
            "overlap": self.support.overlap,
        }  # fmt: skip
        found |= {f"bound on {each.divergence}": each.value for each in self.values}
        if self.signal is not None:
            found |= {"pull": self.signal.pull, "pull lost": self.signal.lost, "pull carried by": self.signal.effective}
            if self.signal.gradient is not None:
                found["gradient norm"] = self.signal.gradient
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def __str__(self) -> str:
        slope, mean, inverse = self.calibration.slope, self.calibration.mean_ratio, self.calibration.mean_inverse
        few = any(each.name == "too few" for each in self.findings)
        lines = [f"  {each}" for each in self.findings if each.severity != NOTE]
        lines = lines or ([] if few else ["  nothing is wrong that its scores show"])
        lines += [f"  {each}" for each in self.findings if each.severity == NOTE]
        for each in self.values:
            lines += [f"  {each.headline}", *(f"    {w}" for w in each.warnings if w.startswith("beyond log n"))]
        if self.reading.tells:  # otherwise a line was fitted to these scores, and they lie on it
            steep = f"{slope[0]:.3f} +- {slope[1]:.3f}" if slope[0] > 0 else "not above 0"
            lines.append(
                f"  calibration: slope {steep}, E_q[e^d] = {mean[0]:.4g} +- {mean[1]:.2g}, "
                f"E_p[e^-d] = {inverse[0]:.4g} +- {inverse[1]:.2g}; 1 is perfect"
            )
        lines.append(f"  {self.balance}")
        lines += [f"  {part}" for part in (self.signal, self.support) if part is not None]
        return "\n".join([*lines, f"  {self.reading.words}; the last {self.n[0]} and {self.n[1]} scores"])


@dataclass(frozen=True, eq=False)
class Report:
    """What a monitor says.

    Args:
        subject: the recipe.
        sentence: what it minimises; None where that is not known.
        steps: the first and last step that were seen.
        updates: how many.
        critics: one of each critic; more than one where scores came as lists.
        explanation: of the recipe; None where nothing is known.
        about: what kind of scores these are.
    """

    subject: str
    sentence: str | None
    steps: tuple[int, int]
    updates: int
    critics: tuple[Critic, ...]
    explanation: Explanation | None = field(repr=False)
    about: str = SAID

    @cached_property
    def lines(self) -> Lines | None:
        """Weight and cost of what is minimised, for pictures; None where there is none."""
        if self.explanation is None or self.explanation.pull is None:
            return None
        found = lines([self.explanation], span=FAR, points=int(40 * FAR) + 1)
        return found if found.members[0].weight is not None else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all critics, the most important first, each naming its critic where there are several."""
        many = len(self.critics) > 1
        found = [
            replace(each, sentence=f"critic {i} of {len(self.critics)}: {each.sentence}") if many else each
            for i, critic in enumerate(self.critics, 1)
            for each in critic.findings
        ]
        return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers of all critics by name, those of the second under "critic 2/"."""
        found: dict[str, float] = {}
        for i, critic in enumerate(self.critics, 1):
            found |= {name if i == 1 else f"critic {i}/{name}": value for name, value in critic.numbers.items()}
        return found

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "subject": self.subject, "sentence": self.sentence, "steps": list(self.steps), "updates": self.updates,
            "about": self.about, "critics": [each.to_record() for each in self.critics],
        }  # fmt: skip

    def __str__(self) -> str:
        title = f"{self.subject}: {self.sentence}" if self.sentence else self.subject
        lines = [title, f"steps {self.steps[0]} to {self.steps[1]}, {self.updates} updates; {self.about}"]
        for i, critic in enumerate(self.critics, 1):
            lines += [f"critic {i} of {len(self.critics)}"] if len(self.critics) > 1 else []
            lines.append(str(critic))
        return "\n".join(lines)


def critic_report(
    stream: Stream,
    members: Sequence[Divergence],
    explanation: Explanation | None,
    dimensions: tuple[Dimension | None, Dimension | None] = (None, None),
) -> Critic:
    """What a stream of scores says.

    Args:
        stream: all its scores counted, at least ten of each side.
        members: divergences to bound.
        explanation: of the recipe; None where nothing is known.
        dimensions: of data and of samples, where batches were given.
    """
    windows = stream.history.windows
    raw_x, raw_y = stream.reading.convert(stream.real), stream.reading.convert(stream.fake)
    # along lines that never fall, so that only the scores themselves show an inverted order
    x, y = fitted(stream.reading.kind, raw_x, raw_y)
    judged = from_critic(members, x, y)
    whole, recent = stream.history.joined(), stream.history.joined(windows[-max(1, len(windows) // LATELY) :])
    assert whole is not None and recent is not None  # there are scores
    support = replace(overlap(x, y), real=dimensions[0], fake=dimensions[1])
    balanced = replace(balance(x, y), auc=auc(raw_x, raw_y))
    broken = whole.broken, whole.broken + int(whole.real.sum() + whole.fake.sum())
    bad_norms = whole.moments.get("broken gradient")
    seen = Seen(
        stream.reading, x, y, balanced, judged.calibration, signal(recent, windows), support, drift(windows), broken,
        0 if bad_norms is None else bad_norms.n, explanation,
    )  # fmt: skip
    curves = {f.name: curve for f in members if (curve := _curve(f.name, windows)) is not None}
    return Critic(
        stream.reading, (len(x), len(y)), judged.estimates, judged.calibration, curves, seen.balance, seen.signal, support,
        seen.drift, windows, findings(seen),
    )  # fmt: skip


def _curve(name: str, windows: Sequence[Window]) -> Curve | None:
    """The bound E_p[a] - E_q[b] of every window."""
    having = [each for each in windows if f"a {name}" in each.moments and each.moments[f"a {name}"].n]
    if not having:
        return None
    parts = [(each.moments[f"a {name}"], each.moments[f"b {name}"]) for each in having]
    return Curve(
        tuple((each.first + each.last) / 2 for each in having),
        tuple(a.mean - b.mean for a, b in parts),
        tuple(math.hypot(a.stderr, b.stderr) for a, b in parts),
    )
