"""A run with everything that a person wants around it: progress, sample pictures on the way, curves at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from divmin import plots, training
from divmin.data import Source
from divmin.errors import DivminError
from divmin.explanation import Explanation, audit, explain
from divmin.explanation.curves import lines
from divmin.objectives import AnyRecipe, Own, Recipe, Relativistic
from divmin.progress import Track, progress
from divmin.training import Probe, Run, TrainConfig, View

CURVES, DIVERGENCE, GRID = "curves.png", "divergence.png", "samples.png"


def train(
    config: TrainConfig,
    *,
    recipe: AnyRecipe | Own | None = None,
    source: Source | None = None,
    probes: Sequence[Probe] = (),
    overwrite: bool = False,
    show: bool = True,
) -> Run:
    """Train as the command line does: with progress, sample pictures, and curves at the end.

    Args:
        config: the settings; see `TrainConfig` or `divmin train --help`.
        recipe: a Recipe object in place of `config.recipe`, or two functions of yours as `dm.Own`.
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

    show = show and training.first_process()
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
    file: str | Path | None = None,
    accept_changes: bool = False,
    recipe: AnyRecipe | Own | None = None,
    source: Source | None = None,
    probes: Sequence[Probe] = (),
    show: bool = True,
) -> Run:
    """Go on with a run from its checkpoint, as the command line does; on the CPU bit for bit.

    Args:
        folder: the run folder.
        steps: generator steps in all, when more are wanted than configured.
        file: an older checkpoint of the run to go back to, RUN/checkpoints/STEP.pt.
        accept_changes: go on with the settings of an edited config.yaml instead of refusing them.
        recipe: the Recipe object of a run that was started with one.
        source: the data source of a run that was started with one.
        probes: further looks at the run.
        show: show progress on standard error.

    Returns:
        The run.

    Raises:
        DivminError: no readable checkpoint, or nothing left to do.
    """
    before, show = Run.open(folder), show and training.first_process()

    def start(extra: tuple[Probe, ...], track: Track) -> Run:
        return training.resume(
            folder,
            steps=steps,
            file=file,
            accept_changes=accept_changes,
            recipe=recipe,
            source=source,
            probes=(*extra, *probes),
            track=track,
        )

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


def explained(config: TrainConfig, recipe: object = None) -> Explanation | None:
    """What a run minimises, and what its regularisers do to that; None for losses that cannot be asked.

    Args:
        config: the settings, which name the recipe and the regularisers.
        recipe: the object of a run that was started with one.
    """
    try:
        losses = training.losses(config, recipe)
        if isinstance(losses, Own):
            return audit(losses.critic_loss, losses.generator_loss).explanation
        if not isinstance(losses, Recipe | Relativistic):
            return None
        return explain(losses, penalty=config.regularisers)
    except DivminError:  # the run has trained with these losses, so they are no reason to fail now
        return None


def _with_pictures(
    config: TrainConfig,
    start: Callable[[tuple[Probe, ...], Track], Run],
    given: AnyRecipe | Own | None,
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
    if not training.first_process():
        return run
    if records := run.records():
        plots.save_history(records, run.folder / CURVES)
    found = explained(config, given)
    if found is not None and (record := lines([found])).members[0].weight is not None:
        plots.save_explanations(record, run.folder / DIVERGENCE, caption=f"{found.subject}: {found.sentence}")
    if latest:
        view = latest[0]
        fake, real = view.sample(view.noise(config.samples)), view.real(config.samples)
        plots.save_samples(fake, run.folder / GRID, real=real, title=f"generated, step {run.step}")
    return run
