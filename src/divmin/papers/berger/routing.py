"""Which loss of Algorithm 1 reaches which network: by hand, loss by loss, and as training does it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from divmin.data import Source, index_stream, load
from divmin.models import Pair, build
from divmin.objectives import Recipe, recipe
from divmin.training import Probe, TrainConfig, gradients
from divmin.training.data_term import bound
from divmin.training.randomness import seeded

LOSSES, NETWORKS = ("prior", "rec", "gen", "critic"), ("encoder", "generator", "critic")
# Algorithm 1: what each network follows
FOLLOWED = {"encoder": ("prior", "rec"), "generator": ("rec", "gen"), "critic": ("critic",)}
CONFIG = TrainConfig(
    recipe="sdkl", data="far_modes", model="mlp", likelihood="features", batch_size=64, device="cpu", log_every=1
)


@dataclass(frozen=True)
class Routes:
    """Gradients of Algorithm 1 on small networks.

    Args:
        lengths: of the gradient of each loss by each network, [losses, networks], nothing held fixed.
        misled: the largest difference, relative to its length, between what a network is told in training and the losses
            that it is to follow.
        strays: the length of what a network is told in a move that is not its own.
        data_moved: how much the scores of data change by the noise at the features.
        samples_moved: the same of samples.
    """

    lengths: NDArray[np.float64]
    misled: dict[str, float]
    strays: dict[str, float]
    data_moved: float
    samples_moved: float


def routes(seed: int) -> Routes:
    """One move of each side, SDKL without sampling, whose losses are known by hand; and the scores with sampling."""
    config, sdkl = dataclasses.replace(CONFIG, seed=seed), recipe("sdkl")
    assert isinstance(sdkl, Recipe)
    source = load(config.data, seed=seed)
    pair = build("mlp", shape=(1,), latent=2, width=16, seed=seed, encoder=True)
    by_hand = {name: _slopes(loss, pair) for name, loss in _losses(config, source.batch, pair).items()}
    moves = {of: gradients(config, sdkl, source, pair, of=of) for of in ("generator", "critic")}
    misled, strays = {}, {}
    for network in NETWORKS:
        own, other = ("critic", "generator") if network == "critic" else ("generator", "critic")
        wanted = torch.stack([by_hand[loss][network] for loss in FOLLOWED[network]]).sum(0)
        misled[network] = float((moves[own][network][0] - wanted).abs().max() / wanted.abs().max())
        strays[network] = float(moves[other][network].norm())
    lengths = np.array([[float(by_hand[loss][network].norm()) for network in NETWORKS] for loss in LOSSES])
    quiet, noisy = (_scores(config, sdkl, source, pair, noise) for noise in (False, True))
    return Routes(lengths, misled, strays, *(float((a - b).abs().max()) for a, b in zip(quiet, noisy, strict=True)))


def _losses(config: TrainConfig, batch: object, pair: Pair) -> dict[str, Tensor]:
    """The four losses of Algorithm 1 on the first batch; z and the codes' noise are those that training draws."""
    assert callable(batch) and pair.encoder is not None
    data = batch(index_stream(None, config.batch_size, config.seed, 0)[0])
    noise = seeded(config.seed, "noise")
    z, codes = (torch.randn(config.batch_size, pair.latent, generator=noise) for _ in range(2))
    found = bound(pair.generator, pair.encoder, pair.critic.features, data, codes, config.likelihood_sd)  # type: ignore[arg-type]
    fake = pair.critic(pair.generator(z))
    return {
        "prior": found.prior.mean(),
        "rec": found.reconstruction.mean(),
        "gen": -fake.mean(),
        "critic": softplus(-pair.critic(data)).mean() + softplus(pair.critic(pair.generator(z).detach())).mean(),
    }


def _slopes(loss: Tensor, pair: Pair) -> dict[str, Tensor]:
    """The gradient of a loss by each network, flat."""
    found = {}
    for name in NETWORKS:
        network = getattr(pair, name)
        assert isinstance(network, nn.Module)
        weights = list(network.parameters())
        slopes = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
        both = zip(weights, slopes, strict=True)
        found[name] = torch.cat([(torch.zeros_like(w) if g is None else g).flatten() for w, g in both]).double()
    return found


def _scores(config: TrainConfig, sdkl: Recipe, source: Source, pair: Pair, noise: bool) -> list[Tensor]:
    """The critic's scores of data and of samples in its first move."""
    seen: list[Tensor] = []
    probe = Probe(1, lambda view: None, scores=lambda step, real, fake: seen.extend((real.detach(), fake.detach())))
    changed = dataclasses.replace(config, likelihood_noise=noise)
    gradients(changed, sdkl, source, pair, of="critic", probes=[probe])
    return seen
