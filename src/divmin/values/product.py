"""Independent products in any dimension, factor by factor.

    M(z) = E_q[u^z] = product of M_i(z),      KL = sum of KL_i

so sums of power divergences need the values of every factor only. Other divergences of finite discrete factors are sums over
all joint outcomes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, distributions

from divmin.family import Divergence
from divmin.family.power import Power
from divmin.values.adaptive import ROUNDING
from divmin.values.atoms import LARGEST, finite_masses, over_atoms
from divmin.values.closed import powers
from divmin.values.compound import Given, Product, components, dimension
from divmin.values.line import Found
from divmin.values.record import Value

Ask = Callable[[Divergence, Given, Given], Value]


def factors(given: Given) -> tuple[Given, ...]:
    """The independent laws of which a law is made, in the order of its coordinates.

    Example:
        >>> len(factors(distributions.Independent(distributions.Laplace(torch.zeros(3), 1.0), 1)))
        3
    """
    if isinstance(given, Product):
        return tuple(each for part in given.parts for each in factors(part))
    if isinstance(given, distributions.Independent) and len(given.base_dist.batch_shape) == 1:
        return tuple(components(given.base_dist))
    return (given,)


def of_products(f: Divergence, p: Given, q: Given, ask: Ask) -> Found | None:
    """D_f of two products that have the same shape; None for other laws, or where factors do not tell it.

    Args:
        f: a divergence.
        p, q: laws in float64.
        ask: gives the value of a divergence between two factors.
    """
    ours, theirs = factors(p), factors(q)
    if len(ours) < 2 or list(map(dimension, ours)) != list(map(dimension, theirs)):
        return None
    pairs = list(zip(ours, theirs, strict=True))
    parts = powers(f)
    return _outcomes(f, pairs) if parts is None else _powers(parts, pairs, ask)


def _powers(parts: list[tuple[float, float]], pairs: list[tuple[Given, Given]], ask: Ask) -> Found:
    total, error, seen = torch.zeros((), dtype=torch.float64), 0.0, 0
    for alpha, gain in parts:
        found = [ask(Power(alpha), one, other) for one, other in pairs]
        values = torch.stack([each.tensor for each in found])
        errors = torch.tensor([each.error for each in found], dtype=torch.float64)
        seen += sum(each.evaluations for each in found)
        part, slack = _joint(alpha, values, errors)
        total, error = total + gain * part, error + gain * slack
        if bool(total.isinf()):
            return Found(total.detach(), 0.0, seen)
    return Found(total, error + 4 * ROUNDING * float(total.detach()), seen)


def _joint(alpha: float, values: Tensor, errors: Tensor) -> tuple[Tensor, float]:
    """The power divergence of a product and its error, from those of the factors."""
    if alpha in (0.0, 1.0):
        return values.sum(), float(errors.sum())
    if bool(values.isinf().any()):
        return torch.full((), math.inf, dtype=torch.float64), 0.0
    scale = alpha * (alpha - 1)
    logs = (scale * values).log1p()  # of the moments; -inf where laws of disjoint support have none
    value = logs.sum().expm1() / scale
    one = 1 + scale * values.detach()
    slack = float((errors / one).sum() * logs.detach().sum().exp()) if bool((one > 0).all()) else float(errors.sum())
    return value, slack


def _outcomes(f: Divergence, pairs: list[tuple[Given, Given]]) -> Found | None:
    """The sum over all joint outcomes of finite discrete factors."""
    tables = [finite_masses(one, other) for one, other in pairs]
    sizes = [len(table[0]) for table in tables if table is not None]
    if len(sizes) < len(tables) or math.prod(sizes) > LARGEST:
        return None
    log_p = log_q = torch.zeros(1, dtype=torch.float64)
    for table in tables:
        assert table is not None
        log_p, log_q = ((joint[:, None] + own).reshape(-1) for joint, own in zip((log_p, log_q), table, strict=True))
    return over_atoms(f, log_p, log_q)
