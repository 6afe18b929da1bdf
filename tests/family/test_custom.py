"""A person's own f: the same numbers as the catalogue's, honest tails, and one line for what cannot be a divergence."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import divmin as dm
from divmin.family.catalogue import entries

D = torch.linspace(-12, 12, 25, dtype=torch.float64)
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "kl": lambda u: u * u.log(),
    "reverse_kl": lambda u: -u.log() + 7 * u - 2,
    "squared_hellinger": lambda u: (u.sqrt() - 1) ** 2 / 2,
    "chi2_model_denominator": lambda u: u**2,
    "jeffreys": lambda u: (u - 1) * u.log(),
    "triangular": lambda u: (u - 1) ** 2 / (u + 1),
}
CURVATURES: dict[str, Callable[[Tensor], Tensor]] = {
    "kl": lambda u: 1 / u,
    "js": lambda u: 1 / (2 * u * (1 + u)),
    "softened_reverse_kl": lambda u: 2 / (u**2 * (1 + u)),
    "chi2_data_denominator": lambda u: 2 / u**3,
    "power(0.3)": lambda u: u**-1.7,
    "skew_kl(0.3)": lambda u: 1 / (u * (0.3 * u + 0.7) ** 2),
}


def agrees(custom: dm.Divergence, name: str, places: Tensor = D, unnamed: str = "") -> None:
    member = dm.divergence(name)
    for what in ("weight", "a", "b", "s"):
        torch.testing.assert_close(getattr(custom, what)(places), getattr(member, what)(places), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(custom.f(places.exp()), member.f(places.exp()), rtol=1e-9, atol=1e-12)
    assert custom.name in (name, unnamed)
    for got, true in ((custom.tails.R, member.tails.R), (custom.tails.S, member.tails.S)):
        assert custom.tails.confidence is not None
        assert abs(got - true) <= custom.tails.confidence


@pytest.mark.parametrize("name", FUNCTIONS)
def test_from_f(name: str) -> None:
    # autograd through a fraction leaves rounding noise, so that far out only the tails remain
    agrees(dm.from_f(FUNCTIONS[name]), name, D / 2, "custom" if name == "triangular" else "")


@pytest.mark.parametrize("name", CURVATURES)
def test_from_curvature(name: str) -> None:
    custom = dm.from_curvature(CURVATURES[name])
    agrees(custom, name)
    member = dm.divergence(name)
    assert pytest.approx([member.tails.C, member.tails.D], rel=1e-6) == [custom.tails.C, custom.tails.D]


@pytest.mark.parametrize(
    "name", [each for each, entry in entries().items() if not entry.parameters and entry.make.smooth]
)
def test_from_text(name: str) -> None:
    agrees(dm.divergence(entries()[name].f), name)
    agrees(dm.divergence(f"{entries()[name].f} + 3*u - 5"), name)


@pytest.mark.parametrize(
    ("curvature", "R", "S"),
    [
        (lambda u: u**-1.37 + 1 / u, 1.37, 2.0),
        (lambda u: 1 / (u * (1 + u.sqrt())), 1.0, 1.5),
        (lambda u: u**-2.5 + u**-0.5, 2.5, 2.5),
        (lambda u: (1 + u.log() ** 2) / u**2, 2.0, 1.0),  # logarithms: no exact power
        (lambda u: u.sqrt() / (1 + u) ** 3, -0.5, 0.5),
    ],
)
def test_the_confidence_covers_the_truth(curvature: Callable[[Tensor], Tensor], R: float, S: float) -> None:
    tails = dm.from_curvature(curvature).tails
    assert tails.confidence is not None
    assert abs(tails.R - R) <= tails.confidence
    assert abs(tails.S - S) <= tails.confidence
    assert tails.confidence < 0.2
    assert "~" in str(tails)


def test_laws_hold_beyond_the_sound_range() -> None:
    """The f'' of the text overflows long before its weight does; the tails carry on."""
    f, true = dm.divergence("u*log(u)"), dm.divergence("kl")
    for dtype in (torch.float32, torch.float64):
        d = torch.tensor([-1e4, -600.0, -90.0, 60.0, 1e4], dtype=dtype, requires_grad=True)
        for what in ("weight", "a", "b", "s"):
            got = getattr(f, what)(d)
            torch.testing.assert_close(got, getattr(true, what)(d), rtol=1e-5, atol=1e-30)
            (slope,) = torch.autograd.grad(got.sum(), d)
            assert not slope.isnan().any()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("u^3 - 3*u^2", "not convex"),
        ("u^u", "faster than any power of u as u -> inf"),
        ("exp(1/u)", "faster than any power of u as u -> 0"),
        ("u^4 - 6*u^2 + 2*u*log(u)", "not convex"),
        ("-u*log(u)", r"f''\(1\)"),
        ("sqrt(u)", r"f''\(1\)"),
        ("3*u + 2", r"f''\(1\)"),
        ("u - u", r"f''\(1\)"),
        ("log(u - 2)", r"f''\(1\)"),
        ("abs(u - 1)", "kink"),
        ("abs(log(u))", "kink"),
        ("sign(u - 1)*(u - 1)^2", "kink"),
        ("u^1000", "too large"),
        ("1/(u - u)", "division by zero"),
    ],
)
def test_what_is_not_convex_is_refused(text: str, where: str) -> None:
    with pytest.raises(dm.DivminError, match=where) as caught:
        dm.divergence(text)
    assert "\n" not in str(caught.value)


def test_says_where_it_is_not_convex() -> None:
    with pytest.raises(dm.DivminError, match=r"not convex: f'' < 0 for u between 0 and 0\.5$"):
        dm.from_curvature(lambda u: u - 0.5, "half")
    with pytest.raises(dm.DivminError, match=r"not convex: f'' < 0 for u between 2 and inf$"):
        dm.from_f(lambda u: u**2 - u**3 / 6 + u**4 * 0, "cubic")


def _raises(u: Tensor) -> Tensor:
    raise RuntimeError("broken\nin two lines")


@pytest.mark.parametrize(
    "function",
    [
        lambda u: u * 0 + 3,
        lambda u: 2 * u,
        lambda u: u * math.nan,
        lambda u: u[..., :1],
        lambda u: u.sum(),
        lambda u: 1.0,
        lambda u: None,
        lambda u: u.detach().numpy(),
        lambda u: torch.tensor(1.0),
        lambda u: (u - 1).abs(),
        lambda u: u.round() ** 2,
        _raises,
    ],
    ids=[
        "constant",
        "affine",
        "nan",
        "sliced",
        "scalar",
        "float",
        "none",
        "numpy",
        "detached",
        "kink",
        "steps",
        "raises",
    ],
)
def test_nonsense_is_one_line(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(dm.DivminError) as caught:
        dm.from_f(function, "mine")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "function",
    [lambda u: u * 0, lambda u: -u, lambda u: u * math.nan, lambda u: u.sum(), lambda u: 1.0, lambda u: u / 0, _raises],
    ids=["zero", "negative", "nan", "scalar", "float", "infinite", "raises"],
)
def test_nonsense_curvature_is_one_line(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(dm.DivminError) as caught:
        dm.from_curvature(function, "mine")
    assert "\n" not in str(caught.value)
