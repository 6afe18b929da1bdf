"""`divmin.exact`: a divergence between two given laws, by the surest route there is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.errors import DivminError, a_type
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values.atoms import on_integers, probabilities, sums, vectors
from divmin.values.closed import Moments, closed, of_normals, of_one_family
from divmin.values.compound import Mixed, Product, dimension, discrete, draw, log_density
from divmin.values.cost import log_s
from divmin.values.law import law
from divmin.values.line import Found, on_the_line
from divmin.values.normal import Pair, by_inversion, normal_parameters, pair_of
from divmin.values.plane import in_the_plane, plane
from divmin.values.precise import precise
from divmin.values.product import of_products
from divmin.values.record import Route, Value, value
from divmin.values.text import law as named_law

GOOD = 1e-11  # the relative error of a closed form up to which it is preferred; near p = q its terms cancel


@dataclass(frozen=True)
class Question:
    """Two laws in float64, and whether derivatives are wanted."""

    f: Divergence
    p: Any
    q: Any
    graph: bool


def exact(
    f: str | Divergence, p: Any, q: Any, *, route: str | None = None, samples: int | None = None, seed: int = 0
) -> Value:
    """D_f(p, q) between two given laws, and how far it may be off.

        D_f(p, q) = E_q[f(p/q)] = integral of max(p, q) s(log p/q)

    The first route that fits is taken, and named in the answer: a closed form (powers between normal laws or laws of one
    exponential family), factor by factor (products), a sum over atoms with its tail bounded, quadrature on the line,
    inversion of the moment function of log p/q (normal laws in any dimension, every f), cubature in the plane. Nothing is
    sampled unless `samples` asks for it.

    Args:
        f: a divergence, its name, or an expression.
        p, q: the data and the model: torch distributions (univariate, discrete, normal in any dimension, products of
            univariate ones in the plane, mixtures of one family), densities of dm.data, two arrays of probabilities or
            counts on the same outcomes, or texts that dm.law reads. Parameters are taken to float64: give them as float64
            tensors for all digits.
        route: "closed form", "sum over atoms", "quadrature on the line", "cubature in the plane" or "inversion", to have that
            one and no other.
        samples: how many samples of each law a Monte Carlo value may draw.
        seed: of those samples.

    Returns:
        The value in nats, infinite where it is infinite; `tensor` is differentiable in the parameters of both laws.

    Raises:
        DivminError: laws that do not fit together, or for which no route is known.

    Example:
        >>> import divmin as dm, torch
        >>> p, q = (torch.distributions.Normal(torch.tensor(m).double(), 1.0) for m in (0.0, 1.0))
        >>> print(dm.exact("js", p, q))
        js = 0.111421482185 nats (quadrature on the line, error at most 5e-15)
        >>> print(dm.exact("kl", "normal(0, 1)", "normal(1, 1)"))
        kl = 0.5 nats (closed form, error at most 2e-15)
        >>> dm.exact("kl", [0.5, 0.5], [1.0, 0.0]).value
        inf

    Source: Shannon et al., eqs. 1 and 5.
    """
    f = f if isinstance(f, Divergence) else named_divergence(f)
    p, q = (named_law(each) if isinstance(each, str) else each for each in (p, q))
    known = [isinstance(each, Distribution | Density) for each in (p, q)]
    if not any(known):
        _only(route, (Route.SUM,), "two arrays")
        p, q = probabilities(p, "p"), probabilities(q, "q")
        return _told(f, vectors(f, p, q), Route.SUM)
    if not all(known):
        raise DivminError(
            f"p is {a_type(p)} and q {a_type(q)}: expected two laws or two arrays, not one and one; "
            "the law of an array is a Categorical, categorical(...) as text"
        )
    for each, name in ((p, "p"), (q, "q")):
        _single(each, name)
    graph = _graph(p, q)
    p, q = (precise(each) if isinstance(each, Distribution) else each for each in (p, q))
    asked = Question(f, p, q, graph)
    if samples is not None and route is not None:
        raise DivminError(f"route is {route} and samples {samples}: give one of them, samples are a route of their own")
    if samples is not None:
        return _sampled(asked, samples, seed)
    tried = [each for each in ROUTES if route in (None, each.value, each.name.lower())]
    if not tried:
        raise DivminError(f"unknown route '{route}': expected one of {', '.join(each.value for each in ROUTES)}")
    best: Value | None = None
    for each in tried:
        found = ROUTES[each](asked)
        if found is None:
            continue
        told = _told(f, found, each)
        if best is None or told.error < best.error:
            best = told
        if not best.error > GOOD * abs(best.value):
            break
    if best is None:
        names = " and ".join(_called(each) for each in (p, q))
        hint = "" if route is None else f" by {route}"
        raise DivminError(
            f"no exact route is known for {f.name} between {names}{hint}: samples=100000 estimates it by Monte Carlo, "
            "and dm.estimate does from samples"
        )
    return best


def _only(route: str | None, fitting: tuple[Route, ...], what: str) -> None:
    if route is not None and route not in {each.value for each in fitting}:
        raise DivminError(f"{what} have no {route}: leave route out")


def _called(given: Any) -> str:
    return f"{type(given).__name__} (dimension {dimension(given)})"


def _single(given: Any, name: str) -> None:
    if isinstance(given, Distribution) and given.batch_shape != ():
        raise DivminError(
            f"{name} is a batch of {list(given.batch_shape)} laws: expected one; "
            "torch.distributions.Independent(law, 1) makes a product"
        )
    if isinstance(given, Density) and not given.has_log_prob:
        raise DivminError(f"{name} has no log-density: it can be sampled only; dm.estimate works from samples")


def _graph(*laws: Any) -> bool:
    """Whether a parameter of one of the laws wants a derivative."""

    def wants(given: Any) -> bool:
        if isinstance(given, Tensor):
            return given.requires_grad
        parts = vars(given).values() if isinstance(given, Distribution | Mixed | Product) else ()
        return any(any(map(wants, part)) if isinstance(part, tuple) else wants(part) for part in parts)

    return torch.is_grad_enabled() and any(wants(each) for each in laws)


def _told(f: Divergence, found: Found, route: Route) -> Value:
    return value(found.tensor, found.error, route, f.name, found.evaluations)


# --- routes ---------------------------------------------------------------------------------------------------------------------


def _normals(asked: Question) -> Pair | None:
    one, other = (normal_parameters(each) for each in (asked.p, asked.q))
    if one is None or other is None:
        return None
    if len(one[0]) != len(other[0]):
        raise DivminError(f"p has dimension {len(one[0])} and q {len(other[0])}: expected one space")
    return pair_of(one, other, asked.graph)


def _closed(asked: Question) -> Found | None:
    pair = _normals(asked)
    moments: Moments | None = of_one_family(asked.p, asked.q) if pair is None else of_normals(pair)
    found = None if moments is None else closed(asked.f, moments)
    return None if found is None else Found(*found, 1)


def _factors(asked: Question) -> Found | None:
    return of_products(asked.f, asked.p, asked.q, exact)


def _sum(asked: Question) -> Found | None:
    whole = [on_integers(each) for each in (asked.p, asked.q)]
    if any(whole) and not all(whole):
        raise DivminError(
            f"{_called(asked.p)} and {_called(asked.q)}: a discrete law and a continuous one have no ratio"
        )
    return sums(asked.f, asked.p, asked.q) if all(whole) else None


def _line(asked: Question) -> Found | None:
    if discrete(asked.p) or discrete(asked.q):
        return None
    if any(dimension(each) != 1 or getattr(each, "event_shape", ()) not in ((), (1,)) for each in (asked.p, asked.q)):
        return None
    flat = [each.base_dist if isinstance(each, distributions.Independent) else each for each in (asked.p, asked.q)]
    if any(isinstance(each, Distribution) and each.batch_shape + each.event_shape not in ((),) for each in flat):
        return None
    return on_the_line(asked.f, law(flat[0]), law(flat[1]), asked.graph)


def _plane(asked: Question) -> Found | None:
    if any(dimension(each) != 2 for each in (asked.p, asked.q)) or not all(map(_everywhere, (asked.p, asked.q))):
        return None
    return in_the_plane(asked.f, plane(asked.p), plane(asked.q), asked.graph)


def _everywhere(given: Any) -> bool:
    """Whether a law lives on the whole plane, as the cubature takes it."""
    if isinstance(given, Mixed | Product):
        return all(map(_everywhere, given.parts))
    if isinstance(given, Density):
        return True
    support = given.support
    while hasattr(support, "base_constraint"):
        support = support.base_constraint
    return type(support) in (type(distributions.constraints.real), type(distributions.constraints.real_vector))


def _inversion(asked: Question) -> Found | None:
    pair = _normals(asked)
    return (
        None
        if pair is None or not (asked.f.smooth or hasattr(asked.f, "gamma"))
        else by_inversion(asked.f, pair, asked.graph)
    )


ROUTES: dict[Route, Callable[[Question], Found | None]] = {
    Route.CLOSED: _closed,
    Route.FACTORS: _factors,
    Route.SUM: _sum,
    Route.LINE: _line,
    Route.INVERSION: _inversion,
    Route.PLANE: _plane,
}


def _sampled(asked: Question, samples: int, seed: int) -> Value:
    """E_q[s 1(d < 0)] + E_p[s 1(d > 0)] from samples of both, with its standard error."""
    if dimension(asked.p) != dimension(asked.q) or discrete(asked.p) != discrete(asked.q):
        raise DivminError(f"{_called(asked.p)} and {_called(asked.q)} have no ratio: expected laws on one space")
    if samples < 2:
        raise DivminError(f"samples is {samples}: expected at least 2")

    generator = torch.Generator().manual_seed(seed)

    def part(drawn_from: Any, sign: float) -> tuple[float, float]:
        x = draw(drawn_from, samples, generator)
        d = sign * (log_density(asked.p, x) - log_density(asked.q, x))
        costs = log_s(asked.f, sign * d).exp().where(d > 0, torch.zeros_like(d))
        return float(costs.mean()), float(costs.var() / samples)

    with torch.no_grad():
        (right, one), (left, other) = part(asked.p, 1.0), part(asked.q, -1.0)
    return value(right + left, math.sqrt(one + other), Route.SAMPLING, asked.f.name, samples)
