"""`divmin.pushforward`: the law of the log-ratio d = log p/q itself, under p and under q.

    p~(d) = e^d q~(d),      D_f = integral of max(p~(d), q~(d)) s(d) dd  +  sum over atoms

Between normal laws q~ is an inversion along a contour; on the line it is a change of variables, one term for every stretch on
which d is monotone; where d is constant, as beyond the kinks of two Laplace laws, it has an atom.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.errors import DivminError, a_type
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values.atoms import finite_masses, probabilities
from divmin.values.compound import dimension
from divmin.values.cost import kinks, log_s
from divmin.values.law import Law, law
from divmin.values.line import COARSE, Found, Stretch, neighbourhood, over, stretches
from divmin.values.normal import SAME, Pair, log_density, normal_parameters, pair_of
from divmin.values.precise import precise
from divmin.values.text import law as named_law

FLAT = 1e-12  # the relative change of d from node to node below which it is constant
LOWEST = -700.0  # the log-density of both laws below which places are left out
LEAST = 1e-9  # the mass of an atom that is one: far tails along which d has a limit look like smaller ones
BISECTIONS = 60
PRECISE = 1e-10
RESOLVED = 1e-9  # the relative distance to an edge up to which d is looked at: nearer its digits are lost
SAME_EDGE = 1e-9  # relative: edges that are nearer are one
NOTHING = 1e-15  # the part of a divergence that may be left out
MOVING = 1e-6  # the relative slope above which d goes on at the end of what is looked at


@dataclass(frozen=True)
class Atom:
    """A log-ratio that has a probability: d (infinite where one law has no mass), and its mass under p and q."""

    d: float
    p: float
    q: float


@dataclass(frozen=True)
class Pushforward:
    """The law of d under p and q: a density between the edges, and atoms.

    Args:
        edges: sorted log-ratios between which the density is smooth, nats; it may be infinite at them. The first and the
            last bound where it is looked at. Empty when there are atoms only.
        atoms: log-ratios with a probability of their own.
        ends: whether the first and the last edge are ends of d; if not, d goes on, and only its density is negligible.
        logs: log p~ and log q~ at d [m], float64.

    Example:
        >>> import divmin as dm
        >>> found = dm.pushforward("normal(0.5, 1)", "normal(-0.5, 1)")     # N(1/2, 1) and N(-1/2, 1)
        >>> d = torch.tensor([0.0, 1.0], dtype=torch.float64)
        >>> found.log_density_q(d)
        tensor([-1.0439, -2.0439], dtype=torch.float64)
        >>> found.log_density_p(d) - found.log_density_q(d)         # p~ = e^d q~
        tensor([0.0000, 1.0000], dtype=torch.float64)
    """

    edges: tuple[float, ...]
    atoms: tuple[Atom, ...]
    ends: tuple[bool, bool]
    logs: Callable[[Tensor], tuple[Tensor, Tensor]] = field(repr=False)

    def log_density_q(self, d: Any) -> Tensor:
        """log q~(d), the density of the log-ratio of samples of q.

        Args:
            d: log-ratios of any shape, nats.

        Returns:
            Log-densities per nat, float64, -inf where there is none; atoms are not in it.
        """
        return self._at(d)[1]

    def log_density_p(self, d: Any) -> Tensor:
        """log p~(d) = d + log q~(d), the density of the log-ratio of samples of p.

        Args:
            d: log-ratios of any shape, nats.

        Returns:
            Log-densities per nat, float64, -inf where there is none; atoms are not in it.

        Source: Shannon et al., eq. 7.
        """
        return self._at(d)[0]

    def _at(self, d: Any) -> tuple[Tensor, Tensor]:
        at = torch.as_tensor(d, dtype=torch.float64)
        if not self.edges or not at.numel():
            nothing = torch.full_like(at, -math.inf)
            return nothing, nothing
        with torch.no_grad():
            log_p, log_q = self.logs(at.reshape(-1))
        return log_p.reshape(at.shape), log_q.reshape(at.shape)

    def masses(self) -> tuple[float, float]:
        """The whole mass of d under p and q, atoms included: 1 and 1, up to what quadrature and the edges lose."""
        p = float(self._integral(lambda d: self.logs(d)[0]).tensor) + sum(atom.p for atom in self.atoms)
        q = float(self._integral(lambda d: self.logs(d)[1]).tensor) + sum(atom.q for atom in self.atoms)
        return p, q

    def divergence(self, f: str | Divergence) -> float:
        """D_f from the law of d alone.

        Args:
            f: a divergence, its name, or an expression.

        Returns:
            The value in nats, infinite where it is. Next to an edge at which the density is infinite d has lost its digits, and
            what lies nearer is taken from the rate at which it grows: errors of 1e-9.

        Raises:
            DivminError: when what the edges leave out may count.

        Source: Shannon et al., eq. 10.
        """
        f = f if isinstance(f, Divergence) else named_divergence(f)

        def log_cost(d: Tensor) -> Tensor:
            return torch.maximum(*self.logs(d)) + log_s(f, d)

        total = float(self._integral(log_cost, kinks(f)).tensor)
        for atom in self.atoms:
            mass = max(atom.p, atom.q)
            total += mass * f.s(atom.d) if mass else 0.0
        return math.inf if self._grows(log_cost, total) else total

    def _grows(self, log_cost: Callable[[Tensor], Tensor], total: float) -> bool:
        """Whether costs do not fall towards an edge beyond which d goes on, so that their integral has no limit."""
        for ended, edge in zip(self.ends, (self.edges[:1], self.edges[-1:]), strict=True):
            if ended or not edge:
                continue
            d = edge[0] * torch.tensor([1 - 1e-3, 1 - 1e-6], dtype=torch.float64)
            inner, outer = (log_cost(d) + d.abs().log()).tolist()  # of what a unit of log d holds
            if outer <= math.log(NOTHING * total) if total > 0 else outer == -math.inf:
                continue
            if outer >= inner:
                return True
            raise DivminError(f"costs at d = {edge[0]:.4g} still count, and d goes on: dm.exact looks farther")
        return False

    def _integral(self, log_function: Callable[[Tensor], Tensor], cuts: list[float] | None = None) -> Found:
        total = Found(torch.zeros((), dtype=torch.float64), 0.0, 0)
        inner = [cut for cut in (*(cuts or []), 0.0) if self.edges and self.edges[0] < cut < self.edges[-1]]
        for low, high in pairwise(sorted({*self.edges, *inner})):
            size = high - low
            nearest = [math.log(RESOLVED * min(size, 1 + abs(end)) / size) for end in (low, high)]
            ends = torch.tensor([low, high], dtype=torch.float64)
            stretch = Stretch(ends[0], ends[1], within=(nearest[0], -nearest[1]))

            def inside(t: Tensor, stretch: Stretch = stretch) -> Tensor:
                d, step = stretch.place(t)
                return (log_function(d) + step).nan_to_num(nan=-math.inf, posinf=-math.inf)

            marks = torch.linspace(-20, 20, 41, dtype=torch.float64)
            found = over(stretch, inside, marks, False, lambda value: PRECISE, coarse=121, most=20_000)
            total = Found(total.tensor + found.tensor, total.error + found.error, total.evaluations + found.evaluations)
        return total


def pushforward(p: Any, q: Any) -> Pushforward:
    """The law of d = log p/q under p and under q.

        p~(d) = e^d q~(d)

    Args:
        p, q: normal laws of any dimension, laws on the line, finitely many outcomes, or arrays of probabilities; or texts.

    Returns:
        Its density, with the edges between which it is smooth, and its atoms.

    Raises:
        DivminError: for other laws.

    Example:
        >>> import divmin as dm
        >>> found = dm.pushforward("laplace(0, 1)", "laplace(1, 1)")     # d = 1 left of 0, -1 right of 1
        >>> [(round(atom.d, 9), round(atom.p, 6)) for atom in found.atoms]
        [(-1.0, 0.18394), (1.0, 0.5)]
        >>> abs(found.divergence("kl") - dm.exact("kl", "laplace(0, 1)", "laplace(1, 1)").value) < 1e-9
        True

    Source: Shannon et al., eqs. 7 to 10.
    """
    p, q = (named_law(each) if isinstance(each, str) else each for each in (p, q))
    if not any(isinstance(each, Distribution | Density) for each in (p, q)):
        one, other = probabilities(p, "p"), probabilities(q, "q")
        if one.shape != other.shape:
            raise DivminError(f"p has shape {list(one.shape)} and q {list(other.shape)}: expected the same outcomes")
        return _of_atoms(one.reshape(-1).log(), other.reshape(-1).log())
    if not all(isinstance(each, Distribution | Density) for each in (p, q)):
        raise DivminError(f"p is {a_type(p)} and q {a_type(q)}: expected two laws or two arrays")
    p, q = (precise(each) if isinstance(each, Distribution) else each for each in (p, q))
    with torch.no_grad():
        masses = finite_masses(p, q)
        if masses is not None:
            return _of_atoms(*masses)
        if dimension(p) == dimension(q) == 1 and not any(_discrete(each) for each in (p, q)):
            flat = [each.base_dist if isinstance(each, distributions.Independent) else each for each in (p, q)]
            return _on_the_line(*map(law, flat))
        normal = [normal_parameters(each) for each in (p, q)]
    if normal[0] is None or normal[1] is None or len(normal[0][0]) != len(normal[1][0]):
        raise DivminError(
            f"the law of d is not known between {type(p).__name__} and {type(q).__name__}: expected two normal laws of one "
            "dimension, two laws on the line, or finitely many outcomes"
        )
    return _of_normals(pair_of(normal[0], normal[1], False))


def _discrete(given: Any) -> bool:
    return isinstance(given, Distribution) and bool(given.support.is_discrete)  # type: ignore[union-attr]


def _nowhere(d: Tensor) -> tuple[Tensor, Tensor]:
    return torch.full_like(d, -math.inf), torch.full_like(d, -math.inf)


def _of_atoms(log_p: Tensor, log_q: Tensor) -> Pushforward:
    d = log_p - log_q
    alive = ~d.isnan()
    return Pushforward((), _gathered(d[alive], log_p[alive].exp(), log_q[alive].exp()), (True, True), _nowhere)


def _gathered(d: Tensor, p: Tensor, q: Tensor) -> tuple[Atom, ...]:
    """Atoms sorted by d, those at one log-ratio as one."""
    atoms: list[Atom] = []
    for value, one, other in sorted(zip(d.tolist(), p.tolist(), q.tolist(), strict=True)):
        if atoms and (value == atoms[-1].d or math.isclose(value, atoms[-1].d, rel_tol=FLAT, abs_tol=FLAT)):
            last = atoms.pop()
            value, one, other = last.d, last.p + one, last.q + other
        atoms.append(Atom(value, one, other))
    return tuple(atom for atom in atoms if max(atom.p, atom.q) > LEAST)


def _of_normals(pair: Pair) -> Pushforward:
    mean_q, mean_p, variance_q, variance_p = pair.mean_and_variance()
    if max(variance_q, variance_p) <= SAME:
        return Pushforward((), (Atom(0.0, 1.0, 1.0),), (True, True), _nowhere)

    def logs(d: Tensor) -> tuple[Tensor, Tensor]:
        log_q = log_density(pair, d)
        return log_q + d, log_q

    spread = math.sqrt(max(variance_q, variance_p))
    ladder = spread * 2.0 ** torch.arange(40, dtype=torch.float64)

    def last(middle: float, sign: float) -> float:
        at = middle + sign * ladder
        return float(at[int((torch.maximum(*logs(at)) < LOWEST).int().argmax())])

    ends = pair.ends
    low = pair.edge if ends[0] else last(min(mean_q, mean_p), -1.0)
    high = pair.edge if ends[1] else last(max(mean_q, mean_p), 1.0)
    return Pushforward(tuple(sorted({low, high, *((pair.edge,) if low < pair.edge < high else ())})), (), ends, logs)


# --- on the line -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """A part of a stretch on which d rises or falls from `first` to `last`, between the coordinates `start` and `stop`.

    `goes_on` says whether d is still moving at these two, where nobody looks farther.
    """

    stretch: Stretch
    start: float
    stop: float
    first: float
    last: float
    goes_on: tuple[bool, bool]


def _on_the_line(p: Law, q: Law) -> Pushforward:
    around = neighbourhood(p, q)
    pieces: list[Piece] = []
    atoms: list[Atom] = []
    for stretch in stretches([*p.edges, *q.edges], torch.cat([p.marks, q.marks]), torch.cat([p.spreads, q.spreads])):
        found, fixed = _monotone(p, q, stretch, around)
        pieces += found
        atoms += fixed
    reached = sorted(end for piece in pieces for end in zip((piece.first, piece.last), piece.goes_on, strict=True))
    edges = [b for (a, _), (b, _) in pairwise([(-math.inf, False), *reached]) if b - a > SAME_EDGE * (1 + abs(b))]
    ends = (not reached[0][1], not reached[-1][1]) if reached else (True, True)
    gathered = _gathered(*torch.tensor([[a.d, a.p, a.q] for a in atoms], dtype=torch.float64).reshape(-1, 3).unbind(1))

    def logs(d: Tensor) -> tuple[Tensor, Tensor]:
        terms = [_term(p, q, piece, d) for piece in pieces]
        log_p, log_q = (torch.stack(each).logsumexp(0) for each in zip(*terms, strict=True))
        return log_p, log_q

    return Pushforward(tuple(edges), gathered, ends, logs if pieces else _nowhere)


def _difference(p: Law, q: Law, stretch: Stretch, t: Tensor) -> tuple[Tensor, Tensor]:
    """d and its derivative in t."""
    with torch.enable_grad():
        at = t.detach().requires_grad_()
        x = stretch.place(at)[0]
        d = p.log_density(x) - q.log_density(x)
        slope = torch.autograd.grad(d.sum(), at)[0] if d.requires_grad else torch.zeros_like(at)
    return d.detach(), slope


def _monotone(p: Law, q: Law, stretch: Stretch, around: Tensor) -> tuple[list[Piece], list[Atom]]:
    """The pieces of a stretch on which d is monotone, and atoms where it is constant or infinite."""
    start, stop = stretch.reach()
    low, high = (float(end) for end in (stretch.low, stretch.high))
    inside = around[(around > max(low, stretch.between[0])) & (around < min(high, stretch.between[1]))]
    t = torch.cat([torch.linspace(start, stop, 4 * COARSE, dtype=torch.float64), stretch.coordinate(inside)])
    t = t[(t >= start) & (t <= stop)].unique()
    x = stretch.place(t)[0]
    log_p, log_q = p.log_density(x), q.log_density(x)
    here = ~torch.isneginf(log_p), ~torch.isneginf(log_q)
    if not bool((here[0] & here[1]).any()):
        return [], _lonely(p, q, stretch, around, bool(here[0].any()), bool(here[1].any()))
    t = t[here[0] & here[1] & (torch.maximum(log_p, log_q) > LOWEST)]
    d, slope = _difference(p, q, stretch, t)
    flat = (d.diff().abs() <= FLAT * (1 + d[1:].abs())) & (d.diff().abs() <= FLAT * (1 + d[:-1].abs()))
    pieces, atoms = [], []
    for first, last in _runs(flat):
        found = [over(_part(stretch, t[first], t[last]), _within(each, stretch), around, False) for each in (p, q)]
        atoms.append(Atom(float(d[first]), *(float(mass.tensor) for mass in found)))
    for first, last in _runs(~flat):
        between = [k for k in range(first, last) if slope[k] * slope[k + 1] < 0]
        still = [float(t[k]) for k in range(first + 1, last) if slope[k] == 0]
        ends = sorted([float(t[first]), *still, *(_turn(p, q, stretch, t, slope, k) for k in between), float(t[last])])
        values = _difference(p, q, stretch, torch.tensor(ends, dtype=torch.float64))[0].tolist()
        moving = slope.abs() > MOVING * (1 + d.abs())
        outer = {ends[0]: first == 0 and bool(moving[0]), ends[-1]: last == len(t) - 1 and bool(moving[-1])}
        pieces += [
            Piece(stretch, a, b, c, e, (outer.get(a, False), outer.get(b, False)))
            for (a, b), (c, e) in zip(pairwise(ends), pairwise(values), strict=True)
            if c != e
        ]
    return pieces, atoms


def _lonely(p: Law, q: Law, stretch: Stretch, around: Tensor, has_p: bool, has_q: bool) -> list[Atom]:
    """The atom at d = inf or -inf of a stretch on which one law lives alone."""
    if not has_p and not has_q:
        return []
    one = p if has_p else q
    mass = float(over(stretch, _within(one, stretch), around, False).tensor)
    return [Atom(math.inf, mass, 0.0) if has_p else Atom(-math.inf, 0.0, mass)]


def _within(one: Law, stretch: Stretch) -> Callable[[Tensor], Tensor]:
    def log_mass(t: Tensor) -> Tensor:
        x, step = stretch.place(t)
        return one.log_density(x) + step

    return log_mass


def _part(stretch: Stretch, start: Tensor, stop: Tensor) -> Stretch:
    """A stretch between two of its coordinates."""
    between = float(stretch.place(start)[0]), float(stretch.place(stop)[0])
    return replace(stretch, between=between, within=(float(start), float(stop)))


def _runs(flags: Tensor) -> list[tuple[int, int]]:
    """First and last node of every run of cells that are flagged."""
    edge = torch.zeros(1, dtype=torch.bool)
    change = torch.cat([edge, flags, edge]).int().diff()
    return list(
        zip((change == 1).nonzero().flatten().tolist(), (change == -1).nonzero().flatten().tolist(), strict=True)
    )


def _turn(p: Law, q: Law, stretch: Stretch, t: Tensor, slope: Tensor, k: int) -> float:
    """Where the slope of d changes its sign between two nodes."""
    low, high, sign = t[k], t[k + 1], slope[k].sign()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _difference(p, q, stretch, middle[None])[1].sign() == sign else (low, middle)
    return float(high)


def _term(p: Law, q: Law, piece: Piece, d: Tensor) -> tuple[Tensor, Tensor]:
    """log of p dx/dd and q dx/dd at the one place of a piece where the log-ratio is d; -inf where there is none."""
    rising = piece.last > piece.first
    bottom, top = sorted((piece.first, piece.last))
    inside = (d > bottom) & (d < top)
    at = d[inside]
    low, high = torch.full_like(at, piece.start), torch.full_like(at, piece.stop)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        x = piece.stretch.place(middle)[0]
        left = (p.log_density(x) - q.log_density(x) < at) == rising
        low, high = middle.where(left, low), high.where(left, middle)
    middle = (low + high) / 2
    x, step = piece.stretch.place(middle)
    slope = _difference(p, q, piece.stretch, middle)[1]
    stretched = step - slope.abs().log()
    nowhere = torch.full_like(d, -math.inf)
    return tuple(nowhere.masked_scatter(inside, one.log_density(x) + stretched) for one in (p, q))  # type: ignore[return-value]
