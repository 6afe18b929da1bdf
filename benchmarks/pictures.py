"""Decoding pictures batch by batch: one thread against one for each core, in batches of 64, brought to 64 x 64 pixels.

python benchmarks/pictures.py
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from timing import paired

from divmin.data import Form, pictures
from divmin.data.assemble import PictureSource, assemble
from divmin.data.folder import Files

SIZES = ((64, 64), (178, 218), (500, 400))
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
            source = assemble("photographs", photographs(Path(folder), width, height), Form(64), memory=0)
            assert isinstance(source, PictureSource)  # since no memory was allowed
            threads, one, ratio = paired(lambda s=source: epoch(s, 0), lambda s=source: epoch(s, 2**60), options.rounds)
        count = 64 * BATCHES
        rows.append({"size": f"{width}x{height}", "one": count / one, "threads": count / threads, "ratio": 1 / ratio})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"JPEG files a second, {torch.get_num_threads()} cores, medians of {options.rounds} rounds")
    print("size         one thread   a thread a core   ratio")
    for row in rows:
        print(f"{row['size']:<10} {row['one']:12.0f} {row['threads']:17.0f} {row['ratio']:7.2f}")


if __name__ == "__main__":
    main()
