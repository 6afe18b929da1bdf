"""A model is a pair: a generator that turns noise into samples, and a critic that scores samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch
from torch import nn

from divmin.errors import DivminError, suggest


@dataclass(frozen=True, eq=False)
class Pair:
    """A generator and a critic for samples of one shape.

    The generator maps noise [n, latent] to samples [n, *shape]; the critic maps samples [n, *shape] to raw scores [n],
    higher meaning more real. A critic scores every sample on its own: the score is a function of x, as log p/q is.
    """

    generator: nn.Module
    critic: nn.Module
    latent: int
    shape: tuple[int, ...]
    name: str


class Builder(Protocol):
    """Makes the two networks of one architecture from sizes that are already checked."""

    def __call__(self, shape: tuple[int, ...], *, latent: int, width: int) -> tuple[nn.Module, nn.Module]: ...


@dataclass(frozen=True)
class Model:
    """One registered architecture.

    `width` and `latent` are the defaults of `build`.
    """

    name: str
    summary: str
    width: int
    latent: int
    make: Builder


_MODELS: dict[str, Model] = {}


def register(name: str, summary: str, *, width: int, latent: int) -> Callable[[Builder], Builder]:
    """Enter the decorated builder in the registry."""

    def enter(make: Builder) -> Builder:
        if name in _MODELS:
            raise DivminError(f"two models are called {name!r}: rename one of them")
        _MODELS[name] = Model(name, summary, width, latent, make)
        return make

    return enter


def models() -> Mapping[str, Model]:
    """The registered architectures, by name.

    Example:
        >>> sorted(models())
        ['dcgan', 'mlp']
    """
    return MappingProxyType(_MODELS)


def build(
    name: str, *, shape: tuple[int, ...], latent: int | None = None, width: int | None = None, seed: int = 0
) -> Pair:
    """A freshly initialised pair of networks.

    Args:
        name: one of `models()`.
        shape: shape of one sample: (features,) or (channels, height, width).
        latent: length of a noise vector; the model's own default when None.
        width: size of the hidden layers (units of an mlp, channels of a dcgan's finest); the model's default when None.
        seed: the initial weights depend on it and on the sizes alone; the global random state is left as it was.

    Returns:
        The pair, in training mode, float32, on the CPU.

    Raises:
        DivminError: unknown name, or sizes that this architecture cannot have.

    Example:
        >>> pair = build("mlp", shape=(2,), latent=4, width=16, seed=0)
        >>> pair.generator(torch.zeros(5, 4)).shape, pair.critic(torch.zeros(5, 2)).shape
        (torch.Size([5, 2]), torch.Size([5]))
    """
    if name not in _MODELS:
        raise DivminError(f"unknown model {name!r}: {suggest(name, list(_MODELS))}")
    model = _MODELS[name]
    latent = model.latent if latent is None else latent
    width = model.width if width is None else width
    for label, value in (("latent", latent), ("width", width)):
        if value < 1:
            raise DivminError(f"{label} is {value}: expected a whole number of at least 1")
    if not shape or any(length < 1 for length in shape):
        raise DivminError(f"sample shape is {tuple(shape)}: expected one or more lengths of at least 1")
    # Layers draw their initial weights from the default generator of the CPU and take no other; seeding that generator
    # alone (torch.manual_seed would touch the accelerators too) inside a fork leaves nothing changed outside.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        generator, critic = model.make(tuple(shape), latent=latent, width=width)
    return Pair(generator=generator, critic=critic, latent=latent, shape=tuple(shape), name=name)
