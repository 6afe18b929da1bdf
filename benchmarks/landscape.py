"""How fast landscapes are: 200 x 200 values at once against plain loops over scipy.integrate.quad, and how far all are off.

python benchmarks/landscape.py

The integrand is plain Python, once with the functions of math and once with those of NumPy, which most people write. The
tolerances are quad's defaults, the range nine deviations and more. A loop runs on 400 random places of the grid, and its time is
extrapolated to all of it. References are dm.exact's values at 100 of these places.
The aim: at least 100 times faster at equal accuracy.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from scipy.integrate import quad
from timing import paired
from torch.distributions import Normal

import divmin as dm

P = "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"
NODES, SAMPLE, CHECKED = 200, 400, 100
GRID = {"loc": np.linspace(-3, 3, NODES), "scale": np.linspace(0.1, 3, NODES)}
ROOT = math.sqrt(2 * math.pi)
A, B = 0.75 / (0.5 * ROOT), 0.25 / (0.5 * ROOT)
Integrand = Callable[[float], float]
Maker = Callable[[ModuleType, float, float], Integrand]  # from math or numpy, and the parameters of q


def js(by: ModuleType, mean: float, scale: float) -> Integrand:
    exp, log, top = by.exp, by.log, 1 / (scale * ROOT)

    def integrand(x: float) -> float:
        p = A * exp(-2 * (x + 1) ** 2) + B * exp(-2 * (x - 1.2) ** 2)
        q = top * exp(-0.5 * ((x - mean) / scale) ** 2)
        m = 0.5 * (p + q)
        return 0.5 * (p * log(p / m) + q * log(q / m)) if p > 0 and q > 0 else 0.5 * (p + q) * log(2)

    return integrand


def srkl(by: ModuleType, mean: float, scale: float) -> Integrand:
    """4 KL(m || p), m = (p + q)/2."""
    exp, log, top = by.exp, by.log, 1 / (scale * ROOT)

    def integrand(x: float) -> float:
        p = A * exp(-2 * (x + 1) ** 2) + B * exp(-2 * (x - 1.2) ** 2)
        q = top * exp(-0.5 * ((x - mean) / scale) ** 2)
        m = 0.5 * (p + q)
        return 4 * (m * log(m / p) + p - m) if p > 1e-300 else 0.0

    return integrand


COSTS: dict[str, Maker] = {"js": js, "srkl": srkl}
LOOPS = (math, np)


def by_quad(integrand: Integrand, mean: float, scale: float) -> float:
    ends = min(-6.0, mean - 9 * scale), max(6.0, mean + 9 * scale)
    return float(quad(integrand, *ends, limit=200)[0])


def measured(name: str, by: ModuleType, rounds: int) -> dict[str, float | str]:
    random = np.random.default_rng(0)
    chosen = [(int(i), int(j)) for i, j in random.integers(NODES, size=(SAMPLE, 2))]
    points = [(float(GRID["loc"][i]), float(GRID["scale"][j])) for i, j in chosen]
    p = dm.law(P)
    whole, sampled, extrapolate = dm.landscape(name, p, Normal, GRID), [], NODES**2 / SAMPLE

    def loop() -> None:
        sampled[:] = [by_quad(COSTS[name](by, mean, scale), mean, scale) for mean, scale in points]

    seconds, taken, ratio = paired(lambda: dm.landscape(name, p, Normal, GRID), loop, rounds, clock=time.process_time)
    off = [0.0, 0.0]
    for (i, j), (mean, scale), looped in list(zip(chosen, points, sampled, strict=True))[:CHECKED]:
        truth = dm.exact(name, p, Normal(torch.tensor(mean, dtype=torch.float64), scale)).value
        off = [max(one, abs(x / truth - 1)) for one, x in zip(off, (float(whole.values[i, j]), looped), strict=True)]
    return {
        "divergence": name,
        "integrand": by.__name__,
        "seconds": seconds,
        "loop": taken * extrapolate,
        "ratio": extrapolate / ratio,
        "landscape_off": off[0],
        "loop_off": off[1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [measured(name, by, options.rounds) for name in COSTS for by in LOOPS]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{NODES} x {NODES} normal laws, 1 thread, processor time, medians of {options.rounds} rounds")
    print(f"{'':<22}{'landscape':>10}  {'loop':>10}  {'ratio':>6}  {'off by at most':>24}")
    for row in rows:
        off = f"{row['landscape_off']:.0e}, loop {row['loop_off']:.0e}"
        loop = f"{row['divergence']}, quad and {row['integrand']}"
        print(f"{loop:<22}{row['seconds']:8.2f} s  {row['loop']:8.1f} s  {row['ratio']:6.0f}  {off:>24}")


if __name__ == "__main__":
    main()
