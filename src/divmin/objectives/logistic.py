"""The losses that everyone uses: a logistic critic, whose best output is d = log p/q, and three generators."""

from __future__ import annotations

from divmin.objectives.registry import register_fixed

REAL, FAKE = "softplus(-c)", "softplus(c)"

register_fixed(
    "minimax", REAL, FAKE, "-softplus(c)",
    "Logistic critic; the generator minimises log(1 - sigma(c)): 2 JS, with a gradient that vanishes on fakes.",
    "Goodfellow et al. 2014, eq. 1",
    minimises="2*js", aliases=("saturating", "gan_minimax"),
)  # fmt: skip
register_fixed(
    "nonsaturating", REAL, FAKE, REAL,
    "Logistic critic; the generator minimises -log sigma(c): half the softened reverse KL, not Jensen-Shannon.",
    "Goodfellow et al. 2014, section 3; Shannon et al., section 9",
    minimises="0.5*softened_reverse_kl", aliases=("ns", "non_saturating", "gan"),
)  # fmt: skip
register_fixed(
    "huszar", REAL, FAKE, "-c",
    "Logistic critic; the generator minimises -c: the reverse KL.",
    "Huszar 2016",
    minimises="reverse_kl", aliases=("reverse_kl_gan",),
)  # fmt: skip
