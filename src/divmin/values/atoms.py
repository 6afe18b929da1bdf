"""Sums over atoms: probability vectors, histograms and discrete laws, with the tail of an endless sum bounded."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, distributions

from divmin.errors import DivminError, a_type
from divmin.family import Divergence
from divmin.values.adaptive import ROUNDING
from divmin.values.compound import Given, Mixed, components
from divmin.values.cost import log_integrand
from divmin.values.line import Found

MOST = 2**26  # terms of an endless sum
LARGEST = 2**24 - 1  # the last outcome of a finite sum, whose terms are held at once
SURE = 1e-14  # of the sum, for what is left out
OFF = 1e-6  # how far probabilities may add up to something else than 1


def over_atoms(f: Divergence, log_p: Tensor, log_q: Tensor) -> Found:
    """The sum of max(p, q) s(log p/q) over atoms."""
    terms = log_integrand(f, log_p, log_q).exp()
    total = terms.sum()
    value = float(total.detach())
    error = 8 * ROUNDING * (value + math.sqrt(value)) if math.isfinite(value) else 0.0
    return Found(total, error, terms.numel())


def probabilities(given: Any, name: str) -> Tensor:
    """Probabilities or counts as normalised float64 probabilities; counts are whole numbers, or add up to more than one.

    Args:
        given: any array of non-negative numbers, of any shape.
        name: p or q, for errors.

    Raises:
        DivminError: negative numbers, NaN, nothing in it, or an amount that is neither one nor a histogram's.
    """
    try:
        values = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        what = f"{name} is {a_type(given)}: expected a distribution, a density or an array of numbers"
        raise DivminError(what) from error
    counts = not values.is_floating_point()
    values = values.double().cpu()
    if values.dim() == 0 or values.numel() == 0:
        raise DivminError(f"{name} has shape {list(values.shape)}: expected one probability or count an outcome")
    if not bool((values.detach() >= 0).all()) or not bool(values.detach().isfinite().all()):
        raise DivminError(f"{name} has entries that are negative, infinite or NaN: expected probabilities or counts")
    total = float(values.detach().sum())
    if total == 0:
        raise DivminError(f"{name} is zero everywhere: expected probabilities or counts")
    whole = counts or bool((values.detach() == values.detach().round()).all())
    if abs(total - 1) > OFF and not whole:
        raise DivminError(
            f"the probabilities {name} add up to {total:.6g}: expected 1, or whole numbers that are counts"
        )
    return values / values.sum()


def vectors(f: Divergence, p: Tensor, q: Tensor) -> Found:
    """Two vectors of probabilities on the same outcomes."""
    if p.shape != q.shape:
        raise DivminError(f"p has shape {list(p.shape)} and q has shape {list(q.shape)}: expected the same outcomes")
    return over_atoms(f, p.log().reshape(-1), q.log().reshape(-1))


# --- discrete laws of torch ------------------------------------------------------------------------------------------------

INTEGERS = (
    distributions.Bernoulli,
    distributions.Binomial,
    distributions.Categorical,
    distributions.Geometric,
    distributions.NegativeBinomial,
    distributions.Poisson,
)


def on_integers(given: Any) -> bool:
    """Whether a law lives on the non-negative integers."""
    if isinstance(given, distributions.MixtureSameFamily):
        return on_integers(given.component_distribution)
    if isinstance(given, Mixed):
        return all(map(on_integers, given.parts))
    return isinstance(given, INTEGERS)


def _last(given: Given) -> int | None:
    """The largest outcome; None for endless ones."""
    match given:
        case Mixed():
            lasts = [_last(part) for part in given.parts]
            return None if None in lasts else max(last for last in lasts if last is not None)
        case distributions.MixtureSameFamily():
            return _last(given.component_distribution)
        case distributions.Bernoulli():
            return 1
        case distributions.Binomial():
            return int(given.total_count.max())
        case distributions.Categorical():
            return int(given.logits.shape[-1]) - 1
    return None


def log_masses(given: Given, k: Tensor) -> Tensor:
    """log-probabilities of the integers k, -inf beyond the last outcome."""
    if isinstance(given, Mixed):
        return (torch.stack([log_masses(part, k) for part in given.parts], -1) + given.weights.log()).logsumexp(-1)
    if isinstance(given, distributions.MixtureSameFamily):
        each = torch.stack([log_masses(part, k) for part in components(given.component_distribution)], -1)
        return (each + given.mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)
    last = _last(given)
    inside = k <= (math.inf if last is None else last)
    if isinstance(given, distributions.Bernoulli | distributions.Categorical):  # also where a probability is 0
        probs = given.probs
        table = torch.stack([1 - probs, probs]) if isinstance(given, distributions.Bernoulli) else probs
        return table.log()[k.clamp(max=len(table) - 1).long()].masked_fill(~inside, -math.inf)
    safe = k.where(inside, torch.zeros_like(k))
    return given.log_prob(safe).masked_fill(~inside, -math.inf)


def finite_masses(p: Given, q: Given) -> tuple[Tensor, Tensor] | None:
    """log-probabilities of all outcomes of two laws on finitely many integers; None for others.

    Raises:
        DivminError: more outcomes than can be held at once.
    """
    if not on_integers(p) or not on_integers(q):
        return None
    ends = [_last(each) for each in (p, q)]
    if None in ends:
        return None
    last = max(end for end in ends if end is not None)
    if last > LARGEST:
        raise DivminError(f"a sum over {last + 1:,} outcomes is too long: expected at most {LARGEST + 1:,}")
    k = torch.arange(last + 1, dtype=torch.float64)
    return log_masses(p, k), log_masses(q, k)


def sums(f: Divergence, p: Given, q: Given) -> Found:
    """D_f of two laws on the integers: to the last outcome, or until what is left is bounded by a geometric series.

    Raises:
        DivminError: when the tail of an endless sum falls too slowly to be bounded.
    """
    masses = finite_masses(p, q)
    if masses is not None:
        return over_atoms(f, *masses)
    total, error, start, size = torch.zeros((), dtype=torch.float64), 0.0, 0, 1024
    while start < MOST:
        k = torch.arange(start, start + size, dtype=torch.float64)
        logs = log_integrand(f, log_masses(p, k), log_masses(q, k))
        total = total + logs.exp().sum()
        start, size = start + size, size * 2
        value = float(total.detach())
        if math.isinf(value):
            return Found(total, 0.0, start)
        logs = logs.detach()
        steps = logs[-65:].diff()
        rest = _rest(logs, steps)
        if rest is None:
            continue
        if math.isinf(rest):
            return Found(torch.full((), math.inf, dtype=torch.float64), 0.0, start)
        if rest <= SURE * value or value == 0:
            error = rest + 8 * ROUNDING * (value + math.sqrt(value))
            return Found(total, error, start)
    raise DivminError(f"the sum over the integers falls too slowly: {start:,} terms are not enough to bound its tail")


def _rest(logs: Tensor, steps: Tensor) -> float | None:
    """A bound of the terms that follow: inf when they grow, None when that cannot be told yet.

    Ratios of neighbouring terms that fall, or rise to a limit, are bounded by twice the last distance to 1 either way.
    """
    if bool(torch.isneginf(logs[-65:]).all()):
        return 0.0
    if not bool(steps.isfinite().all()):
        return None
    last, change = float(steps[-1]), float(steps[-1] - steps[0]) / (len(steps) - 1)
    if last > 0 and change >= 0 and len(logs) > 4096:
        return math.inf
    if last >= -1e-9:
        return math.inf if len(logs) > 2**20 else None
    worst = last + max(0.0, change) * len(logs)  # if they rise, as far as they did in all that was seen
    if worst >= last / 2:
        return None
    return math.exp(float(logs[-1]) + worst) / -math.expm1(worst)
