"""Parts of data, separation, pulls and sentences of a fresh critic."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import divmin as dm
from divmin.adversary import Contest, Look, Norm, Settings, fresh, separation, some, split, verdict
from divmin.adversary.contest import schedule
from divmin.adversary.pulls import OF_D, norms, pull_of
from divmin.adversary.separation import BLIND
from divmin.training import TrainConfig


def test_parts_share_nothing() -> None:
    for name in ("ring", "digits"):
        parts = split(dm.data.load(name), 200, seed=3)
        learned = torch.arange(parts.start, parts.start + 10**6) if parts.learned is None else parts.learned
        for one, other in ((learned, parts.chosen), (learned, parts.scored), (parts.chosen, parts.scored)):
            assert not set(one.tolist()) & set(other.tolist())
        assert len(parts.chosen) == len(parts.scored) == 200


def test_batches_follow_the_seed_and_stay_in_their_part() -> None:
    source = dm.data.from_array(torch.arange(100.0)[:, None], name="numbers")
    one, same, other = (split(source, None, seed) for seed in (0, 0, 1))
    assert torch.equal(one.batch(30, 64), same.batch(30, 64)) and not torch.equal(one.scored, other.scored)
    assert one.learned is not None
    assert set(one.batch(0, 200).flatten().long().tolist()) == set(one.learned.tolist())


def test_too_few_and_too_many() -> None:
    small = dm.data.from_array(torch.zeros(39, 2), name="small")
    with pytest.raises(dm.DivminError, match="has 39 samples: a fresh critic needs at least 40"):
        split(small, None, 0)
    with pytest.raises(dm.DivminError, match="a quarter of digits has 449 samples"):
        split(dm.data.load("digits"), 450, 0)
    with pytest.raises(dm.DivminError, match="n is 40: small has 39"):
        some(small, 40, 0)


def test_separation_of_normal_laws() -> None:
    random = np.random.default_rng(0)
    found = [separation(random.normal(1, 1, 400) - 0.5, random.normal(0, 1, 500) - 0.5) for _ in range(300)]
    truth = 0.5 * (1 + math.erf(1 / math.sqrt(2) / math.sqrt(2)))  # Phi(1/sqrt 2)
    aucs = np.array([each.auc for each in found])
    assert aucs.mean() == pytest.approx(truth, abs=0.003)
    assert np.mean([each.auc_stderr for each in found]) == pytest.approx(aucs.std(), rel=0.1)
    js = dm.exact("js", dm.law("normal(1, 1)"), dm.law("normal(0, 1)")).value
    assert np.mean([each.loss for each in found]) == pytest.approx(BLIND - 2 * js, abs=0.01)
    blind = separation(np.zeros(20), np.zeros(30))
    assert (blind.loss, blind.accuracy, blind.auc) == (pytest.approx(BLIND), 0.5, 0.5)


@pytest.mark.parametrize("recipe", ["minimax", "nonsaturating", "lsgan", "fgan(kl)", "rpgan", "huszar"])
def test_the_pull_of_a_recipe_is_the_weight_of_what_it_minimises(recipe: str) -> None:
    found = dm.explain(recipe)
    pull = pull_of(dm.recipe(recipe), found)
    assert pull is not None
    d = torch.linspace(-5, 3, 9, dtype=torch.float64)
    if recipe == "rpgan":  # pairs: sigma(real - fake)
        torch.testing.assert_close(pull(d, d + 1), torch.full_like(d, 1 / (1 + math.exp(-1))))
    else:
        torch.testing.assert_close(pull(d, d), torch.as_tensor(found.weight(d)), rtol=1e-5, atol=1e-12)


def test_losses_whose_pull_is_no_function_of_d_have_none() -> None:
    assert pull_of(dm.recipe("wgan"), dm.explain("wgan")) is None
    assert (
        pull_of(dm.recipe("berger_kl"), dm.explain("berger_kl")) is None
    )  # the generator's adversarial loss is constant
    assert pull_of(None, None) is None


def test_norms_are_those_of_autograd_and_survive_a_perfect_critic() -> None:
    torch.manual_seed(0)
    generator, critic = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 2)), nn.Linear(2, 1)
    z = torch.randn(16, 2)
    found = norms(generator, critic, [z], torch.zeros(16), OF_D)
    for name, loss in (
        ("saturating", lambda c: -nn.functional.softplus(c)),
        ("non-saturating", lambda c: nn.functional.softplus(-c)),
    ):
        slopes = torch.autograd.grad(loss(critic(generator(z))).mean(), list(generator.parameters()))
        expected = math.sqrt(sum(float(each.square().sum()) for each in slopes))
        assert found[name].mean == pytest.approx(expected, rel=1e-5) and found[name].sd == 0
    assert all(weight.grad is None for weight in generator.parameters())
    with torch.no_grad():
        critic.bias.fill_(-300.0)  # sigma(-300) is far below the least float32
    tiny = norms(generator, critic, [z], torch.zeros(16), OF_D)["saturating"].mean
    assert -133 < math.log10(tiny) < -127


def test_fresh_weights() -> None:
    config = TrainConfig(model="mlp", width=8, packing=2, batch_size=8)
    one, same, other = (fresh(config, (2,), seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[key], same[key]) for key in one) and not torch.equal(
        one["layers.0.weight"], other["layers.0.weight"]
    )
    assert one["layers.0.weight"].shape == (8, 2)  # single samples

    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.ones(2))

    mine = dm.models.Pair(nn.Linear(2, 2), Bare(), latent=2, shape=(2,), name="mine")
    with pytest.raises(dm.DivminError, match=r"Bare has weights and no reset_parameters\(\)"):
        fresh(TrainConfig(), (2,), pair=mine)
    with pytest.raises(dm.DivminError, match="width is for a model by name"):
        fresh(TrainConfig(), (2,), pair=mine, width=3)


def test_steps_of_looks() -> None:
    assert schedule(1) == [0, 1] and schedule(1000)[-1] == 1000 and len(schedule(10**4)) == 32


def look(step: int, loss: float, training: float, **lengths: tuple[float, float]) -> Look:
    named = {
        "saturating": (1.0, 0.1),
        "non-saturating": (1.0, 0.1),
        **{k.replace("_", "-"): v for k, v in lengths.items()},
    }
    return Look(step, training, loss, 0.9, {name: Norm(*each) for name, each in named.items()})


def test_sentences() -> None:
    apart = separation(np.full(50, 9.0), np.full(50, -9.0))
    looks = (
        look(0, BLIND, BLIND),
        look(10, 0.1, 0.1, saturating=(2.0, 0.2)),
        look(100, 1e-4, 1e-4, saturating=(1e-3, 1e-4), own=(1e-3, 1e-4)),
    )
    looks = tuple(replace(each, gradients={"own": Norm(1.0, 0.1), **each.gradients}) for each in looks)
    one = Contest(looks, 100, (0.0, 1.0), "mlp", "minimax", Settings(steps=100), "ring")
    said = "\n".join(verdict(apart, one))
    assert "held-out loss below 10% of 2 log 2 at step 10, below 1% at step 100" in said
    assert "from step 10, where that of E log(1 - D) was longest, to step 100" in said
    assert "E log(1 - D) fell by a factor of 2e+03" in said and "stands still: so does the run's own loss" in said
    wild = replace(
        one, looks=(*looks[:2], replace(looks[2], gradients={**looks[2].gradients, "non-saturating": Norm(40.0, 50.0)}))
    )
    assert "gets large or uncertain" in "\n".join(verdict(apart, wild))
    heart = Contest(
        (look(0, BLIND, BLIND), look(10, 1.0, 0.9), look(100, 2.0, 0.1)),
        10,
        (0.0, 1.0),
        "mlp",
        "minimax",
        Settings(steps=100),
        "ring",
    )
    partly = separation(np.linspace(-1, 2, 50), np.linspace(-2, 1, 50))
    said = "\n".join(verdict(partly, heart))
    assert "lowest at step 10 (1) and rose to 2" in said and "learned this by heart" in said
    assert "not reached in 100 steps" in said
    rising = replace(heart, looks=(heart.looks[0], look(10, 1.0, 0.9, saturating=(2.0, 0.5))))
    assert "longest at the last look (2 +- 0.5 between batches; of -E log D 1 +- 0.1)" in "\n".join(
        verdict(partly, rising)
    )
    assert verdict(partly, None)[0].startswith(
        "the run's own critic, on 50 data and 50 samples, tells them apart in part"
    )
    sure = separation(np.linspace(-100, 200, 50), np.linspace(-200, 100, 50))
    assert "too sure of itself" in verdict(sure, None)[0]
