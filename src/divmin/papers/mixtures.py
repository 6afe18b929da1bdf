"""Mixtures of two normal laws that several items look at, by the names of the reference."""

from __future__ import annotations

# That of figure 5 of Shannon et al., a symmetric and an asymmetric one, and one that a learned critic does not master.
MIXTURES = {
    "D_fig5": "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)",
    "A_sym": "0.5*normal(-1.5, 0.6) + 0.5*normal(1.5, 0.6)",
    "B_asym": "0.7*normal(-1, 0.5) + 0.3*normal(2, 0.5)",
    "C_hard": "0.7*normal(-1, 0.5) + 0.3*normal(1.5, 0.8)",
}
