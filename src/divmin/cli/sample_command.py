"""`divmin sample RUN`: a picture or an array of samples."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from divmin.errors import DivminError, counted
from divmin.files import check_folder, write_atomically

SUFFIXES = (".png", ".svg", ".pdf", ".npy")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin sample runs/digits --n 100 --out samples.png\n"
        "  divmin sample runs/digits --n 10000 --out samples.npy"
    )
    parser.add_argument("run", type=Path, help="a run folder or checkpoint file")
    parser.add_argument("--n", type=int, default=64, metavar="N", help="how many samples (default 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="names the samples (default 0)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("samples.png"),
        metavar="FILE",
        help=".png, .svg or .pdf for a picture, .npy for a float32 array (default samples.png)",
    )
    parser.add_argument("--last", action="store_true", help="use the last weights in place of their moving average")
    parser.add_argument("--json", action="store_true", help="print a record for programs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.out.suffix not in SUFFIXES:
        raise DivminError(f"cannot write samples to '{arguments.out}': the name must end in {', '.join(SUFFIXES)}")
    check_folder(arguments.out)
    from divmin.training import load

    sampler = load(arguments.run)
    if arguments.seed < 0:
        raise DivminError(f"seed must be at least 0, got {arguments.seed}")
    try:
        samples = sampler.sample(arguments.n, seed=arguments.seed, ema=not arguments.last)
    except (MemoryError, RuntimeError) as error:  # what PyTorch raises when memory is refused
        raise DivminError(
            f"no memory for {counted(arguments.n, 'sample')} at once: draw fewer, with other seeds"
        ) from error
    if arguments.out.suffix == ".npy":
        import numpy as np

        try:
            write_atomically(arguments.out, lambda stream: np.save(stream, samples.numpy(), allow_pickle=False))
        except OSError as error:
            raise DivminError(f"cannot write {arguments.out}: {error.strerror}") from error
    else:
        from divmin.plots import save_samples

        save_samples(samples, arguments.out, title=f"generated, step {sampler.step}")
    record = {
        "file": str(arguments.out),
        "n": arguments.n,
        "seed": arguments.seed,
        "shape": list(sampler.shape),
        "step": sampler.step,
    }
    print(
        json.dumps(record)
        if arguments.json
        else f"{counted(arguments.n, 'sample')} of shape {sampler.shape} at step {sampler.step}: {arguments.out}"
    )
    return 0
