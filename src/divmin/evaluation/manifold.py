"""Fidelity and variety by nearest neighbours: balls around samples of one set, and the samples of the other that lie in them.

r_k(x) is the distance from x to its k-th nearest neighbour in its own set; balls are closed.

precision   share of fakes in the ball of some real sample
recall      share of real samples in the ball of some fake
density     mean number of balls of real samples that a fake lies in, over k
coverage    share of real samples whose ball holds a fake

Source: Kynkaanniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.evaluation.extractor import Track

AT_ONCE = 4_000_000  # distances in memory together
# Of squared norms: squares of distances that differ by less count as equal. They are computed as |x|^2 + |y|^2 - 2 x.y, over ten
# times faster than by differences in many dimensions, so that rounding can part copies of one sample.
ROUNDING = 64 * torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class Manifold:
    """Four numbers about balls of nearest neighbours; all but density lie in [0, 1].

    Args:
        precision, recall: Kynkaanniemi et al.
        density, coverage: Naeem et al.; for equal laws 1, and 1 - (n-1)...(n-k) / ((n+m-1)...(n+m-k)).
        neighbours: k.
        n, m: real samples and fakes.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    neighbours: int
    n: int
    m: int


def manifold(real: Tensor, fake: Tensor, *, neighbours: int = 5, track: Track = iter) -> Manifold:
    """Precision, recall, density and coverage of fakes against real samples, from exact neighbours.

    Args:
        real, fake: features [n, k] and [m, k].
        neighbours: which neighbour is the last inside a ball, at least 1 and below n and m.
        track: wraps the blocks of distances, for a progress bar.

    Returns:
        The four numbers.

    Raises:
        DivminError: sets of different width, or not more samples than neighbours.

    Example:
        >>> real = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
        >>> found = manifold(real, torch.tensor([[0.5], [1.5], [9.0]]), neighbours=1)
        >>> round(found.precision, 3), found.recall, round(found.density, 3), found.coverage
        (0.667, 1.0, 1.333, 0.75)
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        raise DivminError(
            f"features have shapes {tuple(real.shape)} and {tuple(fake.shape)}: expected [n, k] and [m, k]"
        )
    n, m = len(real), len(fake)
    if not 1 <= neighbours < min(n, m):
        raise DivminError(
            f"{neighbours} neighbours among {n} and {m} samples: expected at least 1 and fewer than samples"
        )
    middle = real.double().mean(0)
    real, fake = real.double() - middle, fake.double() - middle
    real_radii, fake_radii = (radii(each, neighbours, track) for each in (real, fake))
    balls = torch.zeros(m, dtype=torch.int64)  # of real samples, around each fake
    recalled, covered = torch.zeros(n, dtype=torch.bool), torch.zeros(n, dtype=torch.bool)
    for rows, squares, rounding in _blocks(real, fake, track):
        inside = squares <= real_radii[rows, None] + rounding
        balls += inside.sum(0)
        covered[rows] = inside.any(1)
        recalled[rows] = (squares <= fake_radii + rounding).any(1)
    return Manifold(
        precision=float((balls > 0).double().mean()),
        recall=float(recalled.double().mean()),
        density=float(balls.sum()) / (neighbours * m),
        coverage=float(covered.double().mean()),
        neighbours=neighbours,
        n=n,
        m=m,
    )


def radii(x: Tensor, neighbours: int, track: Track = iter) -> Tensor:
    """The squared distance from each row of x [n, k] to its neighbour of this rank in x, [n].

    A row is its own neighbour of rank 0, at the distance 0; so are copies of it, which count.

    Example:
        >>> radii(torch.tensor([[0.0], [1.0], [3.0]]), 1).sqrt()
        tensor([1., 1., 2.])
    """
    return torch.cat([squares.kthvalue(neighbours + 1, dim=1).values for _, squares, _ in _blocks(x, x, track)])


def _blocks(x: Tensor, y: Tensor, track: Track) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Rows of x, their squared distances [rows, m] to all rows of y, and how far rounding may have moved them."""
    x_norms, y_norms = x.square().sum(1), y.square().sum(1)
    step = max(1, AT_ONCE // len(y))
    for start in track(range(0, len(x), step)):
        rows = slice(start, start + step)
        norms = x_norms[rows, None] + y_norms
        yield rows, (norms - 2 * x[rows] @ y.T).clamp_(min=0), ROUNDING * norms
