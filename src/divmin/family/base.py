"""What an f-divergence is: one positive function w of the log-ratio d, and everything that follows from it.

b'(d) = w(d)      a'(d) = e^-d w(d)      f(u) = u a(d) - b(d)      u = e^d = p/q
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from divmin import numerics
from divmin.errors import DivminError, NotSmoothError
from divmin.family.catalogue import spelled
from divmin.family.member import Member
from divmin.grammar import plain
from divmin.numerics import Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Divergence(Member):
    """An f-divergence D_f(p, q) = E_q[f(p/q)], with f(1) = f'(1) = 0 and f >= 0.

    Functions of d take tensors (any float dtype, device and shape; differentiable to any order), NumPy arrays or numbers, and
    return the like. p is the data, q the model, d = log p/q in nats. Make one with `divmin.divergence`.
    """

    # --- functions of the log-ratio ------------------------------------------------------------------------------------------

    def weight(self, d: Array) -> Array:
        """w(d) = u^2 f''(u), what a model sample with log-ratio d feels.

            the generator's gradient is -E_q[w(d) grad d]

        Args:
            d: log-ratios log p/q, any shape, nats.

        Returns:
            Weights, like `d`; the derivative of `b`.

        Raises:
            NotSmoothError: for divergences whose f has a kink.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("reverse_kl").weight(-3.0), dm.divergence("kl").weight(0.0)
            (1.0, 1.0)

        Source: Shannon et al., eqs. 19 and 38.
        """
        return numerics.apply(lambda x: self._tilted(x, 0), d)

    def a(self, d: Array) -> Array:
        """a(d) = f'(e^d), what a data sample adds to the critic's objective.

            D_f = max over d of E_p[a(d)] - E_q[b(d)]

        Args:
            d: log-ratios, any shape, nats.

        Returns:
            Values like `d`; zero at d = 0, increasing, derivative e^-d w(d).

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").a(2.5)
            2.5

        Source: Shannon et al., eqs. 13, 15 and 18.
        """
        return self._area(d, 1)

    def b(self, d: Array) -> Array:
        """b(d) = u f'(u) - f(u) at u = e^d, what a model sample takes from the critic's objective.

        Args:
            d: log-ratios, any shape, nats.

        Returns:
            Values like `d`; zero at d = 0, increasing, derivative w(d).

        Example:
            >>> import divmin as dm
            >>> dm.divergence("reverse_kl").b(2.5)
            2.5

        Source: Shannon et al., eqs. 13, 16 and 19.
        """
        return self._area(d, 0)

    def s(self, d: Array) -> Array:
        """s(d) = f(u) for d < 0, f(u)/u for d > 0: the cost of a mismatch, drawn so that swapping p and q mirrors it.

            D_f = integral of max(p~(d), q~(d)) s(d) dd      s(d) = min(1, e^d) a(d) - min(1, e^-d) b(d)

        Args:
            d: log-ratios, any shape, nats; left of 0 are samples that look fake, right of 0 data that the model misses.

        Returns:
            Values like `d`, non-negative, tangent to w(0) d^2 / 2 at 0.

        Example:
            >>> import divmin as dm
            >>> round(dm.divergence("js").s(float("inf")), 12) == round(0.5 * math.log(2), 12)
            True

        Source: Shannon et al., eqs. 6 and 10.
        """
        return numerics.apply(self._s_smooth, d)

    # --- functions of the ratio ----------------------------------------------------------------------------------------------

    def f(self, u: Array) -> Array:
        """f(u), with f(1) = f'(1) = 0.

        Args:
            u: ratios p/q, any shape, u >= 0 (NaN below); u = 0 and inf give the limits.

        Returns:
            Values like `u`, in nats.

        Example:
            >>> import divmin as dm
            >>> round(dm.divergence("chi2_model_denominator").f(3.0), 12)
            4.0
        """
        return numerics.apply(lambda x: numerics.smooth(x, self._f, self.df), u)

    def df(self, u: Array) -> Array:
        """f'(u): a at d = log u.

        Args:
            u: ratios p/q, any shape.

        Returns:
            Values like `u`.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").df(1.0)
            0.0
        """
        return numerics.apply(lambda x: numerics.smooth(x, lambda y: self._integral(y.log(), 1), self.d2f), u)

    def d2f(self, u: Array) -> Array:
        """f''(u) = w(log u) / u^2, the only part of f that D_f and its gradients depend on.

        Args:
            u: ratios p/q, any shape.

        Returns:
            Values like `u`.

        Raises:
            NotSmoothError: for divergences whose f has a kink.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").d2f(4.0)
            0.25
        """
        return numerics.apply(lambda x: self._tilted(x.log(), 2), u)

    # --- properties ------------------------------------------------------------------------------------------------------

    @cached_property
    def scale(self) -> float:
        """f''(1): names carry their textbook scale, and `canonical()` divides by it."""
        return float(self._tilted(numerics.float64(0.0), 0))

    @property
    def left_bounded(self) -> bool:
        """Whether samples that look ever more fake (d -> -inf) cost a bounded amount: R < 2."""
        return self.tails.left_bounded

    @property
    def right_bounded(self) -> bool:
        """Whether data that the model misses ever more (d -> inf) cost a bounded amount: S < 2."""
        return self.tails.right_bounded

    @property
    def bounded(self) -> bool:
        """Whether D_f has a finite supremum over all pairs of distributions."""
        return self.left_bounded and self.right_bounded

    @cached_property
    def sup(self) -> float:
        """The supremum of D_f, reached on disjoint supports: f(0) + lim f(u)/u, in nats."""
        return float(self.s(-math.inf)) + float(self.s(math.inf))

    @property
    def symmetric(self) -> bool:
        """Whether D_f(p, q) = D_f(q, p) for all p and q, to 1e-12."""
        at = numerics.float64([0.1, 0.5, 1.0, 2.0, 5.0, 10.0])
        return bool(((self.s(at) - self.s(-at)).abs() <= 1e-12 * self.s(at)).all())

    @property
    def character(self) -> str:
        """What the tails say about behaviour, in words. A tendency, not a law: see docs/theory.md."""
        return self.tails.character

    @property
    def expression(self) -> str:
        """How it was built, in the language that `divmin.divergence` reads.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("rkl").soften().expression
            'soften(reverse_kl)'
        """
        return spelled(self) or self._written()

    @property
    def name(self) -> str:
        """Its name in the catalogue, up to a printed factor, recognised by comparing functions; else how it was built."""
        from divmin.family.recognise import recognise

        found = recognise(self)
        return self.expression if found is None else found.text

    @property
    def formula(self) -> str:
        """f(u) as LaTeX, in the scale of this object; without an entry in the catalogue, the expression."""
        from divmin.family.recognise import latex

        return latex(self)

    # --- algebra ---------------------------------------------------------------------------------------------------------

    def reverse(self) -> Divergence:
        """The divergence with its arguments swapped: D(p, q) becomes D(q, p).

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").reverse().name
            'reverse_kl'
        """
        from divmin.family.algebra import Reversed

        return Reversed(self)

    def symmetrize(self) -> Divergence:
        """Half of itself plus half of its reverse.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").symmetrize().name
            '0.5*jeffreys'
        """
        return 0.5 * self + 0.5 * self.reverse()

    def skew(self, pi: float) -> Divergence:
        """D(p, pi p + (1 - pi) q) / (1 - pi)^2, which has the same f''(1).

        Args:
            pi: the share of data in the mixture that replaces the model, 0 <= pi < 1.

        Raises:
            DivminError: for other shares.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("kl").skew(0.25).name
            'skew_kl(0.25)'

        Source: Shannon et al., section 5, for pi = 1/2.
        """
        from divmin.family.algebra import Skewed

        if not 0 <= pi < 1:
            raise DivminError(f"skew towards m = pi p + (1 - pi) q needs 0 <= pi < 1; got {plain(pi)}")
        return Skewed(self, float(pi))

    def soften(self) -> Divergence:
        """4 D(p, (p + q)/2): skew with pi = 1/2. The right tail weight becomes 0.

        Example:
            >>> import divmin as dm
            >>> dm.divergence("reverse_kl").soften().name
            'softened_reverse_kl'

        Source: Shannon et al., section 5.
        """
        return self.skew(0.5)

    def canonical(self) -> Divergence:
        """The same divergence rescaled to f''(1) = 1, in which half the Fisher form is its local value.

        Raises:
            NotSmoothError: when f has a kink, so that no f''(1) exists.

        Example:
            >>> import divmin as dm
            >>> round(dm.divergence("js").canonical().sup, 12) == round(4 * math.log(2), 12)
            True
        """
        if not self.smooth:
            raise NotSmoothError(f"{self.expression} has no f''(1) to rescale by: its f has a kink")
        return self if self.scale == 1 else (1 / self.scale) * self

    def nonsaturating(self) -> Divergence:
        """What the generator minimises when it descends -E_q[a(d)] instead of -E_q[b(d)]: f'' becomes f''/u.

        The tail weights become (R + 1, S - 1).

        Example:
            >>> import divmin as dm
            >>> dm.divergence("js").nonsaturating().name
            '0.25*softened_reverse_kl'

        Source: Shannon et al., section 9, eq. 42.
        """
        from divmin.family.algebra import Tilted

        return Tilted(self, 1)

    def __rmul__(self, factor: float) -> Divergence:
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            return NotImplemented
        if not (factor > 0 and math.isfinite(factor)):
            raise DivminError(f"a divergence can be multiplied by a positive finite number only; got {factor}")
        return self if factor == 1 else self._scaled(float(factor))

    def __mul__(self, factor: float) -> Divergence:
        return factor * self

    def __truediv__(self, divisor: float) -> Divergence:
        if divisor == 0:
            raise DivminError(f"cannot divide {self.expression} by 0")
        return (1 / divisor) * self

    def __add__(self, other: Divergence) -> Divergence:
        from divmin.family.algebra import Sum

        return Sum(self, other) if isinstance(other, Divergence) else NotImplemented

    def __str__(self) -> str:
        return self.name

    def in_a_mean(self, d: Tensor, k: int) -> Tensor:
        """a (k = 1) or b (k = 0) as the term of a loss, which is a mean over many samples: cheaper, with the same slope.

        The value has a few roundings of the size of its terms in place of its own, and so has fewer digits near d = 0.

        Args:
            d: log-ratios, any shape, float32 or float64, nats.
            k: 1 for a, 0 for b.

        Returns:
            Values like `d`, differentiable to any order.

        Example:
            >>> import divmin as dm, torch
            >>> d = torch.tensor([0.5, 2.0])
            >>> dm.divergence("js").in_a_mean(d, 0) - dm.divergence("js").b(d) < 1e-6
            tensor([True, True])
        """
        from divmin.slopes import values_are_known

        both = self._rough(k) if values_are_known() else None
        return self._area(d, k) if both is None else numerics.together(d, both, lambda x: self._slope(x, k))

    # --- how the functions above are put together ---------------------------------------------------------------------------

    def _area(self, d: Array, k: int) -> Array:
        return numerics.apply(
            lambda x: numerics.smooth(x, lambda y: self._integral(y, k), lambda y: self._slope(y, k)), d
        )

    def _slope(self, d: Tensor, k: int) -> Tensor:
        """The derivative of A_k: T_k, or 0 between the kinks of a divergence that has them."""
        return self._tilted(d, k)

    def _s_smooth(self, d: Tensor) -> Tensor:
        return numerics.smooth(d, lambda y: self._s(y, 0), self._s_slope)

    def _s_slope(self, d: Tensor) -> Tensor:
        """s'(d) = e^d a(d) left of 0, e^-d b(d) right of 0; where a or b overflow, s + b and a - s are the same things."""
        a, b = self.a(d), self.b(d)
        s = self._s_smooth(d)
        low, high = (d / 2).clamp(max=0).exp(), (d / -2).clamp(max=0).exp()  # halves: e^d underflows before e^d a does
        left = (low * a * low).where(a.isfinite(), (s + b).where(b.isfinite(), a))
        right = (high * b * high).where(b.isfinite(), (a - s).where(a.isfinite(), b))
        return left.where(d < 0, right)

    def _f(self, u: Tensor) -> Tensor:
        s = self._s(u.log(), 0)
        # also at u = inf, where f may have ended in a flat stretch
        return (u.clamp(min=1) * s).masked_fill(s == 0, 0.0)
