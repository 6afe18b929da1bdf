"""Values computed elsewhere, with 12 digits: all in canonical scale. Twelve digits can be compared to 1e-11."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from experiments import float64

import divmin as dm

VALUES = json.loads((Path(__file__).parent / "reference_values.json").read_text())
each = pytest.mark.parametrize("name", VALUES["divergences"])
TWELVE_DIGITS = 1e-11


def near(text: str) -> object:
    return pytest.approx(float(text), rel=TWELVE_DIGITS, abs=1e-14)


@each
def test_functions(name: str) -> None:
    f, values = dm.divergence(name).canonical(), VALUES["divergences"][name]
    for text, wanted in values["u"].items():
        u = float(text)
        assert (f.f(u), f.df(u), f.d2f(u)) == tuple(map(near, (wanted["f"], wanted["f1"], wanted["f2"]))), u
    for text, wanted in values["d"].items():
        d = float(text)
        assert (f.a(d), f.b(d), f.s(d)) == tuple(map(near, (wanted["a"], wanted["b"], wanted["s"]))), d


@each
def test_tails_and_limits(name: str) -> None:
    f, values = dm.divergence(name).canonical(), VALUES["divergences"][name]
    assert pytest.approx(values["tail_weights"], abs=1e-12) == [f.tails.R, f.tails.S]
    constants = [float(values["tail_constants"][side].split()[0]) for side in ("left", "right")]
    assert pytest.approx(constants, rel=1e-5) == [f.tails.C, f.tails.D]  # printed with six digits
    assert (f.left_bounded, f.right_bounded, f.bounded) == tuple(
        values[key] for key in ("left_bounded", "right_bounded", "bounded")
    )
    assert f.s(-math.inf) == near(values["s_f_limit_minus_inf"])
    assert f.s(math.inf) == near(values["s_f_limit_plus_inf"])
    assert f.sup == near(values["sup_D_f"])


@each
@pytest.mark.parametrize(
    ("pair", "mean", "deviation"), [("p=N(0,1),q=N(1,1)", 1.0, 1.0), ("p=N(0,1),q=N(0.5,1.5^2)", 0.5, 1.5)]
)
def test_pairs_of_gaussians(name: str, pair: str, mean: float, deviation: float) -> None:
    wanted = float(VALUES["pairs"][pair][name])
    f = dm.divergence(name).canonical()
    x = torch.linspace(-40, 40, 8001, dtype=torch.float64)
    log_p = -(x**2) / 2 - math.log(2 * math.pi) / 2
    log_q = -(((x - mean) / deviation) ** 2) / 2 - math.log(2 * math.pi * deviation**2) / 2
    terms = torch.maximum(log_p, log_q).exp() * f.s(log_p - log_q)
    got = float(torch.trapezoid(terms, x))
    assert (
        got > 1e30 if math.isinf(wanted) else got == pytest.approx(wanted, rel=1e-10)
    )  # q^2/p grows to the grid's ends


def test_the_two_chi_squares_are_named_by_their_denominator() -> None:
    p, q = float64(0.2, 0.8), float64(0.5, 0.5)
    for name, below in (("chi2_data_denominator", p), ("chi2_model_denominator", q)):
        f = dm.divergence(name)
        assert float((torch.maximum(p, q) * f.s((p / q).log())).sum()) == pytest.approx(
            float(((p - q) ** 2 / below).sum())
        )


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("kl", lambda p, q: p * (p / q).log()),
        ("reverse_kl", lambda p, q: q * (q / p).log()),
        ("js", lambda p, q: (p * (2 * p / (p + q)).log() + q * (2 * q / (p + q)).log()) / 2),
        ("jeffreys", lambda p, q: (p - q) * (p / q).log()),
        ("squared_hellinger", lambda p, q: (p.sqrt() - q.sqrt()) ** 2 / 2),
        ("triangular", lambda p, q: (p - q) ** 2 / (p + q)),
        ("total_variation", lambda p, q: (p - q).abs() / 2),
        ("softened_kl", lambda p, q: 4 * p * (2 * p / (p + q)).log()),
        ("softened_reverse_kl", lambda p, q: 2 * (p + q) * ((p + q) / (2 * p)).log()),
        ("igog", lambda p, q: q * (q / p).log() - q * (2 * q / (p + q)).log()),
        ("arithmetic_geometric", lambda p, q: (p + q) / 2 * ((p + q) / (2 * (p * q).sqrt())).log()),
    ],
)  # fmt: skip
def test_names_have_their_textbook_scale(name, formula) -> None:  # type: ignore[no-untyped-def]
    p, q = float64(0.1, 0.2, 0.3, 0.4), float64(0.4, 0.3, 0.2, 0.1)
    q = q.roll(1)
    got = (torch.maximum(p, q) * dm.divergence(name).s((p / q).log())).sum()
    assert float(got) == pytest.approx(float(formula(p, q).sum()), rel=1e-13)
