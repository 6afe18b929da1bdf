"""Large landscapes, which are interpolated: within the tolerance and the claimed error, and not at all where nothing is smooth."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.distributions as td

import divmin as dm
from divmin.values.chebyshev import interpolated

P = "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"
GRID = {"loc": torch.linspace(-3, 3, 71).double(), "scale": torch.linspace(0.1, 3, 67).double()}


@pytest.mark.parametrize(
    "f", ["js", "kl", "reverse_kl", "softened_reverse_kl", "jeffreys", "squared_hellinger", "alpha(0.3)"]
)
@pytest.mark.parametrize("family", [td.Normal, td.Cauchy])
def test_interpolated_landscapes_are_the_integrated_ones(f: str, family: type[td.Distribution]) -> None:
    p = dm.law(P)
    found, truth = dm.landscape(f, p, family, GRID), dm.landscape(f, p, family, GRID, tolerance=0)
    finite = truth.values.isfinite()
    off = (found.values - truth.values)[finite].abs()
    assert bool((off <= (found.errors + truth.errors)[finite]).all())
    assert bool((off <= 1.5e-8 * truth.values[finite].clamp(min=1)).all())
    assert bool((found.values[~finite] == math.inf).all())


def test_few_places_make_a_large_grid() -> None:
    grid = {"loc": torch.linspace(-3, 3, 200), "scale": torch.linspace(0.1, 3, 200)}
    found = dm.landscape("js", dm.law(P), td.Normal, grid)
    whole = dm.landscape("js", dm.law(P), td.Normal, grid, tolerance=0)
    assert found.evaluations < whole.evaluations / 4


def test_what_is_not_smooth_is_refused() -> None:
    x = torch.linspace(-1, 1, 80).double()

    def of(function: Callable[[torch.Tensor], torch.Tensor]) -> object:
        return interpolated(lambda at: (function(at), torch.zeros(len(at)).double()), [x, x], 1e-8)

    assert of(lambda at: at.sin().prod(1)) is not None
    assert of(lambda at: (at[:, 0] - 0.3 * at[:, 1]).abs()) is None  # a kink along a line
    assert of(lambda at: (at[:, 0] - 0.5).reciprocal().where(at[:, 0] > 0.5, torch.tensor(math.inf).double())) is None


def test_places_that_interpolation_misses_are_computed() -> None:
    """A narrow bump which all lines miss raises the bound, and with it how much is computed; nothing is off by more."""
    x = torch.linspace(-1, 1, 60).double()

    def find(at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        bump = (-60 * ((at[:, 0] - 0.5) ** 2 + (at[:, 1] + 0.5) ** 2)).exp()
        return at.sin().prod(1) + bump, torch.zeros(len(at)).double()

    found = interpolated(find, [x, x], 1e-8)
    truth = find(torch.cartesian_prod(x, x))[0]
    assert found is None or bool(((found[0] - truth).abs() <= found[1]).all())


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(dm.DivminError, match="tolerance is"):
        dm.landscape("js", dm.law(P), td.Normal, GRID, tolerance=tolerance)
