"""Two normal laws in any dimension: every f-divergence is an integral over one variable, the log-ratio.

In coordinates where q is N(0, I) and p is N(beta, diag(1/lambda)), the moment function of d under q is

    M(z) = E_q[u^z] = integral of p^z q^(1-z),
    log M(z) = sum of z/2 log(lambda) - log(1 + z kappa)/2 - beta^2 z (1-z) lambda / (2 (1 + z kappa)),   kappa = lambda - 1,

analytic but for cuts on the real line at -1/kappa. The hockey sticks and densities of d are its inversions along contours
through saddle points, bent so that the integrands fall off exponentially:

    E_q[(u - g)+]  for c = log g > 0, contour at Re z > 1;   E_q[(g - u)+]  for c < 0, at Re z < 0:
        1/(2 pi i) integral of M(z) e^((1-z)c) / (z (z-1)) dz
    density of d under q at c:   1/(2 pi i) integral of M(z) e^(-zc) dz

and D_f is the integral of w(c) e^-c times the hockey stick at e^c, since f'' measures how much of each hockey stick f has.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.data.density import Density
from divmin.family import Divergence
from divmin.family.kinks import HockeyStick
from divmin.values.cost import log_weight
from divmin.values.line import NEGLIGIBLE, Found, Stretch, over

TILT = math.tan(math.pi / 6)  # contours end 30 degrees off the vertical
STEP = 0.05  # of the trapezoid along a contour; its error falls like exp(-c/STEP), and 0.08 left 4e-11 in some pairs
CHUNK = 40  # contour points at a time, until they add nothing
MOST = 640
SMALL = 1e-18
SEEN, LOOKS = 24.0, 41  # how far along a contour, and at how many points, its side is chosen
SOON = 8  # looks within which a contour that ends is taken without looking at others
TOLERATED = 1.0  # nats by which an integrand may rise along a contour: digits are lost by it
EVALUATIONS = 20_000  # log-ratios at which hockey sticks are asked for, at most
BORDER = 1 - 1e-12  # the part of the range of M within which its end is certain
SAME = 1e-13  # differences of variances, and relative ones of log-ratios, that are none


@dataclass(frozen=True)
class Pair:
    """Two normal laws: lambda and beta [n] as above, and for derivatives the matrix whose diagonal is lambda, and mean.

    `matrix` is lambda with zeros beside the diagonal that carry derivatives; None when no derivative is wanted.
    """

    lam: Tensor
    beta: Tensor
    matrix: Tensor | None = None

    @property
    def kappa(self) -> Tensor:
        return self.lam - 1

    @property
    def range(self) -> tuple[float, float]:
        """The open interval around [0, 1] on which M is finite."""
        kappa = self.kappa.detach()
        low, high = kappa[kappa > SAME], kappa[kappa < -SAME]
        return -1 / float(low.max()) if len(low) else -math.inf, -1 / float(high.min()) if len(high) else math.inf

    @property
    def edge(self) -> float:
        """The value of d where its gradient vanishes: its density is not smooth there, or ends. inf where there is none."""
        kappa, lam, beta = self.kappa.detach(), self.lam.detach(), self.beta.detach()
        bent = kappa.abs() > SAME
        if not bool(bent.any()) or bool((beta[~bent].abs() > SAME).any()):
            return math.inf
        kappa, lam, beta = kappa[bent], lam[bent], beta[bent]  # along the others p and q are the same
        return float((lam.log() / 2 + beta**2 * lam / kappa / 2).sum())

    @property
    def ends(self) -> tuple[bool, bool]:
        """Whether d is bounded below and above; by `edge` then."""
        low, high = self.range
        return math.isinf(low) and math.isfinite(self.edge), math.isinf(high) and math.isfinite(self.edge)

    def log_moment(self, z: Tensor) -> Tensor:
        """log M(z) for real or complex z of any shape, inside the range or off the real line."""
        lam, beta = self.lam, self.beta
        zs = z[..., None]
        base = 1 + zs * (lam - 1)
        out = (zs * (lam.log() / 2) - base.log() / 2 - beta**2 * lam * zs * (1 - zs) / (2 * base)).sum(-1)
        if (
            self.matrix is not None
        ):  # the entries beside the diagonal: to first order, which is all that derivatives need
            beside = self.matrix - torch.diag(self.matrix.diagonal())
            beside = beside - beside.detach()
            r = beta / base  # divided differences of lambda / (1 + z kappa)
            out = out - (z * (1 - z) / 2) * (1 - z) * torch.einsum("...i,ij,...j->...", r, beside.to(r.dtype), r)
        return out

    def log_size(self, z: Tensor) -> Tensor:
        """log |M(z)|, without complex logarithms."""
        lam, beta, kappa = self.lam.detach(), self.beta.detach(), self.kappa.detach()
        x, y = z.real[..., None], z.imag[..., None]
        real, imaginary = 1 + x * kappa, y * kappa
        square = real**2 + imaginary**2
        turned = (x - x**2 + y**2) * real + (y - 2 * x * y) * imaginary  # Re z (1 - z) conj(1 + z kappa)
        return (x * (lam.log() / 2) - square.log() / 4 - beta**2 * lam * turned / (2 * square)).sum(-1)

    def slopes(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """First and second derivative of log M at real z inside the range."""
        lam, beta, kappa = self.lam.detach(), self.beta.detach(), self.kappa.detach()
        zs = z[..., None]
        base = 1 + zs * kappa
        # z (1-z) / base = N / base: derivatives of the quotient
        n, n1 = zs * (1 - zs), 1 - 2 * zs
        first = lam.log() / 2 - kappa / base / 2 - beta**2 * lam / 2 * (n1 * base - n * kappa) / base**2
        second = kappa**2 / base**2 / 2 + beta**2 * lam / base**3 * (1 + kappa)
        return first.sum(-1), second.sum(-1)

    def mean_and_variance(self) -> tuple[float, float, float, float]:
        """Mean of d under q and p, and its variance under both."""
        first, second = self.slopes(torch.tensor([0.0, 1.0], dtype=torch.float64))
        return float(first[0]), float(first[1]), float(second[0]), float(second[1])


# --- inversion -------------------------------------------------------------------------------------------------------------


def _saddle(slope: Callable[[Tensor], Tensor], low: Tensor, high: Tensor) -> Tensor:
    """Where an increasing function on (low, high) is zero, by bisection on a scale that is fine next to both ends."""
    near, far = torch.full_like(low, -40.0), torch.full_like(low, 40.0)

    left, right = low.isfinite(), high.isfinite()

    def place(y: Tensor) -> Tensor:
        inside = (low + (high - low) * y.sigmoid()).where(y < 0, high - (high - low) * (-y).sigmoid())
        outside = (low + y.exp()).where(left, (high - (-y).exp()).where(right, y.sinh()))
        return inside.where(left & right, outside)

    for _ in range(70):
        y = (near + far) / 2
        up = slope(place(y)) > 0
        near, far = near.where(up, y), y.where(up, far)
    return place((near + far) / 2)


def _contour(at: Tensor, width: Tensor, turn: Tensor, v: Tensor) -> Tensor:
    """Points of contours that leave the real line vertically and end `TILT` off the vertical, to the side of `turn`."""
    return at[:, None] + width[:, None] * torch.complex(
        TILT * turn[:, None] * (v.cosh() - 1), v.sinh().expand(len(at), -1)
    )


def _turn(pair: Pair, c: Tensor, at: Tensor, width: Tensor, log_rest: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The side, -1, 0 or 1, to which contours fall off soonest without rising first.

    Far out e^(z (edge - c)) decides, but eigenvalues next to 1 make that far longer than the integrand lasts: look.
    """
    v = torch.linspace(0, SEEN, LOOKS, dtype=torch.float64)
    far = torch.sign(c - pair.edge) if math.isfinite(pair.edge) else torch.zeros_like(c)
    best = torch.full_like(c, math.inf)
    chosen = far.clone()
    rows = torch.arange(len(c))
    for sides in (far, torch.zeros_like(c), torch.ones_like(c), -torch.ones_like(c)):
        turn = sides[rows]
        z = _contour(at[rows], width[rows], turn, v)
        logs = pair.log_size(z) + log_rest(z, c[rows, None]).real + v  # dz grows like e^v
        logs = (logs - logs[:, :1]).nan_to_num(nan=math.inf)
        ended = logs < math.log(SMALL)
        first = ended.int().argmax(1).masked_fill(~ended.any(1), LOOKS)
        rise = logs.where(torch.arange(LOOKS) < first[:, None], torch.zeros_like(logs)).amax(1) - TOLERATED
        price = first + LOOKS * rise.clamp(min=0)
        better = price < best[rows]
        chosen[rows[better]], best[rows[better]] = turn[better], price[better]
        rows = rows[best[rows] > SOON]
        if not len(rows):
            break
    return chosen


def _inverted(
    pair: Pair, c: Tensor, at: Tensor, width: Tensor, log_rest: Callable[[Tensor, Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """1/(2 pi i) times the integral of M(z) exp(rest) dz through `at`: a sign-carrying mantissa and a logarithm of its scale."""
    with torch.no_grad():
        turn = _turn(pair, c, at, width, log_rest)
    first = at[:, None].to(torch.complex128)
    scale = (pair.log_moment(first) + log_rest(first, c[:, None])).real.detach()
    total, size = torch.zeros_like(c), torch.zeros_like(c)
    rows = torch.arange(len(c))  # that still add something
    for start in range(0, MOST, CHUNK):
        v = torch.arange(start, start + CHUNK, dtype=torch.float64) * STEP
        along = width[rows, None] * torch.complex(TILT * turn[rows, None] * v.sinh(), v.cosh().expand(len(rows), -1))
        z = _contour(at[rows], width[rows], turn[rows], v)
        logs = pair.log_moment(z) + log_rest(z, c[rows, None])
        terms = ((logs - scale[rows]).exp() * along).imag / math.pi * STEP
        if start == 0:
            terms = torch.cat([terms[:, :1] / 2, terms[:, 1:]], 1)
        total = total.index_add(0, rows, terms.sum(1))
        size[rows] = torch.maximum(size[rows], terms.detach().abs().amax(1))
        rows = rows[terms.detach()[:, -4:].abs().amax(1) > SMALL * size[rows]]
        if not len(rows):
            break
    return total, scale[:, 0]


def log_hockey_stick(pair: Pair, c: Tensor) -> Tensor:
    """log E_q[(u - e^c)+] for c > 0 and log E_q[(e^c - u)+] for c < 0, at c [m]; -inf where d cannot be.

    Args:
        pair: two normal laws.
        c: log-ratios, one dimension, nats.
    """
    low, high = pair.range
    right = c > 0
    mean_q, mean_p, *_ = pair.mean_and_variance()
    # between 0 and the mean of d most of a hockey stick is the residue at its pole: what is left is E_q[min(u, g)]
    between = (c > mean_q) & (c < mean_p)
    one, none = torch.ones_like(c), torch.zeros_like(c)
    ends_low = none.where(between, one.where(right, torch.full_like(c, low)))
    ends_high = one.where(between, torch.full_like(c, high).where(right, none))

    def slope(z: Tensor) -> Tensor:
        return pair.slopes(z)[0] - c - 1 / z - 1 / (z - 1)

    with torch.no_grad():
        at = _saddle(slope, ends_low, ends_high)
        width = (pair.slopes(at)[1] + 1 / at**2 + 1 / (at - 1) ** 2).rsqrt()
    mantissa, scale = _inverted(pair, c, at, width, lambda z, c: (1 - z) * c - (z * (z - 1)).log())
    out = mantissa.clamp(min=0).log() + scale
    least = (-mantissa).clamp(min=0).log() + scale  # log E_q[min(u, g)]
    top = c.clamp(max=0)
    out = (top + (least - top).exp().neg().clamp(min=-1).log1p()).where(between, out)
    return _within_ends(pair, c, out)


def _within_ends(pair: Pair, c: Tensor, logs: Tensor) -> Tensor:
    """-inf where d cannot be: an inversion there is rounding noise."""
    edge, (below, above) = pair.edge, pair.ends
    slack = SAME * (1 + abs(edge))
    beyond = torch.zeros_like(c, dtype=torch.bool)
    if above:
        beyond = beyond | (c >= edge - slack)
    if below:
        beyond = beyond | (c <= edge + slack)
    return logs.masked_fill(beyond, -math.inf)


def log_density(pair: Pair, c: Tensor) -> Tensor:
    """log of the density of d = log p/q under q at c [m], nats; under p it is c more."""
    low, high = pair.range
    ends_low, ends_high = torch.full_like(c, low), torch.full_like(c, high)
    with torch.no_grad():
        at = _saddle(lambda z: pair.slopes(z)[0] - c, ends_low, ends_high)
        width = pair.slopes(at)[1].rsqrt()
    mantissa, scale = _inverted(pair, c, at, width, lambda z, c: -z * c)
    out = mantissa.clamp(min=0).log() + scale
    return _within_ends(pair, c, out)


# --- divergences -----------------------------------------------------------------------------------------------------------


def infinite(f: Divergence, pair: Pair) -> bool:
    """Whether the tails of f outgrow those of d: w ~ e^((S-1)d) against a hockey stick ~ e^((1-z)d) at the end z of the range."""
    low, high = pair.range
    return high * BORDER <= f.tails.S - 1 or -low * BORDER <= f.tails.R - 2


def by_inversion(f: Divergence, pair: Pair, graph: bool) -> Found:
    """D_f of two normal laws in any dimension: the integral of w(c) e^-c times hockey sticks."""
    zero = torch.zeros((), dtype=torch.float64)
    mean_q, mean_p, variance_q, variance_p = pair.mean_and_variance()
    if variance_q <= 0 and variance_p <= 0:
        return Found(zero, 0.0, 0)
    if isinstance(f, HockeyStick):
        at = torch.tensor([math.log(f.gamma)], dtype=torch.float64)
        tensor = f.gain * log_hockey_stick(pair, at).exp()[0]
        return Found(tensor, 1e-13 * float(tensor.detach()), MOST)
    if infinite(f, pair):
        return Found(torch.full((), math.inf, dtype=torch.float64), 0.0, 0)

    def function(c: Tensor) -> Tensor:
        rows = max(4, 2**15 // len(pair.lam))
        return torch.cat([log_weight(f, each) - each + log_hockey_stick(pair, each) for each in c.split(rows)])

    spread = math.sqrt(max(variance_q, variance_p))
    scale = max(spread, abs(mean_q), abs(mean_p))
    multiples = torch.tensor([0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0], dtype=torch.float64)
    marks = torch.cat([multiples * spread, torch.tensor([abs(mean_q), abs(mean_p)], dtype=torch.float64)])
    total, error, seen = zero, 0.0, 0
    for sign in (-1.0, 1.0):

        def outward(c: Tensor, sign: float = sign) -> Tensor:
            return function(sign * c)

        last = _reach(outward, scale)
        edge = pair.edge * sign
        cuts = [0.0, edge, last] if 0 < edge < last else [0.0, last]
        for start, stop in pairwise(torch.tensor(cuts, dtype=torch.float64)):
            stretch = Stretch(start, stop)

            def mirrored(
                t: Tensor, stretch: Stretch = stretch, outward: Callable[[Tensor], Tensor] = outward
            ) -> Tensor:
                x, step = stretch.place(t)
                return outward(x) + step

            found = over(stretch, mirrored, marks, graph, coarse=121, most=EVALUATIONS)
            total, error, seen = total + found.tensor, error + found.error, seen + found.evaluations
    return Found(total, error + 1e-13 * float(total.detach()), seen)


def _reach(log_function: Callable[[Tensor], Tensor], scale: float) -> float:
    """A c beyond which nothing is left, looking at ever larger multiples of the scale of d."""
    c = scale * 2.0 ** torch.arange(-12, 40, dtype=torch.float64)
    with torch.no_grad():
        logs = (log_function(c) + c.log()).nan_to_num(nan=-math.inf, posinf=-math.inf)
    needed = (logs >= logs.max() - 2 * NEGLIGIBLE).nonzero()
    return float(c[min(int(needed.max()) + 1, len(c) - 1)]) if len(needed) else scale


# --- from distributions ------------------------------------------------------------------------------------------------------


def normal_parameters(given: Distribution | Density) -> tuple[Tensor, Tensor] | None:
    """Mean [n] and a triangular root of the covariance [n, n] of a normal law in float64; None for other laws."""
    match given:
        case distributions.Normal() if given.batch_shape == ():
            return given.loc.reshape(1), given.scale.reshape(1, 1)
        case distributions.Independent(base_dist=distributions.Normal() as base) if given.batch_shape == ():
            return base.loc.reshape(-1), torch.diag(base.scale.reshape(-1))
        case distributions.MultivariateNormal() if given.batch_shape == ():
            return given.loc, given.scale_tril
        case distributions.LowRankMultivariateNormal() if given.batch_shape == ():
            return given.loc, torch.linalg.cholesky(given.covariance_matrix)
    means: Any = getattr(given, "means", ())
    scales: Any = getattr(given, "scales", ())
    if isinstance(given, Density) and len(means) == 1 and len(scales) == 1:
        scale = torch.tensor(scales[0], dtype=torch.float64).expand(given.dim)
        return torch.tensor(means[0], dtype=torch.float64), torch.diag(scale)
    return None


def pair_of(p: tuple[Tensor, Tensor], q: tuple[Tensor, Tensor], graph: bool) -> Pair:
    """The normal form of two normal laws, each a mean and a triangular root of its covariance."""
    solve = torch.linalg.solve_triangular
    beta = solve(q[1], (p[0] - q[0])[:, None], upper=False)[:, 0]
    root = solve(p[1], q[1], upper=False)
    matrix = root.mT @ root
    _, turn = torch.linalg.eigh(matrix.detach())
    matrix, beta = turn.mT @ matrix @ turn, turn.mT @ beta
    lam = matrix.diagonal()
    return Pair(lam, beta, matrix if graph else None)
