"""Spectral normalisation of any critic."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import FeatureCritic, build, spectral_norm

LINEAR = (nn.Linear, nn.modules.conv._ConvNd)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def norms(network: nn.Module, steps: int = 0) -> list[float]:
    """The largest singular value of every layer's weight as a matrix [out, ...], after steps of the power iteration."""
    found = []
    for layer in network.modules():
        if isinstance(layer, LINEAR):
            for _ in range(steps):
                weight = layer.weight  # reading it takes a step
            weight = layer.weight.detach()
            weight = weight.transpose(0, 1) if isinstance(layer, TRANSPOSED) else weight
            found.append(torch.linalg.matrix_norm(weight.flatten(1), 2).item())
    return found


def test_every_layer_has_norm_one(case):
    critic = case.build().critic
    plain = norms(critic)
    assert max(abs(norm - 1) for norm in plain) > 0.05
    assert spectral_norm(critic) is critic
    found = norms(critic, steps=100)
    assert len(found) == len(plain)
    assert max(abs(norm - 1) for norm in found) < 0.01
    assert isinstance(critic, FeatureCritic)
    assert critic(case.samples(2)).shape == (2,)


def test_transposed_convolutions_too():
    generator = spectral_norm(build("dcgan", shape=(1, 8, 8), latent=4, width=4).generator)
    assert max(abs(norm - 1) for norm in norms(generator, steps=100)) < 0.01


def test_states_go_into_another_network_and_back(case):
    one, two = (spectral_norm(case.build(seed=seed).critic, seed=seed) for seed in (1, 2))
    samples = case.samples(3)
    one(samples)
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    file.seek(0)
    two.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(one.eval()(samples), two.eval()(samples))
    assert [*one.state_dict()] == [*two.state_dict()]
    assert all(torch.equal(value, two.state_dict()[key]) for key, value in one.state_dict().items())


def test_evaluation_changes_nothing_and_training_iterates():
    critic = spectral_norm(build("mlp", shape=(2,), width=8).critic)
    x = torch.ones(3, 2)
    before = {key: value.clone() for key, value in critic.state_dict().items()}
    critic.eval()(x)
    assert all(torch.equal(value, before[key]) for key, value in critic.state_dict().items())
    critic.train()(x)
    changed = {key for key, value in critic.state_dict().items() if not torch.equal(value, before[key])}
    assert changed
    assert all(key.endswith(("._u", "._v")) for key in changed)


def test_the_critic_becomes_lipschitz():
    critic = build("mlp", shape=(2,), width=32, seed=3).critic
    for parameter in critic.parameters():
        parameter.data.mul_(10)
    x, y = torch.randn(2, 256, 2, generator=torch.Generator().manual_seed(0))
    steepest = ((critic(x) - critic(y)).abs() / (x - y).norm(dim=1)).max()
    assert steepest > 10
    spectral_norm(critic)
    for _ in range(50):
        critic(x)
    assert ((critic(x) - critic(y)).abs() / (x - y).norm(dim=1)).max() < 1.01


def test_the_start_depends_on_the_seed_alone():
    before = torch.random.get_rng_state()
    one = spectral_norm(build("mlp", shape=(2,), width=4).critic, seed=1).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(2)
    two, three = (spectral_norm(build("mlp", shape=(2,), width=4).critic, seed=seed).state_dict() for seed in (1, 2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert any(not torch.equal(one[key], three[key]) for key in one)


def test_twice_is_once():
    critic = spectral_norm(build("mlp", shape=(2,), width=4).critic)
    before = {key: value.clone() for key, value in critic.state_dict().items()}
    again = spectral_norm(critic).state_dict()
    assert all(torch.equal(again[key], value) for key, value in before.items())
    assert len(again) == len(before)


def test_nothing_to_normalise():
    with pytest.raises(DivminError, match="without linear or convolutional layers"):
        spectral_norm(nn.ReLU())
    with pytest.raises(DivminError, match="weights on meta: normalise on the CPU"):
        spectral_norm(nn.Linear(2, 1, device="meta"))
