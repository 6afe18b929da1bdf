"""A plain convolutional GAN on scikit-learn's digits, as public scripts write it, with divmin's monitor in three lines.

python examples/monitor/dcgan.py                  # trains, and prints what the critic's scores show
python examples/monitor/dcgan.py --bug            # data and samples exchanged in the discriminator's loss: the monitor says so
python examples/monitor/dcgan.py --no-monitor     # the same losses to the last bit
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import nn

import divmin as dm

LATENT = 32


def networks() -> tuple[nn.Module, nn.Module]:
    generator = nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 64, 2), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 2), nn.Flatten(0),
    )  # fmt: skip
    return generator, discriminator


def main(arguments: Sequence[str] | None = None) -> tuple[list[tuple[float, float]], dm.diagnostics.Report | None]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--bug", action="store_true")
    parser.add_argument("--no-monitor", action="store_true")
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1
    generator, discriminator = networks()
    move_g = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    move_d = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
    bce, losses = nn.BCEWithLogitsLoss(), []
    monitor = None if options.no_monitor else dm.Monitor(recipe="nonsaturating")  # 1

    for step in range(options.steps):
        data = images[torch.randint(len(images), (64,))]
        fakes = generator(torch.randn(64, LATENT))
        real, fake = discriminator(data), discriminator(fakes.detach())
        if options.bug:
            loss_d = bce(fake, torch.ones(64)) + bce(real, torch.zeros(64))
        else:
            loss_d = bce(real, torch.ones(64)) + bce(fake, torch.zeros(64))
        move_d.zero_grad()
        loss_d.backward()
        move_d.step()
        loss_g = bce(discriminator(fakes), torch.ones(64))
        move_g.zero_grad()
        loss_g.backward()
        move_g.step()
        losses.append((loss_d.item(), loss_g.item()))
        if monitor is not None:
            monitor.update(real=real, fake=fake, step=step)  # 2

    report = None if monitor is None else monitor.report()
    print(report or f"losses {losses[-1]}")  # 3
    return losses, report


if __name__ == "__main__":
    main()
