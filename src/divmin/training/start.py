"""The two ways into the loop: a new run, and one that goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from signal import SIGINT, Signals
from typing import TYPE_CHECKING, Any

import torch

from divmin.data.base import Source
from divmin.errors import DivminError, counted
from divmin.training import checkpoint
from divmin.training.config import TrainConfig, differences
from divmin.training.ema import frozen_copy
from divmin.training.job import Job, Losses, Networks, rehearse
from divmin.training.loop import loop
from divmin.training.probes import Probe
from divmin.training.randomness import seed_global, undisturbed
from divmin.training.run import (
    CHECKPOINT,
    CONFIG,
    STATUS,
    Run,
    claim,
    default_folder,
    refuse_occupied,
    remove_leftovers,
    rewind_metrics,
    write_config,
    write_status,
)
from divmin.training.signals import polite_stop
from divmin.training.state import State, begin

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train(
    config: TrainConfig,
    *,
    recipe: Losses | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
    overwrite: bool = False,
) -> Run:
    """Train a generator against a critic, from step 0.

    Args:
        config: the settings; recipe, data and model are names unless the objects themselves are given.
        recipe: losses of raw critic scores; config.recipe becomes its name.
        source: samples by index; config.data becomes its name.
        pair: generator and critic, trained in place; config.model becomes its name.
        probes: looks at the run.
        overwrite: replace the run in the folder `config.out`.

    Returns:
        The run, finished or (after Ctrl-C or SIGTERM) interrupted with a checkpoint.

    Raises:
        DivminError: something does not fit, or the folder cannot be used.
        NotFiniteError: a loss or a weight stopped being finite.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = train(TrainConfig(model="mlp", width=8, steps=2, out=f"{folder}/run"))
        >>> run.state, run.step
        ('finished', 2)
    """
    own = {"recipe": recipe, "data": source, "model": pair}
    supplied = tuple(name for name, thing in own.items() if thing is not None)
    names: dict[str, Any] = {name: thing.name for name, thing in own.items() if thing is not None}
    config = replace(config, **names)
    folder = Path(config.out) if config.out is not None else default_folder(config, datetime.now())
    config = replace(config, out=str(folder))
    refuse_occupied(folder, overwrite=overwrite)
    fabric = _fabric(config)
    recipe, source, pair = _parts(config, recipe, source, pair)
    rehearse(config, recipe, source, pair)
    job = Job(config, recipe, source, pair, supplied, fabric, folder, tuple(probes))
    with undisturbed(fabric.device):
        seed_global(config.seed, fabric.device)
        state = begin(config, pair.generator, pair.critic, frozen_copy(pair.generator), fabric)
        # Only now, when nothing more can be amiss with the parts, is an old run given up.
        claim(folder)
        write_config(folder, config)
        return _drive(job, state)


def resume(
    folder: str | Path,
    *,
    steps: int | None = None,
    config: TrainConfig | None = None,
    recipe: Losses | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
) -> Run:
    """Go on with a run from its checkpoint; on the CPU the result is that of the uninterrupted run, bit for bit.

    Args:
        folder: the run folder.
        steps: generator steps in all, if other than configured.
        config: settings that the run is expected to have; a difference in anything but `steps` and `out` is refused.
        recipe, source, pair: needed where the run was started with objects instead of names.
        probes: looks at the run.

    Returns:
        The run, finished or interrupted.

    Raises:
        DivminError: no checkpoint, a damaged one, a changed configuration, or nothing left to do.
    """
    folder = Path(folder)
    path = folder / CHECKPOINT
    if not path.exists() and not (folder / STATUS).exists():
        raise DivminError(f"{folder} holds no run: give a folder that divmin train wrote")
    payload = checkpoint.read(path)
    stored = replace(TrainConfig.from_json(payload["config"], where=str(path)), out=str(folder))
    asked = _agreed(stored, payload["step"], steps, config, folder)
    _all_supplied(payload["supplied"], recipe, source, pair, folder)
    fabric = _fabric(asked)
    recipe, source, pair = _parts(asked, recipe, source, pair)
    rehearse(asked, recipe, source, pair)
    job = Job(asked, recipe, source, pair, tuple(payload["supplied"]), fabric, folder, tuple(probes))
    with undisturbed(fabric.device):
        state = begin(asked, pair.generator, pair.critic, frozen_copy(pair.generator), fabric)
        checkpoint.apply(payload, state, precision=fabric.strategy.precision, device=fabric.device, where=path)
        remove_leftovers(folder)
        state.latest = rewind_metrics(folder, step=state.step, log_every=asked.log_every)
        write_config(folder, asked)
        return _drive(job, state)


def _drive(job: Job, state: State) -> Run:
    """Run the loop, and let status.json tell how it ended."""

    def close(ending: str, reason: str | None = None, signal: int | None = None) -> Run:
        write_status(job.folder, ending, state.step, reason=reason, signal=signal)
        return Run(job.folder, ending, state.step, job.config, reason, signal)

    write_status(job.folder, "running", state.step)
    try:
        with polite_stop() as stop:
            loop(job, state, stop)
    except BaseException as error:
        at_once = isinstance(error, KeyboardInterrupt)
        reason = "stopped at once" if at_once else " ".join(f"{type(error).__name__}: {error}".split())
        # The first error is the one to tell; when the disk is full, this file cannot be written either.
        with contextlib.suppress(DivminError):
            close("interrupted" if at_once else "failed", reason, SIGINT.value if at_once else None)
        raise
    if state.step < job.config.steps and stop.signal is not None:
        return close("interrupted", Signals(stop.signal).name, stop.signal)
    return close("finished")


def _fabric(config: TrainConfig) -> Fabric:
    """The device and the precision; Fabric is slow to import and needed nowhere else."""
    from lightning_fabric import Fabric

    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[device]:
        raise DivminError(f"device {device} is not available here: use auto or cpu")
    if config.precision == "16-mixed" and device == "cpu":
        raise DivminError("precision 16-mixed needs a GPU: on the CPU use 32 or bf16-mixed")
    return Fabric(accelerator=device, devices=1, precision=_FABRIC_PRECISION[config.precision])


_FABRIC_PRECISION: dict[str, Any] = {"32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}


def _parts(
    config: TrainConfig, recipe: Losses | None, source: Source | None, pair: Networks | None
) -> tuple[Losses, Source, Networks]:
    """Build what the caller did not."""
    import divmin.data as data
    import divmin.models as models
    import divmin.objectives as objectives

    recipe = objectives.recipe(config.recipe) if recipe is None else recipe
    if source is None:
        source = data.load(config.data, seed=config.seed, image_size=config.image_size, channels=config.channels)
    if pair is None:
        shape = tuple(source.shape)
        pair = models.build(config.model, shape=shape, latent=config.latent, width=config.width, seed=config.seed)
    return recipe, source, pair


def _agreed(stored: TrainConfig, done: int, steps: int | None, config: TrainConfig | None, folder: Path) -> TrainConfig:
    """The configuration to go on with: that of the checkpoint, save for the number of steps."""
    written = TrainConfig.from_yaml(folder / CONFIG)
    for where, other in ((str(folder / CONFIG), written), ("the given configuration", config)):
        if other is not None and (changed := differences(stored, other, ignore=("steps", "out"))):
            raise DivminError(f"{where} differs from the run: {changed}; only steps can change when a run goes on")
    wanted = steps if steps is not None else (config or written).steps
    if wanted <= done:
        raise DivminError(
            f"{folder} has done {counted(done, 'step')} and {wanted} are asked for: give steps (--steps) above {done}"
        )
    return replace(stored, steps=wanted)


def _all_supplied(
    supplied: Sequence[str], recipe: Losses | None, source: Source | None, pair: Networks | None, folder: Path
) -> None:
    """A run of the caller's own objects cannot be rebuilt from names."""
    arguments = {"recipe": ("recipe", recipe), "data": ("source", source), "model": ("pair", pair)}
    for name in supplied:
        argument, thing = arguments[name]
        if thing is None:
            raise DivminError(f"{folder} was trained with its own {argument}: pass it again as {argument}=")
