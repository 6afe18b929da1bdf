"""Whether data are those that a run was trained on: a number for each of a few samples, which its checkpoint keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from divmin.data.base import Source

SAMPLES, AT_ONCE = 64, 8
NEAR = 1e-4  # of a number: other machines draw normal numbers, and resize pictures, with other last digits


def fingerprint(source: Source) -> Tensor:
    """One number for each of at most 64 samples, evenly spaced from the first to the last, or the first ones of endless data.

    Each is a sum of the sample's numbers with weights cos 1, cos 2, ...: values count, their order, and that of the samples.

    Args:
        source: the data.

    Returns:
        float64 [n].

    Example:
        >>> from divmin.data import load
        >>> ring = fingerprint(load("ring"))
        >>> ring.shape, same(ring, fingerprint(load("ring"))), same(ring, fingerprint(load("ring", seed=1)))
        (torch.Size([64]), True, False)
    """
    last = SAMPLES - 1 if source.size is None else source.size - 1
    n = min(SAMPLES, last + 1)
    places = torch.arange(n) * last // max(n - 1, 1)
    # A few at a time, since samples may be large.
    return torch.cat([_numbers(source.batch(part)) for part in places.split(AT_ONCE)])


def _numbers(samples: Tensor) -> Tensor:
    flat = samples.flatten(1).double()
    return flat @ torch.arange(1, 1 + flat.shape[1], dtype=torch.float64).cos()


def same(before: Tensor, now: Tensor) -> bool:
    """Whether two fingerprints are of the same data, but for what rounding does to them."""
    scale = float(before.abs().nanmedian())
    return before.shape == now.shape and torch.allclose(before, now, rtol=NEAR, atol=NEAR * scale, equal_nan=True)


def changed(payload: Mapping[str, Any], source: Source) -> str:
    """How a source differs from the data of a checkpoint, as the end of a sentence; empty where nothing is seen to differ.

    Args:
        payload: what `checkpoint.read` returned; older checkpoints say less of their data.
        source: the data as they are now.
    """
    size, shape = payload.get("size", source.size), tuple(payload["shape"])
    if source.size != size:
        return f"has {_counted(source.size)} samples, and had {_counted(size)}"
    if tuple(source.shape) != shape:
        return f"has samples of shape {tuple(source.shape)}, and had {shape}"
    before = payload.get("fingerprint")
    return "" if before is None or same(before, fingerprint(source)) else "holds other samples than it did"


def _counted(size: int | None) -> str:
    return "endless" if size is None else str(size)
