"""The auditor finds the defects of public code, in miniature, and stays silent on correct code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

import divmin as dm
from divmin import Audit

Loss = Callable[..., Tensor]


def bce(logits: Tensor, target: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def generator(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()


def kinds(found: Audit) -> set[str]:
    return {each.kind for each in found.problems}


# --- the defects ----------------------------------------------------------------------------------------------------------------


def test_an_eps_inside_the_logarithm() -> None:
    """Gradient 1e-5 of the true one at a logit of -30."""
    found = dm.audit(critic, lambda fake: -(fake.sigmoid() + 1e-8).log().mean())
    (problem,) = found.problems
    assert (problem.kind, problem.where) == ("dead_gradient", "the generator's loss")
    assert problem.logit == pytest.approx(-18.4, abs=0.5)
    x = torch.tensor([-30.0], requires_grad=True)
    (slope,) = torch.autograd.grad(-(x.sigmoid() + 1e-8).log().mean(), x)
    assert float(slope) == pytest.approx(-1e-5, rel=0.1)


def test_a_ratio_clipped_at_eleven_and_a_half_nats() -> None:
    def cut(x: Tensor) -> Tensor:
        return x.clamp(-11.5, 11.5)

    found = dm.audit(lambda real, fake: (cut(fake).exp() - cut(real)).mean(), lambda fake: -cut(fake).exp().mean())
    assert kinds(found) == {"dead_gradient"}
    assert {abs(each.logit or 0) for each in found.problems} == {11.75}


def test_a_clamp_near_zero() -> None:
    found = dm.audit(critic, lambda fake: softplus(-fake.clamp(-2, 2)).mean())
    (problem,) = found.problems
    assert problem.kind == "dead_gradient"
    assert problem.logit == -2.0


def test_one_norm_over_the_whole_batch() -> None:
    found = dm.audit(lambda real, fake: critic(real, fake) + 10 * ((real - fake).norm() - 1) ** 2, generator)
    assert "batch_dependence" in kinds(found)
    assert "reduction" in kinds(found)
    assert found.explanation is None


def test_a_sum_in_the_place_of_a_mean() -> None:
    found = dm.audit(lambda real, fake: softplus(-real).sum() + softplus(fake).sum(), generator)
    (problem,) = found.problems
    assert (problem.kind, problem.where) == ("reduction", "the critic's loss")
    assert "4 times the loss" in problem.message


def test_swapped_arguments_of_bce() -> None:
    """Gradient -1 on real logits and exactly 0 on fake ones, as in at least ten public repositories."""

    def swapped(real: Tensor, fake: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(torch.ones_like(real), real) + binary_cross_entropy_with_logits(
            torch.zeros_like(fake), fake
        )

    found = dm.audit(swapped, lambda fake: -fake.mean())
    assert kinds(found) == {"no_gradient", "unbounded"}
    assert {each.where for each in found.problems} == {"the critic's loss on samples", "the critic's loss"}


@pytest.mark.parametrize(
    ("pair", "claim", "truth"),
    [
        ((critic, generator), "minimax", "softened reverse KL"),
        ((lambda real, fake: fake.exp().mean() - real.mean(), lambda fake: -fake.mean()), "kl", "reverse KL"),
        ((critic, generator), "js", "softened reverse KL"),
        ((critic, lambda fake: -fake.mean()), "nonsaturating", "reverse KL"),
    ],
    ids=["documented as minimax", "KL with the tricky generator", "said to be js", "said to be non-saturating"],
)
def test_claims_that_do_not_hold(pair: tuple[Loss, Loss], claim: str, truth: str) -> None:
    found = dm.audit(*pair, claim=claim)
    (problem,) = found.problems
    assert problem.kind == "claim"
    assert truth in problem.message


def test_probabilities_that_are_rounded() -> None:
    """log(1 - sigmoid) in float32 is log 0 beyond a logit of 17; in float64 not before 37."""
    naive = lambda real, fake: -(real.sigmoid()).log().mean() - (1 - fake.sigmoid()).log().mean()  # noqa: E731
    for dtype, logit in ((torch.float32, 17.0), (torch.float64, 37.0)):
        (problem,) = dm.audit(naive, generator, dtype=dtype).problems
        assert problem.kind == "not_finite"
        assert problem.logit == pytest.approx(logit, abs=0.5)


@pytest.mark.parametrize(
    ("pair", "kind", "where"),
    [
        ((critic, lambda fake: -softplus(-fake).mean()), "wrong_way", "the generator's loss"),
        ((critic, lambda fake: fake.mean()), "wrong_way", "the generator's loss"),
        (
            (lambda real, fake: softplus(real).mean() + softplus(-fake).mean(), generator),
            "swapped",
            "the critic's loss",
        ),
        ((lambda real, fake: critic(real, fake.detach()), generator), "no_gradient", "the critic's loss on samples"),
        ((lambda real, fake: critic(real.detach(), fake), generator), "no_gradient", "the critic's loss on data"),
        ((critic, lambda fake: softplus(-fake.detach()).mean()), "no_gradient", "the generator's loss"),
        ((critic, lambda fake: torch.tensor(1.0)), "no_gradient", "the generator's loss"),
        ((lambda real, fake: critic(real, fake) + torch.rand(()), generator), "random", "the critic's loss"),
        ((lambda real, fake: -real.mean() + 0.5 * fake.mean(), generator), "unbounded", "the critic's loss"),
    ],
)
def test_other_mistakes(pair: tuple[Loss, Loss], kind: str, where: str) -> None:
    found = dm.audit(*pair)
    assert kind in kinds(found)
    assert where in {each.where for each in found.problems if each.kind == kind}
    n = len(found.problems)
    assert str(found).startswith(f"{n} problem{'s' if n > 1 else ''} found\n")
    assert not found.ok


# --- correct code ---------------------------------------------------------------------------------------------------------------

# Recipes that are what they are meant to be; the others are reported, and rightly so.
REPORTED = {"poole(kl)", "poole(js)", "poole(hellinger)", "poole(jeffreys)", "poole(kl, affine=0)", "lsgan(-1, 1, 0)",
            "clipped(nonsaturating, 10)", "epsilon(nonsaturating, 1e-8)"}  # fmt: skip
REGISTRY = [text for named in dm.recipes().values() for text in (named.examples or (named.name,))]
TRAINABLE = [text for text in REGISTRY if getattr(dm.recipe(text), "likelihood", None) is None]


@pytest.mark.parametrize("text", TRAINABLE)
def test_recipes_of_the_registry(text: str) -> None:
    r = dm.recipe(text)

    def last(real: Tensor, fake: Tensor) -> Tensor:
        return r.generator_loss(fake, **({"real": real} if r.needs_real else {}))

    found = dm.audit(lambda real, fake: r.critic_loss(real, fake), last, claim=None if r.needs_real else text)
    assert found.ok == (text not in REPORTED), str(found)
    if text in REPORTED:
        assert kinds(found) <= {"wrong_way", "dead_gradient"}


@pytest.mark.parametrize(
    "pair",
    [
        (lambda real, fake: bce(real, 1.0) + bce(fake, 0.0), lambda fake: bce(fake, 1.0)),
        (lambda real, fake: bce(real, 0.9) + bce(fake, 0.0), lambda real, fake: bce(fake, 1.0)),
        (lambda real, fake: ((real - 1) ** 2).mean() + (fake**2).mean(), lambda fake: ((fake - 1) ** 2).mean()),
        (lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(), lambda fake: -fake.mean()),
        (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean()),
        (lambda real, fake: softplus(fake - real).mean(), lambda real, fake: softplus(real - fake).mean()),
        (lambda real, fake: torch.cat([softplus(-real), softplus(fake)]).mean(), generator),
        (critic, lambda fake: -torch.nn.functional.logsigmoid(fake).mean()),
        (lambda real, fake: critic(real / 3, fake / 3), lambda fake: softplus(-fake / 3).mean()),
    ],
    ids=[
        "bce",
        "smoothed",
        "least squares",
        "hinge",
        "wgan",
        "relativistic",
        "concatenated",
        "logsigmoid",
        "temperature",
    ],
)
def test_correct_code(pair: tuple[Loss, Loss]) -> None:
    found = dm.audit(*pair)
    assert found.ok, str(found)
    assert str(found).startswith("no problem found")


def test_claims_that_hold() -> None:
    assert dm.audit(critic, generator, claim="nonsaturating").ok
    assert dm.audit(critic, generator, claim="srkl").ok
    hinge = (lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(), lambda fake: -fake.mean())
    assert dm.audit(*hinge, claim="hinge").ok
    assert dm.audit(*hinge, claim="tv").ok
    assert not dm.audit(*hinge, claim="wgan").ok
    kl = (lambda real, fake: fake.exp().mean() - real.mean(), lambda fake: -fake.exp().mean())
    assert dm.audit(*kl, claim="kl").ok


# --- bad input ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ((critic, 3), "must be a function"),
        ((critic, lambda fake: fake), "must return a scalar tensor; got"),
        ((critic, lambda fake: 1.0), "must return a scalar tensor; got float"),
        ((lambda a, b, c: a, generator), "takes 3 arguments"),
        ((lambda real, fake: 1 / 0, generator), "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_audited(pair: tuple[Loss, Loss], says: str) -> None:
    with pytest.raises(dm.DivminError, match=says) as caught:
        dm.audit(*pair)
    assert "\n" not in str(caught.value)


def test_a_claim_that_names_nothing() -> None:
    with pytest.raises(dm.DivminError, match="neither a recipe nor a divergence"):
        dm.audit(critic, generator, claim="nonsense")
