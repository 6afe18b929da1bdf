"""Critics that look at several samples at once, which makes a lack of variety visible (PacGAN, Lin et al. 2018)."""

from __future__ import annotations

from torch import Tensor

from divmin.errors import DivminError
from divmin.models.base import Shape


def pack(x: Tensor, m: int) -> Tensor:
    """Every m neighbours as one sample: [n, C, ...] to [n/m, m*C, ...].

    A critic of packed samples scores m independent draws together; its best log-ratio is the sum of theirs,
    log p/q(x_1) + ... + log p/q(x_m).

    Args:
        x: samples [n, C, ...]; channels of images, or features of vectors, come first.
        m: samples in a pack; must divide n.

    Returns:
        A view of x where its memory allows one.

    Raises:
        DivminError: m below 1, or no divisor of n.

    Example:
        >>> import torch
        >>> pack(torch.tensor([[1, 2], [3, 4], [5, 6], [7, 8]]), 2)
        tensor([[1, 2, 3, 4], [5, 6, 7, 8]])

    Source:
        Lin, Khetan, Fanti, Oh (2018), PacGAN, section 3.
    """
    if m < 1:
        raise DivminError(f"packing is {m}: expected a whole number of at least 1")
    if x.dim() < 2 or x.shape[0] % m:
        raise DivminError(f"cannot pack {m} of samples {list(x.shape)}: expected [n, C, ...] with n a multiple of {m}")
    return x.reshape(x.shape[0] // m, *packed(tuple(x.shape[1:]), m))


def packed(shape: Shape, m: int) -> Shape:
    """The shape of m samples in one: (C, ...) to (m*C, ...).

    Example:
        >>> packed((3, 32, 32), 2), packed((5,), 4)
        ((6, 32, 32), (20,))
    """
    return (m * shape[0], *shape[1:])
