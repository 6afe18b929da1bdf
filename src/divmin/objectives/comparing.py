"""The named relativistic recipes."""

from __future__ import annotations

from divmin.errors import DivminError
from divmin.grammar import Call
from divmin.objectives.logistic import REAL
from divmin.objectives.registry import Named, register
from divmin.objectives.relativistic import Relativistic
from divmin.objectives.terms import Written


def _register(name: str, average: bool, summary: str, source: str, aliases: tuple[str, ...]) -> None:
    def make(call: Call) -> Relativistic:
        if call.arguments or call.keywords:
            raise DivminError(f"{name} takes no arguments; got {len(call.arguments) + len(call.keywords)}")
        return Relativistic(name, Written(REAL), average, summary)

    register(Named(name, make, summary, source, aliases))


_register(
    "rpgan", False,
    "Relativistic pairing: softplus of the difference between a data score and a sample score.",
    "Jolicoeur-Martineau 2018; Huang et al. 2024 (R3GAN)", ("relativistic", "rgan", "relativistic_pairing"),
)  # fmt: skip
_register(
    "ragan", True,
    "Relativistic average: every score against the mean score of the other side.",
    "Jolicoeur-Martineau 2018", ("relativistic_average",),
)  # fmt: skip
