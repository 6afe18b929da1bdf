"""The runs on images: the same networks and settings for every objective, and what is measured of the samples of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from divmin.papers.images import Key, as_bytes, place_of, trained_and_measured
from divmin.papers.work import Arrays, Work

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.data import Source
    from divmin.evaluation import Classifier
    from divmin.training import TrainConfig

# By what the paper calls them, the most mode-seeking first. Alphas are not stated: these are ours.
CASES = {
    "-log D": "nonsaturating",
    "reverse KL": "poole(reverse_kl)",
    "alpha -1/2": "poole(power(-0.5))",
    "alpha 1/2, Hellinger": "poole(power(0.5))",
    "alpha 1/2, affine part dropped": "poole(power(0.5), affine=-2)",
    "KL": "poole(kl)",
    "alpha 1, canonical KL": "poole(kl, affine=0)",
    "alpha 3/2": "poole(power(1.5))",
    "exact KL": "exact(kl)",
    "log(1 - D)": "minimax",
}
BROWN_AND_GREEN = (20.0, 150.0)  # degrees of hue
UNSEEN = 10_007  # added to a run's seed: names the z of the samples that are measured


@dataclass(frozen=True)
class Settings:
    """How all runs are trained and measured. Width, batch, learning rate and length are ours: so it takes hours on a CPU, not days.

    The source has width 32, batch 100 and 1e-4 (by ALI's code); its alphas and length are not stated. The last biases of the
    generator begin at 0, those of ALI at the data's log-odds.

    Args:
        data: as `divmin train --data` takes it; cifar10 is found as docs/training.md tells.
        cases: objectives, by their names in CASES.
        seeds: of every objective.
        width: of the networks; 32 is the published one.
        steps: of the generator, each with one of the critic.
        batch_size: of data, and of samples.
        rate: Adam's learning rate of both networks, with betas 0.5 and 0.999.
        device: auto, cpu, cuda or mps.
        samples: of the generator's moving average that are measured, and as many of the data.
        shown: samples in a sheet.
        classifier_steps: of the training of the classifier whose answers are classes.
    """

    data: str = "cifar10"
    cases: tuple[str, ...] = tuple(CASES)
    seeds: tuple[int, ...] = (0, 1, 2)
    width: int = 8
    steps: int = 1500
    batch_size: int = 50
    rate: float = 1e-3
    device: str = "auto"
    samples: int = 5000
    shown: int = 30
    classifier_steps: int = 600


def named(case: str, seed: int) -> str:
    """The folder of a run: letters and digits.

    >>> named("alpha 1/2, Hellinger", 0)
    'alpha-1-2-Hellinger-0'
    """
    words = "".join(letter if letter.isalnum() else " " for letter in case.replace("-log", "minus log")).split()
    return "-".join([*words, str(seed)])


def config(settings: Settings, case: str, seed: int) -> TrainConfig:
    """The settings of one run."""
    from divmin.training import TrainConfig

    return TrainConfig(
        recipe=CASES[case],
        data=settings.data,
        image_size=32,
        channels=3,
        model="ali",
        latent=64,
        width=settings.width,
        steps=settings.steps,
        batch_size=settings.batch_size,
        critic_lr=settings.rate,
        generator_lr=settings.rate,
        beta1=0.5,
        beta2=0.999,
        seed=seed,
        device=settings.device,
        log_every=max(1, settings.steps // 20),
        sample_every=settings.steps,
        checkpoint_every=max(1, settings.steps // 4),
        samples=settings.shown,
    )


def runs_of(settings: Settings, work: Work) -> dict[Key, Arrays]:
    """What is known of every run, by case and seed."""
    keys = [(each, seed) for each in settings.cases for seed in settings.seeds]
    configs = {key: config(settings, *key) for key in keys}
    return trained_and_measured(work, configs, named, partial(measured, settings), partial(judge, settings))


def measured(settings: Settings, folder: Path, seed: int) -> dict[str, object]:
    """Numbers about the samples of a run, how many steps it has behind it, its critic's last loss, and a sheet.

    Args:
        settings: of all runs.
        folder: of the run. Of one that left the finite numbers, the steps alone are told.
        seed: of it.
    """

    from divmin.evaluation import compare, of_classes
    from divmin.training import Run, load

    run = Run.open(folder)
    if run.state != "finished":
        return {"steps": run.step, "reason": run.reason or ""}
    sampler = load(run.folder, device=place_of(run.config))
    source, classifier = judge(settings)
    fake = sampler.sample(settings.samples, seed=seed + UNSEEN)
    two = compare(
        source,
        lambda n, _: fake,
        n_real=min(settings.samples, source.size or settings.samples),
        n_fake=settings.samples,
        extractor=classifier.features,
        modes=of_classes(classifier),
    )
    last = run.records()[-1]
    return {
        "steps": run.step,
        "counts": np.array(two.coverage.counts),
        "critic loss": last.critic_loss,
        "sheet": as_bytes(fake[: settings.shown]),
        "frechet": two.frechet,
        "kernel": two.kernel[0],
        "recall": two.manifold.recall,
        "coverage": two.manifold.coverage,
        **colours(fake),
    }


def of_data(settings: Settings) -> dict[str, object]:
    """The same of the data themselves, as far as it needs no comparison."""
    import torch

    from divmin.evaluation import mode_histogram, of_classes

    source, classifier = judge(settings)
    real = source.batch(torch.arange(min(settings.samples, source.size or settings.samples)))
    return {
        "counts": mode_histogram(real, of_classes(classifier)).numpy(),
        "sheet": as_bytes(real[: settings.shown]),
        **colours(real),
    }


def colours(images: Tensor) -> dict[str, float]:
    from divmin.evaluation import colour_entropy, hue_share, mean_distance

    return {
        "colours": colour_entropy(images),
        "brown and green": hue_share(images, *BROWN_AND_GREEN),
        "distance": mean_distance(images),
    }


@cache
def judge(settings: Settings) -> tuple[Source, Classifier]:
    """The data, and a classifier of them whose answers are classes and whose last hidden layer gives features."""
    from divmin import evaluation
    from divmin.data import load

    source = load(settings.data, image_size=32, channels=3)
    return source, evaluation.classify(source, evaluation.Settings(steps=settings.classifier_steps))


def entropy(counts: ArrayLike) -> float:
    """Of a histogram, in nats.

    >>> round(entropy([5, 5]), 6)
    0.693147
    """
    histogram = np.asarray(counts, dtype=float)
    shares = histogram / histogram.sum()
    return float(-sum(share * np.log(share) for share in shares if share > 0))
