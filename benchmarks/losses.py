"""Forward and backward time of the catalogue's critic losses, as ratios.

    python benchmarks/losses.py

Critic losses `fgan(member)` of every smooth member of the catalogue on n real and n fake logits, forward and backward,
against the same closed form written by hand in plain PyTorch (expm1 and softplus where a careful person uses them), and
against the softplus pair of the usual GAN. Process time on one thread unless told otherwise.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable

import torch
from timing import paired
from torch import Tensor
from torch.nn.functional import softplus

import divmin as dm
from divmin.errors import counted

LOG2 = math.log(2)


def ag(d: Tensor) -> Tensor:
    return 0.25 * (torch.expm1(d) + d) - 0.5 * (softplus(d) - LOG2)


# a(d) and b(d) by hand: the closed forms of a textbook, with softplus where a stable one is known
BY_HAND: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "kl": (lambda d: d, torch.expm1),
    "reverse_kl": (lambda d: -torch.expm1(-d), lambda d: d),
    "jeffreys": (lambda d: d - torch.expm1(-d), lambda d: torch.expm1(d) + d),
    "chi2_data_denominator": (lambda d: -torch.expm1(-2 * d), lambda d: -2 * torch.expm1(-d)),
    "chi2_model_denominator": (lambda d: 2 * torch.expm1(d), lambda d: torch.expm1(2 * d)),
    "squared_hellinger": (lambda d: -0.5 * torch.expm1(-d / 2), lambda d: 0.5 * torch.expm1(d / 2)),
    "js": (lambda d: 0.5 * (LOG2 - softplus(-d)), lambda d: 0.5 * (softplus(d) - LOG2)),
    "softened_kl": (
        lambda d: 4 * (LOG2 - softplus(-d)) + 4 * torch.sigmoid(-d) - 2,
        lambda d: 4 * torch.sigmoid(d) - 2,
    ),
    "softened_reverse_kl": (
        lambda d: -2 * (LOG2 - softplus(-d)) - 2 * torch.expm1(-d),
        lambda d: 2 * (LOG2 - softplus(-d)),
    ),
    "igog": (
        lambda d: 0.5 - torch.sigmoid(-d) * (-d).exp(),
        lambda d: 0.5 - torch.sigmoid(-d) + LOG2 - softplus(-d),
    ),
    "triangular": (lambda d: 1 - 4 * torch.sigmoid(-d) ** 2, lambda d: 4 * torch.sigmoid(d) ** 2 - 1),
    "arithmetic_geometric": (lambda d: -ag(-d), ag),
    "power(-0.5)": (lambda d: torch.expm1(-1.5 * d) / -1.5, lambda d: torch.expm1(-0.5 * d) / -0.5),
    "power(0.3)": (lambda d: torch.expm1(-0.7 * d) / -0.7, lambda d: torch.expm1(0.3 * d) / 0.3),
    "power(1.5)": (lambda d: torch.expm1(0.5 * d) / 0.5, lambda d: torch.expm1(1.5 * d) / 1.5),
    "gjs(0.3)": (
        lambda d: -(0.3 + 0.7 * (-d).exp()).log() / 0.7,
        lambda d: (0.3 * d.exp() + 0.7).log() / 0.3,
    ),
    "skew_kl(0.3)": (
        lambda d: (d - (0.3 * d.exp() + 0.7).log() + 0.3 - 0.3 * d.exp() / (0.3 * d.exp() + 0.7)) / 0.49,
        lambda d: torch.expm1(d) / (0.3 * d.exp() + 0.7),
    ),
    "skew_reverse_kl(0.3)": (
        lambda d: (0.3 * ((0.3 * d.exp() + 0.7).log() - d) - 0.7 * torch.expm1(-d)) / 0.49,
        lambda d: (d - (0.3 * d.exp() + 0.7).log()) / 0.7,
    ),
}


def hand_written(name: str, real: Tensor, fake: Tensor) -> Tensor:
    a, b = BY_HAND[name]
    return -a(real).mean() + b(fake).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1_000_000, help="logits on each side")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(0)
    real, fake = ((2 * torch.randn(options.n, generator=generator)).requires_grad_() for _ in range(2))

    def step(loss: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            real.grad = fake.grad = None
            loss().backward()

        return run

    usual = step(lambda: softplus(-real).mean() + softplus(fake).mean())
    clock = time.process_time if options.threads == 1 else time.perf_counter
    rows = []
    for name in ("minimax", "nonsaturating"):
        recipe = dm.recipe(name)
        seconds, _, ratio = paired(step(lambda r=recipe: r.critic_loss(real, fake)), usual, options.rounds, clock=clock)
        rows.append({"loss": name, "ms": 1e3 * seconds, "over_by_hand": None, "over_softplus": ratio})
    for name in (name for name, each in dm.divergences().items() if each.smooth):
        recipe = dm.recipe(f"fgan({name})")
        ours = step(lambda r=recipe: r.critic_loss(real, fake))
        over_by_hand = None
        if name in BY_HAND:
            torch.testing.assert_close(
                recipe.critic_loss(real.double(), fake.double()),
                hand_written(name, real.double(), fake.double()),
                rtol=1e-7,
                atol=1e-9,
            )
            by_hand = step(lambda n=name: hand_written(n, real, fake))
            over_by_hand = paired(ours, by_hand, options.rounds, clock=clock)[2]
        seconds, _, ratio = paired(ours, usual, options.rounds, clock=clock)
        rows.append(
            {"loss": f"fgan({name})", "ms": 1e3 * seconds, "over_by_hand": over_by_hand, "over_softplus": ratio}
        )
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        f"{options.n} real and fake float32 logits, {counted(options.threads, 'thread')}, medians of {options.rounds} rounds"
    )
    print(f"{'loss':<32}{'ms':>8}{'/ by hand':>12}{'/ softplus':>12}")
    for row in rows:
        by_hand = "-" if row["over_by_hand"] is None else f"{row['over_by_hand']:.2f}"
        print(f"{row['loss']:<32}{row['ms']:>8.1f}{by_hand:>12}{row['over_softplus']:>12.2f}")


if __name__ == "__main__":
    main()
