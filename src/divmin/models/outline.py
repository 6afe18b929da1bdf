"""The layers of a network as a forward pass meets them: kinds, shapes and sizes, without a weight being drawn or held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from divmin.models.base import Shape

WEIGHED = (nn.Linear, nn.modules.conv._ConvNd)


@dataclass(frozen=True)
class Layer:
    """A fully connected or a convolutional layer.

    Args:
        kind: the name of its class.
        before, after: shapes of one sample on both sides.
        parameters: how many numbers it learns.
    """

    kind: str
    before: Shape
    after: Shape
    parameters: int


def outline(build: Callable[[], nn.Module], shape: Shape) -> tuple[Layer, ...]:
    """The linear and convolutional layers of a network, in the order in which a sample passes them.

    Args:
        build: makes the network.
        shape: of one input.

    Example:
        >>> outline(lambda: nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.Flatten(), nn.Linear(128, 1)), (3, 8, 8))[0]
        Layer(kind='Conv2d', before=(3, 8, 8), after=(8, 4, 4), parameters=392)
    """
    found: list[Layer] = []

    def note(layer: nn.Module, inputs: Any, output: Any) -> None:
        size = sum(each.numel() for each in layer.parameters())
        found.append(Layer(type(layer).__name__, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]), size))

    with torch.device("meta"), torch.no_grad():
        network = build()
        for layer in network.modules():
            if isinstance(layer, WEIGHED):
                layer.register_forward_hook(note)
        network(torch.empty(1, *shape))
    return tuple(found)
