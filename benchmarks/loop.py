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
from dataclasses import replace
from pathlib import Path

import torch
from timing import paired
from torch import Tensor, nn
from torch.nn.functional import softplus

from divmin import models
from divmin.data import from_array
from divmin.errors import counted
from divmin.training import TrainConfig, train


def bare(pair: models.Pair, data: Tensor, steps: int, batch: int) -> float:
    """Seconds of the loop that people should write."""
    generator, critic = pair.generator.train(), pair.critic.train()
    of_generator = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.99), fused=True)
    of_critic = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.99), fused=True)
    started = time.perf_counter()
    for _ in range(steps):
        real = data[torch.randint(len(data), (batch,))]
        with torch.no_grad():
            fake = generator(torch.randn(batch, pair.latent))
        of_critic.zero_grad(set_to_none=True)
        (softplus(-critic(real)).mean() + softplus(critic(fake)).mean()).backward()
        of_critic.step()

        for weight in critic.parameters():
            weight.requires_grad_(False)
        of_generator.zero_grad(set_to_none=True)
        softplus(-critic(generator(torch.randn(batch, pair.latent)))).mean().backward()
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
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    noise = torch.Generator().manual_seed(0)
    cases = {
        "DCGAN 32 x 32 x 1, width 32, batch 64": ("dcgan", (1, 32, 32), 32, 64, 20, 1.05),
        "MLP 3 x 128, batch 256": ("mlp", (2,), 128, 256, 300, 1.2),
    }
    rows = []
    for name, (model, shape, width, batch, steps, most) in cases.items():
        data = torch.rand(4096, *shape, generator=noise) * 2 - 1
        pair = models.build(model, shape=shape, width=width, seed=0)
        config = TrainConfig(model=model, batch_size=batch, steps=steps, checkpoint_every=steps, device="cpu")
        one, other, ratio = race(config, pair, data, options.rounds)
        rows.append(
            {
                "pair": name,
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
        print(f"{row['pair']:<40} {times}  ratio {row['ratio']:.3f} (at most {row['at_most']})")


def race(config: TrainConfig, pair: models.Pair, data: Tensor, rounds: int) -> tuple[float, float, float]:
    """Seconds of both loops and their ratio; what counts is the time that the loops leave in `clocked`."""
    clocked: list[float] = []
    return paired(
        lambda: clocked.append(trainer(config, _copied(pair), data)),
        lambda: clocked.append(bare(_copied(pair), data, config.steps, config.batch_size)),
        rounds,
        clock=lambda: sum(clocked),
    )


def _copied(pair: models.Pair) -> models.Pair:
    return replace(pair, generator=_clone(pair.generator), critic=_clone(pair.critic))


def _clone(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)


if __name__ == "__main__":
    main()
