"""From per-sample losses to what a training loop minimises: reductions, weights, several critics, the finite check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.family import Divergence

Scores = Tensor | Sequence[Tensor]
Term = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Bound:
    """One side of the variational bound on a divergence: a (k = 1) on data, b (k = 0) on model samples."""

    f: Divergence
    k: int

    def __call__(self, scores: Tensor) -> Tensor:
        return self.f.in_a_mean(scores, self.k)


@dataclass(frozen=True)
class Minus:
    """A term to be maximised: reduced first and negated as a scalar, which saves two passes over the batch."""

    term: Term

    def __call__(self, scores: Tensor) -> Tensor:
        return -self.term(scores)


def expectation(term: Term, scores: Scores, weight: Tensor | None, reduction: str, what: str, check: bool) -> Tensor:
    """The reduced loss of a tensor of scores, or the mean over critics of the losses of a list of them."""
    if isinstance(term, Minus):
        return -expectation(term.term, scores, weight, reduction, what, check)
    if isinstance(scores, Tensor):
        return _one(term, scores, weight, reduction, what, check)
    if not isinstance(scores, list | tuple) or not all(isinstance(each, Tensor) for each in scores):
        raise DivminError(f"{what} scores must be a tensor, or a list of tensors; got {type(scores).__name__}")
    if not scores:
        raise DivminError(f"the list of {what} scores is empty; expected one tensor a critic")
    return torch.stack([_one(term, each, weight, reduction, what, check) for each in scores]).mean(0)


def _one(term: Term, scores: Tensor, weight: Tensor | None, reduction: str, what: str, check: bool) -> Tensor:
    if scores.numel() == 0:
        raise DivminError(f"the tensor of {what} scores is empty")
    if check and not bool(scores.isfinite().all()):
        bad = int((~scores.isfinite()).sum())
        raise DivminError(f"{bad} of {scores.numel()} {what} scores are not finite; look at the critic's last layers")
    # A loss is a mean over many samples: 16-bit scores are read in float32, as autocast does with its own losses.
    loss = term(scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores)
    if reduction not in _REDUCTIONS:
        raise DivminError(f"unknown reduction '{reduction}'; known: {', '.join(_REDUCTIONS)}")
    if weight is None:
        return _REDUCTIONS[reduction](loss)
    if weight.shape != loss.shape:
        raise DivminError(f"weights of shape {tuple(weight.shape)} for {what} scores of shape {tuple(loss.shape)}")
    if reduction == "mean":
        return (weight * loss).sum() / weight.sum()
    return _REDUCTIONS[reduction](weight * loss)


_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.sum() / x.numel(),  # as Tensor.mean, whose backward pass writes 1/n to a tensor of its own
    "sum": Tensor.sum,
    "none": lambda x: x,
}
