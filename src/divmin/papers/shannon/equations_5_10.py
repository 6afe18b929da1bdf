"""Equations 3-10: left and right mismatches, and a divergence as an integral over the law of d alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import canonical
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.plots.style import COLOURS
from divmin.values import exact, pushforward

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KNOWN = reference("pushforward_eq10_sigma1")
PAIRS = {
    "normal laws": ("normal(0.5, 1)", "normal(-0.5, 1)"),
    "other variances": ("normal(0, 1)", "normal(0.5, 1.5)"),
    "a mixture": ("0.5*normal(-2, 0.7) + 0.5*normal(2, 1)", "normal(0, 2)"),
}
BOUNDED = ("kl", "js", "softened_reverse_kl")  # finite on all three
PRINTED = -2 * log(2)  # f'(1) of Jensen-Shannon as equation 28 prints it


@dataclass(frozen=True)
class Settings:
    """How it is looked at.

    Args:
        points: log-ratios at which both laws are compared.
        pairs: on which both integrals are compared; where d has a largest value the density grows without bound there, and
            its integral takes seconds.
    """

    points: int = 201
    pairs: tuple[str, ...] = tuple(PAIRS)


def expectations() -> dict[str, Expected]:
    wanted = {
        f"{name}: integral over the law of d": near(value, 1e-11, source="eq. 10") for name, value in KNOWN.items()
    }
    for pair in PAIRS:
        wanted[f"{pair}: largest error of log p~ - log q~ - d"] = at_most(1e-11, source="eq. 7")
        wanted[f"{pair}: largest difference of both integrals"] = (
            at_most(1e-11, source="eqs. 5 and 10")
            if pair == "normal laws"
            else at_most(1e-8, source="eqs. 5 and 10; the density of d is infinite at an end", full=True)
        )
    wanted["left and right parts of JS on one pair, over the whole"] = near(1.0, 1e-12, source="eqs. 3 and 4")
    wanted["jump of s'' at d = 0 of JS as printed"] = near(2 * PRINTED, 1e-3, source="section 2's own definition")
    wanted["jump of s'' at d = 0 of canonical JS"] = near(0.0, 1e-3, source="s is C^2")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers = {}
    sigma_1 = pushforward("normal(0.5, 1)", "normal(-0.5, 1)")
    for name in KNOWN:
        numbers[f"{name}: integral over the law of d"] = sigma_1.divergence(canonical(name))
    drawn: dict[str, Floats] = {}
    for pair, (p, q) in PAIRS.items():
        found = pushforward(p, q)
        low, high = max(found.edges[0], -12.0), min(found.edges[-1], 12.0)
        d = np.linspace(low, high, settings.points + 2)[1:-1]
        log_p, log_q = found.log_density_p(d).numpy(), found.log_density_q(d).numpy()
        seen = np.isfinite(log_q) & (log_q > -200)
        numbers[f"{pair}: largest error of log p~ - log q~ - d"] = largest((log_p - log_q - d)[seen])
        if pair in settings.pairs:
            members = [canonical(name) for name in BOUNDED]
            gaps = [found.divergence(f) - exact(f, p, q).value for f in work.each(f"integrals on {pair}", members)]
            numbers[f"{pair}: largest difference of both integrals"] = largest(gaps)
        drawn |= {f"{pair} d": d, f"{pair} p": np.exp(log_p), f"{pair} q": np.exp(log_q)}
    js, line = canonical("js"), Line.of(*PAIRS["a mixture"])
    cost = np.maximum(line.p, line.q) * js.s(line.d)
    sides = [line.integral(np.where(side, cost, 0.0)) for side in (line.d < 0, line.d >= 0)]
    whole = line.integral(line.q * js.f(np.exp(line.d)))
    numbers["left and right parts of JS on one pair, over the whole"] = sum(sides) / whole
    numbers["jump of s'' at d = 0 of JS as printed"] = _jump(PRINTED)
    numbers["jump of s'' at d = 0 of canonical JS"] = _jump(0.0)
    return Found(numbers, drawn)


def _jump(slope: float, h: float = 1e-3) -> float:
    """s'' on the left minus s'' on the right of 0, of f + slope (u - 1)."""
    js = canonical("js")

    def s(d: float) -> float:
        affine = slope * (np.expm1(d) if d < 0 else -np.expm1(-d))
        return float(js.s(d)) + float(affine)

    def second(side: int) -> float:
        at = [s(side * k * h) for k in range(4)]
        return (2 * at[0] - 5 * at[1] + 4 * at[2] - at[3]) / h**2

    return second(-1) - second(1)


def draw(found: Found, figure: Figure) -> None:
    for ax, pair in zip(figure.subplots(1, len(PAIRS)), PAIRS, strict=True):
        d, p, q = (found.arrays[f"{pair} {name}"] for name in "dpq")
        ax.plot(d, p, color=COLOURS[0], label="p~, under data")
        ax.plot(d, q, "--", color=COLOURS[1], label="q~, under the model")
        ax.plot(d, np.exp(d) * q, ":", color=COLOURS[6], label="e^d q~")
        ax.set(title=pair, xlabel="d = log p/q (nats)", ylabel="density (per nat)", yscale="log", ylim=(1e-5, 10))
        ax.legend(frameon=False, fontsize="small")


register(
    Item(
        name="shannon-equations-5-10",
        paper=SHANNON,
        title="Equations 3-10: left and right mismatches, and the pushforward form",
        claim="D_f is the integral of max(p~, q~) s_f over the log-ratio alone; both laws of d determine each other, "
        "p~(d) = e^d q~(d).",
        settings=Settings(),
        quick=Settings(points=51, pairs=("normal laws",)),
        cost=Cost(quick=2.1, full=6.1),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(12, 3.8),
        caption="On each pair the dotted line e^d q~ lies on p~. Where d has a largest value, as between laws of different "
        "variance, the densities end there and grow without bound towards it.",
        slips=(
            "Equations 28 and 47 are not canonical by section 2's own definition: their s has a kink in its slope at 0.",
        ),
    )
)
