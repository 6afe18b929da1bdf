"""What people type first and what it says: one line with what was got, what was expected, what to do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.distributions import Independent, Normal

import divmin as dm

ONE = Normal(0.0, 1.0)
TWO = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"recipe": "rpgan", "p": torch.randn(9), "q": ONE}, "p must be a distribution .* got Tensor. From two data sets"),
        ({"recipe": "rpgan", "p": ONE, "q": torch.randn(9)}, "q must be a distribution .* log_ratios="),
        ({"recipe": "rpgan", "p": TWO, "q": ONE}, "as many coordinates; got 2 and 1"),
        ({"recipe": "rpgan", "p": ONE, "q": ONE, "log_ratios": [0.0]}, "not both"),
        ({"recipe": "rpgan", "p": ONE, "q": torch.distributions.Exponential(1.0)}, "at samples of p failed: ValueError"),
        ({"recipe": "rpgan", "log_ratios": []}, "got no values"),
        ({"recipe": "rpgan", "log_ratios": [0.0, float("nan")]}, "1 of 2 values are not"),
        ({"recipe": "rpgan", "log_ratios": ["a"]}, "must be numbers"),
        ({"recipe": "ragan", "p": ONE, "q": ONE}, "its best critic depends on means .* work with rpgan"),
        ({"recipe": "nonsaturating", "p": ONE, "q": ONE}, "nonsaturating holds for any data"),
        ({"reward": "log(D)", "log_ratios": [0.0]}, "reward holds for any data"),
        ({"recipe": "nonsaturating", "samples": "fixed"}, "how a sampled_loss is differentiated; got recipe"),
        ({"recipe": "nonsaturating", "penalty": 3}, "name of a regulariser.*got 3"),
        ({"recipe": "nonsaturating", "penalty": [1]}, r"got \[1\]"),
        ({"critic": ("c", "c", "c"), "generator": "c"}, "got 3 of them"),
        ({"critic": "c", "generator": "c"}, "got str"),
        ({"sampled_loss": "k4"}, "got k4, expected k1, k2, k3, or text such as"),
        ({"weight": "c"}, "expected text such as u/"),
        ({"recipe": "lsgan(a, b, c)"}, "each must be a number, got a, b, c"),
        ({"recipe": "fgan(kl"}, r"expected ',' or '\)', got the end"),
        ({"recipe": "wgan-gp"}, "is a subtraction.*--penalty gp"),
        ({"critic": ("softplus(-c)", "softplus(c)"), "generator": "c/0"}, "no finite slope at c ="),
    ],
)  # fmt: skip
def test_one_line_that_says_what_to_do(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.explain(**arguments)
    assert "\n" not in str(caught.value)


def test_densities_of_one_coordinate_fit_whatever_their_shape() -> None:
    column = Independent(Normal(torch.zeros(1), torch.ones(1)), 1)
    shifted = Normal(1.0, 1.0)
    expected = dm.explain("rpgan", p=ONE, q=shifted).weight(0.0)
    assert dm.explain("rpgan", p=column, q=shifted).weight(0.0) == pytest.approx(expected, abs=0.02)


def test_pairing_says_how_to_give_data() -> None:
    assert any("p=, q=" in warning and "log_ratios=" in warning for warning in dm.explain("rpgan").warnings)


@pytest.mark.parametrize(
    ("recipe", "penalty", "says", "never"),
    [
        ("hinge", "r1", "smoother than the best one", "log-ratio"),
        ("wgan", "gp", "Wasserstein-1", "classif"),
        ("wgan", "drift", "gives the critic's loss a minimum", "moves"),
        ("nonsaturating", "gp", "also at p = q", "gives this critic an optimum"),
    ],
)
def test_penalties_know_the_recipe(recipe: str, penalty: str, says: str, never: str) -> None:
    (note,) = (each for each in dm.explain(recipe, penalty=penalty).warnings if each.startswith(penalty))
    assert says in note and never not in note
    assert not any(each.startswith(penalty) for each in dm.explain(recipe).warnings)
