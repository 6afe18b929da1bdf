"""Named maps from samples to the numbers that distances are taken in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from divmin.data import Source
from divmin.errors import DivminError
from divmin.named import Named

AT_ONCE = 256  # samples that pass through a network together

Track = Callable[[Iterable[int]], Iterable[int]]  # wraps the steps of slow work, as `divmin.progress.tracking` does


@dataclass(frozen=True, eq=False)
class Extractor:
    """Features of samples, with what must be said beside every number that rests on them.

    Args:
        name: what it is called.
        preprocessing: what happens to a sample before and while it becomes features.
        dim: features a sample.
        function: samples [n, *shape], float32, to features [n, dim].

    Example:
        >>> halves = Extractor("halves", "divided by 2", 2, lambda x: x / 2)
        >>> halves(torch.ones(1, 2))
        tensor([[0.5000, 0.5000]], dtype=torch.float64)
    """

    name: str
    preprocessing: str
    dim: int
    function: Callable[[Tensor], Tensor]

    def __call__(self, samples: Tensor, track: Track = iter) -> Tensor:
        """Features of samples [n, *shape], float64 [n, dim] on the CPU.

        Args:
            samples: on the CPU.
            track: wraps the blocks, for a progress bar.

        Raises:
            DivminError: features of another shape, or some that are not finite.
        """
        found = [self._block(samples[i : i + AT_ONCE]) for i in track(range(0, len(samples), AT_ONCE))]
        features = torch.cat(found) if found else torch.empty(0, self.dim, dtype=torch.float64)
        if broken := int((~features.isfinite()).any(1).sum()):
            raise DivminError(f"the features {self.name} of {broken} samples are not finite: look at the samples first")
        return features

    def _block(self, samples: Tensor) -> Tensor:
        with torch.no_grad():
            found: Any = self.function(samples)
        if not isinstance(found, Tensor) or found.shape != (len(samples), self.dim):
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise DivminError(f"the extractor {self.name} returned {got}: expected features {(len(samples), self.dim)}")
        return found.to(device="cpu", dtype=torch.float64)


@dataclass(frozen=True)
class ExtractorEntry:
    """A registered kind of features; `make(source, seed, track)` fits it to a source."""

    name: str
    summary: str
    make: Callable[[Source, int, Track], Extractor]


_EXTRACTORS: Named[ExtractorEntry] = Named("extractor")


def register_extractor(name: str, summary: str) -> Callable[..., Any]:
    """Enter the decorated `make(source, seed, track)` in the registry."""

    def enter(make: Callable[[Source, int, Track], Extractor]) -> Callable[[Source, int, Track], Extractor]:
        _EXTRACTORS.add(name, ExtractorEntry(name, summary, make))
        return make

    return enter


def extractors() -> Mapping[str, ExtractorEntry]:
    """The registered kinds of features, by name.

    Example:
        >>> sorted(extractors())
        ['classifier', 'inception', 'pixels']
    """
    return MappingProxyType(_EXTRACTORS)


def extractor(what: Any, source: Source, *, seed: int = 0, track: Track = iter) -> Extractor:
    """The features that a name or an object means for samples of a source.

    Args:
        what: a name of `extractors()`, an `Extractor`, a module or a function from samples [n, *shape] to features [n, ...].
        source: the data; a classifier learns from its labels.
        seed: names the random choices of features that are learned.
        track: wraps the steps of what is learned, for a progress bar.

    Returns:
        The extractor.

    Raises:
        DivminError: an unknown name, or features that this source cannot have.

    Example:
        >>> from divmin.data import load
        >>> ring = load("ring")
        >>> extractor("pixels", ring).dim, extractor(torch.nn.Linear(2, 5), ring).name
        (2, 'Linear')
    """
    if isinstance(what, Extractor):
        return what
    if isinstance(what, str):
        return _EXTRACTORS.find(what).make(source, seed, track)
    if not callable(what) or isinstance(what, type):
        raise DivminError(f"extractor is {what!r}: expected a name, a module, or a function from samples to features")
    return of_function(what, source)


def of_function(function: Callable[[Tensor], Tensor], source: Source) -> Extractor:
    """Anyone's module or function; a module computes in evaluation mode and where its parameters are."""
    name = getattr(function, "__name__", type(function).__name__)
    device = next((each.device for each in function.parameters()), None) if isinstance(function, nn.Module) else None

    def features(samples: Tensor) -> Tensor:
        with evaluation_mode(function):
            return function(samples if device is None else samples.to(device)).flatten(1)

    try:
        with torch.no_grad():
            dim = features(source.batch(torch.zeros(1, dtype=torch.int64))).shape[1]
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
        shape = [1, *source.shape]
        raise DivminError(f"the extractor {name} fails on samples of shape {shape}: {error}") from error
    return Extractor(name, f"samples of shape {tuple(source.shape)} as they are, output flattened", dim, features)


@contextmanager
def evaluation_mode(module: object) -> Iterator[None]:
    """A module in evaluation mode for a block; every part gets back the mode that it had. Other objects are left alone."""
    modes = [(part, part.training) for part in module.modules()] if isinstance(module, nn.Module) else []
    try:
        for part, _ in modes:
            part.training = False
        yield
    finally:
        for part, mode in modes:
            part.training = mode


@register_extractor("pixels", "the numbers of a sample as they are, flattened")
def pixels(source: Source, seed: int = 0, track: Track = iter) -> Extractor:
    """Raw values: coordinates of vectors, pixels of images."""
    kind = "pixels in [-1, 1]" if len(source.shape) == 3 else "coordinates"
    return Extractor("pixels", f"{kind} as they are, flattened", math.prod(source.shape), lambda x: x.flatten(1))
