"""Figure 3 and equations 11-19: a convex f lies above its tangents, and so the bound of any critic below the divergence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from divmin.family import Divergence, divergence
from divmin.papers import Cost, Found, Item, Work, register
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.reference import reference
from divmin.papers.shannon.catalogue import NAMES, PAIRS, SHOWN, WITH_THIRD, canonical, values
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
# Activations of f-GAN's critic and the divergence of each, in f-GAN's scale; the last two are no f'(e^d).
ACTIVATIONS: dict[str, tuple[Callable[[Floats], Floats], str]] = {
    "KL": (lambda v: v, "kl"),
    "reverse KL": (lambda v: -np.exp(-v), "reverse_kl"),
    "JS": (lambda v: np.log(2) - np.logaddexp(0, -v), "2*js"),
    "GAN": (lambda v: -np.logaddexp(0, -v), "2*js"),
    "Pearson": (lambda v: v, "chi2_model_denominator"),
    "squared Hellinger": (lambda v: 1 - np.exp(-v), "2*squared_hellinger"),
}
OTHERWISE = ("Pearson", "squared Hellinger")


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
        wanted[f"{name}: a' against u f''"] = at_most(1e-8, source="eq. 18, by differences")
        wanted[f"{name}: b' against u^2 f''"] = at_most(1e-8, source="eq. 19, by differences")
        for d in AT:
            known = reference("divergences", name, "d", d)
            wanted[f"{name}: a({d})"] = near(known["a"], 1e-13, relative=2e-11, source="eq. 18")
            wanted[f"{name}: b({d})"] = near(known["b"], 1e-13, relative=2e-11, source="eq. 19")
    for pair in list(WITH_THIRD)[1:]:
        for name in SHOWN:
            if np.isfinite(values(pair)[name]):
                wanted[f"{name}, {pair}: E_f at the best critic"] = near(
                    values(pair)[name], relative=1e-10, source="eq. 13"
                )
    for name in ACTIVATIONS:
        least = at_least(0.5, source="not so") if name in OTHERWISE else at_most(1e-12, source="up to a constant")
        wanted[f"f-GAN's activation for {name} less f'(e^d), its range"] = least
    wanted["smallest f - tangent"] = at_least(-1e-15, source="figure 3")
    wanted["f - tangent where it touches"] = near(0, 1e-15, source="figure 3")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    line, random = Line.of(*PAIRS[PAIR]), np.random.default_rng(settings.seed)
    errors = [_smooth(line.x, random, settings.scale) for _ in range(settings.critics)]
    numbers = {}
    for name in MEMBERS:
        f = canonical(name)

        def bound(d: Floats, f: Divergence = f) -> float:
            return line.integral(line.p * f.a(d) - line.q * f.b(d))

        best = bound(line.d)
        numbers[f"{name}: E_f at the best critic"] = best
        # to second order the gap is half the mean of w times the squared error
        gaps = [(best - bound(line.d + e)) / line.integral(line.q * f.weight(line.d) * e**2 / 2) for e in errors]
        numbers[f"{name}: smallest D_f - E_f of wrong critics, over its size by w"] = min(gaps)
        numbers[f"{name}: largest error of f*(f'(u)) - b"] = largest(
            [_conjugate(f.f, float(f.a(d)), d) - float(f.b(d)) for d in (-2.0, -0.5, 0.0, 0.7, 2.0)]
        )
        near_by = np.linspace(-3, 3, 25)
        rises = f.weight(near_by)
        numbers[f"{name}: a' against u f''"] = largest(_slope(f.a, near_by) / (rises * np.exp(-near_by)) - 1)
        numbers[f"{name}: b' against u^2 f''"] = largest(
            _slope(f.b, near_by) / (np.exp(2 * near_by) * f.d2f(np.exp(near_by))) - 1
        )
        for d in AT:
            numbers[f"{name}: a({d})"], numbers[f"{name}: b({d})"] = float(f.a(float(d))), float(f.b(float(d)))
    for pair, laws in list(WITH_THIRD.items())[1:]:
        other = Line.of(*laws)
        for name in SHOWN:
            if np.isfinite(values(pair)[name]):
                f = canonical(name)
                terms = other.p * f.a(other.d) - other.q * f.b(other.d)
                numbers[f"{name}, {pair}: E_f at the best critic"] = other.integral(terms)
    v = np.linspace(-4, 4, 81)
    for name, (activation, meant) in ACTIVATIONS.items():
        apart = activation(v) - divergence(meant).a(v)
        numbers[f"f-GAN's activation for {name} less f'(e^d), its range"] = float(np.ptp(apart))
    f, u, touch = canonical("js"), np.linspace(0.02, 2.5, 200), float(np.log(TANGENT))

    def tangent(at: Floats) -> Floats:
        return float(f.a(touch)) * at - float(f.b(touch))

    numbers["smallest f - tangent"] = float(np.min(f.f(u) - tangent(u)))
    numbers["f - tangent where it touches"] = float((f.f(np.array([TANGENT])) - tangent(np.array([TANGENT])))[0])
    return Found(numbers, {"u": u, "f": f.f(u), "tangent": tangent(u)})


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


def _slope(function: Callable[[Floats], Floats], d: Floats, h: float = 1e-2) -> Floats:
    """The derivative by central differences of sixth order."""
    shares = {1: 45.0, 2: -9.0, 3: 1.0}
    rises = [k * (function(d + j * h) - function(d - j * h)) for j, k in shares.items()]
    found: Floats = np.sum(rises, axis=0) / (60 * h)
    return found


def _conjugate(f: Callable[[Any], Any], t: float, near_to: float) -> float:
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
        cost=Cost(quick=0.6, full=1.9),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.2),
        caption="A convex function lies above every tangent; the shaded gap is what a critic loses that takes û for u.",
        slips=(
            "f-GAN's output activations equal f'(e^d) up to a constant for KL, reverse KL, JS and GAN, but not for Pearson (v) "
            "and squared Hellinger (1 - e^-v).",
        ),
    )
)
