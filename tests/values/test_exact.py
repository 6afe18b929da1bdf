"""Exact values: against digits computed elsewhere, against each other by every route, and where they are infinite."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import mpmath
import pytest
import torch
from torch import distributions as td

import divmin as dm
from divmin.values.closed import of_normals
from divmin.values.cost import quick_s
from divmin.values.law import law
from divmin.values.normal import by_inversion, log_density, normal_parameters, pair_of
from divmin.values.precise import precise

VALUES = json.loads((Path(__file__).parent.parent / "family" / "reference_values.json").read_text())["pairs"]


def t(*values: Any) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def normal(mean: float, scale: float) -> td.Normal:
    return td.Normal(*t(mean, scale))


def mixture(weights: list[float], means: list[float], scales: list[float]) -> td.MixtureSameFamily:
    return td.MixtureSameFamily(td.Categorical(t(weights)[0]), td.Normal(*t(means, scales)))


PAIRS = {"p=N(0,1),q=N(1,1)": (normal(0, 1), normal(1, 1)), "p=N(0,1),q=N(0.5,1.5^2)": (normal(0, 1), normal(0.5, 1.5))}
# computed with mpmath: .5 N(-2, .7^2) + .5 N(2, 1) against N(0, 2^2), canonical
MIXTURE = {
    "kl": 0.297297783814, "reverse_kl": 0.445505964380, "js": 0.319268129305, "jeffreys": 0.371401874097,
    "chi2_data_denominator": math.inf, "softened_kl": 0.358193018168, "softened_reverse_kl": 0.571743799456,
    "igog": 0.500560205694, "squared_hellinger": 0.335993342079, "chi2_model_denominator": 0.280755735897,
}  # fmt: skip
SMOOTH = [name for name, f in dm.divergences().items() if f.smooth]


@pytest.mark.parametrize("route", [None, "quadrature on the line", "inversion of the moment function of d"])
@pytest.mark.parametrize("pair", PAIRS)
def test_reference_values(pair: str, route: str | None) -> None:
    for name, wanted in VALUES[pair].items():
        found = dm.exact(dm.divergence(name).canonical(), *PAIRS[pair], route=route)
        assert found.value == pytest.approx(float(wanted), rel=1e-11), name


def test_reference_values_of_a_mixture() -> None:
    p = mixture([0.5, 0.5], [-2, 2], [0.7, 1])
    for name, wanted in MIXTURE.items():
        found = dm.exact(dm.divergence(name).canonical(), p, normal(0, 2))
        assert found.value == pytest.approx(wanted, rel=1e-11), name
        assert found.route.value == "quadrature on the line"


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (normal(0, 1), normal(0.5, 0.8)),
        (normal(-5, 1), normal(5, 1)),
        (normal(-1, 0.08), normal(2, 0.15)),
        (normal(0, 1), normal(1e-4, 1)),
    ],
    ids=["narrow", "far", "far and narrow", "close"],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["kl", "js", "softened_reverse_kl", "igog", "chi2_model_denominator", "total_variation"]
)
def test_routes_agree_and_errors_bound_their_difference(name: str, p: td.Normal, q: td.Normal) -> None:
    line, inverse = (dm.exact(name, p, q, route=route) for route in ("line", "inversion"))
    assert line.value == pytest.approx(inverse.value, rel=3e-12)
    # a value of 1 is 1 - p(somewhere far): its last digits are those of the densities
    assert abs(line.value - inverse.value) <= line.error + inverse.error + 4e-16
    assert dm.exact(name, p, q).value == pytest.approx(line.value, rel=1e-11)


def gaussians(n: int, seed: int) -> tuple[td.MultivariateNormal, td.MultivariateNormal]:
    generator = torch.Generator().manual_seed(seed)

    def one() -> td.MultivariateNormal:
        root = torch.randn(n, n, generator=generator, dtype=torch.float64) / math.sqrt(n)
        mean = torch.randn(n, generator=generator, dtype=torch.float64) / 2
        return td.MultivariateNormal(mean, root @ root.mT + torch.eye(n, dtype=torch.float64))

    return one(), one()


@pytest.mark.parametrize("name", ["js", "softened_reverse_kl", "soften(js)", "total_variation"])
def test_the_plane_and_the_inversion_agree(name: str) -> None:
    p, q = gaussians(2, 0)
    plane, inverse = dm.exact(name, p, q, route="cubature in the plane"), dm.exact(name, p, q, route="inversion")
    assert plane.value == pytest.approx(inverse.value, rel=1e-9 if name != "total_variation" else 1e-6)
    assert abs(plane.value - inverse.value) <= plane.error + inverse.error


def test_inversion_in_any_dimension() -> None:
    """Where there is a closed form, for many pairs: among them eigenvalues next to 1, which bend contours late."""
    for n, seed in ((1, 1000), (2, 1009), (3, 3), (5, 1003), (8, 1004), (20, 20), (40, 1031)):
        p, q = gaussians(n, seed)
        for name in ("kl", "squared_hellinger"):
            closed, inverse = (dm.exact(name, p, q, route=route) for route in ("closed form", "inversion"))
            assert inverse.value == pytest.approx(closed.value, rel=3e-14), (n, name)
            assert abs(inverse.value - closed.value) <= inverse.error + closed.error


def test_normal_laws_in_a_hundred_dimensions() -> None:
    p, q = gaussians(100, 100)
    assert dm.exact("kl", p, q).value == pytest.approx(float(td.kl_divergence(p, q)), rel=1e-12)
    found = dm.exact("softened_kl", p, q)
    assert found.route.value == "inversion of the moment function of d"
    assert 2.7 < found.value < 4 * math.log(2)


def test_laws_of_the_algebra_hold_between_values() -> None:
    p, q = gaussians(3, 3)
    js = dm.exact("js", p, q)
    assert js.value == pytest.approx(dm.exact("js", q, p).value, rel=1e-13)
    mixed = dm.exact("kl + 2*js", p, q)
    assert mixed.value == pytest.approx(dm.exact("kl", p, q).value + 2 * js.value, rel=1e-13)


def test_pushforward_densities_obey_the_law_and_give_the_value() -> None:
    """p~ = e^d q~ (Shannon et al., eq. 7) integrates to one, and D_f is the integral of max(p~, q~) s (eq. 10)."""
    p, q = gaussians(5, 3)
    one, other = (normal_parameters(each) for each in (p, q))
    assert one is not None and other is not None
    pair = pair_of(one, other, graph=False)
    d = torch.linspace(-60, 60, 6001, dtype=torch.float64)
    log_q = log_density(pair, d)
    log_p = log_q + d
    assert float(torch.trapezoid(log_q.exp(), d)) == pytest.approx(1, abs=1e-9)
    assert float(torch.trapezoid(log_p.exp(), d)) == pytest.approx(1, abs=1e-9)
    js = dm.divergence("js")
    assert float(torch.trapezoid(torch.maximum(log_p, log_q).exp() * js.s(d), d)) == pytest.approx(
        dm.exact(js, p, q).value, rel=1e-8
    )


@pytest.mark.parametrize("name", ["kl", "js", "softened_reverse_kl", "chi2_model_denominator"])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_gradients_of_normal_laws(name: str, n: int) -> None:
    """Also with equal covariances, where eigenvalues coincide."""
    p, _ = gaussians(n, 7)
    mean = (torch.zeros(n, dtype=torch.float64) + 0.2).requires_grad_()
    root = (torch.linalg.cholesky(p.covariance_matrix) * 1.1).requires_grad_()

    def value(step: float) -> torch.Tensor:
        moved = td.MultivariateNormal(mean + step * along, scale_tril=(root + step * turn).tril())
        return dm.exact(name, p, moved).tensor

    generator = torch.Generator().manual_seed(n)
    along = torch.randn(n, generator=generator, dtype=torch.float64)
    turn = torch.randn(n, n, generator=generator, dtype=torch.float64).tril()
    slopes = torch.autograd.grad(value(0.0), (mean, root))
    slope = float((slopes[0] * along).sum() + (slopes[1] * turn).sum())
    with torch.no_grad():
        measured = float(8 * (value(1e-3) - value(-1e-3)) - (value(2e-3) - value(-2e-3))) / 12e-3
    assert slope == pytest.approx(measured, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["kl", "js", "softened_reverse_kl", "total_variation"])
def test_gradients_on_the_line(name: str) -> None:
    p = mixture([0.75, 0.25], [-1, 1.2], [0.5, 0.5])

    def value(mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return dm.exact(name, p, td.Normal(mean, scale)).tensor

    inputs = tuple(each.requires_grad_() for each in t(-0.3, 0.9))
    assert torch.autograd.gradcheck(
        value, inputs, eps=1e-5, atol=1e-7, rtol=1e-6
    )  # its own rtol passes a slope of a kink
    high = t(1.5)[0].requires_grad_()
    found = dm.exact("kl", td.Uniform(*t(0.0), high), td.Exponential(*t(1.0)))  # -log(high) + high/2
    (slope,) = torch.autograd.grad(found.tensor, high)
    assert (found.value, float(slope)) == pytest.approx((0.75 - math.log(1.5), 0.5 - 1 / 1.5), rel=1e-12)


def test_gradients_vanish_where_the_laws_are_equal() -> None:
    for make in (lambda x: td.Bernoulli(x), lambda x: td.Normal(x, 1.0), lambda x: td.Exponential(x)):
        x = t(0.3)[0].requires_grad_()
        found = dm.exact("js", make(t(0.3)[0]), make(x))
        assert found.value == 0
        assert float(torch.autograd.grad(found.tensor, x)[0]) == pytest.approx(0, abs=1e-12)


def test_the_minimum_of_kl_matches_moments() -> None:
    p = mixture([0.75, 0.25], [-1, 1.2], [0.5, 0.5])
    mean, scale = t(-0.45, 1.0758717395675006)
    mean.requires_grad_()
    scale.requires_grad_()
    found = dm.exact("kl", p, td.Normal(mean, scale))
    assert found.value == pytest.approx(0.23595118743359783, rel=1e-12)
    assert [float(each.abs()) for each in torch.autograd.grad(found.tensor, (mean, scale))] == pytest.approx(
        [0, 0], abs=1e-12
    )


LAWS = {
    "Beta": (td.Beta(*t(0.5, 0.5)), td.Beta(*t(0.3, 0.7))),
    "Gamma": (td.Gamma(*t(0.1, 1.0)), td.Gamma(*t(0.3, 2.0))),
    "Exponential": (td.Exponential(*t(1.0)), td.Exponential(*t(1.9))),
    "Laplace": (td.Laplace(*t(0.0, 1.0)), td.Laplace(*t(0.5, 2.0))),
    "Gumbel": (td.Gumbel(*t(0.0, 1.0)), td.Gumbel(*t(0.5, 2.0))),
    "Pareto": (td.Pareto(*t(1.5, 2.0)), td.Pareto(*t(1.0, 3.0))),
    "Uniform": (td.Uniform(*t(0.0, 1.0)), td.Uniform(*t(-1.0, 2.0))),
    "HalfNormal": (td.HalfNormal(*t(1.0)), td.HalfNormal(*t(2.0))),
    "LogNormal": (td.LogNormal(*t(0.0, 1.0)), td.LogNormal(*t(0.5, 2.0))),
    "Poisson": (td.Poisson(*t(2.0)), td.Poisson(*t(3.5))),
    "Geometric": (td.Geometric(*t(0.3)), td.Geometric(*t(0.05))),
    "Binomial": (td.Binomial(10, *t(0.3)), td.Binomial(10, *t(0.6))),
    "Bernoulli": (td.Bernoulli(*t(0.3)), td.Bernoulli(*t(0.6))),
    "Normal": (normal(0, 1), normal(0.5, 1.5)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_kl_of_torch(name: str) -> None:
    """PyTorch's own closed forms, by every route that fits; digamma in them has some 1e-12."""
    p, q = LAWS[name]
    wanted = float(td.kl_divergence(p, q))
    found = dm.exact("kl", p, q)
    assert found.value == pytest.approx(wanted, rel=1e-11)
    assert dm.exact("reverse_kl", q, p).value == pytest.approx(wanted, rel=1e-11)
    if name not in ("Poisson", "Geometric", "Binomial", "Bernoulli"):
        assert dm.exact("kl", p, q, route="quadrature on the line").value == pytest.approx(wanted, rel=1e-11)


OTHERS = {
    "VonMises": td.VonMises(*t(1.0, 3.0)), "StudentT": td.StudentT(*t(3.0, 0.0, 1.0)), "Cauchy": td.Cauchy(*t(0.0, 1.0)),
    "Weibull": td.Weibull(*t(1.0, 1.5)), "Kumaraswamy": td.Kumaraswamy(*t(0.5, 0.7)), "HalfCauchy": td.HalfCauchy(*t(1.0)),
    "FisherSnedecor": td.FisherSnedecor(*t(5.0, 7.0)), "InverseGamma": td.InverseGamma(*t(2.0, 1.0)), "Chi2": td.Chi2(*t(3.0)),
    "ContinuousBernoulli": td.ContinuousBernoulli(*t(0.3)), "NegativeBinomial": td.NegativeBinomial(*t(3.0, 0.4)),
    "Categorical": td.Categorical(*t([0.2, 0.5, 0.3])), **{name: p for name, (p, _) in LAWS.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_every_family_is_at_no_distance_of_itself(name: str) -> None:
    found = dm.exact("js", OTHERS[name], OTHERS[name])
    assert found.value == 0


def test_cauchy() -> None:
    """KL is log(((scales' sum)^2 + distance^2) / (4 scales))."""
    found = dm.exact("kl", td.Cauchy(*t(0.0, 1.0)), td.Cauchy(*t(1.0, 2.0)))
    assert found.value == pytest.approx(math.log(10 / 8), rel=1e-12)


def test_total_variation_against_distribution_functions() -> None:
    mpmath.mp.dps = 30
    m, s = mpmath.mpf("0.5"), mpmath.mpf("1.5")
    a, b = sorted(
        mpmath.re(z) for z in mpmath.polyroots([-0.5 + 1 / (2 * s**2), -m / s**2, m**2 / (2 * s**2) + mpmath.log(s)])
    )
    wanted = mpmath.ncdf(b) - mpmath.ncdf(a) - mpmath.ncdf((b - m) / s) + mpmath.ncdf((a - m) / s)
    assert dm.exact("tv", *PAIRS["p=N(0,1),q=N(0.5,1.5^2)"]).value == pytest.approx(float(wanted), rel=1e-14)


def test_infinite_where_it_is_infinite() -> None:
    half = [0.5, 0.5]
    assert (dm.exact("kl", half, [1.0, 0.0]).value, dm.exact("tv", half, [1.0, 0.0]).value) == (math.inf, 0.5)
    assert dm.exact("js", [1.0, 0.0], [0.0, 1.0]).value == pytest.approx(math.log(2), rel=1e-15)
    assert dm.exact("kl", normal(0, 1), td.Exponential(*t(1.0))).value == math.inf
    assert dm.exact("kl", td.Exponential(*t(1.0)), normal(0, 1)).value < 1
    assert dm.exact("rkl", *LAWS["Uniform"]).value == math.inf
    # at the very border: p^2/q of N(0, 1) and N(0, 1/2) is constant, and of rates 1 and 2 as well
    assert dm.exact("chi2_model_denominator", normal(0, 1), normal(0, math.sqrt(0.5))).value == math.inf
    assert dm.exact("chi2_model_denominator", normal(0, 1), normal(0, math.sqrt(0.5001))).value < math.inf
    assert dm.exact("chi2_model_denominator", td.Exponential(*t(1.0)), td.Exponential(*t(2.0))).value == math.inf
    assert dm.exact("chi2_model_denominator", td.Geometric(*t(0.3)), td.Geometric(*t(0.6))).value == math.inf


@pytest.mark.parametrize("name", SMOOTH)
def test_coarser_is_never_farther(name: str) -> None:
    p, q = t([0.1, 0.2, 0.3, 0.4], [0.3, 0.3, 0.2, 0.2])
    fine, coarse = dm.exact(name, p, q), dm.exact(name, p.reshape(2, 2).sum(1), q.reshape(2, 2).sum(1))
    assert 0 < coarse.value < fine.value
    assert dm.exact(dm.divergence(name).reverse(), q, p).value == pytest.approx(fine.value, rel=1e-13)


def test_histograms_are_normalised_each_by_its_own_size() -> None:
    assert dm.exact("kl", [3, 1], [10, 30]).value == pytest.approx(dm.exact("kl", [0.75, 0.25], [0.25, 0.75]).value)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(dm.exact("rkl", [0.5, 0.5], weights).tensor, weights)
    # weights are normalised, so only what is orthogonal to them counts: dD/dw_i = log(q_i/p_i) - D
    value = 0.3 * math.log(0.6) + 0.7 * math.log(1.4)
    assert slope.tolist() == pytest.approx([math.log(0.6) - value, math.log(1.4) - value], rel=1e-9)


def test_densities_of_the_library_in_the_plane() -> None:
    ring, wide = dm.data.densities()["ring"](sigma=0.1), dm.data.densities()["ring"](sigma=0.15)
    found = dm.exact("js", ring, wide)
    sampled = dm.exact("js", ring, wide, samples=40000, seed=1)
    assert found.route.value == "cubature in the plane"
    assert found.error < 1e-10
    assert abs(found.value - sampled.value) < 4 * sampled.error
    assert sampled.route.value == "Monte Carlo"
    state = torch.random.get_rng_state()
    one, other = (dm.exact("js", *gaussians(3, 1), samples=100, seed=2).value for _ in range(2))
    assert one == other
    assert torch.equal(state, torch.random.get_rng_state())


def test_components_of_a_mixture_are_found_however_narrow() -> None:
    p = mixture([0.5, 0.5], [-30.0, 40.0], [1e-4, 1e-3])
    found = dm.exact("kl", p, normal(0, 20))
    parts = [dm.exact("kl", normal(m, s), normal(0, 20)).value for m, s in ((-30, 1e-4), (40, 1e-3))]
    assert found.value == pytest.approx(sum(parts) / 2 - math.log(2), rel=1e-12)


@pytest.mark.parametrize(
    ("p", "q", "says"),
    [
        ([0.5, 0.6], [0.5, 0.5], "add up to 1.1"),
        ([0.5, 0.5], [0.2, 0.3, 0.5], "the same outcomes"),
        ([-0.5, 1.5], [0.5, 0.5], "negative"),
        ([math.nan, 1.0], [0.5, 0.5], "NaN"),
        ("ab", [0.5, 0.5], "unknown law 'ab'"),
        (object(), [0.5, 0.5], "p is an object: expected a distribution"),
        ([0.5, 0.5], normal(0, 1), "not one and one"),
        (td.Normal(torch.zeros(3), 1.0), normal(0, 1), "batch of"),
        (td.Poisson(1.0), normal(0, 1), "a discrete law and a continuous one"),
        (gaussians(2, 0)[0], gaussians(3, 0)[0], "dimension 2 and q 3"),
        (td.Dirichlet(torch.ones(3)), gaussians(3, 0)[0], "no exact route"),
    ],
)
def test_bad_questions_are_one_line(p: Any, q: Any, says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.exact("js", p, q)
    assert "\n" not in str(caught.value)


def test_closed_forms_give_way_where_their_terms_cancel() -> None:
    """KL of nearly equal Gammas is 5e-13; the difference of log-partitions has no digits of it."""
    p, q = td.Gamma(*t(1000.0, 1.0)), td.Gamma(*t(1000.0, 1.0 + 1e-9))
    found = dm.exact("kl", p, q)
    assert found.route.value == "quadrature on the line"
    assert found.value == pytest.approx(1000 * 0.5e-18, rel=1e-3)


def test_single_precision_parameters_are_the_numbers_that_they_are() -> None:
    assert precise(td.Normal(0.1, 1.0)).loc.item() == torch.tensor(0.1).item()
    assert float(law(precise(td.Laplace(0.0, 1.0))).log_density(t(0.5)[0])) == -0.5 - math.log(2)


def test_moments_know_where_they_end() -> None:
    one, other = normal_parameters(normal(0, 1)), normal_parameters(normal(0.5, 0.8))
    assert one is not None and other is not None
    pair = pair_of(one, other, graph=False)
    assert of_normals(pair).finite(2.7) and not of_normals(pair).finite(2.8)
    assert math.isinf(by_inversion(dm.divergence("power(3)"), pair, False).tensor)


AWKWARD = [
    *dm.divergences(),
    "soften(igog)",
    "nonsaturating(js)",
    "symmetrize(igog)",
    "skew(skew(js, 0.3), 0.2)",
    "0.5*kl + js",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_s_from_a_and_b_is_s_to_the_rounding_of_d(name: str) -> None:
    """Also where a or b overflow and s does not: far out their products are taken by their tails."""
    f = dm.divergence(name)
    d = t([-1e4, -800, -720, -400, -301, -20, -1, -1e-3, 1e-3, 1, 20, 301, 400, 720, 800, 1e4, -math.inf, math.inf])[0]
    s, quick = f.s(d), quick_s(f, d)
    slope = (f.a(d).abs() + f.b(d).abs()).where(d.abs() <= 1, s)  # |s'| and more, near 0
    same = (s == quick) | ((s - quick).abs() <= 4e-15 * torch.maximum(s, slope))
    assert bool(same.all()), (d[~same], s[~same], quick[~same])
    unknown = quick_s(f, torch.cat([d, t([math.nan])[0]]))
    assert torch.equal(unknown[:-1], quick) and bool(unknown[-1].isnan())
    assert quick_s(f, d[:0]).shape == (0,)


@pytest.mark.parametrize("mean", [-2.0, 0.0, 3.0])
def test_a_log_density_beyond_float64_is_no_end_of_a_support(mean: float) -> None:
    """log p = -x - e^-x of Gumbel's law leaves float64 where a normal law has long ended."""
    found = dm.exact("reverse_kl", "gumbel(0, 1)", f"normal({mean}, 1)")
    by_hand = -0.5 * math.log(2 * math.pi * math.e) + mean + math.exp(-mean + 0.5)
    assert found.value == pytest.approx(by_hand, rel=1e-12)
    assert dm.exact("kl", f"normal({mean}, 1)", "gumbel(0, 1)").value == pytest.approx(by_hand, rel=1e-12)
    assert math.isinf(dm.exact("chi2_data_denominator", "gumbel(0, 1)", f"normal({mean}, 1)").value)
    assert math.isinf(dm.exact("reverse_kl", "uniform(-1, 1)", f"normal({mean}, 1)").value)


def test_narrow_laws_far_from_0_are_off_by_as_much_as_is_said() -> None:
    """x is rounded there: by a shift that float64 holds exactly, the value is known."""
    right = dm.exact("js", "normal(0, 0.001)", "normal(0, 0.002)").value
    for far in (2.0**20, 2.0**27, 2.0**31):
        found = dm.exact("js", f"normal({far}, 0.001)", f"normal({far}, 0.002)")
        assert abs(found.value - right) <= found.error <= 0.05
    for far in (1e20, -1e17):
        with pytest.raises(dm.DivminError, match="which float64 cannot resolve: shift both laws towards 0"):
            dm.exact("js", f"normal({far}, 0.001)", f"normal({far}, 0.002)")


def test_values_beyond_float64_are_infinite_and_not_an_error() -> None:
    p = mixture([0.5, 0.5], [0.0, 60.0], [1.0, 1.0])
    assert dm.exact("chi2_model_denominator", p, normal(0, 1)).value == math.inf
    assert dm.exact("chi2_model_denominator", normal(60, 1), normal(0, 1)).value == math.inf
