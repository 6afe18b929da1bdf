"""Decoding pictures batch by batch: one thread against one for each core, in batches of 64, brought to 32 x 32 pixels.

python benchmarks/pictures.py
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timing import paired

from divmin.data import Form, pictures
from divmin.data.assemble import PictureSource, assemble
from divmin.data.folder import Files

SIZES = ((32, 32), (64, 64), (128, 128), (178, 218), (500, 400))
BATCHES = 8


def photographs(folder: Path, width: int, height: int) -> Files:
    """JPEG files of smooth random pictures, about as large as photographs of that size."""
    random = np.random.default_rng(0)
    paths = [folder / f"{i:04d}.jpg" for i in range(64 * BATCHES)]
    for path in paths:
        coarse = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path, quality=90)
    return Files(tuple(paths))


def epoch(source: PictureSource, threaded: int) -> None:
    pictures.THREADED = threaded
    for batch in torch.arange(64 * BATCHES).split(64):
        source.batch(batch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    for width, height in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            source = assemble("photographs", photographs(Path(folder), width, height), Form(32), memory=0)
            assert isinstance(source, PictureSource)  # since no memory was allowed
            works = (lambda s=source: epoch(s, 0)), (lambda s=source: epoch(s, 2**60))
            threads, one, time_ratio = paired(*works, options.rounds)
            *_, work_ratio = paired(*works, options.rounds, clock=time.process_time)
        rates = {"one": 64 * BATCHES / one, "threads": 64 * BATCHES / threads}
        rows.append({"size": f"{width}x{height}", **rates, "faster": 1 / time_ratio, "work": work_ratio})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        f"JPEG files a second, {os.cpu_count()} cores, medians of {options.rounds} rounds; work: processor time over that of one"
    )
    print("size         one thread   a thread a core   faster   work")
    for row in rows:
        print(f"{row['size']:<10} {row['one']:12.0f} {row['threads']:17.0f} {row['faster']:8.2f} {row['work']:6.2f}")


if __name__ == "__main__":
    main()
