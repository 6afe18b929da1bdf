"""A run with everything that a person wants around it: progress, sample pictures on the way, curves at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from divmin import plots, training
from divmin.data import Source
from divmin.errors import DivminError
from divmin.explanation import Explanation, explain
from divmin.explanation.curves import lines
from divmin.objectives import AnyRecipe, Recipe, Relativistic
from divmin.progress import Track, progress
from divmin.training import Probe, Run, TrainConfig, View

CURVES, DIVERGENCE, GRID = "curves.png", "divergence.png", "samples.png"


def train(
    config: TrainConfig,
    *,
    recipe: AnyRecipe | None = None,
    source: Source | None = None,
    probes: Sequence[Probe] = (),
    overwrite: bool = False,
    show: bool = True,
) -> Run:
    """Train as the command line does: with progress, sample pictures, and curves at the end.

    Args:
        config: the settings; see `TrainConfig` or `divmin train --help`.
        recipe: a Recipe object in place of `config.recipe`.
        source: a data source in place of `config.data`.
        probes: further looks at the run.
        overwrite: replace the run in the folder `config.out`.
        show: show progress on standard error.

    Returns:
        The run; its pictures are listed by `pictures`.

    Raises:
        DivminError: for settings that do not fit, before any work is done.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = dm.train(dm.TrainConfig(model="mlp", width=16, steps=2, out=folder + "/run"), show=False)
        ...     sorted(path.name for path in pictures(run))
        ['00000000.png', '00000002.png', 'curves.png', 'divergence.png', 'samples.png']
    """

    if not isinstance(config, TrainConfig):
        raise DivminError(
            f"expected a TrainConfig; got {type(config).__name__}: write dm.TrainConfig(recipe=..., data=...)"
        )

    def start(extra: tuple[Probe, ...], track: Track) -> Run:
        every = (*extra, *probes)
        return training.train(config, recipe=recipe, source=source, probes=every, overwrite=overwrite, track=track)

    return _with_pictures(config, start, recipe, show, 0)


def resume(
    folder: str | Path,
    *,
    steps: int | None = None,
    recipe: AnyRecipe | None = None,
    source: Source | None = None,
    probes: Sequence[Probe] = (),
    show: bool = True,
) -> Run:
    """Go on with a run from its checkpoint, as the command line does; on the CPU bit for bit.

    Args:
        folder: the run folder.
        steps: generator steps in all, when more are wanted than configured.
        recipe: the Recipe object of a run that was started with one.
        source: the data source of a run that was started with one.
        probes: further looks at the run.
        show: show progress on standard error.

    Returns:
        The run.

    Raises:
        DivminError: no readable checkpoint, or nothing left to do.
    """
    before = Run.open(folder)

    def start(extra: tuple[Probe, ...], track: Track) -> Run:
        every = (*extra, *probes)
        return training.resume(folder, steps=steps, recipe=recipe, source=source, probes=every, track=track)

    return _with_pictures(before.config, start, recipe, show, before.step, steps)


def pictures(run: Run) -> list[Path]:
    """The pictures that a run has written, the summaries first.

    Args:
        run: any run.

    Returns:
        Existing files.
    """
    named = [run.folder / name for name in (GRID, CURVES, DIVERGENCE)]
    return [path for path in (*named, *sorted(run.samples.glob("*.png"))) if path.exists()]


def explained(recipe: object) -> Explanation | None:
    """What a recipe minimises; None for losses that cannot be asked, such as objects of another kind."""
    if not isinstance(recipe, str | Recipe | Relativistic):
        return None
    try:
        return explain(recipe)
    except DivminError:  # the run has trained with these losses, so they are no reason to fail now
        return None


def _with_pictures(
    config: TrainConfig,
    start: Callable[[tuple[Probe, ...], Track], Run],
    given: AnyRecipe | None,
    show: bool,
    done: int,
    steps: int | None = None,
) -> Run:
    latest: list[View] = []

    def picture(view: View) -> None:
        plots.save_samples(view.sample(view.noise(config.samples)), view.picture, title=f"step {view.step}")
        latest[:] = [view]

    with ExitStack() as stack:
        bars, track = stack.enter_context(progress(steps or config.steps, done)) if show else ((), iter)
        run = start((Probe(config.sample_every, picture), *bars), track)
    if records := run.records():
        plots.save_history(records, run.folder / CURVES)
    found = explained(given if given is not None else config.recipe)
    if found is not None and (record := lines([found])).members[0].weight is not None:
        plots.save_explanations(record, run.folder / DIVERGENCE, caption=f"{found.subject}: {found.sentence}")
    if latest:
        view = latest[0]
        fake, real = view.sample(view.noise(config.samples)), view.real(config.samples)
        plots.save_samples(fake, run.folder / GRID, real=real, title=f"generated, step {run.step}")
    return run
