"""The divergences of the reference under our names, and its pairs of laws."""

from __future__ import annotations

from divmin.family import Divergence, divergence

# Name in the reference, or in the source's footnotes -> ours. "Pearson" has the data's density in the denominator there.
NAMES = {
    "kl": "kl",
    "reverse_kl": "reverse_kl",
    "js": "js",
    "jeffreys": "jeffreys",
    "pearson_chi2_doc000": "chi2_data_denominator",
    "softened_kl": "softened_kl",
    "softened_reverse_kl": "softened_reverse_kl",
    "srkl_swapped": "reverse(softened_reverse_kl)",
    "reverse_softened_kl": "reverse(softened_kl)",
    "igog": "igog",
    "squared_hellinger": "squared_hellinger",
    "neyman_chi2_doc000": "chi2_model_denominator",
    "alpha_-2": "power(-2)",
    "alpha_-1": "power(-1)",
    "alpha_-0.5": "power(-0.5)",
    "alpha_0.5": "power(0.5)",
    "alpha_1.5": "power(1.5)",
    "alpha_2": "power(2)",
    "alpha_3": "power(3)",
}
PAIRS = {
    "p=N(0,1),q=N(1,1)": ("normal(0, 1)", "normal(1, 1)"),
    "p=N(0,1),q=N(0.5,1.5^2)": ("normal(0, 1)", "normal(0.5, 1.5)"),
}


def canonical(name: str) -> Divergence:
    """The canonical divergence of a name of the reference."""
    return divergence(NAMES[name]).canonical()
