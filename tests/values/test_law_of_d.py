"""The law of the log-ratio: it has mass one, p~ = e^d q~, it gives D_f back, and it is what samples show."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats

import divmin as dm

PAIRS = {
    "equal covariances": ("normal(0.5, 1)", "normal(-0.5, 1)"),
    "an end": ("normal(0, 1)", "normal(0.5, 1.5)"),
    "turning three times": ("0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)", "normal(0, 1)"),
    "constant beyond kinks": ("laplace(0, 1)", "laplace(1, 2)"),
    "atoms and a density": ("laplace(0, 1)", "laplace(1, 1)"),
    "half a line": ("gamma(2, 1)", "exponential(1)"),
    "long tails": ("student_t(3)", "normal(0, 1)"),
    "a limit far out": ("cauchy(0, 1)", "cauchy(1, 2)"),
    "supports": ("uniform(0, 1)", "uniform(0, 2)"),
    "the plane": ("normal([0, 0], [1, 2])", "normal([0.5, 0], [1.5, 1])"),
    "four dimensions": ("normal([0, 0, 0, 0], [1, 2, 1, 1])", "normal([0.5, 0, 1, 0], [1.5, 1, 1, 1.2])"),
    "equal covariances in the plane": ("normal([0, 0], [1, 1])", "normal([1, 0], [1, 1])"),
    "a coordinate that says nothing": ("normal([0, 0], [1, 1])", "normal([0, 0], [1.5, 1])"),
    "coins": ("bernoulli(0.3)", "bernoulli(0.6)"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_masses_are_one_and_divergences_come_back(name: str) -> None:
    p, q = (dm.law(each) for each in PAIRS[name])
    found = dm.pushforward(p, q)
    assert found.masses() == pytest.approx((1, 1), abs=1e-8)
    for f in ("js", "softened_kl"):
        assert found.divergence(f) == pytest.approx(dm.exact(f, p, q).value, rel=1e-8)


@pytest.mark.parametrize("name", ["turning three times", "half a line", "the plane"])
def test_the_densities_have_the_ratio_e_to_the_d(name: str) -> None:
    found = dm.pushforward(*PAIRS[name])
    low, high = max(found.edges[0], -20), min(found.edges[-1], 20)
    d = torch.linspace(low, high, 203, dtype=torch.float64)[1:-1]
    log_p, log_q = found.log_density_p(d), found.log_density_q(d)
    alive = log_q > -math.inf
    assert bool(alive.any())
    assert torch.allclose((log_p - log_q)[alive], d[alive], atol=1e-9)


@pytest.mark.parametrize("name", ["equal covariances", "turning three times", "four dimensions"])
def test_samples_follow_it(name: str) -> None:
    """Kolmogorov and Smirnov, with the distribution function from the density."""
    p, q = (dm.law(each) for each in PAIRS[name])
    generator = torch.random.get_rng_state()
    torch.manual_seed(5)
    x = q.sample((4000,))
    torch.random.set_rng_state(generator)
    d = (p.log_prob(x) - q.log_prob(x)).double()
    found = dm.pushforward(p, q)
    at = d.sort().values
    grid = torch.linspace(float(at[0]) - 3, float(at[-1]) + 3, 4001, dtype=torch.float64)
    mass = torch.cumulative_trapezoid(found.log_density_q(grid).exp().clamp(max=1e3), grid)
    function = torch.cat([torch.zeros(1), mass]) / mass[-1]

    def below(values: object) -> object:
        import numpy as np

        return np.interp(values, grid.numpy(), function.numpy())

    assert stats.kstest(at.numpy(), below).pvalue > 1e-3


@pytest.mark.parametrize(
    ("p", "q", "ends"),
    [
        ("normal(0, 1)", "normal(0.5, 1.5)", (False, True)),
        ("normal(0, 1)^2", "normal(0, 1.5)^2", (False, True)),
        ("cauchy(0, 1)", "normal(0, 1)", (True, False)),
        ("gamma(2, 1)", "exponential(2)", (False, False)),
        ("cauchy(0, 1)", "cauchy(1, 2)", (True, True)),
        ("0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)", "normal(0, 1)", (False, True)),
    ],
)
def test_ends_are_told_from_cuts_and_what_is_infinite_is(p: str, q: str, ends: tuple[bool, bool]) -> None:
    found = dm.pushforward(p, q)
    assert found.ends == ends
    for f in ("chi2_data_denominator", "chi2_model_denominator", "kl", "reverse_kl"):
        wanted = dm.exact(f, p, q).value
        assert found.divergence(f) == (wanted if math.isinf(wanted) else pytest.approx(wanted, rel=1e-8))


def test_gaussians_of_one_covariance_are_gaussian_in_d() -> None:
    """Shannon et al., figure 1: N(s^2/2, s^2) under p and N(-s^2/2, s^2) under q."""
    for sigma in (1.0, 2.0, 4.0):
        found = dm.pushforward("normal(0, 1)", f"normal({sigma}, 1)")
        d = torch.linspace(-3 * sigma, 3 * sigma, 13, dtype=torch.float64)
        wanted = torch.distributions.Normal(torch.tensor(-(sigma**2) / 2).double(), sigma).log_prob(d)
        assert torch.allclose(found.log_density_q(d), wanted, atol=1e-11)


def test_probabilities_with_one_ratio_are_one_atom() -> None:
    found = dm.pushforward([0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.4, 0.0])
    assert [round(atom.d, 6) for atom in found.atoms] == [-0.693147, -0.287682, math.inf]
    assert found.atoms[0].p == pytest.approx(0.3) and found.atoms[0].q == pytest.approx(0.6)
    assert found.divergence("kl") == math.inf
    assert found.divergence("js") == pytest.approx(dm.exact("js", [0.1, 0.2, 0.3, 0.4], [0.2, 0.4, 0.4, 0.0]).value)
    assert bool((found.log_density_q([0.0, 1.0]) == -math.inf).all())


@pytest.mark.parametrize(
    ("p", "q", "says"),
    [
        ([0.5, 0.5], [0.2, 0.3, 0.5], "the same outcomes"),
        ([0.5, 0.5], "normal(0, 1)", "two laws or two arrays"),
        ("normal([0, 0], [1, 1])", "normal([0, 0, 0], [1, 1, 1])", "is not known between"),
        ("poisson(1)", "poisson(2)", "is not known between"),
    ],
)
def test_what_is_not_known_is_said_in_one_line(p: object, q: object, says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.pushforward(p, q)
    assert "\n" not in str(caught.value)
