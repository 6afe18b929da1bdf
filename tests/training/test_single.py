"""Gradients of single moves: those of training, at weights that stand still."""

from __future__ import annotations

import pytest
import torch

from divmin.training import Probe, TrainConfig, gradients
from divmin.training.randomness import seeded


def told(network):
    return torch.cat([each.flatten() for each in network.parameters()])


@pytest.mark.parametrize("of", ["generator", "critic"])
def test_only_the_one_that_moves_is_told(lab, of):
    parts = lab.parts()
    config = TrainConfig(batch_size=8, device="cpu")
    before = told(parts["pair"].generator).clone(), told(parts["pair"].critic).clone()
    seen = []
    probe = Probe(1, lambda view: None, scores=lambda step, real, fake: seen.append((real, fake)))
    found = gradients(config, **parts, of=of, moves=3, probes=[probe])
    assert {name: bool(each.any()) for name, each in found.items()} == {
        "generator": of == "generator",
        "critic": of == "critic",
    }
    assert found[of].shape == (3, len(told(getattr(parts["pair"], of)))) and not torch.equal(found[of][0], found[of][1])
    assert torch.equal(before[0], told(parts["pair"].generator)) and torch.equal(before[1], told(parts["pair"].critic))
    assert all(each.grad is None for each in parts["pair"].generator.parameters())
    assert len(seen) == (3 if of == "critic" else 0)


def test_the_first_move_is_that_of_a_run(lab):
    parts = lab.parts()
    found = gradients(TrainConfig(batch_size=8, device="cpu", seed=3), **parts)["generator"][0]
    pair = parts["pair"]
    z = torch.randn(8, 3, generator=seeded(3, "noise"))
    loss = parts["recipe"].generator_loss(pair.critic(pair.generator(z)).flatten())
    wanted = torch.autograd.grad(loss, list(pair.generator.parameters()))
    torch.testing.assert_close(found.float(), torch.cat([each.flatten() for each in wanted]))
