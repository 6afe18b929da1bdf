"""Closed forms: members of the power family between two laws of one exponential family, from the moments of u.

M(z) = E_q[u^z],   D_power(alpha) = (M(alpha) - 1) / (alpha (alpha - 1)),   KL = M'(1),   reverse KL = -M'(0)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.family import Divergence, divergence
from divmin.family.algebra import Reversed, Sum, Tilted
from divmin.family.power import Power
from divmin.values.adaptive import ROUNDING
from divmin.values.normal import BORDER, Pair


def powers(f: Divergence) -> list[tuple[float, float]] | None:
    """The (alpha, gain) of which f is a sum of power divergences; None when it is none.

    Example:
        >>> powers(divergence("reverse(chi2_model_denominator) + kl"))
        [(-1.0, 2.0), (1.0, 1.0)]
    """
    match f:
        case Power(alpha, gain):
            return [(alpha, gain)]
        case Sum(first, second):
            one, other = powers(first), powers(second)
            return None if one is None or other is None else one + other
        case Reversed(base):
            inner = powers(base)
            return None if inner is None else [(1 - alpha, gain) for alpha, gain in inner]
        case Tilted(base, j):
            inner = powers(base)
            return None if inner is None else [(alpha - j, gain) for alpha, gain in inner]
    return None


@dataclass(frozen=True)
class Moments:
    """log M(z) of real z, with the size of its largest terms, the interval on which it is finite, and both KLs."""

    log_moment: Callable[[Tensor], Tensor]
    size: Callable[[float], float]
    finite: Callable[[float], bool]
    kl: Tensor
    reverse_kl: Tensor


def closed(f: Divergence, moments: Moments) -> tuple[Tensor, float] | None:
    """D_f and the rounding error of its closed form; None when f is no sum of powers."""
    parts = powers(f)
    if parts is None:
        return None
    total, error = torch.zeros((), dtype=torch.float64), 0.0
    for alpha, gain in parts:
        if alpha in (0.0, 1.0):
            part = moments.kl if alpha else moments.reverse_kl
            size = moments.size(alpha)
        elif not moments.finite(alpha):
            return torch.full((), math.inf, dtype=torch.float64), 0.0
        else:
            log = moments.log_moment(torch.tensor(alpha, dtype=torch.float64))
            part = log.expm1() / (alpha * (alpha - 1))
            size = moments.size(alpha) * float(log.detach().exp()) / abs(alpha * (alpha - 1))
        total = total + gain * part
        error += gain * (size + 4 * abs(float(part.detach()))) * 4 * ROUNDING
    return total, error


def of_normals(pair: Pair) -> Moments:
    """The moments of two normal laws; both KLs are sums of positive terms, exact to rounding also for laws that are close."""
    low, high = pair.range
    reverse_kl = divergence("reverse_kl")
    lam, beta = pair.lam, pair.beta
    kl = (reverse_kl.f(1 / lam) + beta**2).sum() / 2
    reverse = (reverse_kl.f(lam) + beta**2 * lam).sum() / 2
    if pair.matrix is not None:  # beta' L beta carries derivatives beside the diagonal
        beside = pair.matrix - torch.diag(pair.matrix.diagonal())
        reverse = reverse + (beta @ (beside - beside.detach()) @ beta) / 2

    def size(z: float) -> float:
        lam, beta = pair.lam.detach(), pair.beta.detach()
        return (
            float((lam.log().abs() * abs(z) + beta**2 * lam * abs(z * (1 - z))).sum()) if z not in (0.0, 1.0) else 0.0
        )

    return Moments(pair.log_moment, size, lambda z: low * BORDER < z < high * BORDER, kl, reverse)


# --- exponential families --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Family:
    """An exponential family: its natural parameters as one tensor, its log-partition, and where that is finite."""

    natural: Callable[[Distribution], Tensor]
    log_partition: Callable[[Tensor], Tensor]
    finite: Callable[[Tensor], Tensor]


def _positive(natural: Tensor) -> Tensor:
    return (natural > 0).all()


def _always(natural: Tensor) -> Tensor:
    return natural.isfinite().all()


_GAMMA = Family(
    lambda law: torch.stack([law.concentration, law.rate]),  # type: ignore[attr-defined]
    lambda x: x[0].lgamma() - x[0] * x[1].log(),
    _positive,
)
FAMILIES: dict[type[Distribution], Family] = {
    distributions.Exponential: Family(lambda law: law.rate.reshape(1), lambda x: -x[0].log(), _positive),  # type: ignore[attr-defined]
    distributions.Gamma: _GAMMA,
    distributions.Chi2: _GAMMA,
    distributions.InverseGamma: _GAMMA,
    distributions.Beta: Family(
        lambda law: torch.stack([law.concentration1, law.concentration0]),  # type: ignore[attr-defined]
        lambda x: x.lgamma().sum() - x.sum().lgamma(),
        _positive,
    ),
    distributions.Dirichlet: Family(
        lambda law: law.concentration,  # type: ignore[attr-defined]
        lambda x: x.lgamma().sum() - x.sum().lgamma(),
        _positive,
    ),
    distributions.Poisson: Family(lambda law: law.rate.log().reshape(1), lambda x: x[0].exp(), _always),  # type: ignore[attr-defined]
}


def of_one_family(p: Distribution, q: Distribution) -> Moments | None:
    """The moments of two laws of one exponential family, from its log-partition A; None for other pairs.

    log M(z) = A(z eta_p + (1 - z) eta_q) - z A(eta_p) - (1 - z) A(eta_q)
    """
    kinds = {type(each) for each in (p, q)}
    if (
        not kinds <= set(FAMILIES)
        or len({FAMILIES[kind] for kind in kinds}) > 1
        or distributions.InverseGamma in kinds > {distributions.InverseGamma}
    ):
        return None
    family = FAMILIES[type(p)]
    one, other = family.natural(p), family.natural(q)
    if one.shape != other.shape:
        return None
    ends = family.log_partition(one), family.log_partition(other)

    def mixed(z: Tensor) -> Tensor:
        return z * one + (1 - z) * other

    def log_moment(z: Tensor) -> Tensor:
        return family.log_partition(mixed(z)) - z * ends[0] - (1 - z) * ends[1]

    def finite(z: float) -> bool:
        return bool(family.finite(mixed(torch.tensor(z, dtype=torch.float64)).detach()))

    def size(z: float) -> float:
        with torch.no_grad():
            at = family.log_partition(mixed(torch.tensor(z, dtype=torch.float64)))
            slope = float(_slope(family, one - other, mixed(torch.tensor(z, dtype=torch.float64))).abs())
            return float(at.abs() + ends[0].abs() + ends[1].abs()) + slope

    kl = _slope(family, one - other, one) - ends[0] + ends[1]
    reverse = _slope(family, other - one, other) - ends[1] + ends[0]
    return Moments(log_moment, size, finite, kl, reverse)


def _slope(family: Family, direction: Tensor, at: Tensor) -> Tensor:
    """The derivative of the log-partition along a direction, differentiable."""
    with torch.enable_grad():
        x = at if at.requires_grad else at.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(family.log_partition(x), x, create_graph=True)
    return (
        (gradient * direction).sum()
        if direction.requires_grad or at.requires_grad
        else (gradient.detach() * direction).sum()
    )
