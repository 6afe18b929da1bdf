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


def test_recipes_with_a_data_term_are_refused_before_any_work(lab):
    with pytest.raises(dm.DivminError, match="sdkl has a term in the model's likelihood"):
        lab.train("run", parts={**lab.parts(), "recipe": dm.recipe("sdkl")})
    assert not (lab.root / "run").exists()
