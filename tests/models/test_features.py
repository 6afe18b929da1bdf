"""Critics cut in two behind a hidden layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models import BergerCritic, FeatureCritic, LayeredCritic, build

HIDDEN = {  # for width 8: of the second hidden layer, second convolution or second block
    "mlp-2": (8,),
    "mlp-1x8x8": (8,),
    "mlp-3x6x4": (8,),
    "dcgan-1x8x8": (16, 2, 2),
    "dcgan-3x13x13": (16, 4, 4),
    "dcgan-1x28x28": (16, 7, 7),
    "dcgan-3x64x64": (16, 16, 16),
    "resnet-1x16x16": (8, 4, 4),
    "resnet-3x32x32": (8, 8, 8),
    "resnet-1x64x64": (8, 16, 16),
    "ali-1x32x32": (16, 13, 13),
    "berger-1x16x16": (24, 8, 8),
    "berger-3x32x32": (24, 16, 16),
    "berger-1x64x64": (24, 32, 32),
}


def test_head_after_features_is_the_critic(case):
    critic = case.build().critic.eval()
    assert isinstance(critic, FeatureCritic)
    samples = case.samples(3)
    h = critic.features(samples)
    assert h.shape == (3, *HIDDEN[str(case)])
    assert h.min() < 0 < h.max()  # before the activation
    assert torch.equal(critic.head(h), critic(samples))


def test_the_head_alone_gets_the_gradient_of_the_head(case):
    critic = case.build().critic.eval()
    h = critic.features(case.samples(4)).detach().requires_grad_()
    critic.head(h).sum().backward()
    assert h.grad.any()
    reached = {key for key, parameter in critic.named_parameters() if parameter.grad is not None}
    own = {key for key, _ in critic.named_parameters() if int(key.split(".")[1]) >= critic.cut}
    assert reached == own
    assert 0 < len(own) < len(list(critic.parameters()))


def test_before_and_after_the_activation():
    """The same weights, and the ELU on one side of the cut or the other."""
    before, after = BergerCritic((1, 16, 16), width=4), BergerCritic((1, 16, 16), width=4, activated=True)
    after.load_state_dict(before.state_dict())
    images = torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(nn.functional.elu(before.features(images)), after.features(images))
    assert torch.equal(before(images), after(images))
    before.cut = after.cut
    assert torch.equal(before.features(images), after.features(images))
    assert torch.equal(before(images), after(images))


def test_a_plain_critic_has_no_features():
    assert not isinstance(nn.Sequential(nn.Linear(2, 1)), FeatureCritic)
    assert not isinstance(build("mlp", shape=(2,)).generator, FeatureCritic)


@pytest.mark.parametrize("cut", [0, 2, -1])
def test_both_sides_need_layers(cut):
    with pytest.raises(DivminError, match=f"cut is {cut}: expected 1 to 1, for 2 layers"):
        LayeredCritic([nn.Linear(2, 3), nn.Linear(3, 1)], cut=cut)
