"""Two laws on the line, and what losses of the form E_q[F(d)] - E_p[G(d) log q] do to a normal model there: mean and spread.

The gradient by (mu, log sigma) of such a loss, the scores d held fixed, is E_q[F grad log q] - E_p[G grad log q]; an estimate of
it from one sample of each side has the variance Var_q[F grad log q] + Var_p[G grad log q].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Normal

from divmin.data import Density, Mixture

Term = Callable[[Tensor], Tensor]


def nothing(d: Tensor) -> Tensor:
    """The term that a loss does not have."""
    return torch.zeros_like(d)


@dataclass(frozen=True)
class Loss:
    """E_q[F(d)] - E_p[G(d) log q].

    Args:
        fake: F, of the scores of model samples.
        data: G, of the scores of data.
    """

    fake: Term
    data: Term = nothing


@dataclass(frozen=True)
class OnTheLine:
    """A data law p and a normal model q = N(mean, sd^2), on nodes where integrals are trapezoids.

    Both laws have to be negligible beyond the nodes; for analytic densities the error is then that of rounding.

    Args:
        p: the data.
        mean, sd: of the model.
        reach: nodes lie from -reach to reach.
        nodes: how many.
    """

    p: Density
    mean: float
    sd: float
    reach: float = 30.0
    nodes: int = 8001

    @property
    def x(self) -> Tensor:
        """The nodes [nodes]."""
        return torch.linspace(-self.reach, self.reach, self.nodes, dtype=torch.float64)

    def log_p(self, x: Tensor) -> Tensor:
        """log p at points [n]."""
        return self.p.log_prob(x[:, None])

    def log_q(self, x: Tensor) -> Tensor:
        """log q at points [n]."""
        mean, sd = (torch.tensor(each, dtype=x.dtype) for each in (self.mean, self.sd))
        found: Tensor = Normal(mean, sd).log_prob(x)
        return found

    def d(self, x: Tensor) -> Tensor:
        """log p/q at points [n]."""
        return self.log_p(x) - self.log_q(x)

    def slopes(self, x: Tensor) -> Tensor:
        """The gradient of log q by (mu, log sigma) at points [n]: [2, n]."""
        z = (x - self.mean) / self.sd
        return torch.stack([z / self.sd, z.square() - 1])

    def integral(self, values: Tensor) -> Tensor:
        """Trapezoids over values at the nodes [..., nodes]: [...]."""
        return torch.trapezoid(values, self.x)

    def gradient(self, loss: Loss) -> Tensor:
        """The gradient [2] of a loss by (mu, log sigma), the critic, which says d, held fixed."""
        from_model, from_data = self._terms(loss)
        return self.integral(from_model) - self.integral(from_data)

    def variance(self, loss: Loss) -> Tensor:
        """The variance [2] of the gradient's estimate from one sample of the model and one of the data."""
        means = sum(self.integral(weighed).square() for weighed in self._terms(loss))
        return self.second_moment(loss) - means

    def second_moment(self, loss: Loss) -> Tensor:
        """E_q[(F grad log q)^2] + E_p[(G grad log q)^2], [2]."""
        total = torch.zeros(2, dtype=torch.float64)
        for weighed, log_law in zip(self._terms(loss), (self.log_q(self.x), self.log_p(self.x)), strict=True):
            # the square of (y law) over the law, in logarithms, since it may leave the range of float64 on the way
            total = total + self.integral((2 * weighed.abs().log() - log_law).exp())
        return total

    def _terms(self, loss: Loss) -> tuple[Tensor, Tensor]:
        """q F grad log q and p G grad log q at the nodes, [2, nodes] each."""
        x = self.x
        d = self.d(x)
        laws = self.log_q(x).exp(), self.log_p(x).exp()
        terms = loss.fake(d), loss.data(d)
        fake, real = (
            torch.where(law > 0, law * term, 0.0) * self.slopes(x) for law, term in zip(laws, terms, strict=True)
        )
        return fake, real

    def estimates(self, loss: Loss, batch: int, batches: int, seed: int) -> Tensor:
        """Gradients [batches, 2] from so many samples of each side, with the exact d."""
        n = batch * batches
        model = Mixture(((self.mean,),), ((self.sd,),))
        fake, real = (
            law.sample(n, seed=2 * seed + side, dtype=torch.float64)[:, 0] for side, law in enumerate((model, self.p))
        )
        parts = (
            (term(self.d(x)) * self.slopes(x)).reshape(2, batches, batch).mean(2).T
            for term, x in ((loss.fake, fake), (loss.data, real))
        )
        return next(parts) - next(parts)
