"""The layers of a network as a forward pass meets them."""

from __future__ import annotations

import pytest
from torch import nn

from divmin.models import build, count, outline


@pytest.mark.parametrize("part", ["generator", "critic", "encoder"])
def test_the_layers_have_all_parameters(part):
    x = (64,) if part == "generator" else (1, 16, 16)

    def network() -> nn.Module:
        return getattr(build("berger", shape=(1, 16, 16), width=8, latent=64, encoder=True), part)

    layers = outline(network, x)
    assert sum(layer.parameters for layer in layers) == getattr(
        count("berger", shape=(1, 16, 16), width=8, latent=64), part
    )
    assert layers[0].before == x


def test_order_is_that_of_the_pass():
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(3, 4)

        def forward(self, x):
            return self.last(self.first(x))

    assert [layer.after for layer in outline(Backwards, (3,))] == [(4,), (2,)]
