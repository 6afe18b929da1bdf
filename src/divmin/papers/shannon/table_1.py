"""Table 1: tail weights and boundedness, measured from the weight itself and compared with what is declared and derived."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from divmin.family import divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.reference import reference
from divmin.papers.sources import SHANNON

# Our name, the source's or the reference's, and the tail weights (R, S) that are expected.
ROWS = {
    "kl": ("kl", 1, 2),
    "reverse_kl": ("reverse_kl", 2, 1),
    "js": ("js", 1, 1),
    "jeffreys": ("jeffreys", 2, 2),
    "chi2_data_denominator": ("pearson_chi2_doc000", 3, 0),
    "softened_kl": ("softened_kl", 1, 0),
    "softened_reverse_kl": ("softened_reverse_kl", 2, 0),
    "igog": ("igog", 2, 0),
    "squared_hellinger": ("squared_hellinger", 1.5, 1.5),
    "chi2_model_denominator": ("neyman_chi2_doc000", 0, 3),
    "power(-0.5)": (None, 2.5, 0.5),
    "nonsaturating(softened_kl)": (None, 2, -1),
    "nonsaturating(softened_reverse_kl)": (None, 3, -1),
}


@dataclass(frozen=True)
class Settings:
    """Where slopes are measured.

    Args:
        far: log-ratios on both sides, in nats.
        apart: the distance over which the slope of log w is taken.
    """

    far: float = 40.0
    apart: float = 1.0


def expectations() -> dict[str, Expected]:
    """R and S of every row, and the supremum in canonical scale where the reference has it."""
    wanted: dict[str, Expected] = {}
    for name, (referred, left, right) in ROWS.items():
        wanted[f"{name}: R"] = near(left, 1e-9, source="table 1")
        wanted[f"{name}: S"] = near(right, 1e-9, source="table 1")
        if referred is not None:
            wanted[f"{name}: supremum"] = near(reference("divergences", referred, "sup_D_f"), relative=1e-11)
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Slopes of log w far out: w ~ C e^((2 - R) d) on the left and D e^((S - 1) d) on the right."""
    numbers, rows = {}, []
    ends = np.array([-settings.far, -settings.far + settings.apart, settings.far - settings.apart, settings.far])
    for name, (referred, _, _) in ROWS.items():
        f = divergence(name).canonical()
        log = np.log(f.weight(ends))
        left, right = 2 - (log[1] - log[0]) / settings.apart, 1 + (log[3] - log[2]) / settings.apart
        numbers[f"{name}: R"], numbers[f"{name}: S"] = left, right
        if referred is not None:
            numbers[f"{name}: supremum"] = f.sup
        kind = (
            "bounded"
            if f.bounded
            else "left-bounded"
            if f.left_bounded
            else "right-bounded"
            if f.right_bounded
            else "unbounded"
        )
        rows.append((name, f"{left:.4g}", f"{right:.4g}", f"({f.tails.R:.4g}, {f.tails.S:.4g})", kind, f"{f.sup:.6g}"))
    heads = ("divergence", "R measured", "S measured", "declared", "kind", "supremum (canonical)")
    return Found(numbers, tables=(Table(heads, tuple(rows)),))


register(
    Item(
        name="shannon-table-1",
        paper=SHANNON,
        title="Table 1: tail weights (R, S) and boundedness",
        claim="The weights of both tails say how a divergence treats samples that look fake and data that the model misses; "
        "a side is bounded exactly if its weight is below 2.",
        settings=Settings(),
        quick=Settings(),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        slips=('"All unbounded tails are linear in d" does not hold for Pearson\'s: it is exponential.',),
    )
)
