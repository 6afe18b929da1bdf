"""A small image tokenizer with a codebook, a patch discriminator, the hinge loss and an adaptive weight, and divmin's monitor.

python examples/monitor/tokenizer.py              # trains, and prints what the discriminator's scores show
python examples/monitor/tokenizer.py --bug        # data and reconstructions exchanged in its loss: the monitor says so
python examples/monitor/tokenizer.py --no-monitor # the same losses to the last bit
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import mse_loss, relu

import divmin as dm

CODES, WIDTH, START = 32, 16, 100  # the adversarial term comes in when pictures have a shape


class Tokenizer(nn.Module):
    """Pictures to codes of a book and back; the gradient passes the book as if it were not there."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, WIDTH, 3, 1, 1))
        self.book = nn.Embedding(CODES, WIDTH)
        self.decoder = nn.Sequential(
            nn.Conv2d(WIDTH, 32, 3, 1, 1), nn.ReLU(), nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU()
        )
        self.last = nn.Conv2d(32, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encoder(x).movedim(1, -1)
        codes = self.book(torch.cdist(z.flatten(0, 2), self.book.weight).argmin(1)).view_as(z)
        commitment = mse_loss(codes, z.detach()) + 0.25 * mse_loss(z, codes.detach())
        return self.last(self.decoder((z + (codes - z).detach()).movedim(-1, 1))), commitment


def main(arguments: Sequence[str] | None = None) -> tuple[list[tuple[float, float]], dm.diagnostics.Report | None]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--bug", action="store_true")
    parser.add_argument("--no-monitor", action="store_true")
    options = parser.parse_args(arguments)
    torch.manual_seed(0)
    images = torch.tensor(load_digits().images, dtype=torch.float32)[:, None] / 8 - 1
    tokenizer = Tokenizer()
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 3, 1, 1),  # 4 x 4 patches
    )  # fmt: skip
    move_t = torch.optim.Adam(tokenizer.parameters(), 1e-3)
    move_d = torch.optim.Adam(discriminator.parameters(), 1e-3, betas=(0.5, 0.9))
    losses = []
    monitor = None if options.no_monitor else dm.Monitor(
        critic_loss=lambda real, fake: 0.5 * (relu(1 - real).mean() + relu(1 + fake).mean()),
        generator_loss=lambda fake: -fake.mean(),
    )  # fmt: skip

    for step in range(options.steps):
        data = images[torch.randint(len(images), (32,))]
        made, commitment = tokenizer(data)
        reconstruction, adversarial = (data - made).abs().mean(), -discriminator(made).mean()
        weight = tokenizer.last.weight
        (slope_r,), (slope_a,) = (
            torch.autograd.grad(loss, weight, retain_graph=True) for loss in (reconstruction, adversarial)
        )
        adaptive = (slope_r.norm() / (slope_a.norm() + 1e-4)).clamp(0, 1e4).detach()
        loss_t = reconstruction + commitment + (0.8 * adaptive * adversarial if step >= START else 0.0)
        move_t.zero_grad()
        loss_t.backward()
        move_t.step()
        real, fake = discriminator(data), discriminator(made.detach())
        one, other = (fake, real) if options.bug else (real, fake)
        loss_d = 0.5 * (relu(1 - one).mean() + relu(1 + other).mean())
        move_d.zero_grad()
        loss_d.backward()
        move_d.step()
        losses.append((loss_d.item(), loss_t.item()))
        if monitor is not None:
            monitor.update(real=real, fake=fake, step=step)

    report = None if monitor is None else monitor.report()
    print(report or f"losses {losses[-1]}")
    return losses, report


if __name__ == "__main__":
    main()
