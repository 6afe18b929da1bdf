"""One clear line that says which call failed with what."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

import divmin as dm

FAKE, GENERATOR = softplus, lambda c: softplus(-c)
counter = itertools.count()


def raises(c: Any) -> Any:
    raise RuntimeError("broken\nin two lines")


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (lambda c: c.detach(), "no derivative"),
        (lambda c: (c > 0).double(), "no derivative"),
        (lambda c: torch.tensor(1.0), "no derivative"),
        (lambda a, b: a, "missing 1 required positional argument"),
        (raises, "RuntimeError: broken in two lines"),
        (lambda c: 1 / 0, "ZeroDivisionError"),
        (lambda c: c * float("nan"), "is NaN at every c"),
        (lambda c: c * torch.rand(1), "mixes the elements|random|two answers|neither"),
        (lambda c: c + next(counter), "two answers|mixes|neither"),
        (lambda c: torch.stack([c, c]), r"expected shape \[4\], got \[2, 4\]"),
        (lambda c: "text", "returned str"),
        (lambda c: None, "returned NoneType"),
        (lambda c: c.norm(), "neither the mean nor the sum"),
        (lambda c: c - c.mean(), "mixes the elements of a batch"),
        (lambda c: torch.complex(c, c), "complex"),
        (3, "must be a function of c; got int"),
        ("softplus(-x)", "called c"),
        ("softplus(c", "cannot read"),
        ("__import__(c)", "unknown function '__import__'"),
        ("softplus(c, 2)", "takes one argument"),
        ("2", "got a number"),
        ("c.real", "cannot read"),
    ],
)
def test_losses_that_cannot_be_used(loss: Any, says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.explain(critic=(loss, FAKE), generator=GENERATOR)
    assert "\n" not in str(caught.value)
    if not isinstance(loss, str):
        assert "loss_on_real(c)" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "got nothing"),
        ({"recipe": "minimax", "weight": "u"}, "recipe and weight"),
        ({"critic": (FAKE, FAKE)}, "generator=loss is missing"),
        ({"generator": FAKE}, "critic=.* is missing"),
        ({"critic": FAKE, "generator": FAKE}, "must be two losses"),
        ({"recipe": "minimaxx"}, "did you mean minimax"),
        ({"recipe": "minimax", "penalty": "r3"}, "unknown penalty 'r3'"),
        ({"sampled_loss": "k3", "samples": "free"}, "samples must be one of fixed, reparameterised, reward"),
        ({"sampled_loss": "c^2"}, "may depend on d only"),
        ({"weight": "x"}, "may depend on d and u only"),
        ({"reward": "x"}, "called c"),
        ({"recipe": "ragan", "log_ratios": [0.0]}, "is not computed"),
        ({"recipe": "rpgan", "p": torch.distributions.Normal(0.0, 1.0)}, "give both p and q"),
        ({"recipe": "rpgan", "log_ratios": [float("inf")]}, "must be finite"),
        ({"recipe": "rpgan", "log_ratios": []}, "got no values"),
    ],
)
def test_questions_that_cannot_be_asked(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.explain(**arguments)
    assert "\n" not in str(caught.value)


def test_losses_that_are_nowhere_defined_together() -> None:
    with pytest.raises(dm.DivminError, match="not finite together"):
        dm.explain(critic=(lambda c: (c - 1).log(), lambda c: (-1 - c).sqrt()), generator=GENERATOR)


def bce(target: float) -> Callable[..., Any]:
    return lambda c: binary_cross_entropy_with_logits(c, torch.full_like(c, target))


@pytest.mark.parametrize(
    "losses",
    [
        (GENERATOR, FAKE, GENERATOR),
        (bce(1.0), bce(0.0), bce(1.0)),
        (
            lambda c: -torch.log(c.sigmoid() + 1e-8).mean(),
            lambda c: -torch.log(1 - c.sigmoid() + 1e-8).mean(),
            GENERATOR,
        ),
        (lambda c: softplus(-c) + 0.1 * c**2, FAKE, GENERATOR),
        (lambda c: (1 - c).relu(), lambda c: (1 + c).relu(), lambda c: -c),
        (lambda c: max(0, 1 - c), lambda c: max(0, 1 + c), lambda c: -c),
    ],
    ids=["softplus", "bce", "eps", "drift", "hinge", "plain hinge"],
)
def test_numeric_answers_take_seconds_at_most(losses: tuple[Any, Any, Any]) -> None:
    """The aim is 2 s on a quiet machine; the bound leaves room for a loaded one."""
    dm.explain("minimax")  # imports
    started = time.process_time()
    dm.explain(critic=losses[:2], generator=losses[2])
    assert time.process_time() - started < 6
