"""Looking for NaN and infinities, and the error that names the first."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from divmin.errors import DivminError


class NotFiniteError(DivminError):
    """Training produced a NaN or an infinity; the message names the step, the tensor and the last good checkpoint.

    Args:
        step: the generator step in which it was found.
        tensor: critic_loss, generator_loss, a column of the metrics, or a parameter's name.
        checkpoint: where to go back to, in words.
        noticed: the step at which it was looked for; later than `step` where no step waits for the device.
    """

    exit_code = 1  # the work failed; the input was fine

    def __init__(self, step: int, tensor: str, checkpoint: str, noticed: int) -> None:
        later = "" if noticed == step else f" (noticed at step {noticed})"
        super().__init__(f"step {step}: {tensor} is not finite{later}; {checkpoint}")
        self.step = step
        self.tensor = tensor


def first_bad_row(rows: Tensor) -> tuple[int, int] | None:
    """Row and column of the first number that is not finite, reading line by line; None when all are.

    >>> first_bad_row(torch.tensor([[1.0, 2.0], [3.0, float("nan")]]))
    (1, 1)
    """
    bad = (~torch.isfinite(rows)).nonzero()
    return (int(bad[0, 0]), int(bad[0, 1])) if len(bad) else None


def first_bad_tensor(named: Iterable[tuple[str, Tensor]]) -> str | None:
    """The name of the first tensor with a number that is not finite; None when all are finite.

    The device is asked once for all tensors, and again for names only when something is wrong.

    >>> first_bad_tensor([("weight", torch.zeros(2)), ("bias", torch.tensor([float("inf")]))])
    'bias'
    """
    candidates = [(name, tensor.detach()) for name, tensor in named if tensor.is_floating_point()]
    if not candidates:
        return None
    verdicts = torch.stack([torch.isfinite(tensor).all() for _, tensor in candidates])
    return None if bool(verdicts.all()) else candidates[int((~verdicts).nonzero()[0])][0]
