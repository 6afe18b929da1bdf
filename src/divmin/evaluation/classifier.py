"""A small classifier of a data set's labels: its last hidden layer gives features, its answers give modes.

A convolutional network for images of at least 8 pixels, a perceptron for everything else. Source of the idea of features from
a classifier of the same data: Che et al. 2017 and Metz et al. 2017 for MNIST, where Inception's features say little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from divmin.data import Source, index_stream
from divmin.errors import DivminError
from divmin.evaluation import cache
from divmin.evaluation.extractor import AT_ONCE, Extractor, Track, evaluation_mode, register_extractor

HELD, MOST_HELD = 0.1, 5000  # of the samples, and samples at most, that judge the classifier


@dataclass(frozen=True)
class Settings:
    """How a classifier is trained.

    Args:
        steps: optimiser steps.
        batch_size: samples a step.
        width: features of the last hidden layer.
        rate: the largest learning rate of Adam; it rises over the first tenth of the steps and then falls to 0.
        seed: names initial weights, order and what is held out.
        version: of the architecture, so that a file of an older one is not used.
    """

    steps: int = 600
    batch_size: int = 128
    width: int = 64
    rate: float = 2e-3
    seed: int = 0
    version: int = 1


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier of a source's labels.

    Args:
        body: samples to features [n, width].
        head: features to one logit a class.
        classes: the labels, in the order of the logits.
        shares: of each class among the labels.
        accuracy: on samples that were held out.
        held: how many those were.
        settings: how it was trained.
        source: the name of the data.
        shape: of one sample.
    """

    body: nn.Module
    head: nn.Module
    classes: tuple[int, ...]
    shares: tuple[float, ...]
    accuracy: float
    held: int
    settings: Settings
    source: str
    shape: tuple[int, ...]

    def features(self, samples: Tensor) -> Tensor:
        """The last hidden layer of samples [n, *shape], float32 [n, width]."""
        with torch.no_grad(), evaluation_mode(self.body):
            features: Tensor = self.body(samples)
        return features

    def predict(self, samples: Tensor) -> Tensor:
        """The place of the likeliest class in `classes`, int64 [n], of samples [n, *shape]."""
        with torch.no_grad():
            found = [self.head(self.features(part)).argmax(1) for part in samples.split(AT_ONCE)]
        return torch.cat(found) if found else torch.empty(0, dtype=torch.int64)

    def __str__(self) -> str:
        return f"classifier of {self.source} (right on {self.accuracy:.1%} of {self.held} held out)"


def labels_of(source: Source) -> Tensor:
    """The labels of a source, int64 [size].

    Raises:
        DivminError: a source without labels, or with fewer than two different ones.
    """
    labels: Tensor | None = getattr(source, "labels", None)
    if labels is None or source.size is None:
        raise DivminError(
            f"{source.name} has no labels, from which a classifier could learn: take the extractor pixels"
        )
    if len(labels.unique()) < 2:
        raise DivminError(f"all labels of {source.name} are the same: a classifier needs at least two")
    return labels


def classify(
    source: Source, settings: Settings | None = None, *, folder: Path | None = None, track: Track = iter
) -> Classifier:
    """A classifier of the labels of a source, from the cache where it was trained before.

    Args:
        source: finite, with `labels`.
        settings: how to train.
        folder: where trained classifiers are kept; $DIVMIN_CACHE or ~/.cache/divmin when None.
        track: wraps the steps of training, for a progress bar.

    Returns:
        The classifier, with its accuracy on held-out samples.

    Raises:
        DivminError: no labels, fewer than 20 samples, or a cache that cannot be written.

    Example:
        >>> import tempfile
        >>> from divmin.data import load
        >>> found = classify(load("digits"), Settings(steps=50), folder=Path(tempfile.mkdtemp()))
        >>> len(found.classes), found.features(torch.zeros(3, 1, 8, 8)).shape
        (10, torch.Size([3, 64]))
    """
    settings = settings or Settings()
    labels = labels_of(source)
    if len(labels) < 20:
        raise DivminError(f"{source.name} has {len(labels)} samples: a classifier needs at least 20")
    key = cache.key_of(source, labels, asdict(settings))
    classes, counts = labels.unique(return_counts=True)
    body, head = networks(tuple(source.shape), len(classes), settings)
    file = cache.file_of("classifier", key, folder)
    kept = cache.read(file, key)
    if kept is None or not _filled(body, head, kept):
        body, head = networks(tuple(source.shape), len(classes), settings)  # a file may have filled a part of them
        kept = _trained(body, head, source, torch.searchsorted(classes, labels), settings, track)
        cache.write(file, key, kept)
    return Classifier(
        body.eval(),
        head.eval(),
        tuple(classes.tolist()),
        tuple((counts / len(labels)).tolist()),
        kept["accuracy"],
        kept["held"],
        settings,
        source.name,
        tuple(source.shape),
    )


def networks(shape: tuple[int, ...], classes: int, settings: Settings) -> tuple[nn.Module, nn.Module]:
    """Untrained layers: samples to features, features to logits."""
    width = settings.width
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(settings.seed % 2**63)
        body = _convolutional(shape, width) if len(shape) == 3 and min(shape[1:]) >= 8 else _dense(shape, width)
        return body, nn.Linear(width, classes)


def _convolutional(shape: tuple[int, ...], width: int) -> nn.Module:
    """Three halvings (none below 4 pixels), each normalised within one image, so that a feature depends on its image alone."""
    layers: list[nn.Module] = []
    channels, sides = shape[0], list(shape[1:])
    for hidden in (32, 64, 64):
        halve = min(sides) > 4
        layers += [nn.Conv2d(channels, hidden, 3, stride=1 + halve, padding=1), nn.GroupNorm(4, hidden), nn.ReLU()]
        channels, sides = hidden, [math.ceil(side / (1 + halve)) for side in sides]
    pooled = (min(sides[0], 4), min(sides[1], 4))
    layers += [nn.AdaptiveAvgPool2d(pooled), nn.Flatten(), nn.Linear(channels * math.prod(pooled), width), nn.ReLU()]
    return nn.Sequential(*layers)


def _dense(shape: tuple[int, ...], width: int) -> nn.Module:
    size = math.prod(shape)
    standard = nn.BatchNorm1d(size, affine=False)  # coordinates may have any scale
    hidden = (nn.Linear(size, 2 * width), nn.ReLU(), nn.Linear(2 * width, width), nn.ReLU())
    return nn.Sequential(nn.Flatten(), standard, *hidden)


def _filled(body: nn.Module, head: nn.Module, kept: Mapping[str, Any]) -> bool:
    """Whether the networks could be filled with what the cache holds."""
    try:
        body.load_state_dict(kept["body"])
        head.load_state_dict(kept["head"])
    except (KeyError, RuntimeError, TypeError, AttributeError):
        return False
    return isinstance(kept.get("accuracy"), float) and isinstance(kept.get("held"), int)


def _trained(
    body: nn.Module, head: nn.Module, source: Source, labels: Tensor, settings: Settings, track: Track
) -> dict[str, Any]:
    """Train in place; returns what the cache keeps."""
    size = len(labels)
    held = max(1, min(round(HELD * size), MOST_HELD))
    order, _ = index_stream(size, size, settings.seed, 0)
    test, learn = order[:held], order[held:]
    weights = [*body.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(weights, lr=settings.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=settings.rate, total_steps=max(settings.steps, 2), pct_start=0.1
    )
    seen = 0
    with torch.enable_grad():
        for _ in track(range(settings.steps)):
            rows, seen = index_stream(len(learn), settings.batch_size, settings.seed + 1, seen)
            chosen = learn[rows]
            loss = functional.cross_entropy(head(body(source.batch(chosen))), labels[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad(), evaluation_mode(body):
        right = sum(
            int((head(body(source.batch(part))).argmax(1) == labels[part]).sum()) for part in test.split(AT_ONCE)
        )
    states = {name: {key: value.clone() for key, value in each.state_dict().items()} for name, each in
              (("body", body), ("head", head))}  # fmt: skip
    return {**states, "accuracy": right / held, "held": held}


def members_of(source: Source) -> Source | None:
    """The labelled set whose grey images a source shows as channels of one; None where it shows no such thing."""
    members = getattr(source, "members", None)
    return members if isinstance(members, Source) and members.shape == (1, *source.shape[1:]) else None


@register_extractor(
    "classifier", "the last hidden layer of a small classifier of the data's labels, trained once and cached"
)
def features_of_classifier(source: Source, seed: int = 0, track: Track = iter) -> Extractor:
    """Features of a classifier trained with default settings and this seed; of stacked images, those of every channel."""
    members = members_of(source)
    found = classify(source if members is None else members, Settings(seed=seed), track=track)
    values, width = "pixels in [-1, 1]" if len(source.shape) == 3 else "coordinates", found.settings.width
    if members is None:
        return Extractor("classifier", f"{values}, {width} hidden units of a {found}", width, found.features)
    channels = source.shape[0]

    def features(images: Tensor) -> Tensor:
        return found.features(images.flatten(0, 1)[:, None]).reshape(len(images), -1)

    way = f"{values}, {width} hidden units for each of {channels} channels of a {found}"
    return Extractor("classifier", way, channels * width, features)
