"""Landscapes against single values, minima and saddles against points computed elsewhere, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributions as td

import divmin as dm
from divmin.values import Route, Value
from divmin.values.stationary import Fit

# computed elsewhere to 1e-12: every stationary point over (mu, sigma) of normal laws, for three mixtures
REFERENCE = json.loads((Path(__file__).parent / "minimisers.json").read_text())
CASES = [(mixture, f) for mixture, found in REFERENCE.items() for f in found if f != "p"]


def t(x: Any) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def mixture(of: dict[str, list[float]]) -> td.MixtureSameFamily:
    return td.MixtureSameFamily(td.Categorical(t(of["weights"])), td.Normal(t(of["means"]), t(of["sds"])))


@pytest.mark.parametrize(("name", "f"), CASES, ids=[f"{a}-{b}" for a, b in CASES])
def test_all_minima_and_saddles(name: str, f: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first search, before a finer grid could mend what it missed."""
    monkeypatch.setattr("divmin.values.search.SEARCHES", 1)
    found = dm.fit(dm.divergence(f).canonical(), mixture(REFERENCE[name]["p"]), td.Normal)
    wanted = sorted((point["kind"], point["mu"], point["sigma"]) for point in REFERENCE[name][f])
    points = sorted((point.kind, point.parameters["loc"], point.parameters["scale"]) for point in found.points)
    assert [kind for kind, _, _ in points] == [kind for kind, _, _ in wanted]
    for (_, mu, sigma), (_, m, s) in zip(points, wanted, strict=True):
        assert (mu, sigma) == pytest.approx((m, s), abs=1e-9)
    assert found.complete and len(found.minima) - len(found.saddles) + len(found.maxima) == found.count == 1
    best = [point for point in REFERENCE[name][f] if point.get("global")]
    assert found.best.value == pytest.approx(best[0]["D"], rel=1e-10)
    assert sum(point.lowest for point in found.points) == len(best)
    curvatures = sorted(point.curvatures for point in found.points)
    assert [c for each in curvatures for c in each] == pytest.approx(
        [c for each in sorted(tuple(p["hess_eigs_mu_logsigma"]) for p in REFERENCE[name][f]) for c in each], abs=1e-5
    )


def test_a_box_without_the_minimum_is_widened_until_the_count_is_right() -> None:
    p = td.Normal(t(0.0), t(1.0))
    found = dm.fit("kl", p, td.Normal, {"loc": (1.0, 2.0), "scale": (1.2, 2.0)})
    assert found.complete
    assert found.best.parameters == pytest.approx({"loc": 0.0, "scale": 1.0}, abs=1e-9)
    far = dm.fit("kl", p, td.Normal, {"loc": (30.0, 31.0), "scale": (0.1, 0.11)})
    assert not far.complete and "should be 1" in str(far)
    with pytest.raises(dm.DivminError, match="wider box"):
        _ = far.best


def test_what_is_0_but_for_rounding_is_0() -> None:
    for box in ({"loc": (-3.0, 3.0), "scale": (0.4, 3.0)}, {"loc": (0.5, 2.0), "scale": (0.4, 3.0)}):
        found = dm.fit("kl", "normal(0, 1)", "normal(loc, scale)", box)
        assert found.best.parameters["loc"] == 0.0 and "\n  loc = 0, scale = 1: " in str(found)
    tiny = dm.fit("kl", "gamma(2, 2e-15)", "exponential(r)", {"r": (1e-17, 1.0)})
    assert tiny.best.parameters["r"] == pytest.approx(1e-15, rel=1e-6)  # no noise: it is searched by its logarithm


def test_other_families_and_numbers_of_parameters() -> None:
    """KL matches moments: means of exponentials and Poissons, probabilities of coins, all moments of a Student's t."""
    rate = dm.fit("kl", td.Gamma(t(2.0), t(4.0)), td.Exponential, {"rate": (0.5, 8.0)})
    assert rate.best.parameters["rate"] == pytest.approx(2.0, rel=1e-8)
    coin = dm.fit("kl", td.Bernoulli(t(0.3)), td.Bernoulli, {"probs": (0.05, 0.95)})
    assert coin.best.parameters["probs"] == pytest.approx(0.3, rel=1e-8)
    only = dm.fit("js", td.Laplace(t(0.5), t(1.0)), lambda loc: td.Normal(loc, 1.5), {"loc": (-2.0, 3.0)})
    assert only.complete and only.best.parameters["loc"] == pytest.approx(0.5, abs=1e-8)
    student = dm.fit(
        "js",
        td.StudentT(t(4.0), t(1.0), t(2.0)),
        td.StudentT,
        {"df": (2.0, 9.0), "loc": (0.0, 2.0), "scale": (1.0, 4.0)},
    )
    assert student.complete and student.best.parameters == pytest.approx(
        {"df": 4.0, "loc": 1.0, "scale": 2.0}, rel=1e-4
    )


GRID = {"loc": torch.linspace(-3, 3, 7), "scale": torch.logspace(-1, 0.6, 6)}


@pytest.mark.parametrize(
    "f", ["js", "kl", "reverse_kl", "softened_reverse_kl", "total_variation", "chi2_model_denominator"]
)
@pytest.mark.parametrize("family", [td.Normal, td.Laplace, td.Cauchy])
def test_landscapes_are_single_values(f: str, family: Any) -> None:
    p = mixture(REFERENCE["D_fig5"]["p"])
    found = dm.landscape(f, p, family, GRID)
    assert found.values.shape == found.errors.shape == (7, 6)
    for i in range(0, 7, 3):
        for j in range(0, 6, 2):
            one = dm.exact(f, p, family(GRID["loc"][i].double(), GRID["scale"][j].double()))
            if math.isinf(one.value):
                assert found.values[i, j] == math.inf
            else:
                assert abs(found.values[i, j] - one.value) <= found.errors[i, j] + one.error
                assert found.values[i, j] == pytest.approx(one.value, rel=1e-8)


def test_a_bump_that_first_nodes_miss_is_not_missed() -> None:
    """Two doublings of a trapezoid agreed here to 1e-9 and were off by 6e-6: both had stepped over a narrow part of p."""
    p = mixture(REFERENCE["D_fig5"]["p"])
    for loc, scale in ((-2.9396984924623117, 2.8979899497487436), (1.763819095477387, 2.4608040201005026)):
        found = dm.landscape("softened_reverse_kl", p, td.Normal, {"loc": [loc], "scale": [scale]})
        one = dm.exact("softened_reverse_kl", p, td.Normal(t(loc), t(scale)))
        assert float(found.values) == pytest.approx(one.value, rel=3e-8)


def test_laws_off_the_whole_line_are_taken_one_by_one() -> None:
    p = td.Uniform(t(0.0), t(1.0))
    steps: list[int] = []
    found = dm.landscape(
        "kl", p, td.Exponential, {"rate": [1.0, 2.0]}, track=lambda each: (steps.append(i) or i for i in each)
    )
    assert found.values.tolist() == pytest.approx([0.5, 1 - math.log(2)], rel=1e-10)
    assert steps == [0, 1]
    normal = dm.landscape("js", p, td.Normal, {"loc": [0.5], "scale": [0.3, 0.5]})  # p has edges, q has none
    assert normal.values[0, 0] == pytest.approx(dm.exact("js", p, td.Normal(t(0.5), t(0.3))).value, rel=1e-9)
    plane = dm.landscape(
        "kl",
        td.MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double()),
        lambda m: td.MultivariateNormal(torch.stack([m, m]), torch.eye(2).double()),
        {"m": [0.0, 1.0]},
    )
    assert plane.values.tolist() == pytest.approx([0.0, 1.0], abs=1e-12)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: dm.landscape("js", td.Normal(0.0, 1.0), td.Normal, {}), "expected the values of each parameter"),
        (lambda: dm.landscape("js", td.Normal(0.0, 1.0), td.Normal, {"loc": ["a"]}), "no numbers"),
        (lambda: dm.landscape("js", td.Normal(0.0, 1.0), td.Normal, {"loc": [0.0], "scale": [math.nan]}), "all finite"),
        (lambda: dm.landscape("js", td.Normal(0.0, 1.0), td.Normal, {"mean": [0.0], "sd": [1.0]}), "does not take"),
        (lambda: dm.landscape("js", td.Normal(0.0, 1.0), td.Normal, {"loc": [0.0], "scale": [-1.0]}), "does not take"),
        (lambda: dm.fit("js", td.Gamma(1.0, 1.0), td.Gamma), "say where to search"),
        (lambda: dm.fit("js", td.Poisson(1.0), td.Normal), "no law on the line"),
        (lambda: dm.fit("js", td.Normal(0.0, 1.0), td.Normal, {"loc": (1.0, 0.0), "scale": (1.0, 2.0)}), "low < high"),
        (lambda: dm.fit("js", td.Normal(0.0, 1.0), td.Normal, {"loc": (0.0, 1.0), "scale": (0.0, 2.0)}), "inside"),
    ],
)
def test_bad_questions_are_one_line(call: Any, says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_infinite_everywhere_is_said() -> None:
    found = dm.fit("kl", td.Cauchy(t(0.0), t(1.0)), td.Normal)
    assert not found.complete and "infinite everywhere" in str(found)


def test_no_more_digits_are_shown_than_the_error_allows() -> None:
    assert "= 2.5e+11 nats" in str(Value(t(2.49999999963e11), 2e3, Route.LINE, "kl"))
    assert "= 0.12346 nats" in str(Value(t(0.123456789), 2e-5, Route.LINE, "kl"))


def test_an_empty_answer_says_so() -> None:
    assert "0 minima" in str(
        Fit((), "kl", False, dm.landscape("kl", td.Normal(0.0, 1.0), td.Normal, {"loc": [0.0], "scale": [1.0]}))
    )
