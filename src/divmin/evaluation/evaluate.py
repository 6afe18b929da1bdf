"""One call that compares a generator's samples with data and says everything that its numbers depend on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from divmin.data import DensitySource, Mixture, Source, index_stream
from divmin.errors import DivminError
from divmin.evaluation.classifier import Settings, classify, members_of
from divmin.evaluation.comparison import Comparison
from divmin.evaluation.extractor import Extractor, Track, extractor
from divmin.evaluation.metric import FEATURES, MODES, Metric, chosen, metrics
from divmin.evaluation.modes import Modes, of_classes, of_mixture, stacked
from divmin.evaluation.record import Evaluation

Draw = Callable[[int, int], Any]  # how many, and a seed, to samples [n, *shape]

POINTS, PICTURES = 2500, 5000  # samples of each side where nothing is said: of densities as in PacGAN, of data sets
STACKED = 26_000  # fakes of stacked images, whose many modes fewer samples cannot find: as in Metz et al. and PacGAN
UNSEEN = 2**40  # an index that no training has reached


def evaluate(
    source: Source,
    draw: Draw,
    metrics: str | Sequence[str] | None = None,
    *,
    n_real: int | None = None,
    n_fake: int | None = None,
    extractor: Any = None,
    modes: Modes | None = None,
    learned_from: Source | None = None,
    neighbours: int = 5,
    seed: int = 0,
    track: Track = iter,
) -> Evaluation:
    """Compare samples of a generator with samples of a source.

    Args:
        source: the data. Of a density fresh samples are drawn; of a data set, n_real in random order without repetition.
        draw: n and a seed to samples [n, *shape]: a tensor or array.
        metrics: names of `divmin.evaluation.metrics()`, as a list or with commas; all that fit the data when None.
        n_real, n_fake: how many samples; when None 2,500 of a density, 5,000 of a data set (all, if it has fewer), and 26,000 fakes
            of stacked images.
        extractor: as `divmin.evaluation.extractor` takes it; when None the classifier for images with labels, else pixels.
        modes: what counts as a mode; when None the components of a mixture, the classes of labels, or of stacked images tuples of
            classes.
        learned_from: what a classifier of features or modes learns from; the source itself when None. Give the training data where
            the source is a held-out set.
        neighbours: k of precision, recall, density and coverage.
        seed: names the samples and all random choices; no global random state is used.
        track: wraps slow steps, for a progress bar (`divmin.progress.tracking`).

    Returns:
        A record that prints as a table.

    Raises:
        DivminError: an unknown metric or extractor, samples that do not fit, or too few of them.

    Example:
        >>> from divmin.data import densities, load
        >>> ring = densities()["ring"]()
        >>> found = evaluate(load("ring"), lambda n, seed: ring.sample(n, seed=seed + 1), "modes, precision", n_fake=500)
        >>> found["modes"].value, found["precision"].value > 0.9, found.n_real, found.extractor
        (8.0, True, 2500, 'pixels')
    """
    started = time.perf_counter()
    asked = None if metrics is None else chosen(metrics)  # an unknown name is told before any work is done
    two = compare(
        source, draw, n_real=n_real, n_fake=n_fake, extractor=extractor, modes=modes, learned_from=learned_from,
        neighbours=neighbours, seed=seed, track=track,
    )  # fmt: skip
    return assess(two, asked if asked is not None else fitting(learned_from or source, modes), started)


def compare(
    source: Source,
    draw: Draw,
    *,
    n_real: int | None = None,
    n_fake: int | None = None,
    extractor: Any = None,
    modes: Modes | None = None,
    learned_from: Source | None = None,
    neighbours: int = 5,
    seed: int = 0,
    track: Track = iter,
) -> Comparison:
    """Samples of both sides; features and modes are computed when a metric first asks for them.

    Args:
        source, draw, n_real, n_fake, extractor, modes, learned_from, neighbours, seed, track: as `evaluate` takes them.

    Returns:
        What metrics are read from.

    Raises:
        DivminError: samples that do not fit.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise DivminError(f"seed is {seed!r}: expected a whole number of at least 0")
    n_real, n_fake = sizes(source, n_real, n_fake)
    teacher = source if learned_from is None else learned_from
    return Comparison(
        source=source,
        real=data_of(source, n_real, seed),
        fake=checked(draw(n_fake, seed), n_fake, tuple(source.shape)),
        make_extractor=lambda: _extractor(extractor, teacher, seed, track),
        make_modes=lambda: modes if modes is not None else modes_of(teacher, seed, track),
        neighbours=neighbours,
        seed=seed,
        track=track,
    )


def assess(two: Comparison, asked: Sequence[Metric], started: float | None = None) -> Evaluation:
    """The numbers of some metrics.

    Args:
        two: samples of both sides.
        asked: from `chosen` or `fitting`.
        started: `time.perf_counter()` before the samples were drawn; now when None.
    """
    started = time.perf_counter() if started is None else started
    numbers = tuple(metric.of(two) for metric in asked)
    used = any(metric.needs == FEATURES for metric in asked)
    return Evaluation(
        numbers=numbers,
        source=two.source.name,
        n_real=len(two.real),
        n_fake=len(two.fake),
        extractor=two.extractor.name if used else "none",
        preprocessing=two.extractor.preprocessing if used else "none",
        seed=two.seed,
        warnings=tuple(_doubts(asked, two)),
        seconds=time.perf_counter() - started,
    )


class Look(Protocol):
    """What an evaluation during training needs: a `divmin.training.View` has it."""

    @property
    def source(self) -> Source: ...

    def noise(self, n: int) -> Tensor: ...

    def sample(self, z: Tensor) -> Tensor: ...


def evaluate_view(view: Look, metrics: str | Sequence[str] | None = None, **settings: Any) -> Evaluation:
    """`evaluate` for a probe: the averaged generator of a run in training, always from the same z.

    Args:
        view: what a probe is given.
        metrics: as `evaluate` takes them.
        settings: further arguments of `evaluate`.

    Returns:
        The record; `best` tells which of several is the best.

    Example:
        >>> import divmin as dm, tempfile
        >>> found = []
        >>> probe = dm.training.Probe(2, lambda view: found.append(evaluate_view(view, "modes", n_fake=100)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     config = dm.TrainConfig(data="ring", model="mlp", width=8, steps=2, out=folder + "/run")
        ...     _ = dm.training.train(config, probes=[probe])
        >>> [each.n_fake for each in found]
        [100, 100]
    """

    def draw(n: int, seed: int) -> Tensor:
        return torch.cat([view.sample(z) for z in view.noise(n).split(256)])

    return evaluate(view.source, draw, metrics, **settings)


def sizes(source: Source, n_real: int | None, n_fake: int | None) -> tuple[int, int]:
    """How many samples of data and generator, with defaults by the kind of data.

    Raises:
        DivminError: fewer than one, or more than the data has.
    """
    usual = usual_fake = POINTS if source.size is None else min(PICTURES, source.size)
    if members_of(source) is not None:
        usual, usual_fake = PICTURES, STACKED
    for name, n in (("n_real", n_real), ("n_fake", n_fake)):
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise DivminError(f"{name} is {n!r}: expected a whole number of at least 1")
    if n_real is not None and source.size is not None and n_real > source.size:
        raise DivminError(f"n_real is {n_real}: {source.name} has {source.size} samples")
    return n_real or usual, n_fake or usual_fake


def data_of(source: Source, n: int, seed: int) -> Tensor:
    """n samples of the data [n, *shape]: fresh ones of a density, others in random order without repetition."""
    if isinstance(source, DensitySource):
        return source.density.sample(n, seed=seed)
    if source.size is None:
        start = UNSEEN + seed % 2**16 * 2**24
        return source.batch(torch.arange(start, start + n))
    return source.batch(index_stream(source.size, n, seed, 0)[0])


def checked(samples: Any, n: int, shape: tuple[int, ...]) -> Tensor:
    """What a generator gave, as float32 [n, *shape] on the CPU.

    Raises:
        DivminError: another number or shape, or samples that are not finite.
    """
    found = torch.as_tensor(samples).detach().to(device="cpu", dtype=torch.float32)
    if tuple(found.shape) != (n, *shape):
        raise DivminError(
            f"the generator gave samples {tuple(found.shape)}: expected {(n, *shape)}, as the data has them"
        )
    if broken := int((~found.isfinite()).flatten(1).any(1).sum()):
        raise DivminError(f"{broken} of {n} samples of the generator have numbers that are not finite")
    return found


def modes_of(source: Source, seed: int = 0, track: Track = iter) -> Modes | None:
    """The modes that a source has by itself: components of a mixture, classes, or tuples of classes; None where it has none."""
    if not has_modes(source):
        return None
    if isinstance(source, DensitySource) and isinstance(source.density, Mixture):
        return of_mixture(source.density)
    if (members := members_of(source)) is not None:
        return stacked(classify(members, Settings(seed=seed), track=track), source.shape[0])
    return of_classes(classify(source, Settings(seed=seed), track=track))


def has_modes(source: Source) -> bool:
    """Whether the data is a mixture, or has labels of at least two classes."""
    if isinstance(source, DensitySource):
        return isinstance(source.density, Mixture)
    return has_labels(source)


def has_labels(source: Source) -> bool:
    """Whether a classifier could learn from the data, or from the set whose images it stacks."""
    labels = getattr(members_of(source) or source, "labels", None)
    return labels is not None and len(labels) >= 20 and len(labels.unique()) > 1


def fitting(source: Source, modes: Modes | None = None) -> list[Metric]:
    """The metrics that make sense for a source: those of modes where it has some, and quality where it can be judged."""
    judged = modes.judges if modes is not None else isinstance(source, DensitySource) and has_modes(source)
    found = [each for each in metrics().values() if each.needs == FEATURES]
    if modes is not None or has_modes(source):
        of_modes = [each for each in metrics().values() if each.needs == MODES]
        found = [each for each in of_modes if judged or each.name != "high_quality"] + found
    return found


def _extractor(what: Any, source: Source, seed: int, track: Track) -> Extractor:
    if what is None:
        what = "classifier" if len(source.shape) == 3 and has_labels(source) else "pixels"
    return extractor(what, source, seed=seed, track=track)


def _doubts(asked: Sequence[Metric], comparison: Comparison) -> list[str]:
    """What to know before quoting these numbers."""
    said = []
    names = {metric.name for metric in asked}
    if "frechet" in names:
        dim, n = comparison.extractor.dim, min(len(comparison.real), len(comparison.fake))
        if n <= dim:
            said.append(f"frechet: {n} samples do not determine a covariance of {dim} features; its bias is large")
    return said
