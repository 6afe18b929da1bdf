"""What the monitor costs: processor time of an update over that of one DCGAN step, and the size of what it keeps.

python benchmarks/monitor.py

An update is the mean over 6,400 of them, which includes counting every 32nd time. A step is one critic move and one generator
move on batches of 64 pictures of 32 x 32, written as a bare loop. The aim: under 1%.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import torch
from torch.nn.functional import softplus

import divmin as dm
from divmin import models

UPDATES, STEPS, BATCH = 6400, 6, 64


def update(recipe: str, gradients: bool) -> tuple[float, int]:
    """Processor seconds of an update, and the bytes of the monitor's record after all."""
    monitor, random = dm.Monitor(recipe), torch.Generator().manual_seed(0)
    scores = [
        (torch.randn(BATCH, generator=random) + 0.5, torch.randn(BATCH, generator=random) - 0.5) for _ in range(64)
    ]
    norms = torch.rand(BATCH, generator=random) if gradients else None
    monitor.update(real=scores[0][0], fake=scores[0][1])
    started = time.process_time()
    for i in range(UPDATES):
        real, fake = scores[i % 64]
        monitor.update(real=real, fake=fake, gradient_norms=norms)
    return (time.process_time() - started) / UPDATES, len(json.dumps(monitor.to_record()))


def step(width: int) -> float:
    """Processor seconds of one DCGAN step, the median of a few."""
    pair = models.build("dcgan", shape=(3, 32, 32), latent=64, width=width, seed=0)
    moves = [torch.optim.Adam(network.parameters(), 2e-4, fused=True) for network in (pair.critic, pair.generator)]
    seconds = []
    for _ in range(STEPS + 1):
        started = time.process_time()
        data, fakes = torch.rand(BATCH, 3, 32, 32), pair.generator(torch.randn(BATCH, pair.latent))
        moves[0].zero_grad()
        (softplus(-pair.critic(data)).mean() + softplus(pair.critic(fakes.detach())).mean()).backward()
        moves[0].step()
        moves[1].zero_grad()
        softplus(-pair.critic(fakes)).mean().backward()
        moves[1].step()
        seconds.append(time.process_time() - started)
    return statistics.median(seconds[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps = {width: step(width) for width in options.widths}
    rows = []
    for recipe, gradients in (("nonsaturating", False), ("nonsaturating", True), ("hinge", False), ("rpgan", False)):
        seconds, size = update(recipe, gradients)
        rows.append({"recipe": recipe, "gradient norms": gradients, "microseconds": 1e6 * seconds, "bytes": size}
                    | {f"of a step of width {width}": seconds / taken for width, taken in steps.items()})  # fmt: skip
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for width, taken in steps.items():
        print(f"a DCGAN step of width {width}: {1e3 * taken:.0f} ms")
    for row in rows:
        shares = ", ".join(f"{row[f'of a step of width {width}']:.2%} of a step of width {width}" for width in steps)
        name = f"{row['recipe']}{' with gradient norms' if row['gradient norms'] else ''}"
        print(f"{name:<36}{row['microseconds']:>6.0f} us an update: {shares}; it keeps {row['bytes'] / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
