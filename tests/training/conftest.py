"""Small stand-ins for losses, data and networks, so that the loop is tested apart from the rooms that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from divmin.training import TrainConfig, train


@dataclass(frozen=True)
class Logistic:
    name: str = "nonsaturating"

    def critic_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def generator_loss(self, fake: Tensor) -> Tensor:
        return F.softplus(-fake).mean()


@dataclass(frozen=True)
class Cloud:
    """Points or pictures that depend on their index alone."""

    shape: tuple[int, ...] = (2,)
    size: int | None = 37
    name: str = "cloud"

    def batch(self, indices: Tensor) -> Tensor:
        phase = indices.double()[:, None] * torch.arange(1, 1 + torch.Size(self.shape).numel()).double()
        return (phase * 0.7).sin().float().reshape(-1, *self.shape)


@dataclass(frozen=True, eq=False)
class Networks:
    generator: nn.Module
    critic: nn.Module
    latent: int = 3
    name: str = "own"
    encoder: nn.Module | None = None


def _mlp() -> Networks:
    generator = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2))
    return Networks(generator, nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)))


def _conv() -> Networks:
    """Batch norm on both sides, dropout in the critic: state besides weights, and random draws besides z."""
    generator = nn.Sequential(
        nn.Linear(3, 4 * 4), nn.Unflatten(1, (4, 2, 2)), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 1, 4, 2, 1)
    )
    critic = nn.Sequential(
        nn.Conv2d(1, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 1)
    )
    return Networks(generator, critic)


class Layered(nn.Module):
    """A critic whose hidden layer can be looked at."""

    def __init__(self, inside: nn.Module, outside: nn.Module) -> None:
        super().__init__()
        self.inside, self.outside = inside, outside

    def features(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.inside(x)
        return hidden

    def head(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self.outside(hidden)
        return scores

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def _vae() -> Networks:
    """With an encoder, and a critic of two parts."""
    generator = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 2))
    critic = Layered(nn.Linear(2, 12), nn.Sequential(nn.ELU(), nn.Linear(12, 1)))
    return Networks(generator, critic, encoder=nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 6)))


@dataclass(frozen=True)
class Lab:
    """Starts runs of stand-ins below one folder."""

    root: Path
    config: TrainConfig

    def pair(self, kind: str = "mlp") -> Networks:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(5)
            return {"mlp": _mlp, "conv": _conv, "vae": _vae}[kind]()

    def parts(self, kind: str = "mlp", size: int | None = 37) -> dict[str, Any]:
        shape = {"mlp": (2,), "conv": (1, 4, 4), "vae": (2,)}[kind]
        return {"recipe": Logistic(), "source": Cloud(shape, size), "pair": self.pair(kind)}

    def job(self, *, parts: dict[str, Any] | None = None, **settings: Any) -> tuple[Any, Any]:
        """The fixed and the moving parts of a run, for looking at one move."""
        from divmin.training.ema import frozen_copy
        from divmin.training.job import Job, rehearse
        from divmin.training.launch import launched
        from divmin.training.state import begin

        config = replace(self.config, out=str(self.root / "job"), **settings)
        given = self.parts() if parts is None else parts
        rehearse(config, given["recipe"], given["source"], given["pair"])
        with launched(config) as (fabric, processes):
            pass
        pair = given["pair"]
        job = Job(config, given["recipe"], given["source"], pair, (), fabric, processes, self.root / "job", ())
        encoder = pair.encoder if job.data_term is not None else None
        return job, begin(config, pair.generator, pair.critic, encoder, frozen_copy(pair.generator), fabric)

    def train(self, folder: str, *, parts: dict[str, Any] | None = None, more: Any = None, **settings: Any) -> Any:
        config = replace(self.config, out=str(self.root / folder), **settings)
        return train(config, **(self.parts() if parts is None else parts), **(more or {}))


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Networks this small lose time with more, above all beside other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(
        tmp_path, TrainConfig(steps=6, batch_size=8, device="cpu", log_every=4, checkpoint_every=100, ema_decay=0.9)
    )


@pytest.fixture
def same() -> Callable[[Any, Any], bool]:
    """Whether two nested values are equal to the last bit."""

    def compare(a: Any, b: Any) -> bool:
        if isinstance(a, Tensor):
            return a.dtype == b.dtype and torch.equal(a, b)
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(compare(a[key], b[key]) for key in a)
        if isinstance(a, list | tuple):
            return len(a) == len(b) and all(compare(x, y) for x, y in zip(a, b, strict=True))
        return bool(a == b)

    return compare
