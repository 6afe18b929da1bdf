"""Laws of every architecture: shapes, seeds, gradients, widths, and errors."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import Model, Parameters, build, count, models, register


def test_shapes_and_ranges(case):
    pair = case.build()
    samples = pair.generator(case.noise(4))
    assert samples.shape == (4, *case.shape)
    if len(case.shape) == 3:
        assert samples.abs().max() <= 1
    assert pair.critic(samples).shape == (4,)
    assert (pair.latent, pair.shape, pair.name, pair.packing) == (case.latent, case.shape, case.model.name, 1)
    assert pair.encoder is None


def test_an_encoder_goes_back_to_noise(case_with_encoder):
    case = case_with_encoder
    encoder = case.build(encoder=True).encoder.eval()
    codes = encoder(case.samples(4))
    assert codes.shape == (4, 2 * case.latent)
    assert codes.std(0).min() > 0  # every number of the code depends on the sample


def test_weights_depend_on_the_seed_alone(case):
    before = torch.random.get_rng_state()
    with_encoder = case.model.encoder is not None
    first = case.build(seed=1, encoder=with_encoder)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(3)
    again, other = case.build(seed=1, encoder=with_encoder), case.build(seed=2, encoder=with_encoder)
    for part in ("generator", "critic", "encoder")[: 3 if with_encoder else 2]:
        one, two, three = (getattr(pair, part).state_dict() for pair in (first, again, other))
        assert all(torch.equal(one[key], two[key]) for key in one)
        assert any(not torch.equal(one[key], three[key]) for key in one)


def test_an_encoder_changes_nothing_else(case_with_encoder):
    plain, more = case_with_encoder.build(), case_with_encoder.build(encoder=True)
    for part in ("generator", "critic"):
        one, two = getattr(plain, part).state_dict(), getattr(more, part).state_dict()
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_gradient_reaches_every_parameter(case):
    pair = case.build(encoder=case.model.encoder is not None)
    with torch.random.fork_rng(devices=[]):  # for dropout
        torch.manual_seed(0)
        samples = pair.generator(case.noise(16))
        # Scores of untrained networks can be as small as 1e-7; what counts is that there is a gradient.
        (pair.critic(samples) * 1e6).square().sum().backward()
        if pair.encoder is not None:
            pair.encoder(samples.detach()).square().sum().backward()
    for network in filter(None, (pair.generator, pair.critic, pair.encoder)):
        for key, parameter in network.named_parameters():
            assert parameter.grad is not None, key
            assert parameter.grad.isfinite().all(), key
            assert parameter.grad.any(), key


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluating"])
def test_a_critic_sees_no_other_sample(case, training):
    """Exactly, also in training mode: dropout makes a score random, but does not mix samples."""
    critic = case.build().critic.train(training)
    samples = case.samples(6).requires_grad_()
    scores = critic(samples)
    (slope,) = torch.autograd.grad(scores[2], samples)
    assert slope[2].any()
    assert not slope[[0, 1, 3, 4, 5]].any()


def test_a_critic_scores_each_sample_on_its_own(case):
    """In evaluation mode; in training mode the scores of a critic with dropout are random by design, which only ali's is."""
    critic = case.build().critic
    random = any(isinstance(layer, nn.Dropout) for layer in critic.modules())
    assert random == (case.model.name == "ali")
    assert not list(critic.buffers())
    samples = case.samples(8)
    for _ in range(2):
        critic.train(not random and not critic.training)
        together = critic(samples)
        alone = torch.cat([critic(sample) for sample in samples.split(1)])
        torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)
        assert together.std() > 0


def test_wider_networks_have_more_parameters(case):
    width = case.model.width
    wider = [count(case.model.name, shape=case.shape, width=each) for each in (1, 2, 3, 4, 8, 16, width, 2 * width)]
    wider = sorted(set(wider), key=lambda parameters: parameters.generator)
    for part in ("generator", "critic", "encoder")[: 3 if case.model.encoder is not None else 2]:
        numbers = [getattr(parameters, part) for parameters in wider]
        assert all(less < more for less, more in pairwise(numbers))
    assert count(case.model.name, shape=case.shape) == count(
        case.model.name, shape=case.shape, width=width, latent=case.model.latent
    )


def test_counting_draws_nothing_and_counts_what_is_built(case):
    before = torch.random.get_rng_state()
    found = count(case.model.name, shape=case.shape, width=case.width, latent=case.latent)
    assert torch.equal(before, torch.random.get_rng_state())
    pair = case.build(encoder=case.model.encoder is not None)
    networks = (pair.generator, pair.critic, pair.encoder)
    assert found == Parameters(*(n and sum(parameter.numel() for parameter in n.parameters()) for n in networks))


@pytest.mark.parametrize("name", models())
def test_the_narrowest_networks_work(name):
    model = models()[name]
    shape = (2,) if model.sizes is None else (1, model.sizes[0], model.sizes[0])
    pair = build(name, shape=shape, latent=1, width=1, encoder=model.encoder is not None)
    samples = pair.generator(torch.zeros(2, 1))
    assert samples.shape == (2, *shape)
    assert pair.critic(samples).shape == (2,)
    assert pair.encoder is None or pair.encoder(samples).shape == (2, 2)


def test_defaults_are_those_of_the_registry():
    pair = build("mlp", shape=(2,))
    assert pair.latent == models()["mlp"].latent
    assert pair.generator.layers[0].out_features == models()["mlp"].width
    for model in models().values():
        assert model.summary
        assert model.makes


@pytest.mark.parametrize(
    ("name", "shape", "sizes", "says"),
    [
        ("dcgna", (1, 8, 8), {}, "did you mean dcgan"),
        ("dcgan", (2,), {}, "square images.*try mlp"),
        ("dcgan", (1, 8, 9), {}, "square images"),
        ("dcgan", (2, 8, 8), {}, "2 channels: it needs 1 or 3"),
        ("dcgan", (1, 7, 7), {}, "7 pixels: it needs 8 to 64"),
        ("dcgan", (3, 65, 65), {}, "65 pixels"),
        ("resnet", (1, 28, 28), {}, "28 pixels: it needs 16, 32, 64; choose such an image_size"),
        ("ali", (3, 64, 64), {}, "64 pixels: it needs 32; choose such an image_size"),
        ("berger", (3, 128, 128), {}, "128 pixels: it needs 16, 32, 64"),
        ("berger", (4, 64, 64), {}, "4 channels: it needs 1 or 3"),
        ("resnet", (3, 32, 32), {"encoder": True}, "resnet has no encoder: use one of ali, berger, dcgan, mlp"),
        ("mlp", (), {}, "sample shape"),
        ("mlp", (0,), {}, "sample shape"),
        ("mlp", (2,), {"latent": 0}, "latent is 0"),
        ("mlp", (2,), {"width": -1}, "width is -1"),
        ("mlp", (2,), {"packing": 0}, "packing is 0: expected a whole number of at least 1"),
    ],
)
def test_impossible_models(name, shape, sizes, says):
    with pytest.raises(DivminError, match=says) as caught:
        build(name, shape=shape, **sizes)
    assert "\n" not in str(caught.value)


def test_a_name_is_taken_once():
    found = models()["mlp"]
    with pytest.raises(DivminError, match="two models"):
        register(Model("mlp", "another", found.generator, found.critic))
    assert models()["mlp"] is found


def test_weights_are_the_same_in_another_process():
    code = (
        "from divmin.models import build; p = build('dcgan', shape=(1, 8, 8), latent=4, width=4, seed=3);"
        "print(float(sum(v.double().sum() for v in p.critic.state_dict().values())))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    state = build("dcgan", shape=(1, 8, 8), latent=4, width=4, seed=3).critic.state_dict()
    assert float(found.stdout) == float(sum(value.double().sum() for value in state.values()))
