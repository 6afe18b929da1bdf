"""Every row of the theory's table and of Poole's appendix, symbolically and numerically."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import sympy
import torch
from torch import Tensor
from torch.nn.functional import softplus

import divmin as dm
from divmin.explanation import Interval
from divmin.functions import to_sympy
from divmin.grammar import parse

U = torch.logspace(-4, 4, 161, dtype=torch.float64)
Curve = Callable[[Tensor], Tensor]

# recipe, F''(u), F''(u) as text, name of the divergence
ROWS: list[tuple[str, Curve, str, str | None]] = [
    ("minimax", lambda u: 1 / (u * (1 + u)), "1/(u*(1 + u))", "2*js"),
    ("nonsaturating", lambda u: 1 / (u**2 * (1 + u)), "1/(u^2*(1 + u))", "0.5*softened_reverse_kl"),
    ("huszar", lambda u: u**-2, "1/u^2", "reverse_kl"),
    ("fgan(kl, nonsaturating)", lambda u: u**-2, "1/u^2", "reverse_kl"),
    ("fgan(reverse_kl, nonsaturating)", lambda u: u**-3, "1/u^3", "0.5*chi2_data_denominator"),
    ("poole(reverse_kl)", lambda u: u**-2, "1/u^2", "reverse_kl"),
    ("poole(kl)", lambda u: -(1 + u.log()) / u, "-(1 + log(u))/u", None),
    ("lsgan", lambda u: 1 / (u * (1 + u) ** 3), "1/(u*(1 + u)^3)", "0.125*nonsaturating(triangular)"),
    ("lsgan(-1, 1, 0)", lambda u: -2 * (u - 1) / (u * (1 + u) ** 3), "-2*(u - 1)/(u*(1 + u)^3)", None),
    ("exponential", lambda u: u**-2.5 / 2, "1/(2*u^(5/2))", "0.5*power(-0.5)"),
    # the rest of Poole's appendix, rebuilt
    ("poole(igog)", lambda u: 1 / (u**2 * (1 + u)), "1/(u^2*(1 + u))", "0.5*softened_reverse_kl"),
    ("poole(gan)", lambda u: torch.log1p(1 / u) / u, "log(1 + 1/u)/u", None),
    ("poole(2*js)", lambda u: -(2 * u / (1 + u)).log() / u, "-log(2*u/(1 + u))/u", None),
    ("poole(2*squared_hellinger)", lambda u: (u**-0.5 - 1) / u, "(1/sqrt(u) - 1)/u", None),
    ("poole(power(1.5))", lambda u: (1 - u**0.5) / (0.5 * u), "(1 - sqrt(u))/(u/2)", None),
    ("poole(power(0.5), affine=-2)", lambda u: 2 * u**-1.5, "2/u^(3/2)", "8*squared_hellinger"),
    ("poole(power(2), affine=1)", lambda u: -torch.ones_like(u), "-1", None),
    ("poole(jeffreys)", lambda u: -(u.log() + 1 - 1 / u) / u, "-(log(u) + 1 - 1/u)/u", None),
    ("poole(chi2_model_denominator)", lambda u: 2 * (1 - u) / u, "2*(1 - u)/u", None),
    ("poole(chi2_data_denominator)", lambda u: (u**-2 - 1) / u, "(1/u^2 - 1)/u", None),
    ("poole(kl, affine=0)", lambda u: -u.log() / u, "-log(u)/u", None),
    ("exact(kl)", lambda u: 1 / u, "1/u", "kl"),
    ("exact(2*js)", lambda u: 1 / (u * (1 + u)), "1/(u*(1 + u))", "2*js"),
    ("exact(softened_kl)", lambda u: 4 / (u * (1 + u) ** 2), "4/(u*(1 + u)^2)", "softened_kl"),
    # losses with a data term
    ("berger_rkl", lambda u: u**-2, "1/u^2", "reverse_kl"),
    ("berger_kl", lambda u: 1 / u, "1/u", "kl"),
    ("berger_js", lambda u: 1 / (u * (1 + u)), "1/(u*(1 + u))", "2*js"),
    ("sdkl", lambda u: 1 / u + u**-2, "1/u + 1/u^2", "jeffreys"),
]
NAMES = [row[0] for row in ROWS]


@pytest.mark.parametrize(("recipe", "curve", "text", "name"), ROWS, ids=NAMES)
def test_rows(recipe: str, curve: Curve, text: str, name: str | None) -> None:
    found = dm.explain(recipe)
    wanted = curve(U)
    got = found.weight(U.log()) / U**2
    # Poole's rows cross 0, where only the size of what cancels can be held against the error.
    size = torch.maximum(wanted.abs(), 1e-3 / U)
    assert ((got - wanted).abs() <= 1e-8 * size).all()
    u = sympy.Symbol("u", positive=True)
    assert found.formula is not None
    difference = to_sympy(parse(found.formula), {"u": u}) - to_sympy(parse(text), {"u": u})
    assert sympy.simplify(difference) == 0
    assert found.name == name
    assert found.is_divergence == bool((wanted > 0).all())
    assert found.is_divergence == (found.divergence is not None)


@pytest.mark.parametrize(("recipe", "curve"), [(row[0], row[1]) for row in ROWS], ids=NAMES)
def test_without_being_told_the_formula(recipe: str, curve: Curve) -> None:
    """The same from callables alone, whose derivatives come from autograd."""
    r = dm.recipe(recipe)
    if r.likelihood is not None:
        return
    found = dm.explain(critic=(lambda c: r.real(c), lambda c: r.fake(c)), generator=lambda c: r.generator(c))
    inside = U[(U > 1e-3) & (U < 1e3)]
    got, wanted = found.weight(inside.log()) / inside**2, curve(inside)
    size = torch.maximum(wanted.abs(), 1e-3 / inside)
    assert ((got - wanted).abs() <= 1e-8 * size).all()


@pytest.mark.parametrize(
    ("recipe", "low", "high"),
    [
        ("poole(kl)", math.exp(-1), math.inf),
        ("poole(2*js)", 1.0, math.inf),
        ("poole(2*squared_hellinger)", 1.0, math.inf),
        ("poole(power(1.5))", 1.0, math.inf),
        ("poole(jeffreys)", 1.0, math.inf),
        ("poole(chi2_model_denominator)", 1.0, math.inf),
        ("poole(chi2_data_denominator)", 1.0, math.inf),
        ("poole(power(2), affine=1)", 0.0, math.inf),
        ("lsgan(-1, 1, 0)", 1.0, math.inf),
        ("lsgan(-1, 2, 0.5)", 1.0, math.inf),
        ("lsgan(0, 1, 0.25)", 1 / 3, math.inf),
    ],
)
def test_regions_pushed_away(recipe: str, low: float, high: float) -> None:
    """To 1e-6 in u; least squares push away where the critic's best output is above the generator's target."""
    (region,) = dm.explain(recipe).region_pushed_away
    assert region.u_low == pytest.approx(low, abs=1e-6)
    assert region.u_high == high
    assert isinstance(region, Interval)


@pytest.mark.parametrize(
    ("recipe", "link"),
    [
        ("minimax", lambda u: u.log()),
        ("lsgan", lambda u: u / (1 + u)),
        ("lsgan(-1, 1, 0)", lambda u: (u - 1) / (u + 1)),
        ("exponential", lambda u: u.log() / 2),
        ("smoothed(minimax, 0.9)", lambda u: (0.9 * u / (1 + 0.1 * u)).log()),
        ("smoothed(minimax, 0.9, 0.2)", lambda u: ((0.9 * u + 0.2) / (0.8 + 0.1 * u)).log()),
        ("drift(wgan, 0.01)", lambda u: 50 * (u - 1) / u),
        ("hinge", lambda u: (u - 1).sign()),
    ],
)
def test_links(recipe: str, link: Curve) -> None:
    found = dm.explain(recipe).link
    assert found is not None
    u = U[(U - 1).abs() > 1e-9]
    torch.testing.assert_close(found(u.log()), link(u), rtol=1e-9, atol=1e-11)
    if found.formula is not None:
        symbol = sympy.Symbol("u", positive=True)
        at = float(to_sympy(parse(found.formula), {"u": symbol}).subs(symbol, 3))
        assert at == pytest.approx(float(link(torch.tensor(3.0, dtype=torch.float64))))


@pytest.mark.parametrize(
    ("recipe", "tails"),
    [
        ("minimax", (1, 1)), ("nonsaturating", (2, 0)), ("huszar", (2, 1)), ("lsgan", (1, -1)), ("lsgan(-1, 1, 1)", (1, -1)),
        ("exponential", (2.5, 0.5)), ("smoothed(nonsaturating, 0.9, 0.1)", (1, 0)), ("smoothed(minimax, 0.9)", (1, 0)),
        ("sdkl", (2, 2)), ("drift(wgan, 0.001)", (3, 0)), ("hinge", (-math.inf,) * 2), ("clipped(huszar, 4)", (-math.inf,) * 2),
    ],
)  # fmt: skip
def test_tails_are_exact(recipe: str, tails: tuple[float, float]) -> None:
    found = dm.explain(recipe).tails
    assert found is not None
    assert tails == (found.R, found.S)
    assert found.confidence is None or math.isinf(found.R)


def test_one_sided_smoothing_leaves_the_non_saturating_game_alone_and_two_sided_does_not() -> None:
    plain, one, two = (dm.explain(text) for text in (
        "nonsaturating", "smoothed(nonsaturating, 0.9)", "smoothed(nonsaturating, 0.9, 0.1)",
    ))  # fmt: skip
    assert one.name == plain.name
    assert two.name is None
    assert two.formula == "8/(u*(u + 1)*(9*u + 1))"
    # With labels alpha and beta: F'' = (alpha - beta)/(u (u + 1) (alpha u + beta)).
    wanted = 0.8 / (U * (U + 1) * (0.9 * U + 0.1))
    torch.testing.assert_close(two.weight(U.log()) / U**2, wanted, rtol=1e-8, atol=0)


def test_what_is_known_without_being_a_divergence() -> None:
    hinge, wgan = dm.explain("hinge"), dm.explain("wgan")
    assert hinge.name == "2*total_variation"
    assert hinge.link is not None
    assert not hinge.link.identifies
    assert [(mass.d, mass.size) for mass in hinge.masses] == [(0.0, 2.0)]
    assert "in the limit" in hinge.sentence
    assert not wgan.is_divergence
    assert "integral probability metric" in wgan.sentence
    for name in ("rpgan", "ragan"):
        found = dm.explain(name)
        assert not found.is_divergence
        with pytest.raises(dm.DivminError, match="give p= and q="):
            found.weight(0.0)


def test_a_critic_in_the_ratio_itself() -> None:
    """Losses that are not defined everywhere: the KL f-GAN with r = p/q as its output."""
    found = dm.explain(critic=(lambda r: -r.log(), lambda r: r), generator=lambda r: -r.log())
    assert found.name == "reverse_kl"
    assert found.link is not None
    torch.testing.assert_close(found.link(U.log()), U, rtol=1e-10, atol=0)
    assert found.link.identified


def test_other_dtypes_and_arrays() -> None:
    import numpy as np

    found = dm.explain("lsgan(-1, 1, 0)")
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        assert found.weight(torch.tensor([0.5, -1.0], dtype=dtype)).dtype == dtype
    assert isinstance(found.weight(0.5), float)
    assert isinstance(found.weight(np.array([0.5])), np.ndarray)
    assert found.weight(torch.zeros(2, 3)).shape == (2, 3)
    # Squares of 1 - 1e-20 are nothing that float64 can tell apart: no answer there, and a warning.
    assert math.isnan(found.weight(-38.0))
    assert "rounding" in found.warnings[0]


def test_softplus_as_everyone_calls_it() -> None:
    found = dm.explain(
        critic=(lambda c: softplus(-c).mean(), lambda c: softplus(c).sum()), generator=lambda c: softplus(-c).mean()
    )
    assert found.name == "0.5*softened_reverse_kl"
