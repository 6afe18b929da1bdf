"""What the numbers of docs/decisions.md about evaluation rest on: exactness and speed of distances, spreads over repeats.

python benchmarks/evaluation.py
python benchmarks/evaluation.py --train mnist/train.parquet --held-out mnist/test.parquet
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor

import divmin as dm
from divmin.evaluation import classify, frechet, manifold
from divmin.evaluation.extractor import AT_ONCE


def normal(n: int, dim: int, seed: int) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def imports() -> None:
    def load(what: str) -> float:
        return min(
            seconds(lambda: subprocess.run([sys.executable, "-c", f"import {what}"], check=True)) for _ in range(5)
        )

    alone = load("torch")
    print(f"import torch {alone:.2f} s; torchmetrics adds {load('torch, torchmetrics.image.fid') - alone:.2f} s")


def by_factors(x: Tensor, y: Tensor) -> float:
    """The Frechet distance from factors C = R'R: tr (C_x C_y)^(1/2) is the sum of the singular values of R_x R_y'."""
    factors = [torch.linalg.qr(each - each.mean(0), mode="r").R / math.sqrt(len(each) - 1) for each in (x, y)]
    cross = torch.linalg.svdvals(factors[0] @ factors[1].T).sum()
    return float((x.mean(0) - y.mean(0)).square().sum() + sum(r.square().sum() for r in factors) - 2 * cross)


def exactness() -> None:
    for n, dim in ((50, 64), (500, 784), (2000, 784)):
        scale = torch.linspace(0.1, 10, dim)
        x, y = normal(n, dim, 0) * scale, normal(n, dim, 1) * scale.flip(0)
        traces = float(x.var(0).sum() + y.var(0).sum())
        took, other = seconds(lambda x=x, y=y: frechet(x, y)), seconds(lambda x=x, y=y: by_factors(x, y))
        print(f"n {n}, dim {dim}: Frechet distance ({took:.2f} s) and that by triangular factors ({other:.2f} s) "
              f"differ by {abs(frechet(x, y) - by_factors(x, y)) / traces:.0e} of the traces")  # fmt: skip


def neighbours() -> None:
    for n, dim in ((2500, 2), (5000, 64), (2000, 784)):
        x = normal(n, dim, 0)
        times = [
            seconds(
                lambda x=x, mode=mode: [torch.cdist(part, x, compute_mode=mode).kthvalue(6) for part in x.split(512)]
            )
            for mode in ("donot_use_mm_for_euclid_dist", "use_mm_for_euclid_dist")
        ]
        print(f"n {n}, dim {dim}: neighbours by differences {times[0]:.2f} s, by products {times[1]:.2f} s")


def spreads(repeats: int = 150, n: int = 400) -> None:
    for dim, shift in ((2, 1.0), (16, 0.0)):
        found = [manifold(normal(n, dim, 2 * i), normal(n, dim, 2 * i + 1) + shift) for i in range(repeats)]
        for name in ("precision", "recall", "coverage"):
            values = torch.tensor([getattr(each, name) for each in found])
            share = float(values.mean())
            ratio = float(values.std()) / math.sqrt(share * (1 - share) / n)
            print(f"dim {dim}, shift {shift}: {name} {share:.3f}, spread over that of a share {ratio:.1f}")


def held_out(train: str, other: str, n: int = 5000) -> None:
    seen, unseen = dm.data.load(train), dm.data.load(other)
    classifier = classify(seen)
    rows = torch.randperm(seen.size or 0, generator=torch.Generator().manual_seed(0))[: 2 * n]
    one, two, three = (
        torch.cat([classifier.features(part) for part in images.split(AT_ONCE)])
        for images in (seen.batch(rows[:n]), seen.batch(rows[n:]), unseen.batch(torch.arange(min(n, unseen.size or n))))
    )
    print(f"{classifier}\nFrechet distance of {n} training images to {n} others: {frechet(one, two):.2f}, "
          f"to {len(three)} held-out ones: {frechet(one, three):.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", help="labelled images, as divmin train --data takes them")
    parser.add_argument("--held-out", help="images of the same kind that are not among them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.train and options.held_out:
        held_out(options.train, options.held_out)
        return
    for part in (imports, exactness, neighbours, spreads):
        part()


if __name__ == "__main__":
    main()
