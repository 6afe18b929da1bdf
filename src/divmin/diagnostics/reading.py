"""What a critic's output says of the log-ratio d: the ratio, the ratio up to a constant, or an order alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from divmin.diagnostics.bins import Floats
from divmin.estimators.crossfit import Scores, line_of
from divmin.evaluation.divergences import log_ratios
from divmin.explanation import Explanation

RATIO, SHIFTED, ORDER = "ratio", "ratio up to a constant", "order"


@dataclass(frozen=True)
class Reading:
    """How raw scores become log-ratios.

    Args:
        kind: "ratio", "ratio up to a constant" or "order".
        words: the same as a sentence.
        convert: raw scores [n] to log-ratios [n], nats; for an order, raw scores as they are.
        falling: whether a lower output means more real.
    """

    kind: str
    words: str
    convert: Callable[[Floats], Floats]
    falling: bool = False

    @property
    def tells(self) -> bool:
        """Whether its distances mean something, so that calibration can be judged."""
        return self.kind != ORDER


def reading(explanation: Explanation | None, relative: bool) -> Reading:
    """What the output of a recipe's critic can be read as.

    Args:
        explanation: of the recipe; None where nothing is known.
        relative: whether its losses look at differences of outputs only.

    Example:
        >>> import divmin as dm
        >>> reading(dm.explain("nonsaturating"), False).kind, reading(dm.explain("hinge"), False).kind
        ('ratio', 'order')
        >>> reading(dm.explain("rpgan"), True).kind
        'ratio up to a constant'
    """
    link = None if explanation is None else explanation.link
    if link is None or not link.identified:
        sign = -1.0 if link is not None and link.falling else 1.0
        return Reading(
            ORDER, "the output orders samples and does not tell ratios: distances are fitted to them", _times(sign)
        )
    convert, words = log_ratios(link)
    if relative:
        return Reading(SHIFTED, "the output is d up to a constant, which is fitted", convert)
    return Reading(RATIO, words, convert, link.falling)


def fitted(kind: str, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Log-ratios of outputs that are none: along the line that predicts best on the other half, so that no output judges itself.

    Args:
        kind: "order", where the line has a slope and an intercept, or "ratio up to a constant", where it has an intercept.
        x, y: outputs on data [n] and on samples [m].
    """
    if kind == RATIO:
        return x, y
    out_x, out_y = np.empty_like(x), np.empty_like(y)
    for half in (0, 1):
        line = _line(kind, x[1 - half :: 2], y[1 - half :: 2])
        out_x[half::2], out_y[half::2] = (line[0] + line[1] * each[half::2] for each in (x, y))
    return out_x, out_y


def scores_of(x: Floats, y: Floats) -> Scores:
    """Log-ratios of both sides, all with weight 1 and in one fold."""
    none = [np.zeros(len(d), dtype=np.int64) for d in (x, y)]
    return Scores(x, y, np.ones(len(x)), np.ones(len(y)), none[0], none[1])


def _line(kind: str, x: Floats, y: Floats) -> tuple[float, float]:
    spread = float(np.concatenate([x, y]).std()) or 1.0
    middle = float(x.mean() + y.mean()) / 2
    if kind == ORDER:
        intercept, slope = line_of(scores_of((x - middle) / spread, (y - middle) / spread), steepest=np.inf)
        return intercept - slope * middle / spread, slope / spread
    shift = middle  # Newton on the one number that makes the mean chance of data right
    for _ in range(50):
        chance_x, chance_y = (1 / (1 + np.exp(-np.clip(d - shift, -500, 500))) for d in (x, y))
        pull = float((chance_x - 1).mean() + chance_y.mean())
        curve = float((chance_x * (1 - chance_x)).mean() + (chance_y * (1 - chance_y)).mean())
        step = pull / max(curve, 1e-3)
        shift += float(np.clip(step, -5, 5))
        if abs(step) < 1e-9:
            break
    return -shift, 1.0


def _times(sign: float) -> Callable[[Floats], Floats]:
    return lambda c: sign * c
