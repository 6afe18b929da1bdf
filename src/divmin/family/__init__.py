"""f-divergences: the family, its algebra, and the language in which people write them."""

from divmin.family import jensen_shannon, kinks, power
from divmin.family.base import Divergence
from divmin.family.catalogue import Entry, divergences, entries, entry, register
from divmin.family.custom import from_curvature, from_f
from divmin.family.expression import divergence
from divmin.family.tails import Tails

__all__ = [
    "Divergence",
    "Entry",
    "Tails",
    "divergence",
    "divergences",
    "entries",
    "entry",
    "from_curvature",
    "from_f",
    "jensen_shannon",
    "kinks",
    "power",
    "register",
]
