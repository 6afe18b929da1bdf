"""From a pull to an explanation: its name, its tails, where it goes wrong, and the sentence that says so."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError
from divmin.explanation import words
from divmin.explanation.algebraic import algebraic, composition, nearest
from divmin.explanation.examine import Examined, Pull, within
from divmin.explanation.record import Explanation, Interval, Link, Mass, Near, multiple, short
from divmin.explanation.symbolic import Closed, exact_tails, of_divergence
from divmin.family import Divergence, Tails, divergence
from divmin.family.custom import Custom, Tail, measured, tail, tails_of
from divmin.family.kinks import HockeyStick
from divmin.family.recognise import AT, CLOSE, Recognised, recognise, recognise_weight, snapped
from divmin.family.text import from_curvature_text

if TYPE_CHECKING:
    from torch import Tensor

ENOUGH, NARROW = 6, 1.0  # points of comparison, and nats, with fewer of which nothing is recognised
ASTRAY = 1e-3  # a relative difference, anywhere in sight, with which a weight is no longer the one that was recognised
SINGLE = 16.0  # |d| up to which losses in float32 are held to that
LOOSER = (CLOSE, 1e-7, 1e-5)  # relative differences that are tried, for losses that carry rounding of their own


@dataclass(frozen=True)
class Named:
    """A divergence and what is known of its name."""

    divergence: Divergence | None
    found: Recognised | None
    name: str | None
    expression: str | None


def verdict(
    subject: str,
    pull: Pull,
    seen: Examined,
    *,
    link: Link | None = None,
    masses: tuple[Mass, ...] = (),
    closed: Callable[[], Closed | None] = lambda: None,
    warnings: tuple[str, ...] = (),
) -> Explanation:
    """Say what a pull means.

    Args:
        subject: what is explained.
        pull: w(d).
        seen: the pull on the grid.
        link: the best critic, where there is one.
        masses: point masses of the pull.
        closed: finds the closed form, where there may be one.
        warnings: what is already known.
    """
    pull = within(pull, seen.low, seen.high)
    falls = tuple(mass for mass in masses if mass.size < 0)
    notes = [*warnings, *_about_the_link(link), *_about_the_range(seen)]
    form = closed()
    common = Explanation(
        subject=subject,
        sentence="",
        is_divergence=False,
        divergence=None,
        name=None,
        expression=None,
        formula=None if form is None else form.curvature,
        link=link,
        tails=None,
        saturation=None,
        region_pushed_away=seen.negative,
        region_without_pull=tuple(x for x in seen.zero if link is None or x not in link.runaway),
        masses=masses,
        nearest=(),
        warnings=tuple(notes),
        pull=pull,
        seen=seen,
    )
    if link is not None and _everywhere(link.runaway):
        return replace(common, sentence=_without_critic(link), region_without_pull=(), formula=None)
    if seen.negative or falls:
        if any(min(abs(x.low), abs(x.high)) < 1e-6 for x in seen.negative):
            notes.append("the pull is 0 at p = q, so nothing holds the model there")
        return replace(common, sentence=words.not_a_divergence(seen.negative, falls), warnings=tuple(notes))
    if not seen.positive and not masses:
        who = (
            "the expected gradient is 0"
            if link is None
            else "with its critic at the optimum the generator gets no gradient"
        )
        return replace(common, sentence=f"No divergence: {who}.")
    if link is not None and link.runaway:
        where = " and ".join(map(str, link.runaway))
        text = (
            f"No f-divergence over all ratios: for {where} the critic's loss has no minimum and its output runs away."
        )
        return replace(common, sentence=text)
    named = _named(subject, pull, seen, masses, form)
    tails = named.divergence.tails if named.divergence is not None else _tails(pull, seen)
    if named.divergence is not None and named.divergence.smooth and form is None and named.found is not None:
        common = replace(common, formula=of_divergence(named.divergence))
    notes += _about_the_tails(tails)
    near = nearest(lambda d: pull(d).w) if named.name is None and not seen.zero and not masses else ()
    return replace(
        common,
        sentence=_sentence(named, tails, seen, masses, common.formula, near),
        is_divergence=True,
        divergence=named.divergence,
        name=named.name,
        expression=named.expression,
        tails=tails,
        saturation=words.saturation(tails) if seen.positive else None,
        nearest=near,
        warnings=tuple(notes),
    )


DIFFERENCE = (
    "No f-divergence: the critic's loss has no minimum, its output runs up on data and down on samples without end. With a critic "
    "that is kept from that (weights, slopes, a penalty) this is an integral probability metric: the largest difference of the "
    "means of one function, Wasserstein-1 for 1-Lipschitz critics."
)
TURNED = (
    "No f-divergence: the critic's loss has no minimum, its output runs down on data and up on samples without end, against the "
    "usual convention. If lower is to mean more real, this is an integral probability metric once the critic is kept from that; if "
    "not, its signs or its two sides are swapped."
)
BLIND = (
    "No divergence at all: the critic's loss has no minimum, and its output runs the same way on data and on samples, so it does "
    "not learn to tell them apart."
)


def _without_critic(link: Link) -> str:
    """A critic that runs away everywhere: apart on the two sides, or together."""
    fake, real = link.at(numerics.float64([-1.0, 1.0])).tolist()
    return DIFFERENCE if fake < 0 < real else TURNED if real < 0 < fake else BLIND


def _sentence(
    named: Named,
    tails: Tails,
    seen: Examined,
    masses: tuple[Mass, ...],
    formula: str | None,
    near: tuple[Near, ...],
) -> str:
    what = words.title(named.found, named.name, formula, near)
    if masses and not seen.positive:
        return (
            f"Minimises {what} in the limit of a perfect critic, whose output says only on which side of u = "
            f"{', '.join(short(math.exp(mass.d)) for mass in masses)} a sample lies: no ratio, and no gradient elsewhere."
        )
    only = f", as far as {' and '.join(map(str, seen.positive))}" if seen.zero else ""
    f = named.divergence if named.name or formula else None
    text = f"Minimises {what}{only}: {words.behaviour(tails, seen, f)}"
    if seen.zero:
        text += f"; no pull where {' or '.join(map(str, seen.zero))}"
    return text + "."


def _everywhere(runaway: tuple[Interval, ...]) -> bool:
    """Whether the intervals leave out single points only."""
    ends = sorted((x.low, x.high) for x in runaway)
    if not ends or ends[0][0] != -math.inf or ends[-1][1] != math.inf:
        return False
    return all(after[0] - before[1] < 1e-6 for before, after in pairwise(ends))


# --- its name -----------------------------------------------------------------------------------------------------------------


def _named(subject: str, pull: Pull, seen: Examined, masses: tuple[Mass, ...], form: Closed | None) -> Named:
    if masses and not seen.positive:  # a jump of f' by size/u at u
        parts: list[Divergence] = [HockeyStick(math.exp(mass.d), mass.size * math.exp(-mass.d)) for mass in masses]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return Named(total, recognise(total), total.name, None)
    if len(seen.positive) != 1:
        return Named(None, None, None, None)
    low, high = max(seen.low, seen.positive[0].low), min(seen.high, seen.positive[0].high)

    def weight(d: Tensor) -> Tensor:
        return pull(d).w

    at = [d for d in AT if low <= d <= high]
    whole = not masses and not seen.zero
    if len(at) < ENOUGH:  # a window between gaps
        at = [low + (high - low) * (i + 1) / (len(AT) + 1) for i in range(len(AT))]

    def holds(exact: Divergence, close: float) -> bool:
        """Whether the weight is that of a divergence as far as one sees, and not only where both were compared."""
        far = math.inf if close == CLOSE else SINGLE
        d = seen.d[seen.sound & (seen.d > max(low, -far)) & (seen.d < min(high, far))]
        off = pull(d).w / exact.weight(d) - 1
        return bool((off.abs() < ASTRAY).all())

    if high - low > NARROW:
        for close in LOOSER:
            if (found := recognise_weight(weight, at, close)) and holds(exact := multiple_of(found), close):
                return Named(exact if whole else None, found, found.text, _composed(exact))
        for close in LOOSER if whole else ():
            made = algebraic(weight, close)
            if made is not None and holds(exact := made.factor * divergence(made.expression), close):
                return Named(exact, None, multiple(made.factor, made.expression), _composed(exact))
    return Named(_measured(subject, pull, form) if whole else None, None, None, None)


def _composed(exact: Divergence) -> str | None:
    """A divergence as a multiple of an expression of the algebra."""
    text = composition(exact.weight, CLOSE)
    if text is None:
        return None
    zero = numerics.float64(0.0)
    return multiple(snapped(float(exact.weight(zero) / divergence(text).weight(zero))), text)


def multiple_of(found: Recognised) -> Divergence:
    """The divergence that was recognised."""
    return found.factor * found.entry.build(*found.parameters)


def _measured(subject: str, pull: Pull, form: Closed | None) -> Custom | None:
    """A divergence of its own, from the closed form or the pull; None where it is not known on enough of the range."""
    try:
        if form is not None:
            custom = from_curvature_text(form.curvature, subject)
        else:
            custom = measured(_log_curvature(pull), subject, subject)
    except DivminError:
        return None
    exact = None if form is None else exact_tails(form.curvature)
    return custom if exact is None else replace(custom, measured_tails=exact)


def _log_curvature(pull: Pull) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """log F''(e^d) = log w(d) - 2d and its sign; the slope, which losses need, by a central difference."""
    step = 1e-4

    def looked(d: Tensor) -> tuple[Tensor, Tensor]:
        got = pull(d)
        return got.w.abs().log().masked_fill(~got.sound, math.nan), got.w.sign()

    def slope(d: Tensor) -> Tensor:
        return (looked(d + step)[0] - looked(d - step)[0]) / (2 * step)

    def both(d: Tensor) -> tuple[Tensor, Tensor]:
        log, sign = looked(d.detach())
        return numerics.smooth(d, lambda _: log, slope) - 2 * d, sign

    return both


def _tails(pull: Pull, seen: Examined) -> Tails:
    """Tails of a pull that is no Divergence object: -inf on a side on which it ends."""
    ended = Tail(math.inf, 0.0, 0.0)
    ends = (
        any(x.low == -math.inf for x in seen.zero) or not seen.positive,
        any(x.high == math.inf for x in seen.zero) or not seen.positive,
    )
    curvature = _log_curvature(pull)
    left = ended if ends[0] else tail(curvature, seen.low)
    right = replace(ended, exponent=-math.inf) if ends[1] else tail(curvature, seen.high)
    found = tails_of(left, right)
    return replace(found, confidence=found.confidence or None)


# --- what a user should know ------------------------------------------------------------------------------------------------------


def _about_the_link(link: Link | None) -> list[str]:
    if link is None:
        return []
    notes = []
    if link.falling:
        notes.append("the best critic's output falls with p/q: lower means more real, against the usual convention")
    if link.identifies and not link.identified and not _everywhere(link.runaway):
        notes.append(f"the critic tells the ratio only for {' and '.join(map(str, link.identifies))}")
    if link.runaway and not _everywhere(link.runaway):
        where = " and ".join(map(str, link.runaway))
        notes.append(f"for {where} the critic's loss has no minimum: its output runs away")
    return notes


def _about_the_range(seen: Examined) -> list[str]:
    reach = float(seen.d[-1])
    if max(-seen.low, seen.high) >= reach and min(-seen.low, seen.high) >= reach / 2:
        return []
    return [f"beyond {short(seen.low)} < d < {short(seen.high)} rounding in the losses hides the answer"]


def _about_the_tails(tails: Tails) -> list[str]:
    notes = []
    if tails.S >= 2:
        notes.append("few samples with large u carry the gradient, which grows like u^" + short(tails.S - 1) + " there")
    if tails.R >= 3:
        notes.append("the worst fakes carry the gradient, which grows like u^" + short(2 - tails.R) + " there")
    return notes
