"""Recipes that ask more of the loop than one loss a sample."""

from __future__ import annotations

import pytest
import torch

import divmin as dm
from divmin.training import checkpoint, resume


@pytest.mark.parametrize("name", ["rpgan", "ragan"])
def test_relativistic_recipes_train_and_resume_bitwise(lab, same, name):
    def parts():
        return {**lab.parts(), "recipe": dm.recipe(name)}

    settings = {"accumulate": 1 if name == "ragan" else 2, "critic_steps": 2}
    whole = lab.train("whole", parts=parts(), steps=8, **settings)
    half = lab.train("half", parts=parts(), steps=4, **settings)
    resumed = resume(half.folder, steps=8, **parts())
    one, other = (checkpoint.read(run.checkpoint) for run in (whole, resumed))
    assert same(one["generator"], other["generator"])
    assert same(one["critic"], other["critic"])


def test_the_generator_of_a_pairing_sees_the_data_of_the_last_critic_step(lab):
    """Its loss falls with the scores of data: an unpaired generator loss would not know them."""
    seen = []
    r = dm.recipe("rpgan")

    class Watching:
        name, needs_real = "watching", True
        critic_loss = staticmethod(r.critic_loss)

        @staticmethod
        def generator_loss(fake, *, real):
            seen.append(real)
            return r.generator_loss(fake, real=real)

    lab.train("run", parts={**lab.parts(), "recipe": Watching()}, steps=3, accumulate=2)
    shapes = [(real.shape, real.requires_grad) for real in seen[1:]]  # after the rehearsal
    assert shapes == [(torch.Size([4]), False)] * 6
    assert [len(real.unique()) for real in seen[1:]] == [4] * 6  # scores of samples that differ, each batch of its own
    assert len(torch.cat(seen[1:]).unique()) == 24


def names():
    """Every example of every recipe of the registry, and expressions that need not be in it."""
    examples = [text for named in dm.recipes().values() for text in (named.examples or (named.name,))]
    return [
        *examples,
        "fgan(soften(reverse(kl)))",
        "hybrid(0.5*kl + 0.5*reverse_kl, power(1.5))",
        "poole(power(0.3), affine=0.5)",
    ]


@pytest.mark.parametrize("name", names())
def test_every_recipe_trains(lab, name):
    run = lab.train("run", parts={**lab.parts("vae"), "recipe": dm.recipe(name)}, steps=4, log_every=2)
    assert (run.state, run.step, len(run.records())) == ("finished", 4, 2)
    before = lab.pair("vae")
    after = checkpoint.read(run.checkpoint)
    assert any(not torch.equal(value, after["generator"][key]) for key, value in before.generator.state_dict().items())


def test_two_functions_of_the_user_train_as_the_recipe_that_they_are(tmp_path, same):
    from torch.nn.functional import softplus

    mine = dm.Own(
        lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
        lambda fake: softplus(-fake).mean(),
        name="mine",
    )
    settings = {"data": "ring", "model": "mlp", "width": 8, "steps": 5, "device": "cpu"}
    own = dm.train(dm.TrainConfig(**settings, out=f"{tmp_path}/own"), recipe=mine, show=False)
    named = dm.train(dm.TrainConfig(**settings, recipe="nonsaturating", out=f"{tmp_path}/named"), show=False)
    one, other = (checkpoint.read(run.checkpoint) for run in (own, named))
    for key, value in one["generator"].items():
        torch.testing.assert_close(value, other["generator"][key])
    assert own.config.recipe == "mine" and (own.folder / "divergence.png").exists()  # explained by calling them
    with pytest.raises(dm.DivminError, match="was trained with its own recipe: pass it again as recipe="):
        dm.resume(own.folder, steps=8, show=False)
    assert dm.resume(own.folder, steps=8, recipe=mine, show=False).step == 8


def test_a_generator_loss_of_two_arguments_gets_data_too(lab):
    r = dm.recipe("rpgan")
    mine = dm.Own(r.critic_loss, lambda real, fake: r.generator_loss(fake, real=real), name="mine")
    assert mine.needs_real and not dm.Own(r.critic_loss, lambda fake: fake.mean()).needs_real
    runs = [lab.train(name, parts={**lab.parts(), "recipe": losses}) for name, losses in (("a", mine), ("b", r))]
    one, other = (checkpoint.read(run.checkpoint)["generator"] for run in runs)
    assert all(torch.equal(value, other[key]) for key, value in one.items())
    assert dm.audit(mine.critic_loss, mine.generator_loss).explanation is None  # it compares, as rpgan does


def test_recipes_with_a_data_term_need_an_encoder(lab):
    with pytest.raises(
        dm.DivminError, match="sdkl has a term in the model's likelihood of the data, which needs an encoder"
    ):
        lab.train("run", parts={**lab.parts(), "recipe": dm.recipe("sdkl")})
    assert not (lab.root / "run").exists()
