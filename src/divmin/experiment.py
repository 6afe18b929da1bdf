"""A run with everything that a person wants around it: progress, sample pictures on the way, curves at the end."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from divmin import loggers, plots, training
from divmin.aim import explained, sentences
from divmin.data import Source
from divmin.errors import DivminError, DivminWarning, suggest
from divmin.explanation import Explanation
from divmin.files import write_json
from divmin.illustrations import FILM, GRID, illustrate
from divmin.objectives import AnyRecipe, Own
from divmin.pages import Known, report_known
from divmin.progress import Track, progress, waiting
from divmin.training import Judge, Probe, Run, TrainConfig, Verdict, View
from divmin.training.job import Networks
from divmin.training.run import EXPLANATION, frames, writing
from divmin.watching import Watch, watch

BEHIND = 1000  # samples of the data under vectors of the model


def train(
    config: TrainConfig,
    *,
    recipe: AnyRecipe | Own | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
    log: Sequence[str] = (),
    overwrite: bool = False,
    show: bool = True,
) -> Run:
    """Train as the command line does: with progress, sample pictures, and curves at the end.

    Args:
        config: the settings; see `TrainConfig` or `divmin train --help`.
        recipe: a Recipe object in place of `config.recipe`, or two functions of yours as `dm.Own`.
        source: a data source in place of `config.data`.
        pair: networks in place of `config.model`, as `divmin.models.Pair` or anything with its fields; trained in place.
        probes: further looks at the run.
        log: loggers that are told of the run, such as ("tensorboard", "wandb"); see `divmin.loggers`.
        overwrite: replace the run in the folder `config.out`.
        show: say on standard error what is minimised, and show progress.

    Returns:
        The run; its pictures are listed by `divmin.illustrations.pictures`.

    Raises:
        DivminError: for settings that do not fit and libraries that are missing, before any work is done.

    Example:
        >>> import divmin as dm, tempfile
        >>> from divmin.illustrations import pictures
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = dm.train(dm.TrainConfig(model="mlp", width=16, steps=2, out=folder + "/run"), show=False)
        ...     sorted(path.name for path in pictures(run))
        ['00000000.png', '00000002.png', 'curves.png', 'divergence.png', 'monitor.png', 'samples.gif', 'samples.png']
    """

    show = show and training.first_process()
    if not isinstance(config, TrainConfig):
        raise DivminError(
            f"expected a TrainConfig; got {type(config).__name__}: write dm.TrainConfig(recipe=..., data=...)"
        )

    def start(looks: tuple[Probe, ...], judge: Judge | None, track: Track) -> Run:
        own: dict[str, Any] = {"recipe": recipe, "source": source, "pair": pair}
        return training.train(config, **own, probes=looks, judge=judge, overwrite=overwrite, track=track)

    return _watched(config, start, probes, loggers.chosen(log), recipe, show)


def resume(
    folder: str | Path,
    *,
    steps: int | None = None,
    file: str | Path | None = None,
    accept_changes: bool = False,
    recipe: AnyRecipe | Own | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
    log: Sequence[str] = (),
    show: bool = True,
) -> Run:
    """Go on with a run from its checkpoint, as the command line does; on the CPU bit for bit.

    Args:
        folder: the run folder.
        steps: generator steps in all, when more are wanted than configured.
        file: an older checkpoint of the run to go back to, RUN/checkpoints/STEP.pt.
        accept_changes: go on with the settings of an edited config.yaml, and with other data, instead of refusing them.
        recipe: the Recipe object of a run that was started with one.
        source: the data source of a run that was started with one.
        pair: the networks of a run that was started with its own.
        probes: further looks at the run.
        log: loggers that are told of the run, from its first step on if they were not told before.
        show: say on standard error what is minimised, and show progress.

    Returns:
        The run.

    Raises:
        DivminError: no readable checkpoint, one of another run, changed settings or data, or nothing left to do.
    """
    before, show = Run.open(folder), show and training.first_process()
    told = loggers.chosen(log)
    if told:
        loggers.journal(before.folder)  # damaged notes are an error now, not after some steps
    config = before.config if steps is None else replace(before.config, steps=steps)

    def start(looks: tuple[Probe, ...], judge: Judge | None, track: Track) -> Run:
        return training.resume(
            folder,
            steps=steps,
            file=file,
            accept_changes=accept_changes,
            recipe=recipe,
            source=source,
            pair=pair,
            probes=looks,
            judge=judge,
            track=track,
        )

    anew = file is not None or accept_changes  # loggers have heard of another run than this becomes
    return _watched(config, start, probes, told, recipe, show, before.step, anew, before.folder)


def judge_of(config: TrainConfig) -> Judge | None:
    """What measures samples on the way; None where the settings ask for no evaluation.

    Raises:
        DivminError: a metric that is not known.
    """
    if config.evaluate_every is None:
        return None
    from divmin.evaluation import evaluate_view
    from divmin.evaluation.evaluate import fitting, has_modes
    from divmin.evaluation.metric import MODES, chosen

    asked = chosen(config.metrics)  # a name that is not known is an error before any work
    best = None if config.best is None else chosen([config.best])[0].name

    def check(source: Source) -> None:
        for metric in asked:
            if metric.needs == MODES and not has_modes(source):
                raise DivminError(
                    f"{metric.name} needs data with modes (a mixture, or labels), and {source.name} has none"
                )
        names = [metric.name for metric in asked or fitting(source)]
        if best is not None and best not in names:
            raise DivminError(f"best by {config.best!r}: it is not among the metrics: {suggest(best, names)}")

    def act(view: View) -> Verdict:
        n, size = config.evaluate_samples, view.source.size
        n_real = n if n is None or size is None else min(n, size)
        found = evaluate_view(view, config.metrics or None, n_real=n_real, n_fake=n)
        numbers = found.numbers
        of = dict.fromkeys(f"{each.extractor}: {each.preprocessing}" for each in numbers)
        said = f"n_real {found.n_real}, n_fake {found.n_fake}, {'; '.join(of)}"
        return Verdict({each.name: each.value for each in numbers}, {each.name: each.better for each in numbers}, said)

    return Judge(config.evaluate_every, act, best, check)


@dataclass
class Drawing:
    """The pictures of a run on the way: always of the same z, and vectors before the same data on the same axes.

    Args:
        samples: how many of the model.
        latest: the last look.
        real: data behind vectors; None for images, and before the first look.
    """

    samples: int
    latest: View | None = None
    real: Tensor | None = None

    def look(self, view: View) -> None:
        """Draw the picture of a step."""
        if self.latest is None and len(view.source.shape) == 1:
            self.real = view.real(BEHIND)
        window = None if self.real is None else plots.window(self.real)
        fake = view.sample(view.noise(self.samples))
        plots.save_samples(fake, view.picture, real=self.real, title=f"step {view.step}", window=window)
        self.latest = view

    def finish(self, run: Run) -> None:
        """Draw samples beside data, and the pictures of all steps one after the other."""
        if self.latest is not None:
            fake, real = self.latest.sample(self.latest.noise(self.samples)), self.latest.real(self.samples)
            plots.save_samples(fake, run.folder / GRID, real=real, title=f"generated, step {run.step}")
        if len(drawn := frames(run.folder)) > 1:
            plots.save_film(drawn, run.folder / FILM)


def _watched(
    config: TrainConfig,
    start: Callable[[tuple[Probe, ...], Judge | None, Track], Run],
    probes: Sequence[Probe],
    told: Sequence[loggers.Logger],
    given: AnyRecipe | Own | None,
    show: bool,
    done: int = 0,
    anew: bool = False,
    folder: Path | None = None,
) -> Run:
    """Run `start` with probes that draw, show and tell, then draw what is drawn at the end."""
    with waiting("working out what is minimised") if show else nullcontext():
        found = explained(config, given) if training.first_process() else None
    judge = judge_of(config)
    drawing, watching = (
        Drawing(config.samples),
        watch(config, given, found, folder) if training.first_process() else None,
    )
    with ExitStack() as stack:
        best = None if judge is None else judge.by
        bars, track = stack.enter_context(progress(config.steps, done, best)) if show else ((), iter)
        tellers = stack.enter_context(loggers.telling(told, config.log_every, anew))
        # Loggers come last, because they tell what the others have written.
        own = (_noting(found, config, show), Probe(config.sample_every, drawing.look))
        hearing = () if watching is None else (watching.probe(config.checkpoint_every),)
        try:
            run = start((*own, *hearing, *bars, *probes, *tellers), judge, track)
        except Exception:
            if drawing.latest is not None:  # what went wrong stands on the page of a run that failed, too
                _write_page(drawing.latest.folder, found, watching)
            raise
    if not training.first_process():
        return run
    if watching is not None:
        watching.keep(run.folder)  # an interrupted run has not looked
    with waiting("drawing, and writing the report") if show else nullcontext():
        drawing.finish(run)
        illustrate(run, found, None if watching is None else watching.report())
        why = _write_page(run.folder, found, watching)
    if why is not None:
        warnings.warn(DivminWarning(f"there is no report: {why}"), stacklevel=3)
    return run


def _write_page(folder: Path, found: Explanation | None, watching: Watch | None) -> str | None:
    """Write report.html, and say why if that cannot be: whatever it is, the run is whole, and its own error the one to tell."""
    try:
        report_known(Run.open(folder), Known(found, None if watching is None else watching.report()))
    except Exception as error:
        return str(error) if isinstance(error, DivminError) else f"{type(error).__name__}: {error}"
    return None


def _noting(found: Explanation | None, config: TrainConfig, show: bool) -> Probe:
    """The probe that writes what is minimised into the run folder, and says it, at its first look: nothing was refused."""
    told = sentences(config, found) if show else []
    news = [] if found is None else [{"minimises": found.formula_name, **found.to_record()}]

    def note(view: View) -> None:
        if told:
            print("\n".join(told), file=sys.stderr)
            told.clear()
        while news:
            with writing(view.folder):
                write_json(view.folder / EXPLANATION, news.pop())

    return Probe(config.log_every, note)
