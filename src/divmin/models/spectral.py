"""Spectral normalisation of a whole network (Miyato et al. 2018)."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm as normalise
from torch.nn.utils.parametrize import is_parametrized

from divmin.errors import DivminError

Network = TypeVar("Network", bound=nn.Module)

LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def spectral_norm(network: Network, *, seed: int = 0) -> Network:
    """Divide the weights of every linear and convolutional layer by their largest singular value, from now on.

    A convolution counts as the matrix [channels out, channels in * kernel]. Every forward pass in training mode takes one
    step of the power iteration that finds the value; in evaluation mode the last one is used. So the score of a sample
    depends on earlier passes, but not on the samples beside it. Layers that have the norm already are left alone.

    Args:
        network: changed in place, on the CPU.
        seed: where the power iteration starts; the global random state is left as it was.

    Returns:
        The same network. Its `state_dict` has other keys now: load such a one into a network with the norm.

    Raises:
        DivminError: no layer of these kinds, or weights on another device.

    Example:
        >>> critic = spectral_norm(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)))
        >>> round(torch.linalg.matrix_norm(critic[0].weight, 2).item(), 2)
        1.0

    Source:
        Miyato, Kataoka, Koyama, Yoshida (2018), Spectral normalization for GANs, algorithm 1.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, LAYERS)]
    if not layers:
        raise DivminError("spectral_norm got a network without linear or convolutional layers: nothing to normalise")
    for weight in network.parameters():
        if weight.device.type != "cpu":
            raise DivminError(
                f"spectral_norm got weights on {weight.device}: normalise on the CPU, then move the network"
            )
    # The start of the power iteration is drawn from the default generator of the CPU; see `build`.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        for layer in layers:
            if not is_parametrized(layer, "weight"):  # reading a normalised weight would take a step of the iteration
                normalise(layer)
    return network
