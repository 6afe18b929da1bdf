"""Names: what composites are called, and that every name and expression reads back as the same functions."""

from __future__ import annotations

import pytest
import torch
from experiments import EVERYTHING, MEMBERS, expressions, float64
from hypothesis import given, settings

import divmin as dm
from divmin.family.catalogue import entries
from divmin.family.recognise import recognise

AT = float64(-6.0, -2.5, -0.3, 0.4, 1.9, 7.0)


def same(one: dm.Divergence, two: dm.Divergence) -> None:
    for what in ("a", "b", "s"):
        torch.testing.assert_close(getattr(one, what)(AT), getattr(two, what)(AT), rtol=1e-8, atol=1e-300)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("reverse(kl)", "reverse_kl"),
        ("reverse(reverse(kl))", "kl"),
        ("soften(reverse(kl))", "softened_reverse_kl"),
        ("reverse(soften(kl))", None),
        ("soften(kl)", "softened_kl"),
        ("nonsaturating(js)", "0.25*softened_reverse_kl"),
        ("symmetrize(soften(kl))", "4*js"),
        ("nonsaturating(kl)", "reverse_kl"),
        ("nonsaturating(rkl)", "0.5*chi2_data_denominator"),
        ("nonsaturating(hellinger)", "0.25*power(-0.5)"),
        ("nonsaturating(chi2_model_denominator)", "2*kl"),
        ("skew(kl, 0.3)", "skew_kl(0.3)"),
        ("skew(kl, pi=0.3)", "skew_kl(0.3)"),
        ("skew(rkl, 0.3)", "skew_reverse_kl(0.3)"),
        ("0.5*kl + 0.5*rkl", "0.5*jeffreys"),
        ("kl + rkl", "jeffreys"),
        ("symmetrize(kl)", "0.5*jeffreys"),
        ("power(1)", "kl"),
        ("power(0)", "reverse_kl"),
        ("power(0.5)", "4*squared_hellinger"),
        ("power(0.25)", "power(0.25)"),
        ("gjs(0.5)", "4*js"),
        ("canonical(js)", "4*js"),
        ("reverse(gjs(0.3))", "gjs(0.7)"),
        ("reverse(chi2_data_denominator)", "chi2_model_denominator"),
        ("hockey_stick(1)", "total_variation"),
        ("reverse(total_variation)", "total_variation"),
        ("reverse(hockey_stick(2))", "2*hockey_stick(0.5)"),
        ("soften(total_variation)", "2*total_variation"),
        ("kl + js", None),
    ],
)  # fmt: skip
def test_names_of_composites(text: str, name: str | None) -> None:
    f = dm.divergence(text)
    if name is None:
        assert recognise(f) is None
        assert f.name == f.expression
    else:
        assert f.name == name


@pytest.mark.parametrize("text", EVERYTHING)
def test_names_and_expressions_read_back(text: str) -> None:
    f = dm.divergence(text)
    same(dm.divergence(f.name), f)
    same(dm.divergence(f.expression), f)
    assert dm.divergence(f.expression).smooth == f.smooth
    assert f.formula


@pytest.mark.parametrize("text", MEMBERS)
def test_multiples_read_back(text: str) -> None:
    """Also the parts of entries that are sums, once a factor has been handed down to them."""
    f = 3 * dm.divergence(text)
    same(dm.divergence(f.expression), f)
    same(dm.divergence(f.name), f)
    assert f.reverse().scale == pytest.approx(f.scale, rel=1e-12) if f.smooth else f.expression


@settings(max_examples=40)
@given(expressions())
def test_random_expressions_read_back(text: str) -> None:
    f = dm.divergence(text)
    same(dm.divergence(f.name), f)
    same(dm.divergence(f.expression), f)


@pytest.mark.parametrize(
    "name", [each for each, entry in entries().items() if not entry.parameters and entry.make.smooth]
)
def test_the_text_of_f_is_recognised(name: str) -> None:
    f = dm.divergence(entries()[name].f)
    assert f.name == name
    same(f, dm.divergence(name))


@pytest.mark.parametrize("name", MEMBERS)
def test_members_are_found_under_their_name(name: str) -> None:
    found = recognise(dm.divergence(name))
    assert found is not None
    same(found.factor * found.entry.build(*found.parameters), dm.divergence(name))


def test_aliases_and_spelling() -> None:
    for entry in entries().values():
        for alias in entry.aliases:
            if not entry.parameters:
                assert dm.divergence(alias) == dm.divergence(entry.name)
                assert (
                    dm.divergence(alias.upper().replace("_", "-") if "_" not in alias else alias.upper()) == entry.make
                )
    assert dm.divergence("js") is dm.divergence(dm.divergence("js"))
    assert list(dm.divergences())[:2] == ["kl", "reverse_kl"]


def test_equal_divergences_are_equal_and_hashable() -> None:
    assert dm.divergence("soften(reverse(kl))") == dm.divergence("soften(reverse(kl))")
    assert len({dm.divergence("skew(kl, 0.3)"), dm.divergence("skew(kl, 0.3)"), dm.divergence("kl")}) == 2
