"""What training reaches: mixtures, stacked digits, minimax against non-saturating on MNIST, and image models on CIFAR-10.

python benchmarks/training.py mixtures           # ring and grid, PacGAN's data, samples and measures, fewer steps
python benchmarks/training.py stacked            # stacked MNIST, 1,000 modes
python benchmarks/training.py mnist              # minimax against non-saturating, the same in everything else
python benchmarks/training.py poole              # CIFAR-10 with Poole et al.'s networks for each of his objectives
python benchmarks/training.py berger             # CIFAR-10 with Berger & Sebag's networks, their five models

Every run is an ordinary resumable run below --out; a second start goes on with what is unfinished. --seeds, --steps and --only make
a study smaller, --set changes settings of all its runs, --jobs trains several at once; --report prints the table of what is
there. MNIST and CIFAR-10 come from DIVMIN_DATA or the hub (docs/training.md).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

import divmin as dm
from divmin.data import Source
from divmin.evaluation import colour_entropy, evaluate, sharpness
from divmin.papers.berger.models import MODELS
from divmin.plots import save_samples
from divmin.sweeps import read_values
from divmin.training import Run, TrainConfig, resume, train

R1R2 = {"r1": 1.0, "r2": 1.0}
LOSSES: dict[str, dict[str, Any]] = {
    "nonsaturating": {"recipe": "nonsaturating"},
    "minimax": {"recipe": "minimax"},
    "fgan(kl)": {"recipe": "fgan(kl)"},
    "huszar": {"recipe": "huszar"},
    "hybrid(jeffreys, js)": {"recipe": "hybrid(jeffreys, js)"},
    "rpgan": {"recipe": "rpgan"},
    "rpgan, R1+R2": {"recipe": "rpgan"} | R1R2,
    "nonsaturating, R1+R2": {"recipe": "nonsaturating"} | R1R2,
    "nonsaturating, packing 2": {"recipe": "nonsaturating", "packing": 2},
    "nonsaturating, packing 4": {"recipe": "nonsaturating", "packing": 4},
}
PIXELS = {"image_size": 32, "channels": 3}


@dataclass(frozen=True)
class Study:
    """A table: the same networks, data and budget, and other losses.

    Args:
        title: what it is.
        common: settings of every run.
        cases: what differs.
        metrics: what is measured of samples.
        n: samples that are measured.
        published: lines of numbers to compare with.
        last: whether the last weights are measured too, besides the moving average.
    """

    title: str
    common: TrainConfig
    cases: dict[str, dict[str, Any]]
    metrics: str
    n: int
    published: tuple[str, ...] = ()
    last: bool = False
    extra: dict[str, Callable[[torch.Tensor, torch.Tensor], float]] = field(default_factory=dict)


def sharper(fake: torch.Tensor, real: torch.Tensor) -> float:
    """The sharpness of samples over that of the data: 1 is as sharp as data."""
    return sharpness(fake) / sharpness(real)


def colours(fake: torch.Tensor, real: torch.Tensor) -> float:
    """The entropy of the joint histogram of colours, 8 bins a channel, minus that of the data, in nats."""

    return colour_entropy(fake) - colour_entropy(real)


MIXTURE = TrainConfig(
    model="mlp", width=128, latent=2, batch_size=256, steps=5000, critic_lr=1e-3, generator_lr=1e-3, beta1=0.5, beta2=0.999,
    log_every=500, checkpoint_every=1000, sample_every=10**6, samples=512, device="cpu",
)  # fmt: skip
IMAGES = replace(
    MIXTURE,
    model="dcgan",
    width=16,
    latent=64,
    batch_size=64,
    steps=3000,
    critic_lr=5e-4,
    generator_lr=5e-4,
    beta1=0.5,
    samples=64,
)
STUDIES = {
    "ring": Study(
        "8 normal laws on a circle of radius 1, sigma 0.01",
        replace(MIXTURE, data="ring(n=8, radius=1, sigma=0.01)"), LOSSES, "modes,high_quality,reverse_kl", 2500,
        ("GAN       6.3 +- .5   98.2%   .45   (PacGAN, table 1: other networks, 400k steps)",
         "PacGAN2   7.9 +- .1   95.6%   .07", "PacGAN4   7.8 +- .1   95.9%   .07"), last=True,
    ),
    "grid": Study(
        "25 normal laws on a grid, sigma 0.05",
        replace(MIXTURE, data="grid(n=5, spacing=2, sigma=0.05)"), LOSSES, "modes,high_quality,reverse_kl", 2500,
        ("GAN      17.3 +- .8   94.8%   .70   (PacGAN, table 1: other networks, 400k steps)",
         "PacGAN2  23.8 +- .7   91.3%   .13", "PacGAN4  24.8 +- .2   93.6%   .04"), last=True,
    ),
    "stacked": Study(
        "stacked MNIST, 1,000 modes, 26,000 samples", replace(IMAGES, data="stacked:mnist", model="dcgan"), LOSSES,
        "modes,reverse_kl", 26000,
        ("DCGAN        99 / 3.40, PacDCGAN2 1000 / .06   (PacGAN, table 2)",
         "GAN, R1+R2  693 / .927, RpGAN, R1+R2 1000 / .0781   (Huang et al. 2024, table 1)"),
    ),
    "mnist": Study(
        "MNIST: minimax against non-saturating", replace(IMAGES, data="mnist"),
        {name: LOSSES[name] for name in ("nonsaturating", "minimax")}, "frechet,kernel,precision,recall,modes,reverse_kl", 5000,
        ("best Frechet Inception distance over a wide search: minimax 9.8, non-saturating 6.8 (Lucic et al. 2018)",),
    ),
    "poole": Study(
        "CIFAR-10, Poole et al.'s networks at a quarter of their width, logistic critic",
        replace(IMAGES, data="cifar10", model="ali", width=8, steps=1500, batch_size=50, critic_lr=1e-3, generator_lr=1e-3,
                **PIXELS),
        {name: {"recipe": name} for name in (
            "nonsaturating", "huszar", "minimax", "poole(kl)", "poole(kl, affine=0)", "exact(kl)",
            "poole(squared_hellinger)",
            "poole(power(-0.5))", "poole(js)")},
        "frechet,kernel,recall,modes,reverse_kl", 5000, extra={"colour entropy": colours},
    ),
    "berger": Study(
        "CIFAR-10 at 32 pixels, Berger & Sebag's five models at a quarter of their width",
        replace(IMAGES, data="cifar10", model="berger", width=8, latent=64, steps=1200, batch_size=32, critic_steps=2,
                generator_lr=5e-4, critic_lr=5e-4, beta1=0.5, beta2=0.9, orthogonal=1e-4, **PIXELS),
        MODELS,
        "frechet,kernel,recall", 5000, extra={"sharpness": sharper},
    ),
}  # fmt: skip
GROUPS = {"mixtures": ("ring", "grid")}


def folder_of(out: Path, study: str, case: str, seed: int) -> Path:
    name = "".join(letter if letter.isalnum() else "-" for letter in case).strip("-")
    return out / study / f"{name}-{seed}"


def trained(config: TrainConfig, folder: Path) -> Run:
    """The run, begun, gone on with, or as it is."""
    if not (folder / "status.json").exists():
        return train(replace(config, out=str(folder)))
    run = Run.open(folder)
    return run if run.step >= config.steps else resume(folder, steps=config.steps)


def measured(study: Study, run: Run, source: Source) -> dict[str, float]:
    """The metrics of a finished run, which are kept beside it."""
    path = run.folder / "measured.json"
    if path.exists() and (known := json.loads(path.read_text()))["step"] == run.step:
        return known["values"]
    sampler, values = dm.load(run.folder, device="cuda" if run.config.device == "cuda" else "cpu"), {}
    for prefix, ema in (("", True), *((("last ", False),) if study.last else ())):
        found = evaluate(
            source, lambda n, seed, ema=ema: sampler.sample(n, seed=seed, ema=ema), study.metrics, n_fake=study.n
        )
        values |= {prefix + number.name: number.value for number in found.numbers}
    fake, real = sampler.sample(2000, seed=1), source.batch(torch.arange(2000))
    values |= {name: of(fake, real) for name, of in study.extra.items()}
    last = run.records()[-1]
    values |= {"critic loss": last.critic_loss or math.nan, "seconds": last.seconds}
    if last.prior is not None:
        values |= {"prior": last.prior, "reconstruction": last.reconstruction or math.nan}
    save_samples(sampler.sample(64, seed=0), run.folder / "final.png", title=f"{run.config.recipe}, step {run.step}")
    path.write_text(json.dumps({"step": run.step, "values": values}))
    return values


def one(
    study: str, case: str, seed: int, changes: dict[str, Any], out: Path, report: bool
) -> dict[str, float] | str | None:
    """The metrics of one run, the line of an error, or nothing where nothing is reported."""
    chosen = STUDIES[study]
    config = replace(chosen.common, **chosen.cases[case], seed=seed, **changes)
    folder = folder_of(out, study, case, seed)
    if report and not (folder / "measured.json").exists():
        return None
    started = time.perf_counter()
    try:
        source = dm.data.load(config.data, image_size=config.image_size, channels=config.channels)
        values = measured(chosen, trained(config, folder), source)
    except dm.DivminError as error:
        return str(error)
    if not report:
        print(f"# {study}: {case}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
    return values


def rows(study: str, options: argparse.Namespace, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The table of a study: for every case the mean over seeds and its standard error."""
    cases = [case for case in STUDIES[study].cases if not options.only or options.only in case]
    asked = [
        (study, case, seed, changes, options.out, options.report) for case in cases for seed in range(options.seeds)
    ]
    if options.jobs > 1:
        ready = {"initializer": torch.set_num_threads, "initargs": (options.threads,)}
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn"), **ready) as pool:
            found = list(pool.map(one, *zip(*asked, strict=True)))
    else:
        found = [one(*each) for each in asked]
    table = []
    for case in cases:
        of_case = [each for (_, name, *_), each in zip(asked, found, strict=True) if name == case]
        seen = [each for each in of_case if isinstance(each, dict)]
        failed = [each for each in of_case if isinstance(each, str)]
        table.append(
            {"case": case, "runs": len(seen), "failed": "; ".join(dict.fromkeys(failed)), "values": _summary(seen)}
        )
    return table


def _summary(seen: list[dict[str, float]]) -> dict[str, tuple[float, float]]:
    names = list(dict.fromkeys(name for each in seen for name in each))
    found = {}
    for name in names:
        values = [each[name] for each in seen if name in each]
        sound = len(values) > 1 and all(map(math.isfinite, values))
        error = statistics.stdev(values) / math.sqrt(len(values)) if sound else math.nan
        found[name] = (statistics.fmean(values), error)
    return found


def show(study: str, table: list[dict[str, Any]], changes: dict[str, Any]) -> None:
    chosen = STUDIES[study]
    common = replace(chosen.common, **changes)
    print(f"\n{chosen.title}\n{dm.training.config.differences(TrainConfig(), common, ignore=('out', 'device'))}")
    print(f"{chosen.n} samples of the moving average; mean +- standard error over seeds")
    for row in table:
        print(f"{row['case']}  ({row['runs']} runs{'; ' + row['failed'] if row['failed'] else ''})")
        cells = [
            f"{name} {mean:.4g}" + ("" if math.isnan(error) else f" +- {error:.2g}")
            for name, (mean, error) in row["values"].items()
        ]
        print("    " + ", ".join(cells))
    for line in chosen.published:
        print(f"published: {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=[*GROUPS, *STUDIES])
    parser.add_argument("--out", type=Path, default=Path("runs/studies"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--only", help="a part of the name of a case")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="print what is there, train nothing")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--jobs", type=int, default=1, help="runs at once, in processes of their own")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="another setting of every run, such as width=32",
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    changes = {} if options.steps is None else {"steps": options.steps}
    changes |= {name: value[0] for name, value in map(read_values, options.set)}
    found = {}
    for study in GROUPS.get(options.study, (options.study,)):
        found[study] = rows(study, options, changes)
        if not options.json:
            show(study, found[study], changes)
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
