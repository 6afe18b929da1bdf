"""Penalties on a critic's slopes and weights: pure functions of a critic and its inputs, added to its loss.

slopes    |grad_x c(x)|^2 for each sample, with a graph, so that the penalty can be differentiated in the weights
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from divmin.errors import DivminError

Critic = Callable[[Tensor], Tensor]
TINY = 1e-12  # inside the square root, whose slope at 0 is infinite


def squared_slopes(critic: Critic, x: Tensor, scores: Tensor | None = None) -> Tensor:
    """|grad_x c(x)|^2 for each sample, in float32 or wider also where autocast is on.

    Args:
        critic: maps x [n, ...] to scores with n entries, each of which depends on its own sample.
        x: samples [n, ...].
        scores: the critic's scores of x in float32 with a graph to it, where they are at hand: it saves a pass.

    Returns:
        Squared lengths [n], with a graph to the critic's weights.

    Example:
        >>> squared_slopes(lambda x: 3 * x[:, 0] + 4 * x[:, 1], torch.zeros(2, 2))
        tensor([25., 25.])
    """
    with torch.autocast(x.device.type, enabled=False), torch.enable_grad():
        if scores is None:
            x = _wide(x).requires_grad_()
            scores = critic(x)
        (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return slope.flatten(1).square().sum(1)


def r1(critic: Critic, real: Tensor, scores: Tensor | None = None) -> Tensor:
    """Half the mean squared slope of the critic on data.

        R1 = E_p[|grad_x c(x)|^2] / 2

    Args:
        critic: maps samples to raw scores.
        real: data [n, ...].
        scores: as in `squared_slopes`.

    Returns:
        A scalar.

    Example:
        >>> r1(lambda x: 3 * x[:, 0], torch.zeros(2, 2))
        tensor(4.5000)

    Source: Mescheder et al. 2018, eq. 9; the weight gamma is the caller's factor.
    """
    return squared_slopes(critic, real, scores).mean() / 2


def r2(critic: Critic, fake: Tensor, scores: Tensor | None = None) -> Tensor:
    """Half the mean squared slope of the critic on model samples.

        R2 = E_q[|grad_x c(x)|^2] / 2

    Args:
        critic: maps samples to raw scores.
        fake: model samples [n, ...].
        scores: as in `squared_slopes`.

    Returns:
        A scalar.

    Example:
        >>> r2(lambda x: 3 * x[:, 0], torch.zeros(2, 2))
        tensor(4.5000)

    Source: Mescheder et al. 2018, eq. 10.
    """
    return r1(critic, fake, scores)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, share: Tensor, *, one_sided: bool = False) -> Tensor:
    """How far the critic's slopes between data and samples are from 1.

        GP = E[(|grad_x c(x)| - 1)^2]        x = t real + (1 - t) fake        one-sided: only slopes above 1 count

    Args:
        critic: maps samples to raw scores.
        real: data [n, ...].
        fake: as many model samples.
        share: t for each pair, in [0, 1], [n].
        one_sided: whether flat critics are free.

    Returns:
        A scalar.

    Raises:
        DivminError: batches that cannot be paired.

    Example:
        >>> gradient_penalty(lambda x: 3 * x[:, 0], torch.ones(2, 2), torch.zeros(2, 2), torch.rand(2))
        tensor(4.)

    Source: Gulrajani et al. 2017, eq. 3.
    """
    if real.shape != fake.shape:
        raise DivminError(
            f"a gradient penalty pairs data with samples: expected one shape, got {list(real.shape)} and {list(fake.shape)}"
        )
    real, fake = _wide(real), _wide(fake)
    between = torch.lerp(fake, real, share.reshape(-1, *[1] * (real.dim() - 1)).to(real))
    excess = (squared_slopes(critic, between) + TINY).sqrt() - 1
    return (excess.clamp(min=0) if one_sided else excess).square().mean()


def orthogonal(network: nn.Module) -> Tensor:
    """How far the weights of all layers are from having orthonormal rows.

        sum over layers, rows i and columns j of |(W W^T - 1)_ij|        W [out, rest]

    Args:
        network: any; layers whose weights have two dimensions or more count.

    Returns:
        A scalar.

    Example:
        >>> layer = nn.Linear(2, 2, bias=False)
        >>> _ = nn.init.eye_(layer.weight)
        >>> orthogonal(nn.Sequential(layer)).item()
        0.0

    Source: Brock et al. 2017, section 3.2, as Berger & Sebag use it.
    """
    total: Tensor | None = None
    for weight in matrices(network):
        rows = weight.flatten(1)
        off = (rows @ rows.T - torch.eye(len(rows), device=rows.device, dtype=rows.dtype)).abs().sum()
        total = off if total is None else total + off
    if total is None:
        raise DivminError("orthogonal regularisation needs layers with weight matrices; this network has none")
    return total


def _wide(x: Tensor) -> Tensor:
    """A tensor of its own without a graph, in float32 or wider."""
    return x.detach().clone() if x.dtype in (torch.float32, torch.float64) else x.detach().float()


def matrices(network: nn.Module) -> Iterable[Tensor]:
    """The weights of two dimensions or more that are trained."""
    return (weight for weight in network.parameters() if weight.dim() >= 2 and weight.requires_grad)
