"""A neural critic with the logistic loss, whose best output is the log-ratio; stopped early on held-out samples.

Also the training loop of any critic: `variational` brings another loss.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from divmin.errors import DivminError
from divmin.estimators.kernels import scaled
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats
from divmin.models import MLPCritic

HELD = 0.15  # the part of the samples that says when to stop
CHECKS, PATIENCE = 60, 12  # looks at the held-out loss, and how many without progress end the training
BATCH = 256

Pair = tuple[Tensor, Tensor]
# scores and weights (mean 1) of both sets to a loss; its best score is the log-ratio
Loss = Callable[[Pair, Pair], Tensor]


@dataclass(frozen=True)
class Neural:
    """A multilayer perceptron on standardised columns."""

    width: int = 96
    steps: int = 1500

    def __post_init__(self) -> None:
        if self.width < 1 or self.steps < CHECKS:
            raise DivminError(f"neural has width {self.width}, steps {self.steps}: expected at least 1 and {CHECKS}")

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        return trained(logistic_loss, x, y, x_weights, y_weights, width=self.width, steps=self.steps, seed=seed)

    def __str__(self) -> str:
        return written("neural", self)


def logistic_loss(scores: Pair, weights: Pair) -> Tensor:
    """E_p[log(1 + e^-d)] + E_q[log(1 + e^d)]: both sets weigh the same, so no log of the class sizes is left over."""
    return (weights[0] * softplus(-scores[0])).mean() + (weights[1] * softplus(scores[1])).mean()


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
) -> LogRatio:
    """The critic at its best held-out loss, as a function of rows. Depends on the seed alone; leaves global states as they are."""
    middle, spread = scaled(x, y)

    def to_tensor(z: Floats) -> Tensor:
        return torch.from_numpy((z - middle) / spread).float()

    random = torch.Generator().manual_seed(seed)
    sets = [_parted(to_tensor(z), torch.from_numpy(w).float(), random) for z, w in ((x, x_weights), (y, y_weights))]
    critic = _fresh(x.shape[1], width, seed)
    optimiser = torch.optim.AdamW(critic.parameters(), lr=1e-3, weight_decay=1e-3)
    # the rate falls to a twentieth along half a cosine
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=1e-4)
    best, least, waited, every = copy.deepcopy(critic.state_dict()), float("inf"), 0, steps // CHECKS
    for step in range(1, steps + 1):
        batches = [_batch(learn, random) for learn, _ in sets]
        optimiser.zero_grad(set_to_none=True)
        _loss(loss, critic, batches).backward()
        nn.utils.clip_grad_norm_(critic.parameters(), 5.0)
        optimiser.step()
        rate.step()
        if step % every == 0:
            with torch.no_grad():
                held = float(_loss(loss, critic, [held for _, held in sets]))
            waited += 1
            if held < least:
                best, least, waited = copy.deepcopy(critic.state_dict()), held, 0
            if waited >= PATIENCE:
                break
    critic.load_state_dict(best)

    @torch.no_grad()
    def log_ratio(z: Floats) -> Floats:
        parts = [critic(part) for part in to_tensor(z).split(8192)]
        d: Floats = torch.cat(parts).double().numpy()
        return d

    return log_ratio


def _fresh(columns: int, width: int, seed: int) -> MLPCritic:
    # Layers take their first weights from the default generator of the CPU; a fork leaves it as it was.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return MLPCritic((columns,), width=width)


def _parted(z: Tensor, weights: Tensor, random: torch.Generator) -> tuple[Pair, Pair]:
    """Rows and weights to learn from, and those held out; each of mean weight 1."""
    order = torch.randperm(len(z), generator=random)
    held = max(1, int(HELD * len(z)))
    learn, test = order[held:], order[:held]
    return (z[learn], weights[learn] / weights.mean()), (z[test], weights[test] / weights.mean())


def _batch(learn: Pair, random: torch.Generator) -> Pair:
    z, weights = learn
    if len(z) <= BATCH:
        return learn
    chosen = torch.randint(len(z), (BATCH,), generator=random)
    return z[chosen], weights[chosen]


def _loss(loss: Loss, critic: nn.Module, sets: list[Pair]) -> Tensor:
    (x, x_weights), (y, y_weights) = sets
    scores = critic(torch.cat([x, y]))
    return loss((scores[: len(x)], scores[len(x) :]), (x_weights, y_weights))


register_numbers(
    "neural",
    Neural,
    "a neural critic with the logistic loss, stopped early",
    "Goodfellow et al. 2014; Hermans et al. 2020",
)
