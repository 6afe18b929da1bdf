"""Laws that every registered density obeys, with awkward parameters added."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from divmin.data import (
    Checkerboard,
    Circles,
    Density,
    Mixture,
    NoisyCurve,
    Spiral,
    SwissRoll,
    TwoMoons,
    Uniform,
    densities,
)
from divmin.data.registry import parse_call
from divmin.errors import DivminError

AWKWARD = [
    "ring(n=1, radius=0, sigma=3)",
    "ring(n=3, sigma=0.5)",
    "grid(n=2, spacing=1)",
    "normal(dim=2, mean=-3, scale=0.02)",
    "uniform(dim=2, low=-1, high=5)",
    "checkerboard(cells=3, half_width=0.75)",
    "checkerboard(cells=1)",
    "pinwheel(arms=1, twist=-2)",
    "spiral(arms=3, turns=0.4, noise=0.3)",
    "circles(factor=0.9, noise=0.4)",
    "swiss_roll(noise=1)",
]


def made(spec: str) -> Density:
    call = parse_call(spec)
    assert call is not None
    return densities()[call[0]](**call[1])


EVERY = [pytest.param(made(spec), id=spec) for spec in [*densities(), *AWKWARD]]
every = pytest.mark.parametrize("density", EVERY)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small tensors gain nothing from threads, and waiting for them on a busy machine takes minutes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def cells(density: Density) -> tuple[Tensor, float]:
    """Midpoints of a fine grid over all of the mass, and the volume of one cell.

    On smooth laws the midpoint rule converges faster than any power; on flat ones the cells line up with the edges.
    """
    if isinstance(density, Uniform):
        low, high = (torch.full((density.dim,), edge, dtype=torch.float64) for edge in (density.low, density.high))
    elif isinstance(density, Checkerboard):
        low, high = (torch.full((2,), sign * density.half_width, dtype=torch.float64) * 2 for sign in (-1, 1))
    else:
        samples = density.sample(20000, seed=1, dtype=torch.float64)
        low, high = samples.amin(0), samples.amax(0)
        low, high = low - (high - low) * 0.1, high + (high - low) * 0.1
    count = 20000 if density.dim == 1 else 130 if isinstance(density, NoisyCurve) else 240
    step = (high - low) / count
    axes = [low[k] + step[k] * (torch.arange(count, dtype=torch.float64) + 0.5) for k in range(density.dim)]
    return torch.cartesian_prod(*axes).reshape(-1, density.dim), float(step.prod())


@every
def test_mass_is_one_and_samples_follow_the_density(density: Density) -> None:
    points, volume = cells(density)
    log_p = density.log_prob(points)
    mass = log_p.exp() * volume
    assert abs(float(mass.sum()) - 1) < 2e-5

    n = 20000
    samples = density.sample(n, seed=2, dtype=torch.float64)
    centre, spread = samples.mean(0), samples.std(0)
    generator = torch.Generator().manual_seed(3)
    # Waves from the size of the whole law down to a fiftieth of it.
    scale = torch.logspace(-0.3, 1.7, 60, dtype=torch.float64).unsqueeze(1)
    direction = torch.randn(60, density.dim, generator=generator, dtype=torch.float64)
    phase = torch.rand(60, generator=generator, dtype=torch.float64) * 2 * math.pi

    def waves(x: Tensor) -> Tensor:
        return (((x - centre) / spread) @ (scale * direction).T + phase).cos()

    inside = mass > 0
    expected = mass[inside] @ waves(points[inside])
    seen = waves(samples)
    z = (seen.mean(0) - expected) / (seen.std(0) / math.sqrt(n) + 1e-9)
    assert float(z.abs().max()) < 4.5, z

    log_seen = density.log_prob(samples[:4000])
    assert bool(log_seen.isfinite().all())
    entropy = float(mass[inside] @ log_p[inside])
    assert abs(float(log_seen.mean()) - entropy) < 4.5 * float(log_seen.std()) / math.sqrt(4000) + 1e-6


@every
def test_gradient_is_the_derivative(density: Density) -> None:
    x = density.sample(6, seed=4, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(density.log_prob, (x,), eps=1e-7, atol=1e-4, rtol=1e-4)


@every
def test_draws_are_named_by_their_seed(density: Density) -> None:
    before = torch.random.get_rng_state()
    first = density.sample(100, seed=5)
    assert first.shape == (100, density.dim)
    assert first.dtype == torch.float32
    assert torch.equal(first, density.sample(100, seed=5))
    assert not torch.equal(first, density.sample(100, seed=6))
    assert torch.equal(first, density.sample(100, seed=5, dtype=torch.float64).float())
    generator = torch.Generator().manual_seed(7)
    assert not torch.equal(density.sample(100, generator=generator), density.sample(100, generator=generator))
    assert density.sample(0, seed=0).shape == (0, density.dim)
    assert torch.equal(before, torch.random.get_rng_state())


@every
def test_floats_and_batches(density: Density) -> None:
    x = density.sample(24, seed=8)
    log_p = density.log_prob(x)
    assert log_p.dtype == torch.float32
    assert torch.allclose(log_p.double(), density.log_prob(x.double()), atol=2e-3, rtol=1e-4)
    assert torch.equal(density.log_prob(x.reshape(2, 3, 4, density.dim)), log_p.reshape(2, 3, 4))
    far = density.log_prob(torch.full((1, density.dim), 1e4))
    assert not far.isnan().any()
    assert float(far) < float(log_p.min())
    assert density.log_prob(x[:0]).shape == (0,)


@every
def test_wrong_points(density: Density) -> None:
    for wrong in (torch.zeros(3, density.dim + 1), torch.zeros(3, density.dim, dtype=torch.int64), torch.tensor(0.0)):
        with pytest.raises(DivminError, match="last dimension"):
            density.log_prob(wrong)
    with pytest.raises(DivminError, match="not both"):
        density.sample(3)
    with pytest.raises(DivminError, match="not both"):
        density.sample(3, seed=0, generator=torch.Generator())
    with pytest.raises(DivminError, match="at least 0"):
        density.sample(-1, seed=0)


# Moments of the four targets: the minimum of KL over normal laws, from the reference sheet of the papers.
@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        ("two_modes", -0.45, 1.0758717396),
        ("symmetric_modes", 0.0, 1.6155494421),
        ("far_modes", -0.1, 1.4628738838),
        ("uneven_modes", -0.25, math.sqrt(0.7 * (0.25 + 1) + 0.3 * (0.64 + 2.25) - 0.0625)),
    ],
)
def test_moments_of_the_targets(name: str, mean: float, deviation: float) -> None:
    points, volume = cells(densities()[name]())
    mass = densities()[name]().log_prob(points).exp() * volume
    first = float(mass @ points[:, 0])
    assert first == pytest.approx(mean, abs=1e-5)
    assert math.sqrt(float(mass @ (points[:, 0] - first).square())) == pytest.approx(deviation, abs=1e-5)


def test_a_mixture_agrees_with_torch() -> None:
    mixture = Mixture(means=((0.0, 1.0), (2.0, -1.0)), scales=((0.5,), (1.0, 2.0)), weights=(0.3, 0.7))
    reference = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.tensor([0.3, 0.7])),
        torch.distributions.Independent(
            torch.distributions.Normal(torch.tensor([[0.0, 1.0], [2.0, -1.0]]), torch.tensor([[0.5, 0.5], [1.0, 2.0]])),
            1,
        ),
    )
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)) * 3
    assert torch.allclose(mixture.log_prob(x), reference.log_prob(x), atol=1e-5)


def test_modes_stand_where_they_should() -> None:
    ring, grid = densities()["ring"](), densities()["grid"]()
    assert isinstance(ring, Mixture)
    assert isinstance(grid, Mixture)
    assert len(ring.means) == 8
    assert all(math.hypot(*mean) == pytest.approx(1) for mean in ring.means)
    assert set(ring.scales) == {(0.01,)}
    assert set(grid.means) == {(float(a), float(b)) for a in (-4, -2, 0, 2, 4) for b in (-4, -2, 0, 2, 4)}


@pytest.mark.parametrize("curve", [SwissRoll(0.25 / 7.5), TwoMoons(), Spiral()], ids=lambda c: type(c).__name__)
def test_the_integral_along_a_curve_is_exact_near_it_and_far_from_it(curve: NoisyCurve) -> None:
    start, stop = curve.interval
    count = 400_000
    t = start + (stop - start) / count * (torch.arange(count, dtype=torch.float64) + 0.5)
    centres = curve.strands(t).reshape(-1, 2)
    on_curve = curve.strands(torch.linspace(start, stop, 4, dtype=torch.float64)).reshape(-1, 2)
    for distance, tolerance in ((0.0, 1e-6), (3.0, 1e-6), (12.0, 1e-3)):
        for x in on_curve + distance * curve.noise * torch.tensor([0.6, -0.8], dtype=torch.float64):
            square = ((x - centres) / curve.noise).square().sum(-1) / 2
            brute = torch.logsumexp(-square, 0) - math.log(len(centres)) - math.log(2 * math.pi * curve.noise**2)
            assert float(curve.log_prob(x.unsqueeze(0))) == pytest.approx(float(brute), abs=tolerance)


def test_curves_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import make_circles, make_moons, make_swiss_roll

    drawn = {
        "two_moons": (make_moons(500, noise=None)[0], TwoMoons(noise=1e-3)),
        "circles": (make_circles(500, noise=None, factor=0.5)[0], Circles(noise=1e-3)),
        "swiss_roll": (make_swiss_roll(500, noise=0, random_state=0)[0][:, [0, 2]] / 7.5, SwissRoll(noise=1e-3)),
    }
    for name, (reference, curve) in drawn.items():
        distance = torch.cdist(torch.from_numpy(reference), curve.sample(20000, seed=0, dtype=torch.float64))
        assert float(distance.min(dim=1).values.max()) < 0.01, name
        assert float(distance.min(dim=0).values.max()) < 0.2, name
    assert densities()["swiss_roll"]() == SwissRoll(noise=0.25 / 7.5)


def test_large_batches_are_cut_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    moons = TwoMoons()
    x = moons.sample(300, seed=0)
    whole = moons.log_prob(x)
    monkeypatch.setattr("divmin.data.noisy_curve.CHUNK", 5_000)
    assert torch.allclose(moons.log_prob(x), whole, atol=1e-6)


def test_a_curve_too_long_for_its_noise_is_refused() -> None:
    moons = TwoMoons(noise=1e-8)
    assert moons.sample(3, seed=0).shape == (3, 2)
    with pytest.raises(DivminError, match="too long for its noise"):
        moons.log_prob(torch.zeros(1, 2))


def test_off_the_support() -> None:
    board = Checkerboard()
    log_p = board.log_prob(torch.tensor([[0.5, 0.5], [0.5, 1.5], [2.5, 2.5], [-0.5, -0.5], [math.inf, 0.0]]))
    assert log_p.tolist() == pytest.approx([-math.log(8), -math.inf, -math.inf, -math.log(8), -math.inf])
    assert Uniform(2, -1, 1).log_prob(torch.tensor([[1.0, -1.0], [1.1, 0.0]])).tolist() == pytest.approx(
        [-math.log(4), -math.inf]
    )


def test_a_law_without_a_density_says_so() -> None:
    class Dust(Density):
        @property
        def dim(self) -> int:
            return 1

        def _draw(self, n: int, generator: torch.Generator) -> Tensor:
            return torch.randint(2, (n, 1), generator=generator).double()

    assert not Dust().has_log_prob
    assert TwoMoons().has_log_prob
    assert Dust().sample(4, seed=0).shape == (4, 1)
    with pytest.raises(DivminError, match="no log-density"):
        Dust().log_prob(torch.zeros(1, 1))


@pytest.mark.parametrize(
    "spec",
    [
        "ring(n=0)", "ring(sigma=0)", "ring(sigma=-1)", "grid(n=-1)", "normal(dim=0)", "normal(scale=0)",
        "uniform(low=1)", "uniform(dim=0)", "checkerboard(cells=0)", "checkerboard(half_width=0)", "pinwheel(arms=0)",
        "pinwheel(radial=0)", "spiral(arms=0)", "spiral(noise=0)", "circles(factor=1)", "two_moons(noise=-1)",
        "swiss_roll(noise=0)", "ring(n=2.5)", "ring(modes=3)", "two_modes(n=1)",
    ],
)  # fmt: skip
def test_impossible_parameters(spec: str) -> None:
    with pytest.raises(DivminError, match=r"expected|known|did you mean|takes none") as caught:
        made(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["ring(sigma=-1)", "grid(sigma=0)", "normal(scale=-2)", "swiss_roll(noise=-1)"])
def test_a_law_complains_in_its_own_words(spec: str) -> None:
    law, _, given = spec.rstrip(")").partition("(")
    with pytest.raises(DivminError, match=f"^{law} got {given}: expected a positive finite number$"):
        made(spec)
    with pytest.raises(DivminError, match=r"^ring got radius=inf: expected a finite number$"):
        densities()["ring"](radius=math.inf)


@pytest.mark.parametrize(
    "fields",
    [
        {"means": (), "scales": ()},
        {"means": ((0.0,), (1.0,)), "scales": ((1.0,),)},
        {"means": ((0.0,), (1.0, 2.0)), "scales": ((1.0,), (1.0,))},
        {"means": ((0.0, 0.0),), "scales": ((1.0, 1.0, 1.0),)},
        {"means": ((0.0,),), "scales": ((1.0,),), "weights": (0.5,)},
        {"means": ((0.0,), (1.0,)), "scales": ((1.0,), (1.0,)), "weights": (1.5, -0.5)},
        {"means": ((math.nan,),), "scales": ((1.0,),)},
    ],
)
def test_impossible_mixtures(fields: dict[str, tuple[tuple[float, ...], ...]]) -> None:
    with pytest.raises(DivminError, match="mixture"):
        Mixture(**fields)  # type: ignore[arg-type]
