"""How varied a set of images is by itself: its colours, its hues, and how far its members are from each other."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from divmin.errors import DivminError

GREY = 0.1  # difference of the largest and the smallest channel below which a pixel has no hue, channels in [0, 1]


def colour_entropy(images: Tensor, bins: int = 8) -> float:
    """The entropy of the joint histogram of red, green and blue, in nats.

    Args:
        images: [n, channels, height, width] in [-1, 1].
        bins: of each channel.

    Returns:
        From 0, one colour, to channels * log(bins).

    Raises:
        DivminError: no images.

    Example:
        >>> halves = torch.tensor([-0.9, 0.9]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
        >>> round(colour_entropy(halves) / math.log(2), 12)  # black and white
        1.0
    """
    _check(images)
    levels = ((images.double() + 1) / 2 * bins).long().clamp(0, bins - 1)
    places = bins ** torch.arange(images.shape[1] - 1, -1, -1)
    joint = (levels * places[:, None, None].to(levels.device)).sum(1).flatten()
    shares = torch.bincount(joint).double() / joint.numel()
    return float(-torch.xlogy(shares, shares).sum())


def hue_share(images: Tensor, low: float, high: float) -> float:
    """The share of coloured pixels whose hue lies in an interval, such as 20 to 150 degrees for brown and green.

    Args:
        images: [n, 3, height, width] in [-1, 1].
        low, high: degrees, 0 for red, 120 for green, 240 for blue.

    Returns:
        A share of the pixels that are not grey; NaN where all are.

    Raises:
        DivminError: no images, or images without three channels.

    Example:
        >>> red_and_green = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]).reshape(1, 3, 1, 2)
        >>> hue_share(red_and_green, 90, 150)
        0.5
    """
    _check(images)
    if images.shape[1] != 3:
        raise DivminError(f"images with {images.shape[1]} channels have no hue: expected 3")
    red, green, blue = ((images.double() + 1) / 2).unbind(1)
    # the angle in the plane of colours, where red is 0, green 120 and blue 240 degrees
    angle = torch.rad2deg(torch.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)).remainder(360)
    coloured = torch.stack([red, green, blue]).amax(0) - torch.stack([red, green, blue]).amin(0) > GREY
    inside = coloured & (angle >= low) & (angle <= high)
    return float(inside.sum() / coloured.sum())


def sharpness(images: Tensor) -> float:
    """The variance of the Laplacian of grey images, averaged over them: larger for more edges, also for noise.

    Args:
        images: [n, channels, height, width], three pixels high and wide at least.

    Raises:
        DivminError: no images.

    Example:
        >>> checks = torch.tensor([[-1.0, 1.0], [1.0, -1.0]]).repeat(1, 1, 2, 2)
        >>> sharpness(checks) > sharpness(0.5 * checks) > sharpness(torch.zeros(1, 1, 4, 4)) == 0
        True
    """
    _check(images)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=images.dtype, device=images.device)
    grey = images.mean(1, keepdim=True)
    return float(torch.nn.functional.conv2d(grey, kernel[None, None]).var((1, 2, 3)).mean())


def mean_distance(images: Tensor) -> float:
    """The mean distance of neighbours in the order given, by pixels: the root of the mean squared difference.

    Samples are in random order, so that neighbours are pairs drawn at random.

    Args:
        images: [n, ...], at least two.

    Raises:
        DivminError: fewer than two.

    Example:
        >>> mean_distance(torch.tensor([[0.0, 0.0], [2.0, 2.0], [0.0, 0.0]]))
        2.0
    """
    if len(images) < 2:
        raise DivminError(f"the distance between samples needs two of them: got {len(images)}")
    flat = images.flatten(1).double()
    return float((flat[1:] - flat[:-1]).square().mean(1).sqrt().mean())


def _check(images: Tensor) -> None:
    if images.dim() != 4 or not images.numel():
        raise DivminError(f"got {list(images.shape)}: expected images [n, channels, height, width], at least one")
