"""A generator that follows an estimate of the log-ratio from samples, anew before every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from divmin.estimators import Method
from divmin.family import divergence
from divmin.papers.huszar.normal_generator import Critic, Floats, Path, descend

if TYPE_CHECKING:
    from torch import Tensor

STEP = 1e-4  # of the central differences that give an estimate its slope


def follow(
    f: str, method: Method, x: Floats, z: Floats, start: tuple[float, float], *, rate: float, steps: int
) -> Path:
    """Descend the generator's loss -E_q[b_f(d)] on (mu, log sigma), with d estimated from samples.

    Args:
        f: the divergence, in canonical scale.
        method: learns d from data and the generator's samples.
        x: data [n].
        z: of the generator's samples [m], the same in every step.
        start: mu and sigma.
        rate, steps: of the descent.
    """
    g = divergence(f).canonical()

    def loss(c: Tensor, weights: Tensor) -> Tensor:
        return -(weights * g.b(c)).sum()

    def critic_at(at: Tensor) -> Critic:
        y = float(at[0]) + np.exp(float(at[1])) * z
        fitted = method.fit(x[:, None], y[:, None], np.ones(len(x)), np.ones(len(y)), 0)
        return with_slope(lambda points: fitted(points[:, None]))

    return descend(loss, critic_at, start, rate=rate, steps=steps)


def with_slope(d: Callable[[Floats], Floats]) -> Critic:
    """A function of numbers [n] as a critic that lets gradients through."""
    import torch

    def critic(x: Tensor) -> Tensor:
        at = x.detach().numpy()
        slope = (d(at + STEP) - d(at - STEP)) / (2 * STEP)
        return torch.from_numpy(d(at)) + torch.from_numpy(slope) * (x - x.detach())

    return critic
