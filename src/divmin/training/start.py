"""The two ways into the loop: a new run, and one that goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from signal import SIGINT, Signals
from typing import Any
from uuid import uuid4

import torch

from divmin.data.base import Source
from divmin.data.sets import Track
from divmin.errors import DivminError, counted
from divmin.training import checkpoint, evaluations
from divmin.training.config import TrainConfig, differences
from divmin.training.ema import frozen_copy
from divmin.training.fingerprint import changed
from divmin.training.job import Job, Losses, Networks, rehearse
from divmin.training.judge import Judge, rewind
from divmin.training.launch import LostProcessError, compiler, first_process, launched, sizes
from divmin.training.loop import loop
from divmin.training.parallel import with_joint_statistics
from divmin.training.parts import parts
from divmin.training.probes import Probe
from divmin.training.randomness import seed_global, undisturbed
from divmin.training.run import (
    CHECKPOINT,
    CHECKPOINTS,
    CONFIG,
    STATUS,
    Run,
    claim,
    default_folder,
    give_up,
    identity_of,
    kept,
    refuse_occupied,
    remove_leftovers,
    rewind_metrics,
    write_config,
    write_status,
)
from divmin.training.signals import polite_stop
from divmin.training.state import State, begin

ROWS = (
    "log_every",
    "accumulate",
    "critic_steps",
)  # what decides how many rows an interval has, and what each stands for


def train(
    config: TrainConfig,
    *,
    recipe: Losses | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
    judge: Judge | None = None,
    overwrite: bool = False,
    track: Track = iter,
) -> Run:
    """Train a generator against a critic, from step 0.

    Args:
        config: the settings; recipe, data and model are names unless the objects themselves are given.
        recipe: losses of raw critic scores; config.recipe becomes its name.
        source: samples by index; config.data becomes its name.
        pair: generator and critic, trained in place; config.model becomes its name.
        probes: looks at the run.
        judge: measures samples on the way, and keeps the best checkpoint.
        overwrite: replace the run in the folder `config.out`.
        track: wraps the numbers of the pictures while data are read, to show progress.

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
    if first_process():
        refuse_occupied(folder, overwrite=overwrite)
    compiler(config)
    with launched(config) as (fabric, processes):
        folder = Path(fabric.broadcast(str(folder)))
        local, nodes = sizes(config)
        config = replace(config, out=str(folder), devices=local, nodes=nodes)
        recipe, source, pair = parts(config, recipe, source, pair, track=track)
        rehearse(config, recipe, source, pair)
        shown = tuple(probes) if processes.first else ()
        job = Job(config, recipe, source, pair, supplied, fabric, processes, folder, shown, judge, uuid4().hex)
        with undisturbed(fabric.device):
            seed_global(config.seed + processes.rank, fabric.device)
            state = _begin(job)
            if judge is not None and judge.check is not None:
                judge.check(source)
            # Only now, when nothing more can be amiss with the parts, is an old run given up.
            if processes.first:
                claim(folder)
                write_config(folder, config)
            return _drive(job, state)


def resume(
    folder: str | Path,
    *,
    steps: int | None = None,
    config: TrainConfig | None = None,
    accept_changes: bool = False,
    file: str | Path | None = None,
    recipe: Losses | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    probes: Sequence[Probe] = (),
    judge: Judge | None = None,
    track: Track = iter,
) -> Run:
    """Go on with a run from its checkpoint; on the CPU the result is that of the uninterrupted run, bit for bit.

    Args:
        folder: the run folder.
        steps: generator steps in all, if other than configured.
        config: settings that the run is expected to have; a difference in anything but `steps` and `out` is refused.
        accept_changes: go on with other settings, those of `config` or of an edited config.yaml, and with other data, instead
            of refusing them.
        file: an older checkpoint of the run to go back to; what came after it is given up.
        recipe, source, pair: needed where the run was started with objects instead of names.
        probes: looks at the run.
        judge: measures samples on the way, and keeps the best checkpoint.
        track: wraps the numbers of the pictures while data are read, to show progress.

    Returns:
        The run, finished or interrupted.

    Raises:
        DivminError: no checkpoint, a damaged one, a changed configuration, other data, a checkpoint of another run, or nothing
            left to do.
    """
    folder = Path(folder)
    path = folder / CHECKPOINT if file is None else Path(file)
    if not path.exists() and not (folder / STATUS).exists():
        raise DivminError(f"{folder} holds no run: give a folder that divmin train wrote")
    payload = _read(path, folder)
    _of_this_run(payload, path, folder)
    stored = replace(TrainConfig.from_json(payload["config"], where=str(path)), out=str(folder))
    asked = _agreed(stored, payload["step"], steps, config, folder, accept_changes)
    _all_supplied(payload["supplied"], recipe, source, pair, folder)
    compiler(asked)
    with launched(asked) as (fabric, processes):
        recipe, source, pair = parts(asked, recipe, source, pair, track=track)
        if not accept_changes and (how := changed(payload, source)):
            raise DivminError(
                f"{source.name} {how} when {folder} was trained: put back what was there, or accept the change "
                "(accept_changes, --accept-changes)"
            )
        rehearse(asked, recipe, source, pair)
        supplied, shown = tuple(payload["supplied"]), tuple(probes) if processes.first else ()
        identity = payload.get("run") or uuid4().hex  # older checkpoints have none
        job = Job(asked, recipe, source, pair, supplied, fabric, processes, folder, shown, judge, identity)
        with undisturbed(fabric.device):
            seed_global(asked.seed + processes.rank, fabric.device)
            state = _begin(job)
            if judge is not None and judge.check is not None:
                judge.check(source)
            precision, rank = fabric.strategy.precision, processes.rank
            if any(getattr(asked, name) != getattr(stored, name) for name in ROWS):
                payload = checkpoint.without_rows(payload)  # means over steps of other sizes say nothing
            checkpoint.apply(payload, state, precision=precision, device=fabric.device, rank=rank, where=path)
            processes.wait()  # all have read the file
            if processes.first:
                remove_leftovers(folder)
                state.latest = rewind_metrics(folder, step=state.step, log_every=asked.log_every)
                rewind(folder, state.step)
                state.evaluation = next(reversed(evaluations.read(folder)), None)
                give_up(folder, state.step)
                checkpoint.give_up_best(folder, state)
                write_config(folder, asked)
            return _drive(job, state)


def _begin(job: Job) -> State:
    """The state at step 0 of this process."""
    pair, config = job.pair, job.config
    encoder = getattr(pair, "encoder", None) if job.data_term is not None else None
    networks = [network for network in (pair.generator, pair.critic, encoder) if network is not None]
    if job.processes.world > 1:
        networks = [with_joint_statistics(network) for network in networks]
    return begin(config, pair.generator, pair.critic, encoder, frozen_copy(pair.generator), job.fabric)


def _read(path: Path, folder: Path) -> dict[str, Any]:
    """The checkpoint; where it is damaged, the error names an older one."""
    try:
        return checkpoint.read(path)
    except DivminError as error:
        older = [copy for copy in kept(folder) if copy != path]
        if not older:
            raise
        raise DivminError(f"{error}; an older one is {older[-1]}: resume from it with file= (--from)") from error


def _of_this_run(payload: dict[str, Any], path: Path, folder: Path) -> None:
    """Refuse the checkpoint of another run; where one of both has no name, their settings are compared like those of any run."""
    own, other = identity_of(folder), payload.get("run")
    if own and other and own != other:
        raise DivminError(
            f"{path} belongs to another run than {folder}: go on from {folder / CHECKPOINT}, or a file of "
            f"{folder / CHECKPOINTS}"
        )


def _drive(job: Job, state: State) -> Run:
    """Run the loop, and let status.json tell how it ended."""

    def close(ending: str, reason: str | None = None, signal: int | None = None) -> Run:
        if job.processes.first:
            write_status(job.folder, ending, state.step, reason=reason, signal=signal, identity=job.identity)
        return Run(job.folder, ending, state.step, job.config, reason, signal)

    close("running")
    try:
        with polite_stop() as stop:
            loop(job, state, stop)
    except BaseException as error:
        at_once = isinstance(error, KeyboardInterrupt)
        told = _of_another_process(job, error)
        reason = "stopped at once" if at_once else " ".join(f"{type(told).__name__}: {told}".split())
        # The first error is the one to tell; when the disk is full, this file cannot be written either.
        with contextlib.suppress(DivminError):
            close("interrupted" if at_once else "failed", reason, SIGINT.value if at_once else None)
        if told is error:
            raise
        raise told from error
    asked = job.processes.any(stop.signal, job.fabric.device)
    if state.step < job.config.steps and asked is not None:
        return close("interrupted", Signals(asked).name, asked)
    return close("finished")


def _of_another_process(job: Job, error: BaseException) -> BaseException:
    """What a lost connection means; any other error as it is."""
    if job.processes.world == 1 or not isinstance(error, RuntimeError) or isinstance(error, DivminError):
        return error
    lost = ("connection", "peer", "socket", "timed out", "timeout", "abort")
    if isinstance(error, torch.distributed.DistError) or any(word in str(error).lower() for word in lost):
        return LostProcessError(f"a process of this run has ended; go on with divmin resume {job.folder}")
    return error


def _agreed(
    stored: TrainConfig, done: int, steps: int | None, config: TrainConfig | None, folder: Path, accept: bool
) -> TrainConfig:
    """The configuration to go on with: that of the checkpoint, save for the number of steps, or what is accepted."""
    written = TrainConfig.from_yaml(folder / CONFIG)
    for where, other in ((str(folder / CONFIG), written), ("the given configuration", config)):
        if not accept and other is not None and (changed := differences(stored, other, ignore=("steps", "out"))):
            raise DivminError(
                f"{where} differs from the run: {changed}; only steps can change when a run goes on, unless changes are "
                "accepted (accept_changes, --accept-changes)"
            )
    grown = (steps if steps is not None else (config or written).steps) != stored.steps
    if not accept and grown and stored.ends:
        raise DivminError(
            f"{' and '.join(stored.ends)} of {folder} end with step {stored.steps}: with another number of steps it is another "
            "run; start that one anew, or accept the change (accept_changes, --accept-changes)"
        )
    if accept:
        stored = replace(config or written, out=str(folder))
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
