"""The autograd function under `numerics.smooth`; apart from it, so that numerics can be imported without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Kernel = Callable[[Tensor], Tensor]


class WithSlope(torch.autograd.Function):
    """value(x), with slope(x) as its derivative. No forward mode: torch.compile refuses functions that define one."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, value: Kernel, slope: Kernel) -> Tensor:
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, _, ctx.slope = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,), (grad,) = ctx.saved_tensors, grads
        product = ctx.slope(x) * grad
        if grad.dim() and not any(grad.stride()):
            return product, None, None  # one number for all entries, from a sum or mean: nothing is masked out
        # An entry that nothing depends on stays 0 even where the slope overflows: 0 * inf is not a gradient.
        return product.masked_fill(grad == 0, 0.0), None, None
