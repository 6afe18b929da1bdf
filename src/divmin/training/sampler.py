"""A trained generator, ready to be drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """

    config: TrainConfig
    shape: tuple[int, ...]
    latent: int
    step: int
    average: nn.Module
    last: nn.Module

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
        for name, value in (("n", n), ("batch_size", batch_size)):
            if value < 1:
                raise DivminError(f"{name} must be at least 1, got {value}")
        z = torch.randn(n, self.latent, generator=seeded(seed, "sampling"))
        network = self.average if ema else self.last
        device = device_of(network)
        with undisturbed(device):
            # For generators that draw noise of their own besides z.
            seed_global(seed, device)
            return torch.cat([draw(network, part) for part in z.split(batch_size)])


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
    return Sampler(config, shape, payload["latent"], payload["step"], average.to(device), last.to(device))


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
