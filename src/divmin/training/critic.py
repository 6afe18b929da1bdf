"""A trained critic, ready to score samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from divmin.models import spectral_norm
from divmin.models.packing import pack
from divmin.training.checkpoint import fill, read
from divmin.training.config import TrainConfig
from divmin.training.ema import frozen_copy
from divmin.training.job import Networks
from divmin.training.probes import device_of
from divmin.training.randomness import undisturbed
from divmin.training.run import CHECKPOINT
from divmin.training.sampler import networks_of


@dataclass(frozen=True, eq=False)
class TrainedCritic:
    """The critic of a checkpoint.

    Args:
        network: packs of samples to raw scores, in evaluation mode.
        step: generator steps behind it.
        packing: samples that it judges together.
    """

    network: nn.Module
    step: int
    packing: int = 1

    def score(self, samples: Tensor, *, batch_size: int = 256) -> Tensor:
        """Raw scores of samples [n, *shape], float32 [n / packing] on the CPU; higher means more real.

        Samples are judged as they are, without the noise and the changes of training; what is left over of a pack is dropped.
        """
        device, m = device_of(self.network), self.packing
        packs = pack(samples[: len(samples) // m * m], m)
        with torch.no_grad(), undisturbed(device):
            scores = [self.network(part.to(device)).flatten().cpu() for part in packs.split(batch_size)]
        return torch.cat(scores) if scores else torch.empty(0)


def load_critic(path: str | Path, *, pair: Networks | None = None, device: str = "cpu") -> TrainedCritic:
    """The critic of a run, with its last weights.

    Args:
        path: the run folder, or a checkpoint file.
        pair: the networks of a run that was started with its own; their weights are not changed.
        device: where scores are computed.

    Raises:
        DivminError: no checkpoint, a damaged one, or one of other networks.

    Example:
        >>> import tempfile
        >>> from divmin.training import TrainConfig, train
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = train(TrainConfig(data="ring", model="mlp", width=8, steps=2, out=f"{folder}/run"))
        ...     critic = load_critic(f"{folder}/run")
        >>> critic.score(torch.zeros(5, 2)).shape
        torch.Size([5])
    """
    path = Path(path)
    file = path / CHECKPOINT if path.is_dir() else path
    payload = read(file)
    config = TrainConfig.from_json(payload["config"], where=str(file))
    network = frozen_copy(networks_of(payload, pair, file).critic)
    if config.spectral_norm:
        spectral_norm(network)
    fill(network, payload["critic"], name="critic", where=file)
    return TrainedCritic(network.to(device), payload["step"], config.packing)
