"""A trained generator, ready to be drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from divmin.errors import DivminError
from divmin.training.checkpoint import fill, read
from divmin.training.config import TrainConfig
from divmin.training.ema import frozen_copy
from divmin.training.job import Networks
from divmin.training.probes import device_of, draw
from divmin.training.randomness import seed_global, seeded, undisturbed
from divmin.training.run import CHECKPOINT


@dataclass(frozen=True, eq=False)
class Sampler:
    """A generator as a checkpoint holds it.

    Args:
        config: the run's configuration.
        shape: the shape of one sample.
        latent: dimension of z.
        step: generator steps behind it.
        average: the moving average of the generator.
        last: the generator with its last weights.
        about: what the checkpoint says of its data: supplied, size, shape and fingerprint, for `fingerprint.changed`.
    """

    config: TrainConfig
    shape: tuple[int, ...]
    latent: int
    step: int
    average: nn.Module
    last: nn.Module
    about: Mapping[str, Any] = field(default_factory=dict)

    def sample(self, n: int, *, seed: int = 0, batch_size: int = 256, ema: bool = True) -> Tensor:
        """Draw n samples, float32 [n, *shape] on the CPU; equal arguments give equal samples.

        The batch size changes nothing but rounding, unless the generator draws noise of its own besides z.

        Args:
            n: how many, at least 1.
            seed: names the z that are drawn.
            batch_size: samples computed at once, at least 1.
            ema: use the moving average; False for the last weights.

        Raises:
            DivminError: n or batch_size below 1.
        """
        _at_least(1, n=n, batch_size=batch_size)
        z = torch.randn(n, self.latent, generator=seeded(seed, "sampling"))
        return self._of(z, seed, batch_size, ema)

    def interpolate(self, n: int, *, points: int = 9, seed: int = 0, batch_size: int = 256, ema: bool = True) -> Tensor:
        """Samples on n paths between pairs of z, float32 [n, points, *shape] on the CPU.

        Args:
            n: how many paths, at least 1.
            points: samples on each, both ends included, at least 2.
            seed, batch_size, ema: as in `sample`.

        Returns:
            Samples of the generator on the paths of `between`.

        Raises:
            DivminError: n or batch_size below 1, or points below 2.
        """
        _at_least(1, n=n, batch_size=batch_size)
        _at_least(2, points=points)
        first, last = torch.randn(2, n, self.latent, generator=seeded(seed, "interpolation"))
        z = between(first, last, points)
        samples = self._of(z.flatten(0, 1), seed, batch_size, ema)
        return samples.view(n, points, *self.shape)

    def _of(self, z: Tensor, seed: int, batch_size: int, ema: bool) -> Tensor:
        network = self.average if ema else self.last
        device = device_of(network)
        with undisturbed(device):
            # For generators that draw noise of their own besides z.
            seed_global(seed, device)
            return torch.cat([draw(network, part) for part in z.split(batch_size)])


def between(first: Tensor, last: Tensor, points: int) -> Tensor:
    """Paths between two draws of z ~ N(0, I) on which every point is such a draw again.

        z(t) = cos(t) first + sin(t) last,   t from 0 to pi/2

    Its law is N(0, I) at every t, since cos^2 + sin^2 = 1. A straight line has the law (1 - 2s(1 - s)) N(0, I): in the
    middle, z is shorter by a factor of sqrt(2) than any that the generator was trained on. Slerp (White 2016, "Sampling
    generative networks") keeps lengths too, and agrees with this path where z are long and so nearly orthogonal; but it
    has no limit between opposite z, which are common in one and two dimensions.

    Args:
        first, last: independent draws [n, latent].
        points: how many on each path, both ends included.

    Returns:
        [n, points, latent].

    >>> between(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 3)[0, 1]
    tensor([0.7071, 0.7071])
    """
    t = torch.linspace(0, math.pi / 2, points, dtype=torch.float64).to(first)[:, None]
    return t.cos() * first[:, None] + t.sin() * last[:, None]


def load(path: str | Path, *, pair: Networks | None = None, device: str = "cpu") -> Sampler:
    """A trained generator from a run folder or a checkpoint file.

    Args:
        path: the folder, or the file.
        pair: the networks of a run that was started with its own; their weights are not changed.
        device: where samples are computed.

    Raises:
        DivminError: no checkpoint, a damaged one, or one of other networks.

    Example:
        >>> import tempfile
        >>> from divmin.training import train
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = train(TrainConfig(model="mlp", width=8, steps=2, out=f"{folder}/run"))
        ...     sampler = load(f"{folder}/run")
        >>> tuple(sampler.sample(5, seed=0).shape) == (5, *sampler.shape)
        True
    """
    path = Path(path)
    file = path / CHECKPOINT if path.is_dir() else path
    payload = read(file)
    config = TrainConfig.from_json(payload["config"], where=str(file))
    pair = networks_of(payload, pair, file)
    average, last = frozen_copy(pair.generator), frozen_copy(pair.generator)
    fill(average, payload["average"], name="generator", where=file)
    fill(last, payload["generator"], name="generator", where=file)
    shape = tuple(payload["shape"])
    about: dict[str, Any] = {
        key: payload[key] for key in ("supplied", "size", "shape", "fingerprint") if key in payload
    }
    return Sampler(config, shape, payload["latent"], payload["step"], average.to(device), last.to(device), about)


def networks_of(payload: Mapping[str, Any], pair: Networks | None, file: Path) -> Networks:
    """The networks that a checkpoint's weights belong to: the given ones, or those that its settings name.

    Args:
        payload: what `checkpoint.read` returned.
        pair: the caller's own.
        file: what an error calls the checkpoint.
    """
    from divmin.models import build

    if pair is not None:
        return pair
    if "model" in payload["supplied"]:
        raise DivminError(f"{file} was trained with its own pair of networks: pass them as load(..., pair=)")
    config = TrainConfig.from_json(payload["config"], where=str(file))
    shape = tuple(payload["shape"])
    return build(
        config.model,
        shape=shape,
        latent=payload["latent"],
        width=config.width,
        seed=config.seed,
        packing=config.packing,
    )


def _at_least(least: int, **values: int) -> None:
    for name, value in values.items():
        if value < least:
            raise DivminError(f"{name} must be at least {least}, got {value}")
