"""The table of architectures: parameters of the three networks, and the grids that their layers pass through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from divmin.models import Layer, build, count, outline
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, near
from divmin.papers.item import largest
from divmin.papers.sources import BERGER

if TYPE_CHECKING:
    from torch import nn

PARAMETERS = {"encoder": 18_927_040, "generator": 18_155_715, "critic": 40_560_145}
# Sides of the grids after each convolution, in 64ths of the picture's side.
GRIDS = {"encoder": (64, 32, 16, 16, 8), "generator": (16, 16, 32, 64, 64), "critic": (32, 32, 16, 16, 8)}
FLAT = {"encoder": 16_384, "generator": 16_384, "critic": 24_576}
HIDDEN = 98_304  # 96 x 32 x 32: what the critic's second convolution gives, on which p(x|z) is Gaussian
SOURCE = "the architecture table"


@dataclass(frozen=True)
class Settings:
    """Which network is counted.

    Args:
        pixels: side of the colour pictures; the source's is 64.
        latent: length of z.
        width: channels of the encoder's first layer, to which all others keep their proportion.
    """

    pixels: int = 64
    latent: int = 512
    width: int = 32


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for part, parameters in PARAMETERS.items():
        wanted[f"{part}: parameters"] = near(parameters, source=SOURCE)
        wanted[f"{part}: largest |log2| of a grid's side over the published"] = near(0.0, source=SOURCE)
        wanted[f"{part}: numbers where grids are flat"] = near(FLAT[part], source=SOURCE)
    wanted["encoder: numbers that it gives for one picture"] = near(1024, source=f"{SOURCE}: 2 x 512")
    wanted["critic: numbers after its second convolution"] = near(HIDDEN, source="section 4: 96 x 32 x 32")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    """Count on the meta device, where weights have shapes and no values."""
    picture = (3, settings.pixels, settings.pixels)
    inputs = {"encoder": picture, "generator": (settings.latent,), "critic": picture}
    sizes: dict[str, Any] = {"latent": settings.latent, "width": settings.width}
    counted = count("berger", shape=picture, **sizes)
    numbers: dict[str, float] = {}
    rows: list[tuple[str, ...]] = []
    for part, shape in inputs.items():
        layers = outline(partial(_network, part, picture, sizes), shape)
        grids = [layer for layer in layers if len(layer.after) == 3]
        flat = [layer for layer in layers if len(layer.after) == 1]
        sides = np.array([layer.after[1] * 64 / settings.pixels for layer in grids])
        numbers[f"{part}: parameters"] = getattr(counted, part)
        numbers[f"{part}: largest |log2| of a grid's side over the published"] = largest(np.log2(sides / GRIDS[part]))
        numbers[f"{part}: numbers where grids are flat"] = (
            flat[-1].after[0] if part == "generator" else flat[0].before[0]
        )
        rows += [(part, *_row(layer)) for layer in layers]
        if part == "encoder":
            numbers["encoder: numbers that it gives for one picture"] = flat[-1].after[0]
        if part == "critic":
            numbers["critic: numbers after its second convolution"] = float(np.prod(grids[1].after))
    heads = ("network", "layer", "from", "to", "parameters")
    return Found(numbers, tables=(Table(heads, tuple(rows)),))


def _network(part: str, picture: tuple[int, ...], sizes: dict[str, Any]) -> nn.Module:
    found: nn.Module = getattr(build("berger", shape=picture, encoder=True, **sizes), part)
    return found


def _row(layer: Layer) -> tuple[str, ...]:
    before, after = (" x ".join(map(str, shape)) for shape in (layer.before, layer.after))
    return layer.kind, before, after, f"{layer.parameters:,}"


register(
    Item(
        name="berger-architecture",
        paper=BERGER,
        title="Encoder, generator and critic: parameters and grids",
        claim="All five models share three networks with ELU everywhere and tanh at the end of the generator, for colour "
        "pictures of 64 pixels and 512 latents: 18.9 million parameters in the encoder, 18.2 in the generator, 40.6 in the critic.",
        settings=Settings(),
        quick=Settings(),
        cost=Cost(quick=1, full=1),
        expected=expectations(),
        compute=compute,
        slips=("One row of the table reads Convn: a convolution, as its neighbours.",),
    )
)
