"""From per-sample losses to what a training loop minimises: reductions, weights, several critics, the finite check."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.objectives.terms import Minus, Term

Scores = Tensor | Sequence[Tensor]


def expectation(term: Term, scores: Scores, weight: Tensor | None, reduction: str, what: str, check: bool) -> Tensor:
    """The reduced loss of a tensor of scores, or the mean over critics of the losses of a list of them."""
    if isinstance(term, Minus):
        return -expectation(term.term, scores, weight, reduction, what, check)
    if isinstance(scores, Tensor):
        return _one(term, scores, weight, reduction, what, check)
    _is_list(scores, what)
    return torch.stack([_one(term, each, weight, reduction, what, check) for each in scores]).mean(0)


def readable(scores: Tensor, what: str, check: bool) -> Tensor:
    """Scores as losses read them: there is at least one, 16 bits are widened to 32, and on request all are finite."""
    if scores.numel() == 0:
        raise DivminError(f"the tensor of {what} scores is empty")
    if check and not bool(scores.isfinite().all()):
        bad = int((~scores.isfinite()).sum())
        raise DivminError(f"{bad} of {scores.numel()} {what} scores are not finite; look at the critic's last layers")
    # A loss is a mean over many samples: 16-bit scores are read in float32, as autocast does with its own losses.
    return scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or all of it."""
    if reduction not in _REDUCTIONS:
        raise DivminError(f"unknown reduction '{reduction}'; known: {', '.join(_REDUCTIONS)}")
    return _REDUCTIONS[reduction](loss)


def _one(term: Term, scores: Tensor, weight: Tensor | None, reduction: str, what: str, check: bool) -> Tensor:
    loss = term(readable(scores, what, check))
    if weight is None:
        return reduced(loss, reduction)
    if weight.shape != loss.shape:
        raise DivminError(f"weights of shape {tuple(weight.shape)} for {what} scores of shape {tuple(loss.shape)}")
    if reduction == "mean":
        return (weight * loss).sum() / weight.sum()
    return reduced(weight * loss, reduction)


def _is_list(scores: object, what: str) -> None:
    if not isinstance(scores, list | tuple) or not all(isinstance(each, Tensor) for each in scores):
        raise DivminError(f"{what} scores must be a tensor, or a list of tensors; got {type(scores).__name__}")
    if not scores:
        raise DivminError(f"the list of {what} scores is empty; expected one tensor a critic")


_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.sum() / x.numel(),  # as Tensor.mean, whose backward pass writes 1/n to a tensor of its own
    "sum": Tensor.sum,
    "none": lambda x: x,
}
