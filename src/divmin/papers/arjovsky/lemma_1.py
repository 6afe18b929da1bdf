"""Lemma 1: what a generator makes has no more dimensions than its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import nn

Floats = NDArray[np.float64]
ZERO = 1e-4  # a relative singular value from which on a direction counts
# Random networks: the dimension of z, and that of the image of a small ball.
NETWORKS = {
    "mlp, ReLU, 3 to 20": (3, 3),
    "mlp, ReLU, 10 to 64": (10, 10),
    "mlp, ReLU and tanh, 4 to 8 x 8": (4, 4),
    "dcgan, 5 to 8 x 8": (5, 5),
    "leaky ReLU, 6 to 30": (6, 6),
    "softplus, 2 to 30": (2, 2),
    "tanh, 8 to 30 through 3 units": (8, 3),
}
PIECEWISE = ("mlp, ReLU, 3 to 20", "mlp, ReLU, 10 to 64", "leaky ReLU, 6 to 30")
CURVED = ("mlp, ReLU and tanh, 4 to 8 x 8", "softplus, 2 to 30", "tanh, 8 to 30 through 3 units")
IMAGES = {"1 to 2": (1, 2), "1 to 3": (1, 3), "2 to 3": (2, 3)}


@dataclass(frozen=True)
class Settings:
    """Random networks and small balls of z.

    Args:
        seeds: networks of each kind.
        centres: z ~ N(0, I) around which balls are mapped.
        directions: points on a ball, beyond the dimension of z.
        reaches: radii of the balls, the smaller one first.
        points: z of which an image is counted in boxes.
        halvings: how often the box around it is halved, first and last.
    """

    seeds: int = 10
    centres: int = 50
    directions: int = 20
    reaches: tuple[float, float] = (1e-6, 1e-5)
    points: int = 2_000_000
    halvings: tuple[int, int] = (3, 6)


def expectations() -> dict[str, Expected]:
    """Dimensions, what is left across the image, and the volume of boxes around it."""
    wanted: dict[str, Expected] = {}
    for name, (_, dimension) in NETWORKS.items():
        wanted[f"{name}: dimension, most"] = near(dimension, source="lemma 1, and the narrowest layer")
    for name in PIECEWISE:
        wanted[f"{name}: size across, median"] = at_most(1e-8, source="flat pieces, but for rounding")
    for name in CURVED:
        wanted[f"{name}: power of the radius in the size across"] = near(1, 0.05, source="smooth: curvature alone")
    for name, (latent, _) in IMAGES.items():
        wanted[f"{name}: dimension by boxes"] = near(latent, 0.15, source="a manifold of the dimension of z")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers, rows, spectra = {}, [], {}
    for name, (latent, dimension) in work.each("networks", NETWORKS.items()):
        near_by, around = (np.concatenate(each) for each in zip(*balls(name, latent, settings), strict=True))
        ranks = (near_by > ZERO).sum(1)
        across = near_by[:, dimension], around[:, dimension]
        numbers[f"{name}: dimension, most"] = float(ranks.max())
        numbers[f"{name}: dimension, least"] = float(ranks.min())
        numbers[f"{name}: size across, median"] = float(np.median(across[0]))
        numbers[f"{name}: power of the radius in the size across"] = math.log(
            np.median(across[1]) / np.median(across[0])
        ) / math.log(settings.reaches[1] / settings.reaches[0])
        rows.append((name, str(latent), f"{ranks.min()} to {ranks.max()}", f"{np.median(across[0]):.2g}"))
        spectra[f"spectrum of {name}"] = np.median(around, axis=0)
    arrays: dict[str, Floats] = dict(spectra)
    for name, (latent, dim) in work.each("images", IMAGES.items()):
        points = image(latent, dim, settings)
        first, last = settings.halvings
        counts = boxed(points, first), boxed(points, last)
        numbers[f"{name}: dimension by boxes"] = math.log2(counts[1] / counts[0]) / (last - first)
        numbers[f"{name}: share of the volume in the smallest boxes"] = counts[1] / 2 ** (dim * last)
    arrays["curve"] = image(1, 2, settings)[:: max(1, settings.points // 4000)]
    heads = ("network", "dimension of z", "dimension of the image of a ball", "relative size across, median")
    return Found(numbers, arrays, (Table(heads, tuple(rows)),))


def balls(name: str, latent: int, settings: Settings) -> list[tuple[Floats, Floats]]:
    """Relative sizes of the images of small and of larger balls, for every seed."""
    import torch

    from divmin.papers.arjovsky.jacobians import local_sizes

    found = []
    for seed in range(settings.seeds):
        random = torch.Generator().manual_seed(seed)
        z = torch.randn(settings.centres, latent, generator=random, dtype=torch.float64)
        directions = torch.randn(latent + settings.directions, latent, generator=random, dtype=torch.float64)
        directions /= directions.norm(dim=1, keepdim=True)
        generator = network(name, seed)
        small, large = (local_sizes(generator, z, reach, directions) for reach in settings.reaches)
        found.append((small, large))
    return found


def network(name: str, seed: int) -> nn.Module:
    """A random generator in float64."""
    from torch import nn

    from divmin.models import build

    match name:
        case "mlp, ReLU, 3 to 20":
            made = build("mlp", shape=(20,), latent=3, width=32, seed=seed).generator
        case "mlp, ReLU, 10 to 64":
            made = build("mlp", shape=(64,), latent=10, width=64, seed=seed).generator
        case "mlp, ReLU and tanh, 4 to 8 x 8":
            made = build("mlp", shape=(1, 8, 8), latent=4, width=32, seed=seed).generator
        case "dcgan, 5 to 8 x 8":
            made = build("dcgan", shape=(1, 8, 8), latent=5, width=4, seed=seed).generator
        case "leaky ReLU, 6 to 30":
            return layers([6, 40, 40, 30], nn.LeakyReLU(0.2), seed)
        case "softplus, 2 to 30":
            return layers([2, 40, 40, 30], nn.Softplus(), seed)
        case _:
            return layers([8, 40, 3, 40, 30], nn.Tanh(), seed)
    return made.double().eval()


def layers(sizes: list[int], unit: nn.Module, seed: int, gain: float = 1.5) -> nn.Module:
    """Fully connected layers with normal weights, and the same unit between them."""
    from itertools import pairwise

    import torch
    from torch import nn

    random = torch.Generator().manual_seed(seed)
    made: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layer = nn.Linear(before, after).double()
        with torch.no_grad():
            layer.weight.copy_(
                gain * torch.randn(after, before, generator=random, dtype=torch.float64) / math.sqrt(before)
            )
            layer.bias.copy_(torch.randn(after, generator=random, dtype=torch.float64))
        made += [layer, unit]
    return nn.Sequential(*made[:-1])


def image(latent: int, dim: int, settings: Settings) -> Floats:
    """What a random network with tanh makes of a grid of z in [-2, 2]^latent, [points, dim]."""
    import torch
    from torch import nn

    side = round(settings.points ** (1 / latent))
    axis = torch.linspace(-2, 2, side, dtype=torch.float64)
    grid = torch.cartesian_prod(*[axis] * latent).reshape(-1, latent)
    generator = layers([latent, 24, 24, dim], nn.Tanh(), 1)
    with torch.no_grad():
        found: Floats = torch.cat([generator(part) for part in grid.split(100_000)]).numpy()
    return found


def boxed(points: Floats, halvings: int) -> int:
    """How many boxes the points touch."""
    from divmin.papers.arjovsky.jacobians import boxes

    return boxes(points, halvings)


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    curve = found.arrays["curve"]
    left.plot(curve[:, 0], curve[:, 1], color=line_style(0)[0], linewidth=1)
    left.set(xlabel="first coordinate", ylabel="second coordinate", title="all that a network makes of one z")
    for i, name in enumerate(NETWORKS):
        colour, dash = line_style(i)
        spectrum = found.arrays[f"spectrum of {name}"][:14]
        at = np.arange(1, len(spectrum) + 1)
        right.semilogy(at, np.maximum(spectrum, 1e-16), color=colour, linestyle=dash, marker=".", label=name)
    right.set(xlabel="singular value, from the largest", ylabel="relative to the largest", title="image of a ball")
    right.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))


register(
    Item(
        name="arjovsky-lemma-1",
        paper=ARJOVSKY,
        title="Lemma 1: the image of a generator has no more dimensions than its noise",
        claim="A generator of affine layers and pointwise units, (leaky) ReLU or smooth and strictly increasing, maps z into a "
        "countable union of manifolds whose dimension is at most that of z: of measure 0 if x has more.",
        settings=Settings(),
        quick=Settings(seeds=2, centres=10, points=250_000),
        cost=Cost(quick=1, full=9),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(11.0, 4.2),
        caption="Left: a curve, however it winds. Right: the image of a ball of radius 1e-5 has as many directions as z has, or as "
        "the narrowest layer; what remains is curvature and rounding.",
    )
)
