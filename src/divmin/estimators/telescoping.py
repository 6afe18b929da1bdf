"""Telescoping: the log-ratio of laws far apart as a sum of log-ratios of neighbours on the way from one to the other.

log p_0/p_J = sum over j of log p_j/p_(j+1),   x_j = sqrt(1 - t_j^2) x + t_j y about the common mean, t from 0 to 1

Source: Rhodes, Xu and Gutmann 2020.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.method import Entry, LogRatio, Method, Penalised, build, register
from divmin.estimators.method import method as method_of
from divmin.estimators.samples import Floats
from divmin.grammar import Call, number


@dataclass(frozen=True)
class Telescoping:
    """`bridges` fits of the inner method, each between neighbouring waypoints."""

    inner: Method
    bridges: int = 6

    def __post_init__(self) -> None:
        if self.bridges < 1:
            raise DivminError(f"telescoping has {self.bridges} bridges: expected at least 1")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        random = np.random.default_rng([seed, 5])
        middle = (np.average(x, axis=0, weights=x_weights) + np.average(y, axis=0, weights=y_weights)) / 2
        count = max(len(x), len(y))
        # pairs of independent samples; the ends keep their own weights, what lies between has those of the pairs
        pairs = [_repeated(len(z), count, random) for z in (x, y)]
        between = x_weights[pairs[0]] * y_weights[pairs[1]]
        way = [(x, x_weights)]
        for t in np.linspace(0, 1, self.bridges + 1)[1:-1]:
            mixed = np.sqrt(1 - t**2) * (x[pairs[0]] - middle) + t * (y[pairs[1]] - middle)
            way.append((middle + mixed, between))
        way.append((y, y_weights))
        fits = [
            self.inner.fit(one, two, one_weights, two_weights, seed + j)
            for j, ((one, one_weights), (two, two_weights)) in enumerate(pairwise(way))
        ]

        freer = [fit.freer if isinstance(fit, Penalised) else fit for fit in fits]
        return Penalised(_sum(fits), _sum(freer))

    def __str__(self) -> str:
        return f"telescoping({self.inner}, {self.bridges})"


def _sum(fits: list[LogRatio]) -> LogRatio:
    def of(z: Floats) -> Floats:
        d: Floats = np.sum([fit(z) for fit in fits], axis=0)
        return d

    return of


def _repeated(size: int, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` indices below `size` in random order, each as often as any other, or once more."""
    rounds = [random.permutation(size) for _ in range(-(-count // size))]
    return np.concatenate(rounds)[:count]


def _from(call: Call) -> Method:
    if len(call.arguments) > 2 or call.keywords:
        raise DivminError("telescoping takes a method and a number of bridges, as in telescoping(quadratic, 6)")
    inner = build(call.arguments[0]) if call.arguments else method_of("quadratic")
    bridges = number(call.arguments[1]) if len(call.arguments) == 2 else Telescoping.bridges
    if bridges is None or bridges != int(bridges):
        raise DivminError("telescoping: the number of bridges must be a whole number")
    return Telescoping(inner, int(bridges))


register(
    Entry(
        "telescoping(method, bridges)", _from, "a sum of log-ratios along waypoints, for sets far apart",
        "Rhodes, Xu and Gutmann 2020", ("tre",), ("telescoping(quadratic, 6)",),
    )
)  # fmt: skip
