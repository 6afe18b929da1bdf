"""The training loop: read it from top to bottom.

One generator step is `critic_steps` updates of the critic and then one of the generator. Time is counted in data
samples that the critic has seen. No step waits for the device; numbers are read at records and checkpoints.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from divmin.training import checkpoint
from divmin.training.ema import Follower, decay_at
from divmin.training.evaluations import Evaluation
from divmin.training.finite import NotFiniteError, first_bad_row, first_bad_tensor
from divmin.training.job import Job
from divmin.training.judge import Judge, append
from divmin.training.metrics import CRITIC_COLUMNS, GENERATOR_COLUMNS, summarise
from divmin.training.moves import draw_data, move_critic, move_generator
from divmin.training.probes import Probe, View
from divmin.training.randomness import capture, undisturbed
from divmin.training.run import BEST, CHECKPOINT, append_record, write_status
from divmin.training.schedule import rate
from divmin.training.signals import Stop
from divmin.training.state import State


def loop(job: Job, state: State, stop: Stop) -> None:
    """Train until `config.steps`, or until `stop` holds a signal; leaves a checkpoint of the last step.

    Args:
        job: the fixed parts of the run.
        state: the moving parts, changed in place.
        stop: looked at after every generator step.

    Raises:
        NotFiniteError: a loss, a score or a weight became NaN or infinite; the checkpoint on disk is the last good one.
    """
    config = job.config
    follower = Follower(state.average, state.generator)
    started = time.perf_counter() - state.seconds
    if state.step == 0:
        store(job, state)  # so that a run can be resumed from its first moment
        look(job, state, job.probes)

    while state.step < config.steps and job.processes.any(stop.signal, job.fabric.device) is None:
        # The critic sees fresh data in each of its moves; the generator's move looks at the last of these.
        set_rates(job, state)
        for _ in range(config.critic_steps):
            data = draw_data(job, state)
            move_critic(job, state, data)
        if config.critic_steps == 0:
            data = draw_data(job, state)
        move_generator(job, state, data)

        # The average follows the generator.
        state.step += 1
        follower.update(decay_at(state.step, config.ema_decay))

        # Records, checkpoints and the caller's probes, each at its own interval.
        state.seconds = time.perf_counter() - started
        if config.check_finite:
            check(job, state)
        if state.step % config.log_every == 0 or state.step == config.steps:
            report(job, state)
        if job.judge is not None and (state.step % job.judge.every == 0 or state.step == config.steps):
            judge(job, state, job.judge)
        if state.step % config.checkpoint_every == 0:
            store(job, state)
        if state.step < config.steps and job.probes:
            look(job, state, [probe for probe in job.probes if state.step % probe.every == 0])

    # The end, reached or asked for: nothing that was learnt is lost.
    if state.saved_step != state.step:
        store(job, state)
    if state.step == config.steps:
        look(job, state, job.probes)


def set_rates(job: Job, state: State) -> None:
    """Give both optimisers the learning rates of this step."""
    config = job.config
    if config.schedule == "constant" and not config.warmup:
        return
    factor = rate(config.schedule, state.step, config.steps, config.warmup)
    for optimizer, base in (
        (state.generator_optimizer, config.generator_lr),
        (state.critic_optimizer, config.critic_lr),
    ):
        for group in optimizer.param_groups:
            group["lr"] = base * factor


def report(job: Job, state: State) -> None:
    """Write one record. The rows of an interval that the run's end cut short are kept, for a later resumption."""
    join_rows(job, state)
    check_rows(job, state)
    fresh = len(state.generator_rows.rows) // job.config.accumulate * job.config.samples_a_step
    state.latest = summarise(
        state.critic_rows.rows,
        state.generator_rows.rows,
        step=state.step,
        samples=state.samples,
        seconds=state.seconds,
        rate=fresh / (state.seconds - state.seconds_at_record),
        penalised=bool(job.penalties),
        data_term=job.data_term is not None,
    )
    if job.processes.first:
        append_record(job.folder, state.latest)
    if state.step % job.config.log_every == 0:
        state.critic_rows.clear()
        state.generator_rows.clear()
        state.seconds_at_record = state.seconds


def store(job: Job, state: State) -> None:
    """Replace the checkpoint, unless something in the state is not finite."""
    content = gathered(job, state)
    if job.processes.first:
        checkpoint.save(job.folder, content, keep=job.config.keep)
        write_status(job.folder, "running", state.step, identity=job.identity)
    state.saved_step = state.step
    job.processes.wait()  # nobody goes on, and perhaps dies, before the file is there


def gathered(job: Job, state: State) -> dict[str, Any]:
    """What a checkpoint holds of all processes, all of it finite."""
    join_rows(job, state)
    check(job, state)
    random = job.processes.collect(capture(job.fabric.device))
    return checkpoint.payload(state, about=job.about, precision=job.fabric.strategy.precision, random=random)


def judge(job: Job, state: State, judge: Judge) -> None:
    """Measure samples of the average, and keep the checkpoint if they are the best so far."""
    improved = False
    if job.processes.first:
        with undisturbed(job.fabric.device):
            found = judge.act(view_of(job, state))
        append(job.folder, state.step, found)
        finite = {name: value for name, value in found.values.items() if math.isfinite(value)}
        state.evaluation = Evaluation(state.step, finite, dict(found.better))
        name = judge.metric(found)
        improved = state.best.improved(found.values[name], state.step, found.better[name])
    if job.processes.any(1 if improved else None, job.fabric.device) is not None:
        content = gathered(job, state)
        if job.processes.first:
            checkpoint.write(job.folder, content, job.folder / BEST)


def join_rows(job: Job, state: State) -> None:
    """Put the mean over processes in the place of what each has recorded."""
    if job.processes.world > 1:
        for table in (state.critic_rows, state.generator_rows):
            table.restore(job.processes.mean(table.rows))


def look(job: Job, state: State, probes: Sequence[Probe]) -> None:
    """Show the state to some probes; what they draw leaves no trace in the run."""
    view = view_of(job, state)
    for probe in probes:
        with undisturbed(job.fabric.device):
            probe.act(view)


def view_of(job: Job, state: State) -> View:
    """The run as a probe sees it."""
    return View(
        step=state.step,
        steps=job.config.steps,
        samples=state.samples,
        latest=state.latest,
        folder=job.folder,
        latent=job.pair.latent,
        average=state.average,
        critic=state.critic,
        seed=job.config.seed,
        source=job.source,
        evaluation=state.evaluation,
    )


def check(job: Job, state: State) -> None:
    """Raise `NotFiniteError` when a number of the rows, a parameter or an optimiser's moment is not finite."""
    check_rows(job, state)
    if (name := first_bad_tensor(state.named_tensors())) is not None:
        raise not_finite(job, state, state.step, name)


def check_rows(job: Job, state: State) -> None:
    """The same for losses and scores alone; the error names the step in which the first bad number arose."""
    groups = (
        (state.critic_rows.rows, job.config.critic_steps * job.config.accumulate, CRITIC_COLUMNS),
        (state.generator_rows.rows, job.config.accumulate, GENERATOR_COLUMNS),
    )
    found = []
    for rows, a_step, columns in groups:
        if (bad := first_bad_row(rows)) is not None:
            found.append((state.step - (len(rows) - 1 - bad[0]) // a_step, columns[bad[1]]))
    if found:
        raise not_finite(job, state, *min(found, key=lambda item: item[0]))


def not_finite(job: Job, state: State, step: int, tensor: str) -> NotFiniteError:
    """The error, with the way back."""
    saved = state.saved_step
    path = job.folder / CHECKPOINT
    back = f"the last good checkpoint is {path}, of step {saved}"
    return NotFiniteError(step, tensor, back, noticed=state.step)
