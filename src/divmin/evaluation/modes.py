"""Which modes of the data a generator reaches: modes are components of a mixture, classes of labels, or tuples of classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from divmin.data import Mixture
from divmin.errors import DivminError
from divmin.evaluation.classifier import Classifier

REACH = 3.0  # standard deviations from a mean, within which a sample is of high quality
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Modes:
    """A way to assign samples to modes, and the data's share of each.

    Args:
        name: how samples are assigned, for people.
        weights: the data's shares, positive, of sum 1.
        assign: samples [n, *shape] to the number of a mode, int64 [n]; -1 for a sample that belongs to none.
        judges: whether `assign` leaves samples of low quality out.
    """

    name: str
    weights: tuple[float, ...]
    assign: Callable[[Tensor], Tensor]
    judges: bool = False


@dataclass(frozen=True)
class ModeCoverage:
    """How a generator's samples spread over the modes of the data.

    Args:
        found: modes with at least one sample.
        modes: how many there are.
        high_quality: share of the samples that belong to a mode, and its standard error.
        reverse_kl: KL(model || data) over modes, nats, and its standard error; inf where no sample belongs to a mode.
        counts: samples of each mode.
        n: samples in all.
    """

    found: int
    modes: int
    high_quality: tuple[float, float]
    reverse_kl: tuple[float, float]
    counts: tuple[int, ...]
    n: int


def mode_histogram(samples: Tensor, modes: Modes) -> Tensor:
    """Samples of each mode, int64 [modes]; those that belong to none are left out.

    Args:
        samples: [n, *shape].
        modes: how they are assigned.

    Example:
        >>> halves = Modes("signs", (0.5, 0.5), lambda x: (x[:, 0] > 0).long())
        >>> mode_histogram(torch.tensor([[-1.0], [2.0], [3.0]]), halves)
        tensor([1, 2])
    """
    numbers = modes.assign(samples)
    return torch.bincount(numbers[numbers != NOWHERE], minlength=len(modes.weights))


def mode_coverage(samples: Tensor, modes: Modes) -> ModeCoverage:
    """Modes found, share of high quality, and the reverse KL over modes.

        KL(model || data) = sum_k h_k log(h_k / w_k),   h the histogram of samples that belong to a mode, w the data's shares

    A mode without samples adds nothing (0 log 0 = 0): missing modes show in the others being too full, and the value is at most
    log 1/min w. A perfect model's value is about (modes - 1)/(2 n), not 0. The error has the first- and second-order terms of
    the delta method, so that it holds for a perfect model too.

    Args:
        samples: [n, *shape], at least 1.
        modes: how they are assigned.

    Returns:
        The record.

    Raises:
        DivminError: no samples.

    Example:
        >>> from divmin.data import densities
        >>> ring = densities()["ring"]()
        >>> found = mode_coverage(ring.sample(2500, seed=0), of_mixture(ring))
        >>> found.found, found.high_quality[0] > 0.98, found.reverse_kl[0] < 0.01
        (8, True, True)

    Source: Lin et al. 2018 (PacGAN), whose published code counts samples of high quality only; Metz et al. 2017.
    """
    n = len(samples)
    if n == 0:
        raise DivminError("mode coverage of no samples: draw at least one")
    counts = mode_histogram(samples, modes)
    kept = int(counts.sum())
    safe = (kept + 1) / (n + 2)  # a share of 0 or 1 is not known without error
    return ModeCoverage(
        found=int((counts > 0).sum()),
        modes=len(counts),
        high_quality=(kept / n, math.sqrt(safe * (1 - safe) / n)),
        reverse_kl=reverse_kl(counts, modes.weights),
        counts=tuple(counts.tolist()),
        n=n,
    )


def reverse_kl(counts: Tensor, weights: tuple[float, ...]) -> tuple[float, float]:
    """KL(histogram || weights) in nats, with its standard error; (inf, inf) for an empty histogram.

    Args:
        counts: samples of each mode, int64 [modes].
        weights: positive shares, of sum 1.

    Example:
        >>> round(reverse_kl(torch.tensor([10, 0]), (0.5, 0.5))[0], 6)  # log 2
        0.693147
    """
    n = int(counts.sum())
    if n == 0:
        return math.inf, math.inf
    h, w = counts.double() / n, torch.tensor(weights, dtype=torch.float64)
    gain = torch.where(counts > 0, (h / w).log(), 0.0)
    value = float((h * gain).sum())
    spread = float((h * (gain - value).square()).sum()) / n
    # At equality 2 n KL is chi-squared, of variance 2 (K - 1); `spread` is then (K - 1)/n^2 on average, though its truth is 0.
    freedom = (int((counts > 0).sum()) - 1) / n**2
    return max(value, 0.0), math.sqrt(max(spread - freedom, 0.0) + freedom / 2)


def of_mixture(mixture: Mixture, reach: float = REACH) -> Modes:
    """Components of a mixture: a sample belongs to the nearest within `reach` standard deviations, and else to none.

    Args:
        mixture: means and standard deviations.
        reach: sqrt of the sum over coordinates of ((x - mean)/scale)^2, up to which a sample is of high quality.

    Example:
        >>> from divmin.data import Mixture
        >>> two = of_mixture(Mixture(means=((0.0,), (10.0,)), scales=((1.0,), (1.0,))))
        >>> two.assign(torch.tensor([[2.9], [3.1], [9.0]]))
        tensor([ 0, -1,  1])
    """
    means = torch.tensor(mixture.means, dtype=torch.float64)
    scales = torch.tensor(
        [s if len(s) == mixture.dim else s * mixture.dim for s in mixture.scales], dtype=torch.float64
    )

    def assign(samples: Tensor) -> Tensor:
        blocks = samples.flatten(1).double().split(4096)
        found = [((x[:, None] - means) / scales).square().sum(-1).min(1) for x in blocks]
        squares = torch.cat([each.values for each in found])
        return torch.cat([each.indices for each in found]).masked_fill(squares > reach**2, NOWHERE)

    return Modes(f"nearest mean within {reach:g} standard deviations", mixture.weights, assign, judges=True)


def of_classes(classifier: Classifier) -> Modes:
    """The classes of a classifier; every sample belongs to one.

    Args:
        classifier: from `classify`; the data's shares are those of its labels.
    """
    return Modes(f"answers of a {classifier}", classifier.shares, classifier.predict)


def stacked(classifier: Classifier, channels: int = 3) -> Modes:
    """Tuples of classes, one for each channel of an image: 1,000 modes for three stacked digits.

        mode = c_0 K^(channels - 1) + ... + c_(channels - 1),   K classes

    Args:
        classifier: of images of one channel.
        channels: how many are stacked; the data's shares are products of those of the labels.

    Raises:
        DivminError: a classifier of images of several channels.

    Source: Metz et al. 2017; Lin et al. 2018.
    """
    if len(classifier.shape) != 3 or classifier.shape[0] != 1:
        raise DivminError(
            f"stacked modes need a classifier of images of one channel; this one takes {classifier.shape}"
        )
    classes = len(classifier.classes)
    shares = torch.tensor(classifier.shares, dtype=torch.float64)
    weights = shares
    for _ in range(channels - 1):
        weights = torch.outer(weights, shares).flatten()

    def assign(samples: Tensor) -> Tensor:
        if samples.ndim != 4 or samples.shape[1] != channels:
            raise DivminError(
                f"stacked modes got samples {tuple(samples.shape)}: expected [n, {channels}, height, width]"
            )
        number = torch.zeros(len(samples), dtype=torch.int64)
        for channel in range(channels):
            number = number * classes + classifier.predict(samples[:, channel : channel + 1])
        return number

    return Modes(f"answers for {channels} channels of a {classifier}", tuple(weights.tolist()), assign)
