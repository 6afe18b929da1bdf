"""Equations 20-33: the bound E_f of each divergence in explicit form, and what is not canonical about the printed ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from divmin.family import divergence
from divmin.functions import evaluate
from divmin.grammar import parse
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.shannon.catalogue import NAMES, WITH_THIRD, canonical, values
from divmin.papers.shannon.line import Floats, Line
from divmin.papers.sources import SHANNON

Function = Callable[[Floats], Floats]
LOG_2 = float(np.log(2))


def _sigma(d: Floats) -> Floats:
    """The logistic function."""
    found: Floats = np.exp(-np.logaddexp(0, -d))
    return found


def _half(d: Floats) -> Floats:
    """log of 2 sigma(d)."""
    found: Floats = LOG_2 - np.logaddexp(0, -d)
    return found


# a_f and b_f of each canonical divergence, written out.
FORMS: dict[str, tuple[Function, Function]] = {
    "kl": (lambda d: d, np.expm1),
    "reverse_kl": (lambda d: -np.expm1(-d), lambda d: d),
    "js": (lambda d: 2 * _half(d), lambda d: -2 * _half(-d)),
    "jeffreys": (lambda d: (d - np.expm1(-d)) / 2, lambda d: (np.expm1(d) + d) / 2),
    "chi2_data_denominator": (lambda d: -np.expm1(-2 * d) / 2, lambda d: -np.expm1(-d)),
    "softened_kl": (lambda d: 4 * _half(d) + 4 * _sigma(-d) - 2, lambda d: 2 * np.tanh(d / 2)),
    "softened_reverse_kl": (lambda d: -2 * _half(d) - 2 * np.expm1(-d), lambda d: 2 * _half(d)),
    "igog": (
        lambda d: 4 / 3 * (1 / 2 - _sigma(-d) * np.exp(-d)),
        lambda d: 4 / 3 * (1 / 2 - _sigma(-d) + _half(d)),
    ),
    "squared_hellinger": (lambda d: -2 * np.expm1(-d / 2), lambda d: 2 * np.expm1(d / 2)),
    "chi2_model_denominator": (np.expm1, lambda d: np.expm1(2 * d) / 2),
}
POWERS = (-2.0, -1.0, -0.5, 0.5, 1.5, 2.0, 3.0)
# As the source prints two of them: f(u), its slope at 1, and which canonical divergence it is.
PRINTED = {
    "eq. 28": ("2*u*log(u) - 2*(u + 1)*log(u + 1) + 4*log(2)", -2 * LOG_2, "js"),
    "eq. 47": ("2*(u + 1)*log(1 + 1/u) - 4*log(2)", 2 * LOG_2 - 2, "softened_reverse_kl"),
}


@dataclass(frozen=True)
class Settings:
    """Where the forms are compared.

    Args:
        reach: log-ratios from -reach to reach, nats.
        points: of them.
        nodes: of the trapezoid rule on [-25, 25].
    """

    reach: float = 12.0
    points: int = 481
    nodes: int = 8001


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name in FORMS:
        for letter in "ab":
            wanted[f"{name}: {letter} against its closed form"] = at_most(1e-12, source="eqs. 20-33")
    for alpha in POWERS:
        for letter in "ab":
            wanted[f"power({alpha:g}): {letter} against its closed form"] = at_most(1e-12, source="alpha")
    for pair in WITH_THIRD:
        for name, value in values(pair).items():
            if name in FORMS and np.isfinite(value):
                wanted[f"{name}, {pair}: explicit E_f at d*"] = near(value, 1e-10, source="eqs. 20-33")
    for equation, (_, slope, name) in PRINTED.items():
        wanted[f"{equation}: f(1)"] = near(0, 1e-14, source=equation)
        wanted[f"{equation}: f'(1)"] = near(slope, 1e-13, source="derived: not canonical by section 2")
        wanted[f"{equation}: f''(1)"] = near(1, 1e-13, source=equation)
        wanted[f"{equation}: f - f'(1)(u - 1) against canonical {name}"] = at_most(1e-12, source="section 2")
    wanted["E_p 2 log sigma(d) + E_q 2 log sigma(-d) + 4 log 2 against 4 JS"] = at_most(1e-10, source="eq. 29")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    d = np.linspace(-settings.reach, settings.reach, settings.points)
    numbers, rows = {}, []
    for name, forms in FORMS.items():
        f = canonical(name)
        for letter, ours, written in zip("ab", (f.a(d), f.b(d)), forms, strict=True):
            numbers[f"{name}: {letter} against its closed form"] = _apart(ours, written(d))
    for alpha in POWERS:
        f = divergence(f"power({alpha!r})")
        for letter, ours, power in (("a", f.a(d), alpha - 1), ("b", f.b(d), alpha)):
            numbers[f"power({alpha:g}): {letter} against its closed form"] = _apart(ours, np.expm1(power * d) / power)
    for pair, laws in WITH_THIRD.items():
        line = Line.of(*laws, nodes=settings.nodes)
        known = values(pair)
        for name, (a, b) in FORMS.items():
            if np.isfinite(known[name]):
                found = line.integral(line.p * a(line.d) - line.q * b(line.d))
                numbers[f"{name}, {pair}: explicit E_f at d*"] = found
                rows.append((pair, NAMES[name], f"{found:.12g}"))
    pair, laws = next(iter(WITH_THIRD.items()))
    line = Line.of(*laws, nodes=settings.nodes)
    logs = -np.logaddexp(0, -line.d), -np.logaddexp(0, line.d)
    value = 2 * line.integral(line.p * logs[0] + line.q * logs[1]) + 4 * LOG_2
    wanted = line.integral(line.p * canonical("js").a(line.d) - line.q * canonical("js").b(line.d))
    numbers["E_p 2 log sigma(d) + E_q 2 log sigma(-d) + 4 log 2 against 4 JS"] = abs(value - wanted)
    for equation, (text, _, name) in PRINTED.items():
        numbers |= _printed(equation, text, name, np.geomspace(1e-3, 1e3, 61))
    return Found(numbers, tables=(Table(("pair", "divergence", "E_f at d*, canonical (nats)"), tuple(rows)),))


def _apart(ours: Floats, written: Floats) -> float:
    """The largest difference, relative to what is larger than 1e-3."""
    return largest((ours - written) / (np.abs(written) + 1e-3))


def _printed(equation: str, text: str, name: str, u: Floats) -> dict[str, float]:
    """f, f' and f'' at 1 of a function as it is printed, and what is left of it without its slope there."""
    one = torch.ones((), dtype=torch.float64, requires_grad=True)
    value = _at(text, one)
    (slope,) = torch.autograd.grad(value, one, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, one)
    left = _at(text, torch.from_numpy(u)).numpy() - slope.item() * (u - 1)
    true = canonical(name).f(u)
    return {
        f"{equation}: f(1)": value.item(),
        f"{equation}: f'(1)": slope.item(),
        f"{equation}: f''(1)": curvature.item(),
        f"{equation}: f - f'(1)(u - 1) against canonical {name}": largest((left - true) / (1 + true)),
    }


def _at(text: str, u: torch.Tensor) -> torch.Tensor:
    found = evaluate(parse(text), {"u": u})
    assert isinstance(found, torch.Tensor)
    return found


register(
    Item(
        name="shannon-equations-20-33",
        paper=SHANNON,
        title="Equations 20-33: explicit forms of the bound",
        claim="For each divergence E_f = E_p[a_f(d)] - E_q[b_f(d)] is written out; for 4 JS it is twice the value of the "
        "original GAN game plus 4 log 2.",
        settings=Settings(),
        quick=Settings(points=121, nodes=4001),
        cost=Cost(quick=0.1, full=0.1),
        expected=expectations(),
        compute=compute,
        slips=(
            "Equation 28 has f'(1) = -2 log 2 and equation 47 f'(1) = 2 log 2 - 2: neither is canonical by section 2, so "
            "f'(1)(u - 1) must be subtracted before s is drawn.",
        ),
    )
)
