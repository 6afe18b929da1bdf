"""One divergence, many losses: what is asked of model samples can be asked of data instead.

E_q[h(d) e^d grad log q] = E_p[h(d) grad log q], so (F, G) and (F + h e^d, G + h) have the same gradient for every h (eq. 9).
F = -b(d), G = 0 is one such loss of an f-divergence: the purely adversarial one; a constant may be added to F.
"""

from __future__ import annotations

import math

from divmin.family import Divergence
from divmin.papers.berger.line import Loss, Term, nothing

# h(d) by how it reads; D is the critic's probability that a sample is real
SHIFTS: dict[str, Term] = {
    "0": nothing,
    "1 - D": lambda d: (-d).sigmoid(),
    "1": lambda d: nothing(d) + 1,
    "D": lambda d: d.sigmoid(),
    "4 D (1 - D)": lambda d: 4 * d.sigmoid() * (-d).sigmoid(),
}


def adversarial(f: Divergence) -> Term:
    """F = -b, raised so that it falls from 0 where b has a lower end: the gradient sees no constant, but its noise does."""
    lowest = float(f.b(-math.inf))
    start = lowest if math.isfinite(lowest) else 0.0
    return lambda d: start - f.b(d)


def split(f: Divergence, h: Term) -> Loss:
    """The loss of an f-divergence with h moved from model samples to data: (F + h e^d, h)."""
    fake = adversarial(f)
    return Loss(lambda d: fake(d) + h(d) * d.exp(), h)


def quietest(f: Divergence) -> Loss:
    """The split with the lowest second moment of all: h = -(1 - D) F minimises q (F + h u)^2 + p h^2 at every point."""
    fake = adversarial(f)
    return split(f, lambda d: -(-d).sigmoid() * fake(d))
