"""The auditor sees which way losses push, also where there is no ratio to tell: without an optimum, relativistic, coupled."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss, relu, softplus

import divmin as dm

Loss = Callable[..., Tensor]


def critic(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def generator(fake: Tensor) -> Tensor:
    return softplus(-fake).mean()


def wasserstein(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    return relu(1 - real).mean() + relu(1 + fake).mean()


def paired(better: Tensor, worse: Tensor) -> Tensor:
    return softplus(worse - better).mean()


def averaged(better: Tensor, worse: Tensor) -> Tensor:
    return softplus(worse.mean() - better).mean() + softplus(worse - better.mean()).mean()


def turned(loss: Loss) -> Loss:
    return lambda real, fake: loss(fake, real)


def raised(fake: Tensor) -> Tensor:
    return -fake.mean()


def lowered(fake: Tensor) -> Tensor:
    return fake.mean()


@pytest.mark.parametrize(
    ("pair", "claim", "kinds", "says"),
    [
        ((wasserstein, lowered), None, {"wrong_way"}, "pushes all samples away"),
        ((wasserstein, lowered), "wgan", {"wrong_way"}, "pushes all samples away"),
        ((turned(wasserstein), raised), None, {"swapped"}, "data and samples look swapped"),
        ((hinge, lowered), None, {"wrong_way"}, "u = 1"),
        ((turned(hinge), raised), None, {"swapped"}, "look swapped"),
        ((turned(critic), generator), None, {"swapped"}, "look swapped"),
        ((lambda real, fake: generator(real) + generator(fake), generator), None, {"wrong_way"}, "is a minus missing"),
        ((paired, paired), None, {"wrong_way"}, "with its two arguments swapped it would not"),
        ((paired, paired), "rpgan", {"wrong_way", "claim"}, "the gradient of the generator's loss is another"),
        ((turned(paired), turned(paired)), "rpgan", {"swapped", "claim"}, "look swapped"),
        ((averaged, averaged), "ragan", {"wrong_way", "claim"}, "with its two arguments swapped"),
        ((averaged, turned(averaged)), "rpgan", {"claim"}, "the critic's loss and of the generator's loss"),
        ((paired, turned(paired)), "nonsaturating", {"claim"}, "couples the batch"),
        ((paired, turned(paired)), "kl", {"claim"}, "couples the batch"),
        ((paired, generator), None, {"batch_dependence"}, "the level of the critic's outputs"),
        ((lambda r, f: relu(1 - r.mean()) + relu(1 + f.mean()), raised), None, {"batch_dependence"}, "cannot be said"),
        ((critic, lambda fake: softplus(-fake).max()), None, {"batch_dependence"}, "a maximum"),
        ((critic, lambda fake: softplus(fake).max()), None, {"batch_dependence", "wrong_way"}, "away from the data"),
        ((critic, lambda fake: softplus(-fake.topk(4).values).mean()), None, {"batch_dependence", "reduction"}, ""),
        ((critic, lambda fake: generator(fake) + fake.std()), None, {"batch_dependence", "reduction"}, ""),
    ],
)  # fmt: skip
def test_what_pushes_the_wrong_way(pair: tuple[Loss, Loss], claim: str | None, kinds: set[str], says: str) -> None:
    found = dm.audit(*pair, claim=claim)
    assert {each.kind for each in found.problems} == kinds, str(found)
    assert any(says in each.message for each in found.problems), str(found)


@pytest.mark.parametrize(
    ("pair", "claim"),
    [
        ((turned(wasserstein), lowered), "wgan"),
        ((paired, turned(paired)), "rpgan"),
        ((turned(paired), paired), "rpgan"),
        ((averaged, turned(averaged)), "ragan"),
        ((lambda r, f: averaged(r, f) / 2, lambda r, f: averaged(f, r.detach()) / 2), "ragan"),
        ((paired, raised), None),
        ((lambda r, f: softplus(-r).sum() / 8 + softplus(f).sum() / 8, generator), None),
    ],
)
def test_what_is_right_whichever_way_it_is_written(pair: tuple[Loss, Loss], claim: str | None) -> None:
    found = dm.audit(*pair, claim=claim)
    assert {each.kind for each in found.problems} <= {"reduction"}, str(found)


@pytest.mark.parametrize(
    ("pair", "where", "side"),
    [
        ((critic, lambda fake: fake.log().mean()), "the generator's loss", "fake"),
        ((lambda real, fake: softplus(fake).mean() - real.log().mean(), generator), "the critic's loss on data", "real"),
    ],
)  # fmt: skip
def test_nan_is_not_taken_for_randomness(pair: tuple[Loss, Loss], where: str, side: str) -> None:
    (problem,) = dm.audit(*pair).problems
    assert (problem.kind, problem.where) == ("not_finite", where)
    assert problem.message == f"is NaN: it has no finite value at {side} logits from -8 to 0"


def test_targets_of_one_column() -> None:
    """Public code makes its targets with torch.ones(B, 1); mse_loss broadcasts against that, with a warning."""

    def ones(x: Tensor) -> Tensor:
        return torch.ones(len(x), 1)

    def bce(x: Tensor, target: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(x, target)

    pair = (lambda real, fake: bce(real, ones(real)) + bce(fake, 0 * ones(fake)), lambda fake: bce(fake, ones(fake)))
    assert dm.audit(*pair, claim="nonsaturating").ok
    squares = (
        lambda real, fake: mse_loss(real, ones(real)) + mse_loss(fake, 0 * ones(fake)),
        lambda fake: mse_loss(fake, ones(fake)),
    )
    assert dm.audit(*squares, claim="lsgan").ok


def test_shapes_that_fit_nothing_are_told() -> None:
    with pytest.raises(dm.DivminError, match=r"critic_loss failed on .* of shape \[8\].*shape \[B\] and \[B, 1\]"):
        dm.audit(lambda real, fake: (real @ torch.ones(3)).mean(), generator)


def test_no_batch_is_too_small_for_what_is_common() -> None:
    """A standard deviation of one logit is NaN, with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert dm.audit(critic, lambda fake: generator(fake) + 0 * fake.std() + 0 * fake.topk(4).values.sum()).ok


def test_an_infinite_loss() -> None:
    (problem, *_) = dm.audit(lambda real, fake: critic(real, fake) * float("inf"), generator).problems
    assert problem.message.startswith("is infinite")


def test_a_wrong_claim_is_refused_before_anything_is_looked_at() -> None:
    with pytest.raises(dm.DivminError, match="neither a recipe nor a divergence"):
        dm.audit(critic, lambda fake: fake.log().mean(), claim="nonsense")
