"""The five models that are compared, and their runs on images."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from divmin.papers.images import Key, as_bytes, place_of, trained_and_measured
from divmin.papers.work import Arrays, Work

if TYPE_CHECKING:
    from divmin.data import Source
    from divmin.training import TrainConfig

_FEATURES = {"likelihood": "features"}
# What the critics of the VAE and of the VAE-GAN see is open in the source: here samples with noise, and reconstructions.
MODELS: dict[str, dict[str, Any]] = {
    "GAN": {"recipe": "berger_rkl"},
    "VAE": {"recipe": "berger_kl", "likelihood_noise": True} | _FEATURES,
    "VAEGAN": {"recipe": "vaegan", "fakes": "reconstructions"} | _FEATURES,
    "SDKL without sampling": {"recipe": "sdkl"} | _FEATURES,
    "SDKL": {"recipe": "sdkl", "likelihood_noise": True} | _FEATURES,
}
LAST = 0.2  # share of the run whose median is compared
LEAST = 1e-12  # of a critic's loss, below which its digits are lost


@dataclass(frozen=True)
class Settings:
    """How all runs are trained and measured, in hours on a CPU.

    The source has CelebA at 64 pixels, width 32, a latent space of 512, five critic steps, and Adam at 1e-5 and 2e-5; batch,
    length, sigma and the weight of the regularisation are not stated. With five critic steps and rates of 1e-4 and 2e-4 no
    model made pictures in the time that there is here.

    Args:
        data: as `divmin train --data` takes it; cifar10 is found as docs/training.md tells.
        models: names in MODELS.
        seeds: of every model.
        image_size: 32 or 64 pixels.
        latent: length of z.
        width: of the networks; 32 is the published one.
        steps: of the generator.
        batch_size: of data, and of samples.
        critic_steps: for each of the generator.
        generator_rate, critic_rate: Adam's, with betas 0.5 and 0.9.
        orthogonal: weight of the regularisation.
        sigma: standard deviation of p(x|z) at the critic's second convolution.
        device: auto, cpu, cuda or mps.
        samples: that are measured, and as many of the data.
        shown: samples in a sheet.
        classifier_steps: of the training of the classifier whose features are compared.
    """

    data: str = "cifar10"
    models: tuple[str, ...] = tuple(MODELS)
    seeds: tuple[int, ...] = (0, 1, 2)
    image_size: int = 32
    latent: int = 64
    width: int = 8
    steps: int = 1200
    batch_size: int = 32
    critic_steps: int = 2
    generator_rate: float = 5e-4
    critic_rate: float = 5e-4
    orthogonal: float = 1e-4
    sigma: float = 1.0
    device: str = "auto"
    samples: int = 5000
    shown: int = 64
    classifier_steps: int = 600


def config(settings: Settings, model: str, seed: int) -> TrainConfig:
    """The settings of one run."""
    from divmin.training import TrainConfig

    return TrainConfig(
        data=settings.data,
        image_size=settings.image_size,
        channels=3,
        model="berger",
        latent=settings.latent,
        width=settings.width,
        steps=settings.steps,
        batch_size=settings.batch_size,
        critic_steps=settings.critic_steps,
        generator_lr=settings.generator_rate,
        critic_lr=settings.critic_rate,
        beta1=0.5,
        beta2=0.9,
        orthogonal=settings.orthogonal,
        likelihood_sd=settings.sigma,
        seed=seed,
        device=settings.device,
        log_every=max(1, settings.steps // 60),
        sample_every=settings.steps,
        checkpoint_every=max(1, settings.steps // 4),
        samples=settings.shown,
        **MODELS[model],
    )


def named(model: str, seed: int) -> str:
    """The folder of a run.

    >>> named("SDKL without sampling", 1)
    'SDKL-without-sampling-1'
    """
    return f"{model.replace(' ', '-')}-{seed}"


def runs_of(settings: Settings, work: Work) -> dict[Key, Arrays]:
    """What is known of every run, by model and seed."""
    keys = [(each, seed) for each in settings.models for seed in settings.seeds]
    configs = {key: config(settings, *key) for key in keys}
    return trained_and_measured(work, configs, named, partial(measured, settings), partial(judge, settings))


def measured(settings: Settings, folder: Path, seed: int) -> dict[str, object]:
    """Curves of a run, numbers about its samples, and a sheet; the number of steps alone where it left the finite numbers.

    Args:
        settings: of all runs.
        folder: of the run.
        seed: of it.
    """

    from divmin.evaluation import compare, sharpness
    from divmin.training import Run, load

    run = Run.open(folder)
    if run.state != "finished":
        return {"steps": run.step, "reason": run.reason or ""}
    records = run.records()
    sampler = load(run.folder, device=place_of(run.config))
    source, features, data_sharpness = judge(settings)
    fake = sampler.sample(settings.samples, seed=seed + 10_007)
    n_real = min(settings.samples, source.size or settings.samples)
    two = compare(source, lambda n, _: fake, n_real=n_real, n_fake=settings.samples, extractor=features)
    return {
        "step": np.array([each.step for each in records]),
        "critic": np.array([each.critic_loss or 0.0 for each in records]),
        "prior": np.array([np.nan if each.prior is None else each.prior for each in records]),
        "frechet": two.frechet,
        "recall": two.manifold.recall,
        "sharpness": sharpness(fake) / data_sharpness,
        "sheet": as_bytes(fake[: settings.shown]),
    }


@cache
def judge(settings: Settings) -> tuple[Source, Any, float]:
    """The data, the features that are compared, and the sharpness of the data."""
    import torch

    from divmin import evaluation
    from divmin.data import load

    source = load(settings.data, image_size=settings.image_size, channels=3)
    classifier = evaluation.classify(source, evaluation.Settings(steps=settings.classifier_steps))
    real = source.batch(torch.arange(min(settings.samples, source.size or settings.samples)))
    return source, classifier.features, evaluation.sharpness(real)


def late(run: Arrays, name: str) -> float:
    """The median of a curve over the last fifth of a run."""
    values = run[name].astype(float)[run["step"] > (1 - LAST) * run["step"][-1]]
    return float(np.median(values))
