"""The metrics by name: what each needs, which way is better, and how it is read from a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from divmin.errors import DivminError, suggest
from divmin.evaluation.comparison import Comparison
from divmin.evaluation.distances import subsets_of
from divmin.evaluation.record import HIGHER, LOWER, Number

Read = Callable[[Comparison], tuple[float, float | None]]
FEATURES, MODES = "features", "modes"


@dataclass(frozen=True)
class Metric:
    """A way to judge samples.

    Args:
        name: what it is called.
        summary: one line.
        better: "lower" or "higher".
        needs: "features" or "modes".
        read: a comparison to value and standard error; the error is None where none is known.
        settings: a comparison to what else the number depends on, in words.
        aliases: other names.
        source: where it is from.
    """

    name: str
    summary: str
    better: str
    needs: str
    read: Read
    settings: Callable[[Comparison], str] = lambda comparison: ""
    aliases: tuple[str, ...] = ()
    source: str = ""

    def of(self, comparison: Comparison) -> Number:
        """The number, with all that it depends on."""
        value, error = self.read(comparison)
        by_modes = self.needs == MODES
        return Number(
            name=self.name,
            value=value,
            error=error,
            better=self.better,
            n_real=None if by_modes else len(comparison.real),
            n_fake=len(comparison.fake),
            extractor="modes" if by_modes else comparison.extractor.name,
            preprocessing=comparison.modes.name if by_modes else comparison.extractor.preprocessing,
            settings=self.settings(comparison),
        )


_METRICS: dict[str, Metric] = {}


def register_metric(metric: Metric) -> Metric:
    """Add a metric under its name and aliases; a taken name is an error."""
    for name in (metric.name, *metric.aliases):
        if name in _METRICS:
            raise DivminError(f"the metric name {name!r} is taken by {_METRICS[name].summary}")
        _METRICS[name] = metric
    return metric


def metrics() -> Mapping[str, Metric]:
    """The registered metrics by name, without the aliases.

    Example:
        >>> print(", ".join(metrics()))
        frechet, kernel, precision, recall, density, coverage, modes, high_quality, reverse_kl
    """
    return MappingProxyType({name: each for name, each in _METRICS.items() if name == each.name})


def chosen(names: Sequence[str]) -> list[Metric]:
    """The metrics of these names or aliases, each once.

    Args:
        names: a list, or one text with commas.

    Raises:
        DivminError: an unknown name, with the nearest known one.
    """
    if isinstance(names, str):
        names = [part.strip() for part in names.split(",") if part.strip()]
    found: dict[str, Metric] = {}
    for name in names:
        if name not in _METRICS:
            raise DivminError(f"unknown metric {name!r}: {suggest(str(name), list(_METRICS))}")
        found[_METRICS[name].name] = _METRICS[name]
    return list(found.values())


def _balls(comparison: Comparison) -> str:
    return f"{comparison.neighbours} neighbours"


def _subsets(comparison: Comparison) -> str:
    return "{} subsets of {}".format(*subsets_of(min(len(comparison.real), len(comparison.fake))))


def _of_modes(comparison: Comparison) -> str:
    return f"{len(comparison.modes.weights)} modes in all"


NAEEM, KYNKAANNIEMI, LIN = "Naeem et al. 2020", "Kynkaanniemi et al. 2019", "Lin et al. 2018"

for _metric in (
    Metric("frechet", "squared Frechet distance between normal laws fitted to the features", LOWER, FEATURES,
           lambda c: (c.frechet, None), aliases=("fid",), source="Heusel et al. 2017"),
    Metric("kernel", "unbiased squared kernel distance, k = (x.y/dim + 1)^3", LOWER, FEATURES,
           lambda c: c.kernel, _subsets, aliases=("kid",), source="Binkowski et al. 2018"),
    Metric("precision", "share of samples within the data's manifold", HIGHER, FEATURES,
           lambda c: (c.manifold.precision, None), _balls, source=KYNKAANNIEMI),
    Metric("recall", "share of the data within the samples' manifold", HIGHER, FEATURES,
           lambda c: (c.manifold.recall, None), _balls, source=KYNKAANNIEMI),
    Metric("density", "mean number of the data's balls around a sample, over k", HIGHER, FEATURES,
           lambda c: (c.manifold.density, None), _balls, source=NAEEM),
    Metric("coverage", "share of the data whose ball holds a sample", HIGHER, FEATURES,
           lambda c: (c.manifold.coverage, None), _balls, source=NAEEM),
    Metric("modes", "modes with at least one sample", HIGHER, MODES,
           lambda c: (float(c.coverage.found), None), _of_modes, source=LIN),
    Metric("high_quality", "share of samples near a mode", HIGHER, MODES,
           lambda c: c.coverage.high_quality, _of_modes, source=LIN),
    Metric("reverse_kl", "KL(model || data) over modes, nats", LOWER, MODES,
           lambda c: c.coverage.reverse_kl, _of_modes, source="Lin et al. 2018; Metz et al. 2017"),
):  # fmt: skip
    register_metric(_metric)
