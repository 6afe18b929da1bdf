"""A loss as a function that can be differentiated, whoever wrote it: torch, NumPy or plain Python.

What the user's code does wrong is one clear line that says which loss failed, with what.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.objectives.terms import derivative

TRIED = (-1.5, -0.25, 0.5, 2.0)  # outputs at which a function is called to see what it is
# Derivatives of functions that torch cannot differentiate: the nine-point stencil, exact for polynomials of degree eight.
STEP, NARROW, NARROWEST = 0.04, 0.04 / 32, 4e-7
LEAST = 1e-12  # smaller kinks cannot be told from rounding
WRONG = 10.0  # a difference of two derivatives, in units of what one of them may be off, that shows the other wrong
ROUNDING = 4e-16  # of a float64 result
TOLD, MORE = 1e-9, 50.0  # a doubt that a kink leaves at least, and how far it stands out of what rounding leaves
EIGHTH = (1.0, -8.0, 28.0, -56.0, 70.0, -56.0, 28.0, -8.0, 1.0)
FIRST = (1 / 280, -4 / 105, 1 / 5, -4 / 5, 0.0, 4 / 5, -1 / 5, 4 / 105, -1 / 280)
SECOND = (-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560)


@dataclass(frozen=True)
class Probe:
    """A function of one real variable with its derivatives, on float64 tensors of any shape.

    Args:
        name: what errors call it.
        value: elementwise.
        slope: its first derivative.
        derivatives: its first and second derivative.
        doubt: the relative uncertainty of the slope, infinite beside kinks; 0 for the derivatives of autograd, which are
            one-sided at a kink.
        slow: whether it is called for one number at a time.
    """

    name: str
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    derivatives: Callable[[Tensor], tuple[Tensor, Tensor]]
    doubt: Callable[[Tensor], Tensor]
    slow: bool = False


def probe(function: Callable[..., Any], name: str, argument: str = "c") -> Probe:
    """Make a function of the critic's output differentiable, and check that it is one.

    Args:
        function: called with a tensor; if that fails, with a NumPy array, then with single floats. It may return one loss
            an output, or their mean or sum.
        name: what errors call it, for example "the generator's loss".
        argument: the letter of its argument, for errors.

    Raises:
        DivminError: it raises, returns something else than numbers or NaN, draws random numbers, mixes the elements of a
            batch, or has no derivative.

    Example:
        >>> probe(lambda c: c**3, "cube").slope(torch.tensor([2.0], dtype=torch.float64))
        tensor([12.], dtype=torch.float64)
    """
    if not callable(function):
        raise DivminError(f"{name} must be a function of {argument}; got {type(function).__name__}")
    x = torch.tensor(TRIED, dtype=torch.float64)
    made = _made(function, name, argument, x)
    value = made.value(x)
    if value.isnan().all():
        raise DivminError(f"{name} is NaN at every {argument} that was tried ({', '.join(map(str, TRIED))})")
    if not torch.equal(value.nan_to_num(), made.value(x).nan_to_num()):
        raise DivminError(f"{name} gives two answers for one {argument}: it depends on random numbers or on a state")
    return made


def _made(function: Callable[..., Any], name: str, argument: str, x: Tensor) -> Probe:
    """The first way of calling it that works: with a batch, with one tensor element at a time, with numbers."""

    def called(at: Any) -> Any:
        with warnings.catch_warnings():  # math.exp takes a tensor of one element, and loses its graph with this warning
            warnings.filterwarnings("ignore", message="Converting a tensor")
            return function(at)

    def alone() -> Tensor | None:
        """A tensor if any element gives one; a branch may be a constant, as the 0 of max(0, 1 - c)."""
        outs = [called(each.reshape(1).clone().requires_grad_()) for each in x]
        return next((out for out in outs if isinstance(out, Tensor)), None)

    trials: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("a float64 tensor", lambda: called(x.clone().requires_grad_())),
        ("a tensor of one float64", alone),
        (f"the float {TRIED[0]}", lambda: called(TRIED[0])),
    )
    first: tuple[str, Exception] | None = None
    for i, (what, trial) in enumerate(trials):
        try:
            out = trial()
        except DivminError:
            raise
        except Exception as error:  # anything can come out of the user's code; it may want another kind of number
            first = first or (what, error)
            continue
        if i < 2 and isinstance(out, Tensor):
            return _of_torch(function, name, argument, one_by_one=i == 1)
        if i == 2:
            return _of_numbers(function, name, argument, out)
    assert first is not None  # the last trial returns or fails
    what, cause = first
    raise DivminError(f"{name} failed when called with {argument} = {what}: {type(cause).__name__}: {cause}") from cause


# --- torch ----------------------------------------------------------------------------------------------------------------


def _of_torch(function: Callable[..., Any], name: str, argument: str, one_by_one: bool) -> Probe:
    def single(x: Tensor) -> Tensor:
        out = function(x.reshape(1))
        if one_by_one and type(out) in (int, float):  # a branch that is a constant, as the 0 of max(0, 1 - c)
            out = out + 0 * x
        out = _as_tensor(out, name)
        if out.numel() != 1:
            raise DivminError(f"{name} must return one loss for each {argument}: got {list(out.shape)} for one of them")
        return out.reshape(())

    if not one_by_one:  # before anything is compared: what is random would seem to mix the elements of a batch
        once, again = (_as_tensor(function(torch.tensor(TRIED, dtype=torch.float64)), name) for _ in range(2))
        if once.shape == again.shape and not torch.equal(once.nan_to_num(), again.nan_to_num()):
            raise DivminError(
                f"{name} gives two answers for one {argument}: it depends on random numbers or on a state"
            )
    known = derivative(function)
    share = None if one_by_one else _share(function, single, name, argument)

    def elementwise(x: Tensor) -> Tensor:
        flat = x.reshape(-1)
        alone = one_by_one or share is not None
        out = torch.stack([single(each) for each in flat]) if alone else _as_tensor(function(flat), name)
        if out.shape != flat.shape:
            raise DivminError(
                f"{name} must return one loss for each {argument}: expected shape {list(flat.shape)}, got {list(out.shape)}"
            )
        return out.reshape(x.shape).double()

    def total(x: Tensor) -> Tensor:
        """The sum of the losses: of a mean, its value times the size of the batch, in one call."""
        return (
            elementwise(x).sum()
            if share is None
            else share(x.numel()) * _as_tensor(function(x.reshape(-1)), name).double()
        )

    def slope(x: Tensor) -> Tensor:
        if known is not None:
            return known(x.detach())
        with torch.enable_grad():
            at = x.detach().clone().requires_grad_()
            return _grad(total(at), at, name, argument, further=False)

    def derivatives(x: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            at = x.detach().clone().requires_grad_()
            first = _grad(total(at), at, name, argument, further=True) if known is None else known(at)
            if not first.requires_grad:  # linear pieces
                return first.detach(), torch.zeros_like(first)
            (second,) = torch.autograd.grad(first.sum(), at, allow_unused=True, materialize_grads=True)
        first, second = first.detach(), second.detach()
        return first, second if one_by_one or known is not None else _consistent(slope, x.detach(), second)

    x = torch.tensor(TRIED, dtype=torch.float64)
    together, alone = elementwise(x), torch.stack([single(each) for each in x]).double()
    slopes, singly = slope(x), torch.cat([slope(each.reshape(1)) for each in x])
    for one, other in ((together, alone), (slopes, singly)):
        if not torch.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise DivminError(
                f"{name} mixes the elements of a batch: the loss of one {argument} depends on the others. "
                "Relativistic losses are the recipes rpgan and ragan; divmin.audit looks at whole batches"
            )
    return Probe(name, lambda c: elementwise(c).detach(), slope, derivatives, torch.zeros_like, one_by_one)


def _consistent(slope: Callable[[Tensor], Tensor], x: Tensor, second: Tensor) -> Tensor:
    """The second derivative of autograd, or differences of the first where they contradict it beyond their own doubt.

    Formulas for a second backward pass may hold a constant that the first has not, as that of binary_cross_entropy does.
    """
    step = STEP * (x.abs() / 50).clamp(min=1.0)
    around = torch.stack([slope(x + k * step) for k in range(-4, 5)])
    other = _weighted(FIRST, around) / step
    doubt = torch.maximum(_weighted(EIGHTH, around).abs(), ROUNDING * around.abs().amax(0)) / step
    off = (second - other).abs()
    wrong = (off > WRONG * doubt) & (off > 1e-6 * other.abs()) & (doubt < other.abs() / WRONG)
    return other.where(wrong, second)


def _grad(total: Tensor, at: Tensor, name: str, argument: str, further: bool) -> Tensor:
    if not total.requires_grad:
        raise DivminError(
            f"{name} has no derivative with respect to {argument}: it is a constant, a step, or detached from the graph"
        )
    (first,) = torch.autograd.grad(total, at, create_graph=further, allow_unused=True, materialize_grads=True)
    return first


def _share(
    function: Callable[..., Any], single: Callable[[Tensor], Tensor], name: str, argument: str
) -> Callable[[int], float] | None:
    """None for one loss an element; for a reduced loss, its factor to the sum over a batch: its size for a mean, 1 for a sum."""
    x = torch.tensor(TRIED, dtype=torch.float64)
    out = _as_tensor(function(x), name)
    if out.dim() != 0:
        return None
    one = torch.stack([single(each) for each in x])
    for total, factor in ((one.mean(), float), (one.sum(), lambda size: 1.0)):
        if torch.allclose(out, total.to(out.dtype), rtol=1e-6, atol=1e-9, equal_nan=True):
            return factor
    raise DivminError(
        f"{name} returns one number for a batch that is neither the mean nor the sum of its elements' losses: "
        f"give the loss of each {argument}; divmin.audit looks at whole batches"
    )


def _as_tensor(out: Any, name: str) -> Tensor:
    if not isinstance(out, Tensor):
        raise DivminError(f"{name} returned {type(out).__name__}; expected a tensor of losses")
    if out.is_complex():
        raise DivminError(f"{name} returned complex numbers; expected real losses")
    return out


# --- NumPy and plain Python --------------------------------------------------------------------------------------------------


def _of_numbers(function: Callable[..., Any], name: str, argument: str, first: Any) -> Probe:
    import numpy as np

    try:
        float(first)
    except (TypeError, ValueError) as error:
        raise DivminError(f"{name} returned {type(first).__name__} for a float; expected a number") from error

    def single(x: float) -> float:
        try:
            return float(function(x))
        except (OverflowError, ZeroDivisionError, ValueError):  # outside its domain, as math.log(-1)
            return float("nan")

    def takes_arrays() -> bool:
        x = np.array(TRIED)
        try:
            out = function(x)
        except Exception:  # whatever it is, single numbers work
            return False
        return isinstance(out, np.ndarray) and out.shape == x.shape

    arrays = takes_arrays()

    def value(x: Tensor) -> Tensor:
        flat = x.detach().reshape(-1).numpy()
        with np.errstate(all="ignore"):
            out = function(flat) if arrays else [single(each) for each in flat.tolist()]
        return torch.as_tensor(np.asarray(out, dtype=np.float64)).reshape(x.shape)

    def around(x: Tensor, step: Tensor) -> Tensor:
        return value(torch.stack([x + k * step for k in range(-4, 5)]))

    def slopes(at: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        return _weighted(FIRST, at) / step, _weighted(SECOND, at) / step**2

    def looked(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """First and second derivative, and the doubt about the first.

        Of two widths the one with less doubt: the narrow one where a kink lies between them. For a kink inside both there is
        the narrowest; the eighth difference shrinks with the width beside a kink, and not at all for rounding noise.
        """
        scale = (x.abs() / 50).clamp(min=1.0)
        wide, narrow = around(x, STEP * scale), around(x, NARROW * scale)
        (first, second), (close, closer) = slopes(wide, STEP * scale), slopes(narrow, NARROW * scale)
        one, other = _weighted(EIGHTH, wide).abs(), _weighted(EIGHTH, narrow).abs()
        doubt, doubted = one / (STEP * scale * first.abs()), other / (NARROW * scale * close.abs())
        doubt, doubted = doubt.nan_to_num(nan=0.0), doubted.nan_to_num(nan=0.0)  # 0/0: flat
        better = doubted < doubt
        kinked = (doubted > TOLD) & (other < one / 8) & (other > LEAST) | one.isnan()
        first, second, doubt = close.where(better, first), closer.where(better, second), doubted.where(better, doubt)
        if kinked.any():
            narrowest = around(x, NARROWEST * scale)
            kinked &= (other > MORE * _weighted(EIGHTH, narrowest).abs()) | one.isnan()
            close, closer = slopes(narrowest, NARROWEST * scale)
            first, second = close.where(kinked, first), closer.where(kinked, second)
        return first, second, doubt.masked_fill(kinked, torch.inf)

    return Probe(
        name,
        value,
        slope=lambda x: looked(x)[0],
        derivatives=lambda x: looked(x)[:2],
        doubt=lambda x: looked(x)[2],
        slow=not arrays,
    )


def _weighted(weights: tuple[float, ...], rows: Tensor) -> Tensor:
    column = rows.new_tensor(weights).reshape(-1, *(1,) * (rows.dim() - 1))
    return (column * rows).sum(0)
