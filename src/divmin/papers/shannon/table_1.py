"""Table 1: tail weights and boundedness, measured from the weight itself and compared with what is declared and derived."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from divmin.family import Divergence, divergence
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.reference import reference
from divmin.papers.sources import SHANNON


@dataclass(frozen=True)
class Row:
    """What is expected of a divergence in canonical scale: f'' ~ C u^-R as u -> 0, f'' ~ D u^(S - 3) as u -> inf.

    Args:
        referred: its name in the reference, where it has one.
        R, S: tail weights.
        C, D: constants of both tails.
    """

    referred: str | None
    R: float
    S: float
    C: float
    D: float


SIDES = ("left", "right")
NOTE = "f'' ~ C u^-R as u -> 0 and ~ D u^(S - 3) as u -> inf, all in canonical scale: f''(1) = 1."
ROWS = {
    "kl": Row("kl", 1, 2, 1, 1),
    "reverse_kl": Row("reverse_kl", 2, 1, 1, 1),
    "js": Row("js", 1, 1, 2, 2),
    "jeffreys": Row("jeffreys", 2, 2, 1 / 2, 1 / 2),
    "chi2_data_denominator": Row("chi2_data_denominator", 3, 0, 1, 1),
    "softened_kl": Row("softened_kl", 1, 0, 4, 4),
    "softened_reverse_kl": Row("softened_reverse_kl", 2, 0, 2, 2),
    "igog": Row("igog", 2, 0, 4 / 3, 8 / 3),
    "squared_hellinger": Row("squared_hellinger", 1.5, 1.5, 1, 1),
    "chi2_model_denominator": Row("chi2_model_denominator", 0, 3, 1, 1),
    "power(-0.5)": Row(None, 2.5, 0.5, 1, 1),
    "power(1.5)": Row("power(1.5)", 0.5, 2.5, 1, 1),
    "nonsaturating(softened_kl)": Row(None, 2, -1, 4, 4),
    "nonsaturating(softened_reverse_kl)": Row(None, 3, -1, 2, 2),
}


@dataclass(frozen=True)
class Settings:
    """Where slopes are measured.

    Args:
        far: log-ratios on both sides, in nats.
        farther: the same for sums, of which the lighter tail must have died out.
        apart: the distance over which the slope of log w is taken.
    """

    far: float = 40.0
    farther: float = 150.0
    apart: float = 1.0


def expectations() -> dict[str, Expected]:
    """Both tails of every row, which sides are bounded, the supremum where the reference has it, and the rule for sums."""
    wanted: dict[str, Expected] = {}
    for name, row in ROWS.items():
        for weight, value in (("R", row.R), ("S", row.S)):
            wanted[f"{name}: {weight}"] = near(value, 1e-9, source="table 1")
            wanted[f"{name}: {weight} declared"] = near(value, 1e-12, source="table 1")
        for constant, value in (("C", row.C), ("D", row.D)):
            wanted[f"{name}: {constant}"] = near(value, relative=1e-10, source="derived")
            wanted[f"{name}: {constant} declared"] = near(value, relative=1e-12, source="derived")
        for side, tail in zip(SIDES, (row.R, row.S), strict=True):
            wanted[f"{name}: bounded on the {side}, 1 or 0"] = near(tail < 2, source="iff the weight is below 2")
        if row.referred is not None:
            wanted[f"{name}: supremum"] = near(
                reference("divergences", row.referred, "sup_D_f"), relative=1e-11, source="reference"
            )
    wanted["sums of two rows: largest error of (max R, max S)"] = at_most(1e-9, source="section 4")
    wanted["sums of two rows: largest error of C and D, which add on ties"] = at_most(1e-9, source="section 4")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Slopes and constants of log w far out, and where s itself stays finite."""
    numbers, rows = {}, []
    members = {name: divergence(name).canonical() for name in ROWS}
    for name, f in members.items():
        measured = _measured(f, settings.far, settings.apart)
        for key, value in measured.items():
            numbers[f"{name}: {key}"] = value
            numbers[f"{name}: {key} declared"] = getattr(f.tails, key)
        ends = [bool(np.isfinite(float(f.s(side * inf)))) for side in (-1, 1)]
        numbers |= {f"{name}: bounded on the {side}, 1 or 0": float(end) for side, end in zip(SIDES, ends, strict=True)}
        numbers[f"{name}: supremum"] = f.sup
        kind = {(True, True): "bounded", (True, False): "left-bounded", (False, True): "right-bounded"}
        shown = (f"{measured[key]:.4g}" for key in ("R", "S", "C", "D"))
        rows.append((name, *shown, kind.get((ends[0], ends[1]), "unbounded"), f"{f.sup:.6g}"))
    weights, constants = _sums(members, settings)
    numbers["sums of two rows: largest error of (max R, max S)"] = weights
    numbers["sums of two rows: largest error of C and D, which add on ties"] = constants
    heads = ("divergence", "R", "S", "C", "D", "kind", "supremum (canonical)")
    return Found(numbers, tables=(Table(heads, tuple(rows), NOTE),))


def _measured(f: Divergence, far: float, apart: float) -> dict[str, float]:
    """R, S, C and D, since w ~ C e^((2 - R) d) on the left and w ~ D e^((S - 1) d) on the right."""
    log = np.log(f.weight(np.array([-far, -far + apart, far - apart, far])))
    left, right = (log[1] - log[0]) / apart, (log[3] - log[2]) / apart
    constants = {"C": np.exp(log[0] + left * far), "D": np.exp(log[3] - right * far)}
    return {"R": float(2 - left), "S": float(1 + right), **{name: float(each) for name, each in constants.items()}}


def _sums(members: dict[str, Divergence], settings: Settings) -> tuple[float, float]:
    """How far tails of sums of two different rows are off the rule: in their weights, and in their constants."""
    weights, constants = [], []
    names = list(members)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            got = _measured(members[one] + members[other], settings.farther, settings.apart)
            for weight, constant in (("R", "C"), ("S", "D")):
                pair = [(getattr(ROWS[name], weight), getattr(ROWS[name], constant)) for name in (one, other)]
                top = max(each for each, _ in pair)
                weights.append(abs(got[weight] - top))
                total = sum(value for each, value in pair if each == top)
                constants.append(abs(got[constant] / total - 1))
    return max(weights), max(constants)


register(
    Item(
        name="shannon-table-1",
        paper=SHANNON,
        title="Table 1: tail weights (R, S) and boundedness",
        claim="The weights of both tails say how a divergence treats samples that look fake and data that the model misses; "
        "a side is bounded exactly if its weight is below 2. In a sum the larger weight decides, and equal ones add.",
        settings=Settings(),
        quick=Settings(),
        cost=Cost(quick=0.3, full=0.3),
        expected=expectations(),
        compute=compute,
        slips=('"All unbounded tails are linear in d" does not hold for Pearson\'s: it is exponential.',),
    )
)
