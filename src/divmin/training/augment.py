"""Random changes of pictures that pass gradients on: what the critic sees of data and of samples alike.

A model of the changed pictures equals the changed data where the model equals the data, so p = q stays at rest.
Source: Zhao et al. 2020, Differentiable augmentation for data-efficient GAN training, for the kinds and their strengths.

PyTorch is imported where it is used: settings check the names of kinds, and are read where no network is near.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from divmin.errors import DivminError, suggest

if TYPE_CHECKING:
    from torch import Tensor

SHIFT, HOLE = 0.125, 0.5  # largest shift, and side of what is cut out, as shares of the picture's side


def color(x: Tensor) -> Tensor:
    """Brightness +-0.5 on the scale [-1, 1], saturation times 0 to 2, contrast times 0.5 to 1.5, apart for each picture."""
    import torch

    one = (len(x), 1, 1, 1)
    x = x + (torch.rand(one, device=x.device) - 0.5)
    grey = x.mean(1, keepdim=True)
    x = torch.lerp(grey, x, 2 * torch.rand(one, device=x.device, dtype=x.dtype))
    middle = x.mean((1, 2, 3), keepdim=True)
    return torch.lerp(middle, x, torch.rand(one, device=x.device, dtype=x.dtype) + 0.5)


def translation(x: Tensor) -> Tensor:
    """A shift of up to an eighth of the side, in whole pixels; what comes in is 0."""
    import torch

    n, _, height, width = x.shape
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    rows, columns = (
        (torch.arange(side, device=x.device) + _steps(n, int(side * SHIFT + 0.5), x)[:, None] + 1).clamp(0, side + 1)
        for side in (height, width)
    )
    picture = torch.arange(n, device=x.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cutout(x: Tensor) -> Tensor:
    """A square of half the side set to 0; it may stick out."""
    import torch

    n, _, height, width = x.shape
    kept = []
    for side in (height, width):
        hole = int(side * HOLE + 0.5)
        first = torch.randint(0, side + (1 - hole % 2), (n, 1), device=x.device) - hole // 2
        places = torch.arange(side, device=x.device)
        kept.append((places < first) | (places >= first + hole))
    return x * (kept[0][:, None, :, None] | kept[1][:, None, None, :])


def _steps(n: int, most: int, x: Tensor) -> Tensor:
    import torch

    return torch.randint(-most, most + 1, (n,), device=x.device)


KINDS: dict[str, Callable[[Tensor], Tensor]] = {"color": color, "translation": translation, "cutout": cutout}


def augmentation(names: str) -> Sequence[Callable[[Tensor], Tensor]]:
    """The changes that a text such as "color,translation" names, in the order in which they are made.

    Raises:
        DivminError: a name that is not known.

    Example:
        >>> import torch
        >>> [change(torch.zeros(2, 1, 8, 8)).shape for change in augmentation("translation, cutout")]
        [torch.Size([2, 1, 8, 8]), torch.Size([2, 1, 8, 8])]
    """
    asked = [name.strip() for name in names.split(",") if name.strip()]
    for name in asked:
        if name not in KINDS:
            raise DivminError(f"unknown augmentation {name!r}: {suggest(name, tuple(KINDS))}")
    return [change for name, change in KINDS.items() if name in asked]
