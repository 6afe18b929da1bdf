"""What is wrong, named: each finding is a sentence with the numbers behind it, and what theory suggests to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from divmin.diagnostics.balance import Balance, Drift
from divmin.diagnostics.bins import Floats
from divmin.diagnostics.reading import ORDER, RATIO, Reading
from divmin.diagnostics.signal import Signal
from divmin.diagnostics.support import Support
from divmin.estimators.calibration import Calibration
from divmin.explanation import Explanation

SERIOUS, CAUTION, NOTE = "serious", "caution", "note"
SEVERITIES = (SERIOUS, CAUTION, NOTE)
ENOUGH = 200  # scores of each side, fewer of which are not judged
SURE = 3.5  # standard errors: of a thousand sound critics one or two are blamed for each number that is looked at
LARGE = 0.15  # of a slope: less is beyond chance with many scores and matters to nobody
APART = 0.3  # nats of an intercept, likewise
TIED, LOOSE = 0.01, 0.9  # share of scores at one end that are equal, and of all others that are not
OUTSIDE = 3.5  # nats: a constant so large comes of a side without a loss, since both together hold it near 0
ALWAYS, NEVER = 0.95, 0.3  # shares right on both sides of a critic that says the same to everything
STILL, MOVED, FAR = 1e-3, 1e-6, 0.1  # p-values of a law that stands and of one that moves, and how far at least
PERFECT, OVERLAP = 0.999, 0.005
FAINT, STRONG, FEW = 0.05, 20.0, 0.05  # mean pulls over that at parity; effective share of the samples
RESTLESS, FADED = 2.0, 0.1  # spread of gradient norms over their mean; their mean now over its largest so far


@dataclass(frozen=True)
class Finding:
    """Something that a user should know.

    Args:
        name: what it is called, such as "overconfident".
        severity: "serious", "caution" or "note".
        sentence: it, with its numbers.
        remedy: what to do; empty where there is nothing to do.
    """

    name: str
    severity: str
    sentence: str
    remedy: str = ""

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.severity}: {self.sentence}" + (f" {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, eq=False)
class Seen:
    """All that findings look at.

    Args:
        reading: what scores can be read as.
        x, y: the last log-ratios on data and samples.
        balance, calibration, signal, support, drift: what was made of them; None where there is too little.
        broken: scores that were not finite, and all scores.
        broken_norms: gradient norms that were not finite.
        explanation: of the recipe; None where nothing is known.
    """

    reading: Reading
    x: Floats
    y: Floats
    balance: Balance
    calibration: Calibration
    signal: Signal | None
    support: Support
    drift: Drift | None
    broken: tuple[int, int]
    broken_norms: int
    explanation: Explanation | None


def findings(seen: Seen) -> tuple[Finding, ...]:
    """Everything worth saying, the most important first; of what explains the same numbers only the first.

    Args:
        seen: the evidence.
    """
    if min(len(seen.x), len(seen.y)) < ENOUGH:
        few = f"{len(seen.x)} scores of data and {len(seen.y)} of samples: too few to judge; {ENOUGH} of each are the least"
        return (Finding("too few", NOTE, few),)
    found = [*_broken(seen)]
    found += next((found for look in CRITIC if (found := list(look(seen)))), [])
    for look in OTHERS:
        found += look(seen)
    return tuple(sorted(found, key=lambda each: SEVERITIES.index(each.severity)))


def _broken(seen: Seen) -> Iterator[Finding]:
    if seen.broken_norms:
        yield Finding(
            "gradients not finite", SERIOUS, f"{seen.broken_norms} of the gradient norms that were given are not finite.",
            "Look at the generator's loss and its learning rate; in 16 bits, at the scale of its gradients.",
        )  # fmt: skip
    bad, total = seen.broken
    if bad:
        yield Finding(
            "not finite", SERIOUS, f"{bad} of {total} scores are not finite: the critic has diverged.",
            "Lower its learning rate, or add a gradient penalty.",
        )  # fmt: skip


def _one_sided(seen: Seen) -> Iterator[Finding]:
    right_real, right_fake = seen.balance.right_real, seen.balance.right_fake
    whole = abs(seen.calibration.intercept[0]) > OUTSIDE
    if seen.reading.kind != RATIO or not (whole or _more_than_shifted(seen.calibration)):
        return
    for side, other, mine, theirs in (
        ("data", "samples", right_real, right_fake),
        ("samples", "data", right_fake, right_real),
    ):
        if mine > ALWAYS and theirs < NEVER:
            yield Finding(
                "one-sided", SERIOUS,
                f"the critic takes nearly everything for {side}: right on {mine:.1%} of {side} and {theirs:.1%} of {other}.",
                f"Check that its loss on {other} is part of what is minimised, and that they reach it.",
            )  # fmt: skip
            return


def _squashed(seen: Seen) -> Iterator[Finding]:
    d = np.concatenate([seen.x, seen.y])
    if seen.reading.kind != RATIO or d.min() < 0 or d.max() > 1:
        return
    # of a weak critic all lie near one half; a critic that takes everything for data leaves [0, 1] soon
    if (d.min() < 0.25 and d.max() > 0.75) or 0.25 < float(np.median(d)) < 0.75:
        yield Finding(
            "probabilities", SERIOUS,
            f"all scores lie between {d.min():.3g} and {d.max():.3g}: they look like probabilities, and no critic's log-ratio is "
            "positive on nearly everything.",
            "Give the monitor and the losses the output before the sigmoid.",
        )  # fmt: skip


def _swapped(seen: Seen) -> Iterator[Finding]:
    area, stderr = seen.balance.auc
    both = seen.balance.right_real < 0.5 and seen.balance.right_fake < 0.5
    if area < min(0.45, 0.5 - SURE * stderr) and (both or seen.reading.kind != RATIO):
        yield Finding(
            "swapped", SERIOUS,
            f"samples score higher than data (AUC {area:.3f} +- {stderr:.3f}): data and samples are exchanged, or a sign is wrong.",
            "Check the order of the arguments of the critic's loss, and that a higher output means more real.",
        )  # fmt: skip


def _perfect(seen: Seen) -> Iterator[Finding]:
    area, shared = seen.balance.auc[0], seen.support.overlap
    if area > PERFECT or (seen.reading.tells and shared < OVERLAP):
        yield Finding(
            "perfect critic", SERIOUS,
            f"the critic makes almost no mistake (AUC {area:.4f}, at most {shared:.2%} of mass shared): data and samples hardly "
            "meet, so that its scores say how far it was trained and no divergence beyond a lower bound.",
            "Add noise to both of its inputs, or a gradient penalty (R1), until they meet; and check that the generator learns: "
            "that gradients reach it, its optimiser steps, and its loss has the right sign.",
        )  # fmt: skip


def _clipped(seen: Seen) -> Iterator[Finding]:
    if not seen.reading.tells:
        return
    d = np.concatenate([seen.x, seen.y])
    ends = [np.abs(d - place) <= 1e-6 * (1 + abs(place)) for place in (d.max(), d.min())]
    rest = d[~(ends[0] | ends[1])]
    if not len(rest) or len(np.unique(rest)) < LOOSE * len(rest):
        return  # ties everywhere: coarse numbers, or discrete data
    for end, tied in zip(("top", "bottom"), ends, strict=True):
        if tied.mean() >= TIED:
            place = float(d[tied][0])
            yield Finding(
                "clipped", CAUTION,
                f"{tied.mean():.1%} of the scores stand at d = {place:.3g} exactly, the {end} end: the critic is clipped or "
                "saturates there, and differences beyond are invisible to the generator.",
                "Take the clamp or the last activation away.",
            )  # fmt: skip
            return


def _frozen(seen: Seen) -> Iterator[Finding]:
    change, (area, stderr) = seen.drift, seen.balance.auc
    wrong = (seen.reading.tells and _off(seen.calibration)) or area < 0.5 - SURE * stderr
    if change is None or not wrong:
        return
    if change.still_real > STILL and change.still_fake < MOVED and change.moved_fake > FAR:
        yield Finding(
            "frozen", SERIOUS,
            f"the critic says of data what it said before (p = {change.still_real:.2g}), while samples have moved by a total "
            f"variation of {change.moved_fake:.2f} and its answers are wrong now (AUC {area:.3f}, slope "
            f"{_pm(seen.calibration.slope)}): it does not learn.",
            "Check its optimiser, its learning rate, and that its weights require gradients.",
        )  # fmt: skip


def _scaled(seen: Seen) -> Iterator[Finding]:
    slope, stderr = seen.calibration.slope
    if not seen.reading.tells or abs(slope - 1) <= max(SURE * stderr, LARGE):
        return
    means = f"slope {_pm(seen.calibration.slope)}; E_q[e^d] = {_pm(seen.calibration.mean_ratio)}"
    if slope < 1:
        factor = f"by a factor {1 / slope:.2g}" if slope > 0.05 else "beyond measure"
        yield Finding(
            "overconfident", CAUTION,
            f"the critic is overconfident {factor} ({means}): read its divergence estimates as a lower bound.",
            "A lower learning rate for it, a gradient penalty, fewer critic steps or fresh data for each step make it honest.",
        )  # fmt: skip
    else:
        yield Finding(
            "underconfident", CAUTION,
            f"the critic is too timid by a factor {slope:.2g} ({means}): the ratio is larger than it says, and values read from it "
            "are lower bounds.",
            "More critic steps, a higher learning rate for the critic, or a weaker penalty.",
        )  # fmt: skip


def _shifted(seen: Seen) -> Iterator[Finding]:
    intercept, stderr = seen.calibration.intercept
    if seen.reading.kind == RATIO and abs(intercept) > max(SURE * stderr, APART):
        yield Finding(
            "shifted", CAUTION,
            f"the critic's output is off by {-intercept:+.2f} nats everywhere (intercept {_pm(seen.calibration.intercept)}, slope "
            f"{_pm(seen.calibration.slope)}): E_q[e^d] = {_pm(seen.calibration.mean_ratio)} should be 1.",
            "Batches of different size, weights on one side of its loss, or a bias that does not learn do this.",
        )  # fmt: skip


def _pulls(seen: Seen) -> Iterator[Finding]:
    signal = seen.signal
    if signal is None:
        return
    if signal.pull < FAINT and signal.lost < 0.5:
        yield Finding(
            "vanishing", SERIOUS,
            f"the generator's signal vanishes: its mean pull is {signal.pull:.2g} of that at parity, because samples look real to "
            f"this critic (mean d {seen.balance.fake:.3g}): it is fooled.",
            "Check that the critic learns at all; more critic steps, or a higher learning rate for it.",
        )  # fmt: skip
    elif signal.pull < FAINT:
        yield Finding(
            "vanishing", SERIOUS,
            f"the generator's signal vanishes: its mean pull is {signal.pull:.2g} of that at parity, {signal.lost:.0%} of it lost "
            "where samples look fake.",
            "Train it with a loss that pulls on such samples (non-saturating, reverse KL), or weaken the critic (noise on its "
            "inputs, R1).",
        )  # fmt: skip
    elif signal.pull > STRONG or signal.effective < FEW:
        yield Finding(
            "exploding", SERIOUS,
            f"the generator follows few samples: mean pull {signal.pull:.3g} of that at parity, carried by "
            f"{signal.effective:.1%} of them.",
            "Choose a divergence whose weight is bounded on that side, such as a softened one, or clip gradients.",
        )  # fmt: skip
    if signal.gradient is None or signal.gradient_before is None or signal.gradient_variation is None:
        return
    # Before a timid critic smaller gradients are its own doing, and it is named for that.
    timid = signal.pull > 0.5 and seen.balance.auc[0] < PERFECT and seen.calibration.slope[0] > 1 + LARGE
    share = signal.gradient / signal.gradient_before if signal.gradient_before else 1.0
    if share < FADED and not timid:
        yield Finding(
            "gradients vanish", CAUTION,
            f"the generator's gradient norms have shrunk to {signal.gradient:.2g}, {share:.1%} of their largest mean so far.",
            "With a critic that is nearly perfect: noise on its inputs, R1, or another loss of the generator.",
        )  # fmt: skip
    if signal.gradient_variation > RESTLESS:
        yield Finding(
            "gradients unstable", CAUTION,
            f"the generator's gradient norms differ by {signal.gradient_variation:.1f} times their mean: the second failure that "
            "Arjovsky and Bottou describe.",
            "A gradient penalty bounds them; a weight that is bounded on both sides helps.",
        )  # fmt: skip


def _moves(seen: Seen) -> Iterator[Finding]:
    if (change := seen.drift) is None or seen.reading.kind == ORDER:
        return
    f = None if seen.explanation is None else seen.explanation.divergence
    more, harder = (
        "Compare sample sheets; packing, R1 with R2, or a divergence with a larger tail weight on that side.",
        "The generator falls behind: check that it learns; fewer critic steps, or a loss that pulls harder there.",
    )
    bounded = (False, False) if f is None else (f.tails.right_bounded, f.tails.left_bounded)
    for name, trend, what, side, cheap, remedy in (
        ("forgotten modes", change.missed, "data that the model misses (d > 2)", "right", bounded[0], more),
        ("fake-looking samples", change.invented, "samples that look fake (d < -2)", "left", bounded[1], harder),
    ):
        if trend.grows:
            paid = f" What is minimised pays little for them: it is bounded on the {side}." if cheap else ""
            grown = f"{what} grow: from {trend.before:.1%} to {trend.after:.1%}.{paid}"
            yield Finding(name, CAUTION, grown, remedy)


def _even(seen: Seen) -> Iterator[Finding]:
    area, stderr = seen.balance.auc
    if abs(area - 0.5) <= max(SURE * stderr, 0.02):
        yield Finding(
            "even", NOTE,
            f"the critic cannot tell data from samples (AUC {area:.3f} +- {stderr:.3f}): they agree, or it is too weak.",
            "A fresh critic on held-out data tells which: dm.two_sample_test, or divmin diagnose RUN --fresh-critic.",
        )  # fmt: skip


def _thin(seen: Seen) -> Iterator[Finding]:
    real, fake = seen.support.real, seen.support.fake
    if real is not None and fake is not None and real.value + fake.value < real.ambient:
        yield Finding(
            "thin supports", NOTE,
            f"data and samples lie on surfaces of dimensions {real} and {fake}: two such surfaces meet almost nowhere, so that a "
            "perfect critic exists and any divergence with an infinite tail is infinite.",
            "Noise on the critic's inputs makes them meet.",
        )  # fmt: skip


Look = Callable[[Seen], Iterator[Finding]]
# of these the first that finds something speaks: the others would explain the same numbers
CRITIC: tuple[Look, ...] = (_frozen, _squashed, _one_sided, _swapped, _perfect, _clipped, _scaled, _shifted)
OTHERS: tuple[Look, ...] = (_pulls, _moves, _even, _thin)


def _off(calibration: Calibration) -> bool:
    (slope, slope_stderr), (intercept, stderr) = calibration.slope, calibration.intercept
    return abs(slope - 1) > max(SURE * slope_stderr, LARGE) or abs(intercept) > max(SURE * stderr, APART)


def _more_than_shifted(calibration: Calibration) -> bool:
    """Whether a critic is off by more than a constant: its slope is not 1, or E_q[e^d] E_p[e^-d] is not, which no shift changes."""
    (slope, stderr), (up, up_stderr), (down, down_stderr) = (
        calibration.slope,
        calibration.mean_ratio,
        calibration.mean_inverse,
    )
    if abs(slope - 1) > max(SURE * stderr, LARGE):
        return True
    gap = math.log(up) + math.log(down) if up > 0 and down > 0 else math.inf
    return not abs(gap) <= max(SURE * math.hypot(up_stderr / up, down_stderr / down), LARGE / 2)


def _pm(pair: tuple[float, float]) -> str:
    value, stderr = pair
    return f"{value:.3g} +- {stderr:.2g}" if math.isfinite(stderr) else f"{value:.3g}"
