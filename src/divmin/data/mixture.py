"""Mixtures of normals with diagonal covariance, and the named ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data.density import Density
from divmin.data.registry import check_finite, check_positive, register_density
from divmin.errors import DivminError


@dataclass(frozen=True)
class Mixture(Density):
    """A mixture of normals, sum_k weight_k N(mean_k, diag(scale_k^2)).

    Args:
        means: one tuple of dim coordinates a component.
        scales: standard deviations: one tuple of dim numbers a component, of one number when isotropic.
        weights: positive numbers that add up to one; equal when left out.

    Raises:
        DivminError: lengths that differ, scales or weights that are not positive, weights that do not add up to one.

    Example:
        >>> p = Mixture(means=((-1.0,), (1.2,)), scales=((0.5,), (0.5,)), weights=(0.75, 0.25))
        >>> p.log_prob(torch.tensor([[0.0]]))
        tensor([-2.3840])
    """

    means: tuple[tuple[float, ...], ...]
    scales: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.means or not self.means[0]:
            raise DivminError("a mixture without components or coordinates: expected at least one mean")
        if not self.weights:
            object.__setattr__(self, "weights", (1 / len(self.means),) * len(self.means))
        if not len(self.means) == len(self.scales) == len(self.weights):
            counts = f"{len(self.means)} means, {len(self.scales)} scales and {len(self.weights)} weights"
            raise DivminError(f"a mixture got {counts}: expected equally many")
        if any(len(mean) != self.dim for mean in self.means):
            raise DivminError(
                f"the means of a mixture have lengths {sorted({len(m) for m in self.means})}: expected one length"
            )
        if any(len(scale) not in (1, self.dim) for scale in self.scales):
            raise DivminError(f"each scale of a mixture needs 1 or {self.dim} numbers, one a coordinate")
        if not all(0 < number < math.inf for scale in self.scales for number in scale):
            raise DivminError(f"the scales of a mixture are {self.scales}: expected positive finite numbers")
        if not all(weight > 0 for weight in self.weights) or abs(sum(self.weights) - 1) > 1e-9:
            raise DivminError(
                f"the weights of a mixture are {self.weights}: expected positive numbers that add up to 1"
            )
        if not all(math.isfinite(number) for mean in self.means for number in mean):
            raise DivminError(f"the means of a mixture are {self.means}: expected finite numbers")

    @property
    def dim(self) -> int:
        return len(self.means[0])

    def _draw(self, n: int, generator: torch.Generator) -> Tensor:
        means, scales, log_weights = self._tensors(torch.float64, torch.device("cpu"))
        # Inverting the cumulative weights (rather than torch.multinomial) keeps the draw of sample i free of n.
        edges = log_weights.exp().cumsum(0)[:-1]
        component = torch.bucketize(torch.rand(n, generator=generator, dtype=torch.float64), edges, right=True)
        noise = torch.randn(n, self.dim, generator=generator, dtype=torch.float64)
        return means[component] + scales[component] * noise

    def _log_density(self, x: Tensor) -> Tensor:
        means, scales, log_weights = self._tensors(x.dtype, x.device)
        standard = (x.unsqueeze(-2) - means) / scales
        log_normal = -standard.square().sum(-1) / 2 - scales.log().sum(-1) - self.dim / 2 * math.log(2 * math.pi)
        return torch.logsumexp(log_weights + log_normal, dim=-1)

    def _tensors(self, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        means = torch.tensor(self.means, dtype=dtype, device=device)
        wide = [scale if len(scale) == self.dim else scale * self.dim for scale in self.scales]
        scales = torch.tensor(wide, dtype=dtype, device=device)
        return means, scales, torch.tensor(self.weights, dtype=dtype, device=device).log()


def on_a_line(means: Sequence[float], scales: Sequence[float], weights: Sequence[float] = ()) -> Mixture:
    """A one-dimensional mixture.

    Example:
        >>> on_a_line([-1, 1.2], [0.5, 0.5], [0.75, 0.25]).dim
        1
    """
    return Mixture(tuple((float(mean),) for mean in means), tuple((float(scale),) for scale in scales), tuple(weights))


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise DivminError(f"{name} is {value}: expected at least 1")


@register_density("normal", "normal law in any dimension (dim, mean, scale)")
def normal(dim: int = 1, mean: float = 0.0, scale: float = 1.0) -> Mixture:
    """N(mean, scale^2) in every coordinate."""
    _at_least_one("dim", dim)
    check_finite("normal", "mean", mean)
    check_positive("normal", "scale", scale)
    return Mixture(((float(mean),) * dim,), ((float(scale),),))


@register_density("ring", "equal normals evenly spaced on a circle, 2-D (n, radius, sigma)")
def ring(n: int = 8, radius: float = 1.0, sigma: float = 0.01) -> Mixture:
    """n modes on a circle; with the defaults, the ring on which mode collapse is commonly shown."""
    _at_least_one("n", n)
    check_finite("ring", "radius", radius)
    check_positive("ring", "sigma", sigma)
    angles = [2 * math.pi * k / n for k in range(n)]
    return Mixture(tuple((radius * math.cos(t), radius * math.sin(t)) for t in angles), ((float(sigma),),) * n)


@register_density("grid", "equal normals on a square grid, 2-D (n a side, spacing, sigma)")
def grid(n: int = 5, spacing: float = 2.0, sigma: float = 0.05) -> Mixture:
    """n by n modes around the origin; with the defaults, the 25 modes at {-4, -2, 0, 2, 4}^2."""
    _at_least_one("n", n)
    check_finite("grid", "spacing", spacing)
    check_positive("grid", "sigma", sigma)
    ticks = [spacing * (k - (n - 1) / 2) for k in range(n)]
    return Mixture(tuple((a, b) for a in ticks for b in ticks), ((float(sigma),),) * n**2)


# Four targets on the line for fitting one normal law by different divergences (Shannon et al. figure 5, Poole et al.
# figure 1); D_fig5, A_sym, B_asym and C_hard are their names in the study notes.


@register_density("two_modes", "1-D, .75 N(-1, .5^2) + .25 N(1.2, .5^2): one minimum each for JS and SRKL, far apart")
def two_modes() -> Mixture:
    """The worked check: JS and SRKL have one minimum each, and a learned critic finds both (D_fig5)."""
    return on_a_line([-1, 1.2], [0.5, 0.5], [0.75, 0.25])


@register_density("symmetric_modes", "1-D, .5 N(-1.5, .6^2) + .5 N(1.5, .6^2): SRKL has three minima, two at the modes")
def symmetric_modes() -> Mixture:
    """Reverse KL's global minimum is central, SRKL's are at the modes (A_sym, Poole et al. figure 1)."""
    return on_a_line([-1.5, 1.5], [0.6, 0.6], [0.5, 0.5])


@register_density(
    "far_modes", "1-D, .7 N(-1, .5^2) + .3 N(2, .5^2): JS has a second, local minimum that spans both modes"
)
def far_modes() -> Mixture:
    """Broad starts reach the local minimum of JS (-.1188, 1.4314), the global one is at the large mode (B_asym)."""
    return on_a_line([-1, 2], [0.5, 0.5], [0.7, 0.3])


@register_density(
    "uneven_modes", "1-D, .7 N(-1, .5^2) + .3 N(1.5, .8^2): a valley beside which a learned critic stalls"
)
def uneven_modes() -> Mixture:
    """The minima of JS and SRKL are unique, yet learned critics stall near (.07, 1.22), beside a valley of SRKL (C_hard)."""
    return on_a_line([-1, 1.5], [0.5, 0.8], [0.7, 0.3])
