"""Where a divergence comes from: the densities of two laws along an axis, and what every place of it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values.atoms import log_masses, on_integers, probabilities
from divmin.values.compound import dimension
from divmin.values.cost import log_integrand
from divmin.values.law import Law, law
from divmin.values.normal import Pair, log_density, normal_parameters, pair_of
from divmin.values.precise import precise
from divmin.values.text import law as named_law

POINTS = 801
REACH = 8.0  # spreads around every mark that are looked at
REACH_OF_D = 24.0  # the same for log-ratios, whose tails are exponential
FARTHEST = 1e100  # nothing is drawn beyond
VISIBLE = 2e-3  # of the highest value: what is below it everywhere is not drawn
ATOMS = 1000  # the most outcomes that are drawn

Logs = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Profile:
    """Densities or probabilities of p and q along an axis, and costs, which add up to the divergence.

    Args:
        axis: what the places are: "x", "outcome", or "d" for the log-ratio.
        at: the places.
        p, q: densities at them; probabilities of outcomes.
        costs: by name of the divergence, max(p, q) s(log p/q) at the places, in nats.
    """

    axis: str
    at: tuple[float, ...]
    p: tuple[float, ...]
    q: tuple[float, ...]
    costs: dict[str, tuple[float, ...]]


def profile(divergences: Sequence[str | Divergence], p: Any, q: Any) -> Profile:
    """What every place costs: along the line, over outcomes, or along d = log p/q for normal laws in more dimensions.

        cost(x) = max(p(x), q(x)) s(log p(x)/q(x)),   D = integral of cost(x) dx

    The densities of d under p and q have the ratio e^d, so that the same formula holds for them.

    Args:
        divergences: names, expressions or divergences.
        p, q: the data and the model, as dm.exact takes them.

    Raises:
        DivminError: laws in several dimensions that are not normal, or one and the same law.

    Example:
        >>> drawn = profile(["kl"], "normal(0, 1)", "normal(1, 1)")
        >>> drawn.axis, round(drawn.at[0], 1), round(drawn.at[-1], 1)
        ('x', -4.1, 4.7)

    Source: Shannon et al., eqs. 6 and 10.
    """
    members = [f if isinstance(f, Divergence) else named_divergence(f) for f in divergences]
    p, q = (named_law(each) if isinstance(each, str) else each for each in (p, q))
    p, q = (precise(each) if isinstance(each, Distribution) else each for each in (p, q))
    with torch.no_grad():
        return _along(members, p, q)


def _along(members: list[Divergence], p: Any, q: Any) -> Profile:
    laws = [isinstance(each, Distribution | Density) for each in (p, q)]
    if not any(laws):
        one, other = probabilities(p, "p"), probabilities(q, "q")
        if one.shape != other.shape or one.numel() > ATOMS:
            raise _nothing(f"outcomes of shapes {list(one.shape)} and {list(other.shape)}")
        logs = one.reshape(-1).log(), other.reshape(-1).log()
        return _profile(members, "outcome", torch.arange(one.numel()), *logs)
    if all(map(on_integers, (p, q))):
        return _outcomes(members, p, q)
    if all(laws) and not any(map(on_integers, (p, q))) and all(dimension(each) == 1 for each in (p, q)):
        flat = [each.base_dist if isinstance(each, distributions.Independent) else each for each in (p, q)]
        return _on_the_line(members, *map(law, flat))
    normal = [normal_parameters(each) if known else None for each, known in zip((p, q), laws, strict=True)]
    if normal[0] is not None and normal[1] is not None and len(normal[0][0]) == len(normal[1][0]):
        return _along_d(members, pair_of(normal[0], normal[1], False))
    raise _nothing(" and ".join(type(each).__name__ for each in (p, q)))


def _nothing(got: str) -> DivminError:
    return DivminError(
        f"there is nothing to draw for {got}: laws on the line, up to {ATOMS} outcomes, and normal laws in any dimension "
        "have a picture"
    )


def _outcomes(members: list[Divergence], p: Any, q: Any) -> Profile:
    k = torch.arange(ATOMS * 10, dtype=torch.float64)
    logs = log_masses(p, k), log_masses(q, k)
    shown = torch.maximum(*(each.exp() / each.exp().max() for each in logs)) > VISIBLE
    seen = shown.nonzero().flatten()
    first, last = int(seen[0]), int(seen[-1])
    if last - first >= ATOMS:
        raise _nothing(f"{last - first + 1:,} outcomes")
    return _profile(members, "outcome", k[first : last + 1], *(each[first : last + 1] for each in logs))


def _on_the_line(members: list[Divergence], p: Law, q: Law) -> Profile:
    marks, spreads = torch.cat([p.marks, q.marks]), torch.cat([p.spreads, q.spreads])
    low, high = (torch.stack([getattr(each, end) for each in (p, q)]) for end in ("low", "high"))
    start = max(float((marks - REACH * spreads).min()), float(low.min()))
    stop = min(float((marks + REACH * spreads).max()), float(high.max()))
    around = (marks[:, None] + spreads[:, None] * torch.linspace(-4, 4, 41, dtype=torch.float64)).reshape(-1)
    edges = torch.stack([*p.edges, *q.edges]) if p.edges or q.edges else torch.zeros(0, dtype=torch.float64)
    beside = (stop - start) * 1e-9  # a jump is a vertical line
    extra = torch.cat([around, edges - beside, edges + beside])

    def logs(x: Tensor) -> tuple[Tensor, Tensor]:
        return p.log_density(x), q.log_density(x)

    return _looked_at(members, "x", logs, start, stop, extra)


def _along_d(members: list[Divergence], pair: Pair) -> Profile:
    mean_q, mean_p, variance_q, variance_p = pair.mean_and_variance()
    spread = math.sqrt(max(variance_q, variance_p))
    if spread < 1e-9:
        raise DivminError("there is nothing to draw: p and q are one law, d = log p/q is 0 everywhere")

    def logs(d: Tensor) -> tuple[Tensor, Tensor]:
        under_q = torch.cat([log_density(pair, each) for each in d.split(max(4, 2**15 // len(pair.lam)))])
        return under_q + d, under_q

    start, stop = (
        end + sign * REACH_OF_D * spread for end, sign in ((mean_q, -1), (mean_p, 1))
    )  # E_q[d] <= 0 <= E_p[d]
    return _looked_at(members, "d", logs, start, stop, torch.zeros(1, dtype=torch.float64))


def _looked_at(members: list[Divergence], axis: str, logs: Logs, start: float, stop: float, extra: Tensor) -> Profile:
    """The part of an axis on which there is something to see, found by looking at all of it."""
    if not max(abs(start), abs(stop)) < FARTHEST:
        raise _nothing(f"places up to {max(abs(start), abs(stop)):.0e}")
    wide = torch.cat([torch.linspace(start, stop, POINTS, dtype=torch.float64), extra]).unique()
    wide = wide[(wide >= start) & (wide <= stop)]
    log_p, log_q = logs(wide)
    costs = [_visible(log_integrand(f, log_p, log_q)) for f in members]
    ended = [each for each in costs if not (each[0] or each[-1])]  # the others grow without end, or are cut anyway
    seen = torch.stack([_visible(log_p), _visible(log_q), *ended]).any(0)
    places = wide[seen]
    start, stop = float(places[0]), float(places[-1])
    fine = torch.cat([torch.linspace(start, stop, POINTS, dtype=torch.float64), extra]).unique()
    fine = fine[(fine >= start) & (fine <= stop)]
    return _profile(members, axis, fine, *logs(fine))


def _visible(logs: Tensor) -> Tensor:
    return logs - logs[logs < math.inf].max() > math.log(VISIBLE)


def _profile(members: list[Divergence], axis: str, at: Tensor, log_p: Tensor, log_q: Tensor) -> Profile:
    def numbers(logs: Tensor) -> tuple[float, ...]:
        return tuple(logs.exp().tolist())

    costs = {f.name: numbers(log_integrand(f, log_p, log_q)) for f in members}
    return Profile(axis, tuple(at.double().tolist()), numbers(log_p), numbers(log_q), costs)
