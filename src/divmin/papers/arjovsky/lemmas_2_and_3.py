"""Lemmas 2 and 3: manifolds that were moved by chance cross cleanly, in sets of measure zero in both, or not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.arjovsky.round_manifolds import Circles, Floats, Manifold, Torus
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# M, P: what they are, in how many dimensions. Where dim M + dim P is below that of the space they do not meet.
# Circles whose centres are r apart cross with the sine r sqrt(1 - r^2 / 4), so that n moves of this size leave a sine below t
# with a chance of about n t^2 / (4 size^2): 2e-7 for t = TOUCHING and the 800 circles of a full run.
TOUCHING = 1e-5
PAIRS: dict[str, tuple[Manifold, Manifold]] = {
    "two circles in the plane": (Circles(1), Circles(1)),
    "two tori in space": (Torus(), Torus()),
    "a circle and a torus in space": (Circles(1, 1), Torus()),
    "two products of circles in 4-space": (Circles(2), Circles(2)),
}
ROUND = ("two circles in the plane", "two products of circles in 4-space")
APART = Circles(1, 1)
SIZES = (0.3, 0.03, 0.003)
STARTS, STEPS, LONGEST, ON = (
    100,
    30,
    0.1,
    1e-12,
)  # of the search for crossings: points, steps, their length, what counts


@dataclass(frozen=True)
class Settings:
    """How manifolds are moved, and how closely they are looked at.

    Args:
        moves: of both manifolds by independent normal vectors, whose results are put together.
        size: standard deviation of a coordinate of these vectors.
        points: on M, for every move.
        apart: moves of two circles in space, of which few leave them near each other.
        near: distances to P, over the size, whose smallest and largest give the power.
        seed: names moves and points.
    """

    moves: int = 400
    size: float = 0.3
    points: int = 40_000
    apart: int = 8000
    near: tuple[float, ...] = (0.02, 0.04, 0.08, 0.16)
    seed: int = 0


def expectations() -> dict[str, Expected]:
    """Angles where manifolds cross, dimensions of what they share, and the same for manifolds that were not moved."""
    wanted: dict[str, Expected] = {}
    for name, (m, p) in PAIRS.items():
        across = p.space - p.dim
        wanted[f"{name}: share of M on P before the move"] = _before(m, p)
        wanted[f"{name}: power of epsilon in the share of M within epsilon of P"] = near(
            across, 0.12 * across, source=f"lemma 3: a crossing of dimension {m.dim - across}"
        )
        wanted[f"{name}: least sine between them where they cross"] = at_least(TOUCHING, source="lemma 2: transversal")
    for name in ROUND:
        wanted[f"{name}: largest difference from the sine in closed form"] = near(0.0, 1e-10, source="derived")
    wanted["two circles in space: power of epsilon in the share of moves that leave them so near"] = near(
        1.0, 0.3, source="lemma 3: 1 + 1 < 3, so that they do not meet"
    )
    wanted["two circles in space: least distance over the size of the move"] = at_least(1e-6, source="lemma 3")
    wanted["two circles in the plane: largest sine between them before the move"] = at_most(1e-12, source="aligned")
    for size in SIZES:
        wanted[f"moved by {size:g}: share of M within a hundredth of that"] = at_most(
            0.05, source="lemma 2: a move of any size"
        )
    return wanted


def _before(m: Manifold, p: Manifold) -> Expected:
    """All of M where both are the same; nothing of the circle, which is the core of the torus."""
    return near(1.0 if m == p else 0.0, source="perfectly aligned" if m == p else "the core of the torus")


def distances(p: Manifold, x: Floats) -> Floats:
    """From points [n, space] to a manifold [n]."""
    return np.asarray(np.linalg.norm(p.offsets(x), axis=1))


def crossings(m: Manifold, p: Manifold, x: Floats, moved: Floats) -> Floats:
    """The points of M on P that Gauss and Newton's steps along M reach from points near by [k, space].

    A point that is near P need not be near a crossing, since M may pass by: such points end nowhere and are left out.

    Args:
        m, p: the manifolds.
        x: points of M [n, space].
        moved: where the centre of P is, seen from that of M [space].
    """
    for _ in range(STEPS):
        tangents = m.tangents(x)
        slopes = p.normals(x - moved) @ tangents.transpose(0, 2, 1)
        step = np.linalg.pinv(slopes) @ p.offsets(x - moved)[:, :, None]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        step = step * np.minimum(1, LONGEST / np.maximum(length, 1e-300))
        x = m.nearest(x - (tangents.transpose(0, 2, 1) @ step)[:, :, 0])
    return np.asarray(x[distances(p, x - moved) < ON])


def sines(m: Manifold, p: Manifold, x: Floats, moved: Floats) -> Floats:
    """How far both are from sharing a direction that they should not, at points of both [n].

    The least singular value of the normals of P on the tangents of M: it is 0 exactly where the tangent spaces do not span
    the space, and for two curves in the plane it is the sine of their angle.

    Args:
        m, p: the manifolds.
        x: points of M [n, space].
        moved: where the centre of P is, seen from that of M [space].
    """
    products = p.normals(x - moved) @ m.tangents(x).transpose(0, 2, 1)
    return np.asarray(np.linalg.svd(products, compute_uv=False)[:, -1])


@dataclass(frozen=True)
class Moved:
    """What was seen after each move.

    Args:
        shares: of M within each distance of P [moves, near].
        nearest: the least distance of a point of M [moves].
        least: the least sine where they cross [moves]; NaN where they do not.
        apart: where the centre of P is, seen from that of M [moves, space].
    """

    shares: Floats
    nearest: Floats
    least: Floats
    apart: Floats


def moved_apart(
    m: Manifold,
    p: Manifold,
    size: float,
    near_by: tuple[float, ...],
    moves: int,
    settings: Settings,
    work: Work,
    touching: bool = False,
) -> Moved:
    """Move both manifolds by independent normal vectors, again and again.

    Args:
        m, p: the manifolds.
        size: of the moves.
        near_by: distances over the size, at which shares are taken.
        moves: how many.
        settings: points and seed.
        work: shows progress.
        touching: whether crossings are looked for.
    """
    random = np.random.default_rng(settings.seed)
    bounds = size * np.array(near_by)
    shares, nearest, least, apart = [], [], [], []
    for _ in work.each("moves", range(moves)):
        first, second = size * random.standard_normal((2, m.space))
        x, moved = m.draw(settings.points, random), second - first
        distance = distances(p, x - moved)
        starts = x[distance <= bounds[-1]][: STARTS * touching]
        at = crossings(m, p, starts, moved) if len(starts) else starts
        shares.append((distance[:, None] <= bounds).mean(axis=0))
        nearest.append(distance.min())
        least.append(sines(m, p, at, moved).min() if len(at) else math.nan)
        apart.append(moved)
    return Moved(np.array(shares), np.array(nearest), np.array(least), np.array(apart))


def of_circles(apart: Floats) -> Floats:
    """The least sine of products of circles whose centres are that far apart [moves]; NaN where some do not cross."""
    r = np.linalg.norm(apart.reshape(len(apart), -1, 2), axis=2)
    inside: Floats = np.where(r < 2, 1 - r**2 / 4, np.nan)
    return np.asarray((r * np.sqrt(inside)).min(axis=1))


def power(near_by: Floats, shares: Floats) -> float:
    """The slope of log share over log epsilon between the first distance and the last."""
    return float(np.log(shares[-1] / shares[0]) / np.log(near_by[-1] / near_by[0]))


def compute(settings: Settings, work: Work) -> Found:
    random = np.random.default_rng(settings.seed)
    epsilon = np.array(settings.near)
    numbers: dict[str, float] = {}
    rows, curves = [], []
    for name, (m, p) in PAIRS.items():
        still = m.draw(1000, random)
        numbers[f"{name}: share of M on P before the move"] = float((distances(p, still) < 1e-9).mean())
        found = moved_apart(m, p, settings.size, settings.near, settings.moves, settings, work, touching=True)
        mean, least = found.shares.mean(axis=0), float(np.fmin.reduce(found.least))
        numbers[f"{name}: power of epsilon in the share of M within epsilon of P"] = power(epsilon, mean)
        numbers[f"{name}: least sine between them where they cross"] = least
        if name in ROUND:
            off = np.fmax.reduce(np.abs(found.least - of_circles(found.apart)))
            numbers[f"{name}: largest difference from the sine in closed form"] = float(off)
        dimensions = f"{m.dim - p.space + p.dim}", f"{m.dim - power(epsilon, mean):.3f}"
        rows.append((name, f"{m.dim}, {p.dim}, {m.space}", *dimensions, f"{least:.2g}"))
        curves.append(mean)
    circle, _ = PAIRS["two circles in the plane"]
    on_itself = circle.draw(1000, random)
    numbers["two circles in the plane: largest sine between them before the move"] = largest(
        sines(circle, circle, on_itself, np.zeros(2))
    )
    coarse = replace(settings, points=4000)
    nearest = moved_apart(APART, APART, settings.size, settings.near, settings.apart, coarse, work).nearest
    within = (nearest[:, None] <= settings.size * epsilon).mean(axis=0)
    numbers["two circles in space: power of epsilon in the share of moves that leave them so near"] = power(
        epsilon, within
    )
    numbers["two circles in space: least distance over the size of the move"] = float(nearest.min() / settings.size)
    rows.append(("two circles in space", "1, 1, 3", "they do not meet", "-", "-"))
    for size in SIZES:
        shares = moved_apart(circle, circle, size, (0.01,), settings.moves, settings, work).shares
        numbers[f"moved by {size:g}: share of M within a hundredth of that"] = float(np.median(shares))
    heads = ("M and P", "dimensions, of the space", "dim M + dim P - dim X", "dimension of the crossing", "least sine")
    arrays = {
        "epsilon": epsilon,
        "shares": np.array(curves),
        "powers": np.array([p.space - p.dim for _, p in PAIRS.values()]),
    }
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    epsilon = found.arrays["epsilon"]
    for i, name in enumerate(PAIRS):
        colour, dash = line_style(i)
        ax.loglog(
            epsilon, found.arrays["shares"][i], color=colour, linestyle=dash, marker="o", markersize=3, label=name
        )
    for i, across in enumerate(np.unique(found.arrays["powers"])):
        ax.loglog(epsilon, epsilon**across / 4, color="0.6", linewidth=0.8, label="powers 1 and 2" if i == 0 else None)
    ax.axhline(1, color="black", linewidth=0.8, label="the same manifold, not moved")
    ax.set(xlabel="epsilon, over the size of the move", ylabel="share of M within epsilon of P", ylim=(None, 2))
    ax.legend(fontsize=8)


register(
    Item(
        name="arjovsky-lemmas-2-and-3",
        paper=ARJOVSKY,
        title="Lemmas 2 and 3: moved by chance, manifolds cross transversally and share nothing that counts",
        claim="Two manifolds without full dimension that are moved by independent continuous random vectors, however short, are "
        "almost surely not perfectly aligned; what they share then are manifolds of lower dimension, of measure 0 in both.",
        settings=Settings(),
        quick=Settings(moves=60, points=10_000, apart=2000),
        cost=Cost(quick=3, full=25),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(7, 4.5),
        caption="The share of M that lies within epsilon of P, over many moves, falls like epsilon to the codimension of P: what "
        "is shared has dim M + dim P - dim X dimensions. Of a manifold that lies on itself everything stays (black).",
    )
)
