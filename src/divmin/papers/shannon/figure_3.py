"""Figure 3 and equations 11-19: a convex f lies above its tangents, and so the bound of any critic below the divergence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES, PAIRS, canonical
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON
from divmin.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIR = "p=N(0,1),q=N(1,1)"
AT = ("-8", "-4", "-1", "0", "1", "4", "8")
# Those whose divergence is in the reference for this pair.
MEMBERS = tuple(name for name in NAMES if name in reference("pairs", PAIR) and name in reference("divergences"))
TANGENT = 0.5  # where the drawn tangent touches


@dataclass(frozen=True)
class Settings:
    """What is tried.

    Args:
        critics: random errors of the critic.
        scale: their size, nats.
        seed: of them.
    """

    critics: int = 200
    scale: float = 0.5
    seed: int = 0


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in MEMBERS:
        true = reference("pairs", PAIR, name, "D")
        wanted[f"{name}: E_f at the best critic"] = near(true, relative=1e-10, source="eq. 13")
        wanted[f"{name}: smallest D_f - E_f of wrong critics, over its size by w"] = at_least(0.2, source="eq. 13")
        wanted[f"{name}: largest error of f*(f'(u)) - b"] = at_most(1e-7, source="f* by a search")
        for d in AT:
            known = reference("divergences", name, "d", d)
            wanted[f"{name}: a({d})"] = near(known["a"], 1e-13, relative=2e-11, source="eq. 18")
            wanted[f"{name}: b({d})"] = near(known["b"], 1e-13, relative=2e-11, source="eq. 19")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    line, random = Line.of(*PAIRS[PAIR]), np.random.default_rng(settings.seed)
    errors = [_smooth(line.x, random, settings.scale) for _ in range(settings.critics)]
    numbers = {}
    for name in MEMBERS:
        f = canonical(name)

        def bound(d: Floats, f=f) -> float:  # type: ignore[no-untyped-def]
            return line.integral(line.p * f.a(d) - line.q * f.b(d))

        best = bound(line.d)
        numbers[f"{name}: E_f at the best critic"] = best
        # to second order the gap is half the mean of w times the squared error
        gaps = [(best - bound(line.d + e)) / line.integral(line.q * f.weight(line.d) * e**2 / 2) for e in errors]
        numbers[f"{name}: smallest D_f - E_f of wrong critics, over its size by w"] = min(gaps)
        numbers[f"{name}: largest error of f*(f'(u)) - b"] = largest(
            [_conjugate(f.f, float(f.a(d)), d) - float(f.b(d)) for d in (-2.0, -0.5, 0.0, 0.7, 2.0)]
        )
        for d in AT:
            numbers[f"{name}: a({d})"], numbers[f"{name}: b({d})"] = float(f.a(float(d))), float(f.b(float(d)))
    f, u = canonical("js"), np.linspace(0.02, 2.5, 200)
    touch = float(np.log(TANGENT))
    return Found(numbers, {"u": u, "f": f.f(u), "tangent": float(f.a(touch)) * u - float(f.b(touch))})


def draw(found: Found, figure: Figure) -> None:
    ax, arrays = figure.add_subplot(), found.arrays
    ax.plot(arrays["u"], arrays["f"], color=COLOURS[0], label="f(u), 4 Jensen-Shannon")
    ax.plot(arrays["u"], arrays["tangent"], "--", color=COLOURS[1], label=f"tangent at û = {TANGENT:g}: a(d̂) u - b(d̂)")
    ax.fill_between(arrays["u"], arrays["tangent"], arrays["f"], color=COLOURS[1], alpha=0.12, linewidth=0)
    ax.set(xlabel="u = p/q", ylabel="f(u)", ylim=(-0.6, 1.4))
    ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    ax.legend(frameon=False)


def _smooth(x: Floats, random: np.random.Generator, scale: float) -> Floats:
    """A random error of the critic: a few waves."""
    waves = random.normal(size=(4, 3))
    found: Floats = scale / 2 * sum(a * np.sin(b * x / 2 + 3 * c) for a, b, c in waves)
    return found


def _conjugate(f, t: float, near_to: float) -> float:  # type: ignore[no-untyped-def]
    """f*(t), the largest t u - f(u), searched for in log u."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda d: float(f(np.exp(d))) - t * np.exp(d),
        bounds=(near_to - 1.1, near_to + 0.9),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return -float(found.fun)


register(
    Item(
        name="shannon-figure-3",
        paper=SHANNON,
        title="Figure 3 and equations 11-33: the variational bound and where it is tight",
        claim="For any d, E_f = E_p[a_f(d)] - E_q[b_f(d)] is at most D_f, with equality exactly at d = log p/q; a = f' and "
        "b = u f' - f = f*(f').",
        settings=Settings(),
        quick=Settings(critics=10),
        cost=Cost(quick=2, full=3),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.2),
        caption="A convex function lies above every tangent; the shaded gap is what a critic loses that takes û for u.",
    )
)
