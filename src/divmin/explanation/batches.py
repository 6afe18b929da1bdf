"""A loss of two batches of logits, as people write it, and what can be asked of it by calling and differentiating it."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError

SMALLEST = 8  # logits in a batch, so that a standard deviation or the four largest exist
FLAT, COLUMN = (-1,), (-1, 1)  # shapes of a batch that are tried
MOVES = (0.7, 5.0, -5.0, 20.0, -20.0)  # of other logits, which show that they count; far enough to pass a kink
LOOKED = torch.linspace(-4, 4, 17, dtype=torch.float64)  # logits at which directions are compared


@dataclass(frozen=True)
class BatchLoss:
    """A loss of (real, fake), two flat batches of logits of one size.

    Args:
        who: critic or generator.
        call: the user's function.
        shape: of the batches that it is given.
    """

    who: str
    call: Callable[[Tensor, Tensor], Any]
    shape: tuple[int, ...] = FLAT

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        times = -(-SMALLEST // len(real))  # a mean stays what it is when its batch is repeated
        pair = (x.repeat(times).reshape(self.shape) for x in (real, fake))
        try:
            out = self.call(*pair)
        except DivminError:
            raise
        except Exception as error:  # anything can come out of the user's code
            size = [times * len(real), *self.shape[1:]]
            raise DivminError(
                f"{self.who}_loss failed on two batches of logits of shape {size}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(out, Tensor) or out.numel() != 1:
            got = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise DivminError(f"{self.who}_loss must return a scalar tensor; got {got}")
        return out.reshape(())

    def mean(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss a sample, also of a loss that sums."""
        value = self(real, fake)
        return value / max(len(real), SMALLEST) if self.growth == 4 else value

    @cached_property
    def growth(self) -> float:
        """By what the loss grows when its batch is repeated four times: 1 for a mean, 4 for a sum."""
        real, fake = batches(SMALLEST, torch.float64)
        once, often = self(real, fake), self(real.repeat(4), fake.repeat(4))
        for whole in (1, 4):
            if torch.allclose(whole * once, often, rtol=1e-5, atol=1e-7):
                return whole
        return float(often / once)

    def gradients(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """With respect to both batches; 0 where there is no graph."""
        real, fake = (x.detach().clone().requires_grad_() for x in (real, fake))
        value = self(real, fake)
        if not value.requires_grad:
            return torch.zeros_like(real), torch.zeros_like(fake)
        one, other = torch.autograd.grad(value, (real, fake), allow_unused=True, materialize_grads=True)
        return one, other

    def slopes(self, side: str, x: Tensor) -> Tensor:
        """Of the loss of single samples on one side, at logits of 0 on the other; for a loss that does not couple its batch."""
        rest = torch.zeros_like(x)
        found = self.gradients(*((x, rest) if side == "real" else (rest, x)))[side == "fake"]
        return found if self.growth == 4 else found * len(x)

    def where(self, side: str) -> str:
        """What is looked at, in words."""
        if self.who == "generator":
            return "the generator's loss"
        return f"the critic's loss on {'data' if side == 'real' else 'samples'}"

    def random(self) -> bool:
        """Whether it gives two values for the same logits."""
        pair = batches(SMALLEST, torch.float64)
        return not torch.allclose(self(*pair), self(*pair), rtol=0, atol=0, equal_nan=True)

    def couples(self) -> bool:
        """Whether the gradient of one logit changes with another logit."""
        real, fake = batches(SMALLEST, torch.float64)
        before = self.gradients(real, fake)
        for which, move in product((0, 1), MOVES):
            pair = [real, fake]
            pair[which] = pair[which] + move
            pair[which][0] -= move  # the first stays, and so must its gradient and that of the other side
            after = self.gradients(*pair)
            kept = (before[which][:1], before[1 - which])
            if not all(map(_equal, kept, (after[which][:1], after[1 - which]))):
                return True
        return False

    def shifts(self) -> bool:
        """Whether only differences of logits count."""
        real, fake = batches(SMALLEST, torch.float64)
        return all(map(_equal, self.gradients(real, fake), self.gradients(real + 1.3, fake + 1.3)))

    def tilt(self) -> tuple[float, float]:
        """Its slopes when all data, or all samples, move up together, where both have the same logits."""
        real, fake = self.gradients(LOOKED, LOOKED)
        return float(real.sum()), float(fake.sum())

    def direction(self, side: str) -> int:
        """The sign of its slopes on one side, where they all have one, or are 0; else 0."""
        slopes = self.gradients(2 * LOOKED, 2 * LOOKED)[side == "fake"]
        return int((slopes > 0).any()) - int((slopes < 0).any())

    def exchanged(self) -> BatchLoss:
        """The same function with its arguments the other way round."""
        return replace(self, call=lambda real, fake: self.call(fake, real))


def batch_loss(loss: Callable[..., Any], who: str) -> BatchLoss:
    """A user's function as a loss of two batches, in the first shape that it takes.

    Raises:
        DivminError: it takes neither shape, or returns no scalar tensor.
    """
    call = _of_both(loss, f"{who}_loss")
    failed: DivminError | None = None
    for strict, shape in product((True, False), (FLAT, COLUMN)):
        found = BatchLoss(who, call, shape)
        with warnings.catch_warnings():
            if strict:  # PyTorch only warns where shapes do not fit and are broadcast
                warnings.simplefilter("error", UserWarning)
            try:
                found(*batches(SMALLEST, torch.float64))
            except DivminError as error:
                failed = failed or error
            else:
                return found
    raise DivminError(f"{failed} (tried with logits of shape [B] and [B, 1])") from failed


def batches(n: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two fixed batches of logits without ties."""
    at = torch.arange(n, dtype=torch.float64)
    return (1.7 * (0.9 * at + 0.2).sin()).to(dtype), (1.3 * (1.1 * at + 2.0).cos()).to(dtype)


def _equal(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-6, atol=1e-9, equal_nan=True)


def _of_both(loss: Callable[..., Any], name: str) -> Callable[[Tensor, Tensor], Any]:
    """The loss as a function of (real, fake), also if it takes fake alone."""
    if not callable(loss):
        raise DivminError(f"{name} must be a function of batches of logits; got {type(loss).__name__}")
    try:
        parameters = inspect.signature(loss).parameters.values()
    except (TypeError, ValueError):  # no signature to look at
        return loss
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in places if p.default is p.empty]
    if len(needed) > 2:
        raise DivminError(f"{name} takes {len(needed)} arguments; expected (real_logits, fake_logits)")
    if len(needed) == 1 and name == "generator_loss":
        return lambda real, fake: loss(fake)
    return loss
