"""A critic that is a row of layers, cut in two behind one of them."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from divmin.errors import DivminError


class LayeredCritic(nn.Module):
    """Layers one after the other; the first `cut` of them are the features, the others the head.

    `cut` is no weight: it may be changed at any time and is no part of the state_dict.

    Args:
        layers: from samples [n, *shape] to [n, 1].
        cut: how many layers lie before the hidden layer h, from 1 to one less than there are.

    Raises:
        DivminError: a cut that leaves one side without layers.

    Example:
        >>> import torch
        >>> critic = LayeredCritic([nn.Linear(2, 5), nn.ELU(), nn.Linear(5, 1)], cut=1)
        >>> x = torch.zeros(4, 2)
        >>> critic.features(x).shape, torch.equal(critic(x), critic.head(critic.features(x)))
        (torch.Size([4, 5]), True)
    """

    def __init__(self, layers: Iterable[nn.Module], cut: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        if not 1 <= cut < len(self.layers):
            raise DivminError(f"cut is {cut}: expected 1 to {len(self.layers) - 1}, for {len(self.layers)} layers")
        self.cut = cut

    def features(self, x: Tensor) -> Tensor:
        """Samples [n, *shape] to the hidden layer [n, ...]."""
        for layer in list(self.layers)[: self.cut]:
            x = layer(x)
        return x

    def head(self, h: Tensor) -> Tensor:
        """The hidden layer [n, ...] to raw scores [n]."""
        for layer in list(self.layers)[self.cut :]:
            h = layer(h)
        return h.squeeze(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
