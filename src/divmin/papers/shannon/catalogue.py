"""The divergences of the reference under our names, and its pairs of laws."""

from __future__ import annotations

from math import inf

from divmin.family import Divergence, divergence
from divmin.papers.reference import reference

# Name in the reference, or in the source's footnotes -> ours. "Pearson" has the data's density in the denominator there.
NAMES = {
    "kl": "kl",
    "reverse_kl": "reverse_kl",
    "js": "js",
    "jeffreys": "jeffreys",
    "chi2_data_denominator": "chi2_data_denominator",
    "softened_kl": "softened_kl",
    "softened_reverse_kl": "softened_reverse_kl",
    "srkl_swapped": "reverse(softened_reverse_kl)",
    "reverse_softened_kl": "reverse(softened_kl)",
    "igog": "igog",
    "squared_hellinger": "squared_hellinger",
    "chi2_model_denominator": "chi2_model_denominator",
    "power(-2)": "power(-2)",
    "power(-1)": "power(-1)",
    "power(-0.5)": "power(-0.5)",
    "power(0.5)": "power(0.5)",
    "power(1.5)": "power(1.5)",
    "power(2)": "power(2)",
    "power(3)": "power(3)",
}
PAIRS = {
    "p=N(0,1),q=N(1,1)": ("normal(0, 1)", "normal(1, 1)"),
    "p=N(0,1),q=N(0.5,1.5^2)": ("normal(0, 1)", "normal(0.5, 1.5)"),
}
# The ten of the source's table and text, and canonical values on a third pair, found with mpmath and SciPy like the reference.
THIRD = ("0.5*normal(-2, 0.7) + 0.5*normal(2, 1)", "normal(0, 2)")
ON_THIRD = {
    "kl": 0.297297783814,
    "reverse_kl": 0.445505964380,
    "js": 0.319268129305,
    "jeffreys": 0.371401874097,
    "chi2_data_denominator": inf,
    "softened_kl": 0.358193018168,
    "softened_reverse_kl": 0.571743799456,
    "igog": 0.500560205694,
    "squared_hellinger": 0.335993342079,
    "chi2_model_denominator": 0.280755735897,
}
SHOWN = {
    "kl": "KL",
    "reverse_kl": "reverse KL",
    "js": "4 JS",
    "jeffreys": "Jeffreys / 2",
    "chi2_data_denominator": "Pearson / 2",
    "softened_kl": "softened KL",
    "softened_reverse_kl": "softened reverse KL",
    "igog": "IGOG · 4/3",
    "squared_hellinger": "Hellinger · 4",
    "chi2_model_denominator": "Neyman / 2",
}
WITH_THIRD = PAIRS | {"a mixture and N(0,2^2)": THIRD}


def values(pair: str) -> dict[str, float]:
    """Canonical values on one of the three pairs, by name in the reference.

    >>> values("a mixture and N(0,2^2)")["js"]
    0.319268129305
    """
    if pair not in PAIRS:
        return ON_THIRD
    return {name: float(each["D"]) for name, each in reference("pairs", pair).items()}


def canonical(name: str) -> Divergence:
    """The canonical divergence of a name of the reference."""
    return divergence(NAMES[name]).canonical()
