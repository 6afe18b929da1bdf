"""What a critic would tell the generator: the gradient of a loss with respect to the generator's weights, E_q[w(d) grad d].

saturating         E log(1 - D)     w = sigma(d)       vanishes where D is sure of samples
non-saturating     -E log D         w = sigma(-d)      does not

Source: Arjovsky and Bottou 2017, theorems 2.4 and 2.6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from divmin.explanation import Explanation
from divmin.training.data_term import plays
from divmin.training.job import Losses

Pull = Callable[[Tensor, Tensor], Tensor]  # d of samples and of data, float64 [n] each, to the weight of each sample
SATURATING, NONSATURATING, OWN = "saturating", "non-saturating", "own"
OF_D: dict[str, Pull] = {
    SATURATING: lambda d, real: d.sigmoid(),
    NONSATURATING: lambda d, real: (-d).sigmoid(),
}


@dataclass(frozen=True)
class Norm:
    """The length of the generator's gradient over all of its weights.

    Args:
        mean: over batches of z.
        sd: between batches.
    """

    mean: float
    sd: float


def pull_of(losses: Losses | None, found: Explanation | None) -> Pull | None:
    """The pull of a run's own generator loss on samples where a critic says d; None where d does not decide it.

        w = -h'(c) at c = d for losses whose best critic says d, else the weight of the divergence that is minimised

    Args:
        losses: the run's.
        found: what they minimise.

    Example:
        >>> import divmin as dm
        >>> d = torch.tensor([-2.0, 1.0], dtype=torch.float64)
        >>> own = pull_of(dm.recipe("nonsaturating"), dm.explain("nonsaturating"))
        >>> torch.allclose(own(d, d), OF_D[NONSATURATING](d, d))
        True
    """
    if losses is None or found is None or found.link is None or not found.link.identified or not plays(losses):
        return None
    compares = bool(getattr(losses, "needs_real", False))
    if found.link.is_log_ratio or compares:

        def of_loss(d: Tensor, real: Tensor) -> Tensor:
            d = d.detach().requires_grad_()
            (slope,) = torch.autograd.grad(losses.generator_loss(d, **({"real": real} if compares else {})), d)
            return -len(d) * slope

        return of_loss
    if found.pull is None or found.masses:
        return None

    def of_weight(d: Tensor, real: Tensor) -> Tensor:
        w: Any = found.weight(d)
        return torch.as_tensor(w)

    return of_weight


def norms(
    generator: nn.Module, critic: nn.Module, batches: Sequence[Tensor], real: Tensor, pulls: Mapping[str, Pull]
) -> dict[str, Norm]:
    """The norm of E_q[w(d) grad d] by the generator's weights, which do not change.

    Args:
        generator: z [n, latent] to samples; the weights that ask for gradients count.
        critic: samples to d [n].
        batches: z of each batch.
        real: d of as many data as a batch has, for losses that compare.
        pulls: the weight of a sample by each loss.

    Example:
        >>> generator, critic = nn.Linear(1, 1, bias=False), nn.Flatten(0)  # d is the sample itself
        >>> _ = nn.init.zeros_(generator.weight)
        >>> found = norms(generator, critic, [torch.ones(4, 1)], torch.zeros(4), OF_D)
        >>> found["saturating"].mean  # sigma(0) z
        0.5
    """
    weights = [weight for weight in generator.parameters() if weight.requires_grad]
    lengths: dict[str, list[float]] = {name: [] for name in pulls}
    for z in batches:
        d = critic(generator(z)).flatten()
        for name, pull in pulls.items():
            w = pull(d.detach().cpu().double(), real.cpu().double())  # not every device has float64
            lengths[name].append(_length(d, w, weights))
    return {name: _norm(each) for name, each in lengths.items()}


def _length(d: Tensor, w: Tensor, weights: list[nn.Parameter]) -> float:
    # A perfect critic's weights are below the least float32: they are scaled to 1 before they enter the network.
    top = float(w.abs().max())
    if top == 0 or not math.isfinite(top):
        return top
    slopes = torch.autograd.grad(
        d, weights, grad_outputs=(w / (top * len(d))).to(d), retain_graph=True, allow_unused=True
    )
    return top * math.sqrt(sum(float(slope.double().square().sum()) for slope in slopes if slope is not None))


def _norm(lengths: list[float]) -> Norm:
    values = torch.tensor(lengths, dtype=torch.float64)
    return Norm(float(values.mean()), float(values.std(correction=0)))
