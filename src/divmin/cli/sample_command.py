"""`divmin sample RUN`: a picture or an array of samples, paths between them, or an animation of the run's own pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from divmin.errors import DivminError, counted
from divmin.files import check_folder, write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.training import Sampler

SUFFIXES = (".png", ".svg", ".pdf", ".npy")
ACROSS, ALONG, BEHIND = 9, 91, 1000  # images in a row, points on a curve, samples behind curves


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin sample runs/digits --n 100 --out samples.png\n"
        "  divmin sample runs/digits --n 10000 --out samples.npy\n"
        "  divmin sample runs/digits --interpolate 8 --out paths.png   # rows of images, curves for vectors\n"
        "  divmin sample runs/digits --gif training.gif                # the run's pictures of fixed z, one after the other"
    )
    parser.add_argument("run", type=Path, help="a run folder or checkpoint file")
    parser.add_argument("--n", type=int, default=None, metavar="N", help="how many samples (default 64)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="names the samples (default 0)")
    parser.add_argument(
        "--out",
        type=Path,
        default=None,
        metavar="FILE",
        help=".png, .svg or .pdf for a picture, .npy for a float32 array (default samples.png)",
    )
    parser.add_argument(
        "--interpolate",
        type=int,
        metavar="N",
        help="N paths between pairs of z on which every point is a draw of z, cos(t) z + sin(t) z', in place of single samples",
    )
    parser.add_argument("--gif", type=Path, metavar="FILE", help="animate the pictures that the run drew of fixed z")
    parser.add_argument("--last", action="store_true", help="use the last weights in place of their moving average")
    parser.add_argument("--json", action="store_true", help="print a record for programs")


def run(arguments: argparse.Namespace) -> int:
    if arguments.gif is not None and arguments.interpolate is None and arguments.n is None and arguments.out is None:
        record, said = _film(arguments.run, arguments.gif)
    elif arguments.gif is not None:
        raise DivminError("--gif shows what the run has drawn: leave out --n, --interpolate and --out")
    elif arguments.interpolate is not None and arguments.n is not None:
        raise DivminError("--interpolate says how many paths there are: leave out --n")
    else:
        record, said = _samples(arguments)
    print(json.dumps(record) if arguments.json else said)
    return 0


def _film(run: Path, path: Path) -> tuple[dict[str, Any], str]:
    from divmin.plots import save_film
    from divmin.training import Run
    from divmin.training.run import frames

    pictures = frames(Run.open(run).folder)
    save_film(pictures, path)
    steps = [int(each.stem) for each in pictures]
    return {"file": str(path), "steps": steps}, f"pictures of steps {steps[0]} to {steps[-1]}: {path}"


def _samples(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from divmin.training import load

    path = arguments.out or Path("samples.png")
    if path.suffix not in SUFFIXES:
        raise DivminError(f"cannot write samples to '{path}': the name must end in {', '.join(SUFFIXES)}")
    check_folder(path)
    sampler = load(arguments.run)
    if arguments.seed < 0:
        raise DivminError(f"seed must be at least 0, got {arguments.seed}")
    paths = arguments.interpolate
    if paths is not None and paths < 1:
        raise DivminError(
            f"--interpolate is the number of paths, expected at least 1, got {paths}; points on each are fixed"
        )
    n = paths if paths is not None else 64 if arguments.n is None else arguments.n
    options = {"seed": arguments.seed, "ema": not arguments.last}
    try:
        if paths is not None:
            samples = sampler.interpolate(n, points=ACROSS if len(sampler.shape) == 3 else ALONG, **options)
        else:
            samples = sampler.sample(n, **options)
    except (MemoryError, RuntimeError) as error:  # what PyTorch raises when memory is refused
        raise DivminError(f"no memory for {counted(n, 'sample')} at once: draw fewer, with other seeds") from error
    _write(samples, path, sampler, options if paths is not None else None)
    record = {
        "file": str(path),
        "n": n,
        "seed": arguments.seed,
        "shape": list(sampler.shape),
        "step": sampler.step,
        **({} if paths is None else {"points": samples.shape[1]}),
    }
    what = counted(n, "sample") if paths is None else f"{counted(n, 'path')} of {samples.shape[1]} samples"
    return record, f"{what} of shape {sampler.shape} at step {sampler.step}: {path}"


def _write(samples: Tensor, path: Path, sampler: Sampler, paths: dict[str, Any] | None) -> None:
    """Samples, or paths with the options that they were drawn with, as an array or a picture."""
    if path.suffix == ".npy":
        import numpy as np

        try:
            write_atomically(path, lambda stream: np.save(stream, samples.numpy(), allow_pickle=False))
        except OSError as error:
            raise DivminError(f"cannot write {path}: {error.strerror}") from error
        return
    from divmin.plots import save_interpolations, save_samples

    if paths is None:
        save_samples(samples, path, title=f"generated, step {sampler.step}")
    else:
        behind = None if len(sampler.shape) == 3 else sampler.sample(BEHIND, **paths)
        save_interpolations(samples, path, behind=behind, title=f"between pairs of z, step {sampler.step}")
