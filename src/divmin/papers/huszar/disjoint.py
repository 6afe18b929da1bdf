"""The note's last remark: on disjoint supports Jensen-Shannon is one bit and KL undefined; what each rule has left to follow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.huszar.normal_generator import data, gradient, log_ratio
from divmin.papers.huszar.three_rules import CUT, FAR, LOSS, MINIMISES, RULES, loss_of
from divmin.papers.item import largest
from divmin.papers.sources import HUSZAR
from divmin.plots.style import line_style
from divmin.values import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
LOG_2 = math.log(2)
GAP = 1.0
APART = ("uniform(0, 1)", "uniform(2, 3)")  # data and model that share no point
# D between disjoint supports is f(0) + lim f(u)/u at infinity: in bits.
BITS = {"js": 1.0, "softened_kl": 4.0, "kl": math.inf, "reverse_kl": math.inf, "softened_reverse_kl": math.inf}
CALLED = {"js": "Jensen-Shannon", "softened_kl": "softened KL", "kl": "KL", "reverse_kl": "reverse KL",
          "softened_reverse_kl": "softened reverse KL"}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Data N(1, s^2) and a model N(0, s^2): two points of a line, 1 apart, under noise.

    Args:
        least, most: s, over the gap.
        widths: values of s.
    """

    least: float = 0.05
    most: float = 2.0
    widths: int = 41


def expectations() -> dict[str, Expected]:
    note = "the note: one bit, and KL is not defined"
    wanted = {
        f"disjoint intervals: {CALLED[name]} (bits)": near(
            bits, 1e-12, source=note if name in ("js", "kl") else "theory"
        )
        for name, bits in BITS.items()
    }
    for rule in RULES:
        wanted[f"{rule}: gradient less that of {MINIMISES[rule]}, over that of reverse KL"] = at_most(
            CUT, source="b' = w" + FAR
        )
    return wanted | {
        "#2: largest |gradient s^2 / gap - 1|": at_most(1e-10, source="reverse KL of two normal laws, gap^2 / 2 s^2"),
        "#0 and #1: their sum over #2, less 1": at_most(CUT, source="the note: #2 is the sum of #0 and #1" + FAR),
        "#0 over #2, less half exp(-gap^2 / 8 s^2)": at_most(1e-12, source="pq/(p + q) is at most half of sqrt(pq)"),
        "#0 over #2 where noise is widest": at_least(0.4, source="with q = p a half each"),
        "#1 over #2 where noise is thinnest, less 1": near(0, 1e-12, source="sigma(-d) tends to 1"),
        "Jensen-Shannon where noise is thinnest (bits)": near(1, 1e-12, source=note),
    }


def compute(settings: Settings, work: Work) -> Found:
    numbers = {f"disjoint intervals: {CALLED[name]} (bits)": exact(name, *APART).value / LOG_2 for name in BITS}
    widths = GAP * np.geomspace(settings.least, settings.most, settings.widths)
    pulls: dict[str, Floats] = {}
    for rule in work.each("rules", RULES):
        followed, wanted = (np.array(each) for each in zip(*(_pulls(rule, s) for s in widths), strict=True))
        pulls[rule] = followed
        numbers[f"{rule}: gradient less that of {MINIMISES[rule]}, over that of reverse KL"] = largest(
            (followed - wanted) * widths**2 / GAP
        )
    js = np.array([exact("js", f"normal({GAP}, {s})", f"normal(0, {s})").value for s in widths]) / LOG_2
    share = {rule: pulls[rule] / pulls["#2"] for rule in RULES}
    bound = np.exp(-(GAP**2) / (8 * widths**2)) / 2
    numbers |= {
        "#2: largest |gradient s^2 / gap - 1|": largest(pulls["#2"] * widths**2 / GAP - 1),
        "#0 and #1: their sum over #2, less 1": largest(share["#0"] + share["#1"] - 1),
        "#0 over #2, less half exp(-gap^2 / 8 s^2)": float(np.max(share["#0"] - bound)),
        "#0 over #2 where noise is widest": float(share["#0"][-1]),
        "#1 over #2 where noise is thinnest, less 1": float(share["#1"][0] - 1),
        "Jensen-Shannon where noise is thinnest (bits)": float(js[0]),
    }
    rows = [(CALLED[name], f"{numbers[f'disjoint intervals: {CALLED[name]} (bits)']:.12g}") for name in BITS]
    table = Table(("divergence", "between U(0, 1) and U(2, 3) (bits)"), tuple(rows))
    arrays = {"s": widths / GAP, "js": js} | {f"pull {rule}": pulls[rule] * GAP for rule in RULES}
    return Found(numbers, arrays, (table,))


def _pulls(rule: str, s: float) -> tuple[float, float]:
    """How fast the mean of the model is drawn to the data, with the exact critic: by the rule, and by its divergence."""
    import torch

    p, at = data(f"normal({GAP}, {s})"), torch.tensor([0.0, math.log(s)], dtype=torch.float64)
    followed = -gradient(loss_of(rule), log_ratio(p, at), at)[0]
    theta = at.clone().requires_grad_()
    exact(MINIMISES[rule], p, torch.distributions.Normal(theta[0], theta[1].exp())).tensor.backward()
    assert theta.grad is not None
    return float(followed), -float(theta.grad[0])


def draw(found: Found, figure: Figure) -> None:
    value, pull = figure.subplots(1, 2)
    s = found.arrays["s"]
    value.semilogx(s, found.arrays["js"])
    value.axhline(1, color="0.6", linewidth=0.8)
    value.set(xlabel="s, noise over the gap", ylabel="Jensen-Shannon (bits)", ylim=(0, 1.1))
    for i, rule in enumerate(RULES):
        colour, dash = line_style(i)
        pull.loglog(s, found.arrays[f"pull {rule}"], color=colour, linestyle=dash, label=f"{rule}: {LOSS[rule]}")
    pull.set(xlabel="s, noise over the gap", ylabel="pull on the model's mean, times the gap (nats)", ylim=(1e-6, 1e3))
    pull.legend()


register(
    Item(
        name="huszar-disjoint",
        paper=HUSZAR,
        title="Last remark: supports without a common point",
        claim="Where data and model share no point, as manifolds of low dimension do not, the Jensen-Shannon divergence is one bit "
        "whatever their distance, and KL(Q||P) is not defined.",
        settings=Settings(),
        quick=Settings(widths=9),
        cost=Cost(quick=2, full=3),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(10, 4.2),
        caption="Data and model are normal laws a gap apart. Left: as their noise gets thin, Jensen-Shannon is one bit. Right: "
        "with the exact critic #0 then has nothing to follow, though the model is as far from the data as before; #1 and #2 are "
        "drawn ever harder, and alike: #2 is #0 and #1 together, and nothing is left of #0.",
        slips=(
            "Not defined means infinite: KL(P||Q), KL(Q||P) and the softened reverse KL, which #1 descends, all are. Noise on "
            "both, as Arjovsky and Bottou (2017) propose, makes every one of them finite.",
        ),
    )
)
