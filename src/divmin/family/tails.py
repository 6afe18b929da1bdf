"""How f'' behaves at both ends, and what that says about a divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass

_CHARACTER = {
    (True, True): "bounded: saturates on both sides",
    (False, True): "mode-seeking: fake-looking samples cost without bound, missed data little",
    (True, False): "mode-covering: missed data cost without bound, fake-looking samples little",
    (False, False): "both: fake-looking samples and missed data cost without bound",
}


@dataclass(frozen=True)
class Tails:
    """Tail weights: f'' ~ C u^-R as u -> 0 and f'' ~ D u^(S-3) as u -> inf, so w ~ C e^((2-R) d) and w ~ D e^((S-1) d).

    `confidence` is None where R, S, C and D follow from a formula, else the half-width of R and S as measured.
    A side on which f'' vanishes has weight -inf and constant 0.
    """

    R: float
    S: float
    C: float
    D: float
    confidence: float | None = None

    @property
    def left_bounded(self) -> bool:
        return self.R < 2

    @property
    def right_bounded(self) -> bool:
        return self.S < 2

    @property
    def character(self) -> str:
        """What the tails say about behaviour, in words. A tendency, not a law: see docs/theory.md."""
        return _CHARACTER[self.left_bounded, self.right_bounded]

    def __str__(self) -> str:
        about = ("" if self.confidence is None or math.isinf(x) else "~" for x in (self.R, self.S))
        return f"({next(about)}{self.R:.6g}, {next(about)}{self.S:.6g})"
