"""Sentences: what an explanation says to a person."""

from __future__ import annotations

import math

from divmin.explanation.examine import Examined
from divmin.explanation.record import Interval, Mass, Near, Saturation, short
from divmin.family import Divergence, Tails
from divmin.family.recognise import Recognised

# Verbal sizes of factors that everybody reads at once.
FACTORS = {0.25: "a quarter of ", 0.5: "half ", 1.0: "", 2.0: "twice "}


def title(found: Recognised | None, name: str | None, formula: str | None, near: tuple[Near, ...]) -> str:
    """What a sentence calls a divergence, with its factor."""
    if found is None and (name or formula):
        return f"the f-divergence {name}" if name else f"the f-divergence with F'' = {formula}"
    if found is None:
        return "an f-divergence that has no name" + (f", nearest {near[0].name}" if near else "")
    what = found.entry.title or found.entry.name
    if found.parameters:
        values = ", ".join(
            f"{key} = {short(x)}" for key, x in zip(found.entry.parameters, found.parameters, strict=True)
        )
        what += f" with {values}"
    return FACTORS.get(found.factor, f"{short(found.factor)} times ") + what


def behaviour(tails: Tails, seen: Examined, f: Divergence | None) -> str:
    """Character, saturation on fakes, and what missed data can cost, as the rest of the sentence.

    Args:
        tails: the tail weights.
        seen: the pull on its grid.
        f: the divergence, where its functions have formulas.
    """
    return "; ".join((_character(tails), _fakes(tails), _missed(tails, seen, f)))


def _character(tails: Tails) -> str:
    left, right = tails.left_bounded, tails.right_bounded
    if left and right:
        return "bounded on both sides"
    if left:
        return "mode-covering"
    if right:
        return "strongly mode-seeking" if tails.S <= 0 else "mode-seeking"
    return "both mode-seeking and mode-covering"


def _fakes(tails: Tails) -> str:
    return f"{'saturates' if tails.R < 2 else 'does not saturate'} when samples look fake"


def _missed(tails: Tails, seen: Examined, f: Divergence | None) -> str:
    """The supremum of s on the right, and where it reaches half of that."""
    if not tails.right_bounded:
        return "missed data cost without bound"
    right = (seen.d >= 0) & (seen.d <= seen.high)
    d = seen.d[right]
    s = seen.cost()[right] if f is None else f.s(d)
    most = float(s[-1]) if f is None else float(f.s(math.inf))
    if most < 1e-9:
        return "missed data cost nothing"
    text = f"missed data cost at most {most:.3g} nats"
    short_of = int((s < most / 2).sum())
    if short_of == len(d):  # so far out that no model gets there
        return text
    below, above = (float(x) for x in s[short_of - 1 : short_of + 1])
    at = float(d[short_of - 1] + (d[short_of] - d[short_of - 1]) * (most / 2 - below) / (above - below))
    return f"{text}, half of it once the model is a factor of {math.exp(at):.2g} short"


def saturation(tails: Tails) -> Saturation:
    """What the pull does far out on both sides."""
    return Saturation(
        _grows(2 - tails.R, "the more fake they look", "R"),
        _grows(tails.S - 1, "the more the model misses them", "S"),
    )


def _grows(rate: float, when: str, letter: str) -> str:
    if math.isinf(rate):
        return f"none beyond some ratio ({letter} = -inf)"
    outward = -rate if letter == "R" else rate
    if abs(outward) < 1e-6:
        return "stays as strong, however far out"
    power = f"u^{short(rate)}"
    return f"grows like {power}, {when}" if outward > 0 else f"fades like {power}, {when}"


def not_a_divergence(away: tuple[Interval, ...], falls: tuple[Mass, ...]) -> str:
    """What happens where the weight is negative."""
    where = " and ".join(map(str, away)) or f"u = {', '.join(short(math.exp(mass.d)) for mass in falls)}"
    which = "all model samples" if where == "every u" else f"model samples with {where}"
    text = f"Not a divergence: {which} are pushed away from the data, towards lower p/q"
    if any(0.0 in interval for interval in away):
        text += ", even when model and data agree"
    return text + "."
