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
        return _times(ctx.slope(x), grad), None, None


class Together(torch.autograd.Function):
    """value(x) and its derivative from one evaluation, which shares what both need and leaves the derivative for backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, both: Callable[[Tensor], tuple[Tensor, Tensor]], slope: Kernel) -> Tensor:
        value, ctx.ready = both(x)
        ctx.slope = slope
        ctx.save_for_backward(x)
        return value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,), (grad,) = ctx.saved_tensors, grads
        # It is used up by the first pass. A second one, or one that is differentiated itself, computes it afresh.
        ready, ctx.ready = ctx.ready, None
        return _times(ctx.slope(x) if ready is None or torch.is_grad_enabled() else ready, grad), None, None


def _times(slope: Tensor, grad: Tensor) -> Tensor:
    product = slope * grad if torch.is_grad_enabled() else slope.mul_(grad)
    # An entry that nothing depends on stays 0 even where the slope overflows: 0 * inf is not a gradient. On a CPU
    # a sum that is a number tells cheaply that there is no such entry.
    if slope.device.type == "cpu" and values_are_known() and not product.detach().sum().isnan():
        return product
    return product.masked_fill(grad == 0, 0.0)


def values_are_known() -> bool:
    """Whether a tensor's values may decide a branch: not while torch.compile traces or torch.func transforms.

    PyTorch has no public question for the second; a test runs vmap and jacrev, so that a renamed one does not pass unseen.
    """
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is None
