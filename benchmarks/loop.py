"""Step time of the trainer over a bare PyTorch loop that does the obvious right things, as ratios.

    python benchmarks/loop.py

The bare loop makes fakes without a graph in the critic step, freezes the critic in the generator step, and uses fused
Adam; it keeps no metrics, no average and no checkpoint. The time of the trainer is that of `divmin.training.train` from
the first step to the last, with its default logging; what happens once a run (imports, files) is in neither.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from timing import paired
from torch import Tensor, nn
from torch.nn.functional import softplus

from divmin import models
from divmin.data import from_array
from divmin.errors import counted
from divmin.training import TrainConfig, train
from divmin.training.augment import augmentation

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Family:
    """A family of recipes: the trainer's settings, and what a bare loop does in its place.

    Args:
        settings: of TrainConfig.
        critic: (critic, seen data, seen samples, their scores) to the critic's loss.
        generator: of the scores of samples.
        sight: what is done to a batch before the critic.
        penalised: whether the loss needs slopes at the seen batches.
    """

    settings: dict[str, Any]
    critic: Callable[[nn.Module, Tensor, Tensor, Tensor, Tensor], Tensor]
    generator: Loss
    sight: Loss = lambda x: x
    penalised: bool = False
    data_term: bool = False


def logistic(critic: nn.Module, real: Tensor, fake: Tensor, c_real: Tensor, c_fake: Tensor) -> Tensor:
    return softplus(-c_real).mean() + softplus(c_fake).mean()


def kl_bound(critic: nn.Module, real: Tensor, fake: Tensor, c_real: Tensor, c_fake: Tensor) -> Tensor:
    return c_fake.exp().mean() - 1 - c_real.mean()


def half_square(scores: Tensor, x: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    return slope.square().flatten(1).sum(1).mean() / 2


def r1(critic: nn.Module, real: Tensor, fake: Tensor, c_real: Tensor, c_fake: Tensor) -> Tensor:
    return softplus(-c_real).mean() + softplus(c_fake).mean() + half_square(c_real, real)


def pairs(critic: nn.Module, real: Tensor, fake: Tensor, c_real: Tensor, c_fake: Tensor) -> Tensor:
    return softplus(c_fake - c_real).mean() + half_square(c_real, real) + half_square(c_fake, fake)


def wgan_gp(critic: nn.Module, real: Tensor, fake: Tensor, c_real: Tensor, c_fake: Tensor) -> Tensor:
    t = torch.rand(len(real), *[1] * (real.dim() - 1))
    x = (t * real + (1 - t) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return c_fake.mean() - c_real.mean() + 10 * ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()


def changed(x: Tensor) -> Tensor:
    for change in augmentation("color,translation,cutout"):
        x = change(x)
    return x


def nonsaturating(c: Tensor) -> Tensor:
    return softplus(-c).mean()


def minus(c: Tensor) -> Tensor:
    return -c.mean()


FAMILIES = {
    "nonsaturating": Family({}, logistic, nonsaturating),
    "fgan(kl)": Family({"recipe": "fgan(kl)"}, kl_bound, lambda c: 1 - c.exp().mean()),
    "R1 in every step": Family({"r1": 1.0}, r1, nonsaturating, penalised=True),
    "rpgan, R1 and R2": Family({"recipe": "rpgan", "r1": 1.0, "r2": 1.0}, pairs, nonsaturating, penalised=True),
    "wgan, gradient penalty": Family({"recipe": "wgan", "gradient_penalty": 10.0}, wgan_gp, minus),
    "augmentation": Family({"augment": "color,translation,cutout"}, logistic, nonsaturating, sight=changed),
    "sdkl with pixels": Family({"recipe": "sdkl"}, logistic, minus, data_term=True),
}


def bare(family: Family, pair: models.Pair, data: Tensor, steps: int, batch: int) -> float:
    """Seconds of the loop that people should write."""
    generator, critic = pair.generator.train(), pair.critic.train()
    weights = [*generator.parameters(), *(pair.encoder.train().parameters() if pair.encoder else ())]
    of_generator = torch.optim.Adam(weights, lr=1e-3, betas=(0.0, 0.99), fused=True)
    of_critic = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.99), fused=True)
    started = time.perf_counter()
    for _ in range(steps):
        real = data[torch.randint(len(data), (batch,))]
        with torch.no_grad():
            fake = generator(torch.randn(batch, pair.latent))
        of_critic.zero_grad(set_to_none=True)
        x, y = family.sight(real), family.sight(fake)
        if family.penalised:
            x.requires_grad_(), y.requires_grad_()
        family.critic(critic, x, y, critic(x), critic(y)).backward()
        of_critic.step()

        for weight in critic.parameters():
            weight.requires_grad_(False)
        of_generator.zero_grad(set_to_none=True)
        scores = critic(family.sight(generator(torch.randn(batch, pair.latent))))
        if "rpgan" in family.settings.values():
            with torch.no_grad():
                against = critic(real)
            scores = scores - against
        loss = family.generator(scores)
        if family.data_term:
            mean, log_variance = pair.encoder(real).chunk(2, 1)
            rebuilt = generator(mean + (log_variance / 2).exp() * torch.randn_like(mean))
            gap = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1) / 2
            loss = loss + ((real - rebuilt).square().flatten(1).sum(1) / 2 + gap).mean()
        loss.backward()
        of_generator.step()
        for weight in critic.parameters():
            weight.requires_grad_(True)
    return time.perf_counter() - started


def trainer(config: TrainConfig, pair: models.Pair, data: Tensor) -> float:
    """Seconds that the trainer reports for the same steps."""
    with tempfile.TemporaryDirectory() as folder:
        run = train(replace(config, out=str(Path(folder) / "run")), source=from_array(data), pair=pair)
        return run.records()[-1].seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", help="one of: " + ", ".join(FAMILIES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    noise = torch.Generator().manual_seed(0)
    networks = {
        "DCGAN 32 x 32 x 1, width 32, batch 64": ("dcgan", (1, 32, 32), 32, 64, 20, 1.05),
        "MLP 3 x 128, batch 256": ("mlp", (2,), 128, 256, 300, 1.2),
    }
    cases = [(*case, name) for case, name in zip(networks.items(), ("nonsaturating",) * 2, strict=True)]
    image = next(iter(networks.items()))
    cases += [(*image, name) for name in FAMILIES if name != "nonsaturating"]
    if options.only:
        cases = [case for case in cases if options.only in case[2]]
    rows = []
    for name, (model, shape, width, batch, steps, most), chosen in cases:
        family = FAMILIES[chosen]
        data = torch.rand(4096, *shape, generator=noise) * 2 - 1
        pair = models.build(model, shape=shape, width=width, seed=0, encoder=family.data_term)
        config = TrainConfig(
            model=model, batch_size=batch, steps=steps, checkpoint_every=steps, device="cpu", **family.settings
        )
        one, other, ratio = race(family, config, pair, data, options.rounds)
        rows.append(
            {
                "pair": name,
                "family": chosen,
                "trainer_ms": 1e3 * one / steps,
                "bare_ms": 1e3 * other / steps,
                "ratio": ratio,
                "at_most": most,
            }
        )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{counted(options.threads, 'thread')}, medians of {options.rounds} paired rounds, ms a step")
    for row in rows:
        times = f"trainer {row['trainer_ms']:6.2f}  bare {row['bare_ms']:6.2f}"
        print(f"{row['pair']:<38} {row['family']:<23} {times}  ratio {row['ratio']:.3f} (at most {row['at_most']})")


def race(
    family: Family, config: TrainConfig, pair: models.Pair, data: Tensor, rounds: int
) -> tuple[float, float, float]:
    """Seconds of both loops and their ratio; what counts is the time that the loops leave in `clocked`."""
    clocked: list[float] = []
    return paired(
        lambda: clocked.append(trainer(config, _copied(pair), data)),
        lambda: clocked.append(bare(family, _copied(pair), data, config.steps, config.batch_size)),
        rounds,
        clock=lambda: sum(clocked),
    )


def _copied(pair: models.Pair) -> models.Pair:
    encoder = None if pair.encoder is None else _clone(pair.encoder)
    return replace(pair, generator=_clone(pair.generator), critic=_clone(pair.critic), encoder=encoder)


def _clone(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)


if __name__ == "__main__":
    main()
