"""Draw docs/pictures/monitor.png: a model that moves towards the data, and a critic that says twice the log-ratio.

python docs/make_monitor.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch.distributions import Normal

import divmin as dm
from divmin.plots import save_monitor

STEPS, BATCH = 160, 128


def main() -> None:
    torch.manual_seed(0)
    monitor = dm.Monitor(recipe="nonsaturating")
    p = Normal(0.0, 1.0)
    for step in range(STEPS):
        q = Normal(3.0 - 2.0 * step / STEPS, 1.2)
        real, fake = (2 * (p.log_prob(z) - q.log_prob(z)) for z in (p.sample((BATCH,)), q.sample((BATCH,))))
        monitor.update(real=real, fake=fake, step=step)
    save_monitor(monitor.report(), Path(__file__).parent / "pictures" / "monitor.png")


if __name__ == "__main__":
    main()
