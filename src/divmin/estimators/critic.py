"""The training of a critic on two sets: early stopping on held-out samples, seeds of its own, a first fit that it corrects.

Apart from the methods that use it, so that naming these needs no torch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from divmin.estimators.columns import taming
from divmin.estimators.method import LogRatio, Method, Penalised
from divmin.estimators.neural import CHECKS
from divmin.estimators.samples import Floats
from divmin.models import MLPCritic

HELD, MOST_HELD = 0.15, 10_000  # the part of the samples that says when to stop, and its largest size
PATIENCE = 12  # looks at the held-out loss without progress, after which the training ends
BATCH = 256
PASSES, FEWEST, MOST = 6, 1500, 6000  # over the smaller set, where steps are not given; within these numbers of steps

Pair = tuple[Tensor, Tensor]
# scores and weights (mean 1) of both sets to a loss; its best score is the log-ratio
Loss = Callable[[Pair, Pair], Tensor]


def logistic_loss(scores: Pair, weights: Pair) -> Tensor:
    """E_p[log(1 + e^-d)] + E_q[log(1 + e^d)]: both sets weigh the same, so no log of the class sizes is left over."""
    return (weights[0] * softplus(-scores[0])).mean() + (weights[1] * softplus(scores[1])).mean()


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one set.

    Args:
        z: [n, k], tamed.
        weights: [n].
        first: what the fit that comes first says of them, [n].
    """

    z: Tensor
    weights: Tensor
    first: Tensor

    def __getitem__(self, rows: Tensor) -> Part:
        return Part(self.z[rows], self.weights[rows], self.first[rows])

    def batch(self, random: torch.Generator) -> Part:
        return self if len(self.z) <= BATCH else self[torch.randint(len(self.z), (BATCH,), generator=random)]


def trained(
    loss: Loss,
    x: Floats,
    y: Floats,
    x_weights: Floats,
    y_weights: Floats,
    *,
    width: int,
    steps: int,
    seed: int,
    first: Method | None = None,
) -> LogRatio:
    """The critic at its best held-out loss, as a function of rows. Depends on the seed alone; leaves global states as they are.

    Args:
        loss: of scores and weights.
        x, y, x_weights, y_weights, seed: as `Method.fit` takes them.
        width: units of a hidden layer.
        steps: of the optimiser; 0 for a choice by size.
        first: a method whose log-ratio the critic is added to. It learns from the rows that the critic learns from.
    """
    tame = taming(x, y, x_weights, y_weights)
    random = torch.Generator().manual_seed(seed)
    sets = (tame(x), x_weights / x_weights.mean()), (tame(y), y_weights / y_weights.mean())
    order = [torch.randperm(len(z), generator=random).numpy() for z, _ in sets]
    held = [max(1, min(int(HELD * len(z)), MOST_HELD)) for z, _ in sets]
    base: LogRatio = _nothing
    if first is not None:
        (a, wa), (b, wb) = ((z[o[h:]], w[o[h:]]) for (z, w), o, h in zip(sets, order, held, strict=True))
        base = first.fit(a, b, wa, wb, seed)
    parts = [Part(*(torch.from_numpy(each).float() for each in (z, w, base(z)))) for z, w in sets]
    learn = [part[torch.from_numpy(o[h:])] for part, o, h in zip(parts, order, held, strict=True)]
    test = [part[torch.from_numpy(o[:h])] for part, o, h in zip(parts, order, held, strict=True)]
    steps = steps or max(FEWEST, min(MOST, PASSES * min(len(part.z) for part in learn) // BATCH))
    critic = _fresh(x.shape[1], width, seed, still=first is not None)
    _train(critic, loss, learn, test, steps, random, still=first is not None)

    def log_ratio(base: LogRatio) -> LogRatio:
        @torch.no_grad()
        def of(rows: Floats) -> Floats:
            z = tame(rows)
            scores = torch.cat([critic(part) for part in torch.from_numpy(z).float().split(8192)])
            d: Floats = scores.double().numpy() + base(z)
            return d

        return of

    return Penalised(log_ratio(base), log_ratio(base.freer)) if isinstance(base, Penalised) else log_ratio(base)


def _train(
    critic: nn.Module, loss: Loss, learn: list[Part], test: list[Part], steps: int, random: torch.Generator, still: bool
) -> None:
    """Leave the critic as it was at its best held-out loss; also as it came, where it came `still`."""
    optimiser = torch.optim.AdamW(critic.parameters(), lr=1e-3, weight_decay=1e-3)
    # the rate falls to a tenth along half a cosine
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=1e-4)
    best, least, waited, every = critic.state_dict(), float("inf"), 0, steps // CHECKS
    for step in range(steps + 1):
        if step % every == 0 and (step > 0 or still):
            with torch.no_grad():
                held = float(_loss(loss, critic, test))
            waited += 1
            if held < least:
                best, least, waited = copy.deepcopy(critic.state_dict()), held, 0
            if waited >= PATIENCE:
                break
        optimiser.zero_grad(set_to_none=True)
        _loss(loss, critic, [part.batch(random) for part in learn]).backward()
        nn.utils.clip_grad_norm_(critic.parameters(), 5.0)
        optimiser.step()
        rate.step()
    critic.load_state_dict(best)


def _loss(loss: Loss, critic: nn.Module, sets: list[Part]) -> Tensor:
    x, y = sets
    scores = critic(torch.cat([x.z, y.z])) + torch.cat([x.first, y.first])
    return loss((scores[: len(x.z)], scores[len(x.z) :]), (x.weights, y.weights))


def _fresh(columns: int, width: int, seed: int, still: bool) -> MLPCritic:
    """A new critic; where `still`, one that says 0 everywhere."""
    # Layers take their first weights from the default generator of the CPU; a fork leaves it as it was.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        critic = MLPCritic((columns,), width=width)
    if still:
        for parameter in critic.layers[-1].parameters():
            nn.init.zeros_(parameter)
    return critic


def _nothing(rows: Floats) -> Floats:
    return np.zeros(len(rows))
