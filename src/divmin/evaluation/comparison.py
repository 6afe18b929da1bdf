"""Samples of the data and of a generator side by side; what several metrics need is computed once, when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from divmin.data import Source
from divmin.errors import DivminError
from divmin.evaluation.distances import frechet, kernel
from divmin.evaluation.extractor import Extractor, Track
from divmin.evaluation.manifold import Manifold, manifold
from divmin.evaluation.modes import ModeCoverage, Modes, mode_coverage


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two sets of samples and the means to compare them.

    Args:
        source: the data.
        real: samples of the data [n, *shape].
        fake: samples of the generator [m, *shape].
        make_extractor: gives the features; called when a metric needs them.
        make_modes: gives the modes, or None where the data has none.
        neighbours: which neighbour is the last inside a ball.
        seed: names random choices.
        track: wraps slow steps, for a progress bar.
    """

    source: Source
    real: Tensor
    fake: Tensor
    make_extractor: Callable[[], Extractor]
    make_modes: Callable[[], Modes | None]
    neighbours: int = 5
    seed: int = 0
    track: Track = iter

    @cached_property
    def extractor(self) -> Extractor:
        return self.make_extractor()

    @cached_property
    def features(self) -> tuple[Tensor, Tensor]:
        """Of data and samples, float64 [n, k] and [m, k]."""
        return self.extractor(self.real, self.track), self.extractor(self.fake, self.track)

    @cached_property
    def modes(self) -> Modes:
        found = self.make_modes()
        if found is None:
            raise DivminError(
                "this data has no modes: mode metrics need a mixture such as ring or grid, labels, or modes= of your own"
            )
        return found

    @cached_property
    def frechet(self) -> float:
        return frechet(*self.features)

    @cached_property
    def kernel(self) -> tuple[float, float]:
        return kernel(*self.features, seed=self.seed, track=self.track)

    @cached_property
    def manifold(self) -> Manifold:
        return manifold(*self.features, neighbours=self.neighbours, track=self.track)

    @cached_property
    def coverage(self) -> ModeCoverage:
        return mode_coverage(self.fake, self.modes)
