"""The gradient flow of a divergence ends where its minima are, and says so where it does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal

import divmin as dm
from divmin.values import descend

MODES = "0.5*normal(-1.5, 0.6) + 0.5*normal(1.5, 0.6)"


def test_each_start_reaches_the_minimum_of_its_basin() -> None:
    found = descend("reverse_kl", MODES, "normal(m, s)", {"m": [-2.0, 0.1, 1.6], "s": [0.5, 1.5, 0.6]})
    assert found.settled
    ends = np.stack(list(found.ends.values()), 1)
    assert ends == pytest.approx(
        np.array([[-1.4316563423, 0.6818738423], [0, 1.4343532374], [1.4316563423, 0.6818738423]]), abs=1e-6
    )
    assert found.values == pytest.approx([0.6664629853, 0.4810618452, 0.6664629853], abs=1e-9)


def test_a_path_that_is_known() -> None:
    """Between normals of one width D = m^2 / 2, and m falls like e^-t."""
    found = descend("reverse_kl", Normal(*torch.tensor([0.0, 1.0], dtype=torch.float64)), "normal(m, 1)", {"m": [2.0]})
    assert found.paths["m"][0] == pytest.approx(2 * np.exp(-found.times), abs=1e-3)


def test_the_divergence_never_rises_on_the_way() -> None:
    found = descend("js", MODES, Normal, {"loc": [1.0], "scale": [0.8]}, time=20.0)
    assert found.times[-1] == 20.0
    values = [
        dm.exact("js", MODES, dm.law("normal(m, s)", m=float(m), s=float(s))).value
        for m, s in zip(found.paths["loc"][0][::8], found.paths["scale"][0][::8], strict=True)
    ]
    assert (np.diff(values) < 1e-12).all()


@pytest.mark.parametrize(
    ("starts", "said"),
    [
        ({}, "expected the values"),
        ({"m": [0.0, 1.0], "s": [1.0]}, "equally many"),
        ({"m": [0.0], "s": [-1.0]}, "outside|positive|lie"),
    ],
)
def test_starts_that_cannot_be(starts: dict[str, list[float]], said: str) -> None:
    with pytest.raises(dm.DivminError, match=said):
        descend("js", MODES, "normal(m, s)", starts)
