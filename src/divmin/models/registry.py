"""Architectures by name, and how networks are built from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import torch
from torch import nn

from divmin.errors import DivminError
from divmin.models.base import Pair, Shape
from divmin.models.packing import packed
from divmin.named import Named


class BuildsFromLatent(Protocol):
    """Makes a generator or an encoder from sizes that are already checked; a class with such a constructor is one."""

    def __call__(self, shape: Shape, *, latent: int, width: int) -> nn.Module: ...


class BuildsCritic(Protocol):
    """Makes a critic from sizes that are already checked; with packing the shape is that of the packed samples."""

    def __call__(self, shape: Shape, *, width: int) -> nn.Module: ...


@dataclass(frozen=True)
class Model:
    """One architecture.

    Args:
        name: what users type.
        summary: one line.
        generator, critic, encoder: what makes each network; None where there is no encoder.
        width, latent: the defaults of `build`.
        sizes: side lengths in pixels of the square images that it makes, of 1 or 3 channels; None: samples of any shape.
        source: where it was published.
    """

    name: str
    summary: str
    generator: BuildsFromLatent
    critic: BuildsCritic
    encoder: BuildsFromLatent | None = None
    width: int = 64
    latent: int = 64
    sizes: Sequence[int] | None = None
    source: str = ""

    @property
    def makes(self) -> str:
        """The sizes in words.

        Example:
            >>> models()["dcgan"].makes, models()["resnet"].makes, models()["mlp"].makes
            ('8 to 64', '16, 32, 64', 'any shape')
        """
        if self.sizes is None:
            return "any shape"
        if isinstance(self.sizes, range):
            return f"{self.sizes[0]} to {self.sizes[-1]}"
        return ", ".join(map(str, self.sizes))

    def check(self, shape: Shape) -> None:
        """Refuse samples that the architecture cannot make.

        Raises:
            DivminError: not square images of a size that it knows, with 1 or 3 channels.
        """
        if not shape or any(length < 1 for length in shape):
            raise DivminError(f"sample shape is {shape}: expected one or more lengths of at least 1")
        if self.sizes is None:
            return
        if len(shape) != 3 or shape[1] != shape[2]:
            raise DivminError(
                f"{self.name} got samples of shape {shape}: it needs square images (channels, size, size); try mlp"
            )
        if shape[0] not in (1, 3):
            raise DivminError(f"{self.name} got images with {shape[0]} channels: it needs 1 or 3")
        if shape[1] not in self.sizes:
            raise DivminError(
                f"{self.name} got images of {shape[1]} pixels: it needs {self.makes}; choose such an image_size"
            )


_MODELS: Named[Model] = Named("model")


def register(model: Model) -> Model:
    """Enter an architecture in the registry, and return it.

    Raises:
        DivminError: the name is taken.
    """
    return _MODELS.add(model.name, model)


def models() -> Mapping[str, Model]:
    """The registered architectures, by name.

    Example:
        >>> sorted(models())
        ['ali', 'berger', 'dcgan', 'mlp', 'resnet']
    """
    return MappingProxyType(_MODELS)


def build(
    name: str,
    *,
    shape: Shape,
    latent: int | None = None,
    width: int | None = None,
    seed: int = 0,
    packing: int = 1,
    encoder: bool = False,
) -> Pair:
    """Freshly initialised networks.

    Args:
        name: one of `models()`.
        shape: shape of one sample: (features,) or (channels, height, width).
        latent: length of a noise vector; the model's own default when None.
        width: units of an mlp's hidden layers, channels of an image model's base layer; all other channels keep their
            proportion to it. The model's default when None.
        seed: the initial weights depend on it and on the sizes alone; the global random state is left as it was.
        packing: how many samples the critic looks at in one (`pack`).
        encoder: build one too. It is drawn last: generator and critic are the same with and without it.

    Returns:
        The networks, in training mode, float32, on the CPU.

    Raises:
        DivminError: unknown name, sizes that this architecture cannot have, or an encoder that it lacks.

    Example:
        >>> pair = build("mlp", shape=(2,), latent=4, width=16, seed=0, encoder=True)
        >>> x = pair.generator(torch.zeros(5, 4))
        >>> x.shape, pair.critic(x).shape, pair.encoder(x).shape
        (torch.Size([5, 2]), torch.Size([5]), torch.Size([5, 8]))
    """
    model = _MODELS.find(name)
    latent = model.latent if latent is None else latent
    width = model.width if width is None else width
    for label, value in (("latent", latent), ("width", width), ("packing", packing)):
        if value < 1:
            raise DivminError(f"{label} is {value}: expected a whole number of at least 1")
    shape = tuple(shape)
    model.check(shape)
    if encoder and model.encoder is None:
        raise DivminError(f"{name} has no encoder: use one of {', '.join(_with_encoder())}")
    # Layers draw their initial weights from the default generator of the CPU and take no other; seeding that generator
    # alone (torch.manual_seed would touch the accelerators too) inside a fork leaves nothing changed outside.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed % 2**63)
        return Pair(
            generator=model.generator(shape, latent=latent, width=width),
            critic=model.critic(packed(shape, packing), width=width),
            latent=latent,
            shape=shape,
            name=name,
            encoder=model.encoder(shape, latent=latent, width=width) if encoder and model.encoder else None,
            packing=packing,
        )


def _with_encoder() -> list[str]:
    return [name for name, model in _MODELS.items() if model.encoder is not None]


@dataclass(frozen=True)
class Parameters:
    """How many numbers each network learns; None where there is no encoder."""

    generator: int
    critic: int
    encoder: int | None


def count(
    name: str, *, shape: Shape, latent: int | None = None, width: int | None = None, packing: int = 1
) -> Parameters:
    """The sizes of the networks that `build` would make, without drawing or holding a weight.

    Args:
        name, shape, latent, width, packing: as for `build`.

    Returns:
        The numbers of parameters.

    Raises:
        DivminError: as `build`.

    Example:
        >>> count("berger", shape=(3, 64, 64))
        Parameters(generator=18155715, critic=40560145, encoder=18927040)
    """
    has_encoder = name in _MODELS and _MODELS[name].encoder is not None
    with torch.device("meta"):
        pair = build(name, shape=shape, latent=latent, width=width, packing=packing, encoder=has_encoder)
    encoder = None if pair.encoder is None else _parameters(pair.encoder)
    return Parameters(_parameters(pair.generator), _parameters(pair.critic), encoder)


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
