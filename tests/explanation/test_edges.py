"""What happens at jumps, at the ends of what a critic can say, and where a name holds only in the middle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import binary_cross_entropy, softplus

import divmin as dm

LOGISTIC = ("softplus(-c)", "softplus(c)")


@pytest.mark.parametrize(
    ("losses", "most"),
    [
        ((*LOGISTIC, "relu(1-c)"), 1 - math.exp(-1)),
        ((*LOGISTIC, "relu(0-c)"), 0.0),
        ((*LOGISTIC, "relu(0.5-c)"), 1 - math.exp(-0.5)),
        (("exp(-c)", "relu(c)", "-c"), 1.0),
        (("abs(c-1)", "c^2", "-c"), math.log(2) / 2),
    ],
)
def test_costs_of_weights_with_a_step(losses: tuple[str, str, str], most: float) -> None:
    found = dm.explain(critic=losses[:2], generator=losses[2])
    assert found.seen is not None
    assert float(found.seen.cost()[-1]) == pytest.approx(most, abs=1e-5)


def test_steps_of_recipes() -> None:
    for name, most in {"clipped(huszar, 1)": 1 - math.exp(-1), "drift(hinge, 0.1)": 0.9}.items():
        seen = dm.explain(name).seen
        assert seen is not None
        assert float(seen.cost()[-1]) == pytest.approx(most, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "masses"),
    [
        ("abs(d)", [(0.0, 2.0)]),
        ("relu(d)", [(0.0, 1.0)]),
        ("min(d, 2)", [(2.0, -1.0)]),
        ("clamp(d, -1, 1)", [(-1.0, 1.0), (1.0, -1.0)]),
    ],
)
def test_kinks_of_sampled_losses_are_point_masses(text: str, masses: list[tuple[float, float]]) -> None:
    for samples in ("fixed", "reparameterised"):
        found = dm.explain(sampled_loss=text, samples=samples)
        assert [mass.d for mass in found.masses] == pytest.approx([d for d, _ in masses])
        assert [mass.size for mass in found.masses] == pytest.approx([size for _, size in masses])
        assert found.formula is None
    assert dm.explain(sampled_loss=lambda d: d.abs()).name == "2*total_variation"


def test_a_name_holds_everywhere_or_is_not_given() -> None:
    found = dm.explain(critic=LOGISTIC, generator="-log(D + 1e-8)")
    assert found.name is None
    assert found.tails is not None and (found.tails.R, found.tails.S) == (1, 0)
    assert found.weight(-25.0) == pytest.approx(math.exp(-25) / (math.exp(-25) + 1e-8), rel=1e-6)
    found = dm.explain(critic=LOGISTIC, generator="-c - 1e-9*exp(c)")
    assert found.tails is not None and found.tails.S == 2
    torch_one = dm.explain(critic=(lambda c: softplus(-c), softplus), generator=lambda c: -(c.sigmoid() + 1e-8).log())
    assert torch_one.weight(-25.0) < 0.01


def test_probabilities_as_the_tutorials_write_them() -> None:
    def bce(target: float):  # type: ignore[no-untyped-def]
        return lambda c: binary_cross_entropy(c.sigmoid(), torch.full_like(c, target))

    found = dm.explain(critic=(bce(1.0), bce(0.0)), generator=bce(1.0))
    assert found.name == "0.5*softened_reverse_kl"
    assert found.pull is not None
    d = torch.linspace(-20, 20, 41, dtype=torch.float64)
    # autograd's second derivative of this loss alone would be off by 1e-3 at both ends
    torch.testing.assert_close(found.pull(d).w, torch.sigmoid(-d), rtol=1e-6, atol=0)
    numpy = dm.explain(
        critic=(lambda c: -np.log(1 / (1 + np.exp(-c))), lambda c: -np.log(1 - 1 / (1 + np.exp(-c)))),
        generator=lambda c: -np.log(1 / (1 + np.exp(-c))),
    )
    assert numpy.is_divergence
    assert numpy.weight(0.5) == pytest.approx(1 / (1 + math.exp(0.5)), rel=1e-6)


@pytest.mark.parametrize(
    ("losses", "says"),
    [
        (("-D", "D", "-c"), "integral probability metric"),
        (("-softplus(-c)", "-softplus(c)", "softplus(-c)"), "swapped"),
        (("softplus(c)", "softplus(c)", "-c"), "the same way"),
        (("c^2", "c^2", "c^2"), "gets no gradient"),
        (("(c - 0.3)^2", "(c - 0.3)^2", "c^2"), "gets no gradient"),
    ],
)
def test_critics_without_an_answer(losses: tuple[str, str, str], says: str) -> None:
    found = dm.explain(critic=losses[:2], generator=losses[2])
    assert says in found.sentence
    assert not found.is_divergence
    assert found.formula is None


def test_equal_sides_of_two_kinds_of_code() -> None:
    found = dm.explain(critic=(softplus, lambda c: np.logaddexp(0, c)), generator="-c")
    assert "the same way" in found.sentence


def test_a_critic_that_runs_away_has_no_output() -> None:
    wgan = dm.explain("wgan")
    assert wgan.link is not None
    assert (wgan.link(0.5), wgan.link(-0.5)) == (math.inf, -math.inf)
    assert math.isnan(wgan.weight(0.5))


@pytest.mark.parametrize("generator", ["-log(c)", "-sqrt(c)"])
def test_losses_that_do_not_exist_at_the_best_output(generator: str) -> None:
    with pytest.raises(dm.DivminError, match="no finite slope at c ="):
        dm.explain(critic=LOGISTIC, generator=generator)


def test_formulas_keep_their_parentheses_and_factors() -> None:
    found = dm.explain("lsgan(1, 0, 0)")
    assert found.link is not None and found.link.formula == "1/(u + 1)"
    assert dm.explain(weight="u^2/(u + 1)").formula == "1/(u + 1)"
    assert dm.explain("nonsaturating").expression == "0.5*soften(reverse(kl))"
    f = dm.divergence("0.5*soften(reverse(kl))")
    assert dm.explain("nonsaturating").weight(1.0) == pytest.approx(f.weight(1.0))
