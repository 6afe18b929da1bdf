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
        slope = ctx.slope(x)
        product = slope * grad if torch.is_grad_enabled() else slope.mul_(grad)
        # An entry that nothing depends on stays 0 even where the slope overflows: 0 * inf is not a gradient. On a CPU
        # a sum that is a number tells cheaply that there is no such entry.
        plain = x.device.type == "cpu" and not torch.compiler.is_compiling() and not _in_transform()
        if plain and not product.detach().sum().isnan():
            return product, None, None
        return product.masked_fill(grad == 0, 0.0), None, None


def _in_transform() -> bool:
    """Whether torch.func is at work, under which no tensor may decide a branch."""
    return torch._C._functorch.peek_interpreter_stack() is not None
