"""The training loop: read it from top to bottom.

One generator step is `critic_steps` updates of the critic and then one of the generator. Time is counted in data
samples that the critic has seen. No step waits for the device; numbers are read at records and checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from divmin.data.base import index_stream
from divmin.training import checkpoint
from divmin.training.ema import Follower, decay_at
from divmin.training.finite import NotFiniteError, first_bad_row, first_bad_tensor
from divmin.training.job import Job
from divmin.training.metrics import summarise
from divmin.training.probes import Probe, View
from divmin.training.randomness import undisturbed
from divmin.training.run import CHECKPOINT, append_record, write_status
from divmin.training.signals import Stop
from divmin.training.state import State, frozen, trainable

CRITIC_COLUMNS = ("critic_loss", "the mean of d_real", "the variance of d_real", "the mean of d_fake",
                  "the variance of d_fake")  # fmt: skip


def loop(job: Job, state: State, stop: Stop) -> None:
    """Train until `config.steps`, or until `stop` holds a signal; leaves a checkpoint of the last step.

    Args:
        job: the fixed parts of the run.
        state: the moving parts, changed in place.
        stop: looked at after every generator step.

    Raises:
        NotFiniteError: a loss, a score or a weight became NaN or infinite; the checkpoint on disk is the last good one.
    """
    config, recipe, source, fabric = job.config, job.recipe, job.source, job.fabric
    generator, critic = state.generator, state.critic
    generator_optimizer, critic_optimizer = state.generator_optimizer, state.critic_optimizer
    critic_weights = trainable(critic.module)
    follower = Follower(state.average, generator.module)
    started = time.perf_counter() - state.seconds
    if state.step == 0:
        look(job, state, job.probes)

    while state.step < config.steps and stop.signal is None:
        # The critic learns to tell data from samples, which are made without a graph: the generator stands still.
        for _ in range(config.critic_steps):
            indices, state.samples = index_stream(source.size, config.batch_size, config.seed, state.samples)
            data = source.batch(indices).to(fabric.device, non_blocking=True)
            critic_optimizer.zero_grad(set_to_none=True)
            for real, z in zip(data.split(config.micro_batch), noise(job, state), strict=True):
                with torch.no_grad():
                    samples = generator(z)
                d_real, d_fake = critic(real).flatten(), critic(samples).flatten()
                loss = recipe.critic_loss(d_real, d_fake)
                fabric.backward(loss if config.accumulate == 1 else loss / config.accumulate)
                record_critic(state, loss.detach(), d_real.detach(), d_fake.detach())
            critic_optimizer.step()

        # The generator follows the critic, which stands still: it passes gradients on and collects none.
        generator_optimizer.zero_grad(set_to_none=True)
        with frozen(critic_weights):
            for real, z in zip(data.split(config.micro_batch), noise(job, state), strict=True):
                compared = {"real": scores_of(critic, real)} if job.needs_real else {}
                loss = recipe.generator_loss(critic(generator(z)).flatten(), **compared)
                fabric.backward(loss if config.accumulate == 1 else loss / config.accumulate)
                state.generator_rows.write(loss.detach())
        generator_optimizer.step()

        # The average follows the generator.
        state.step += 1
        follower.update(decay_at(state.step, config.ema_decay))

        # Records, checkpoints and the caller's probes, each at its own interval.
        state.seconds = time.perf_counter() - started
        if config.check_finite:
            check(job, state)
        if state.step % config.log_every == 0 or state.step == config.steps:
            report(job, state)
        if state.step % config.checkpoint_every == 0:
            store(job, state)
        if state.step < config.steps and job.probes:
            look(job, state, [probe for probe in job.probes if state.step % probe.every == 0])

    # The end, reached or asked for: nothing that was learnt is lost.
    if state.saved_step != state.step:
        store(job, state)
    if state.step == config.steps:
        look(job, state, job.probes)


def noise(job: Job, state: State) -> tuple[Tensor, ...]:
    """z ~ N(0, I) for one optimiser step, in micro-batches; the draw does not depend on how many there are."""
    z = torch.randn(job.config.batch_size, job.pair.latent, generator=state.noise)
    parts: tuple[Tensor, ...] = z.to(job.fabric.device, non_blocking=True).split(job.config.micro_batch)
    return parts


def scores_of(critic: Callable[[Tensor], Tensor], data: Tensor) -> Tensor:
    """The critic's scores of data, to which the generator has no path."""
    with torch.no_grad():
        return critic(data).flatten()


def record_critic(state: State, loss: Tensor, real: Tensor, fake: Tensor) -> None:
    """Keep the loss, and mean and variance of d on both sides, without reading them."""
    real_variance, real_mean = torch.var_mean(real, correction=0)
    fake_variance, fake_mean = torch.var_mean(fake, correction=0)
    state.critic_rows.write(loss, real_mean, real_variance, fake_mean, fake_variance)


def report(job: Job, state: State) -> None:
    """Write one record. The rows of an interval that the run's end cut short are kept, for a later resumption."""
    check_rows(job, state)
    fresh = len(state.generator_rows.rows) // job.config.accumulate * job.config.samples_a_step
    state.latest = summarise(
        state.critic_rows.rows,
        state.generator_rows.rows,
        step=state.step,
        samples=state.samples,
        seconds=state.seconds,
        rate=fresh / (state.seconds - state.seconds_at_record),
    )
    append_record(job.folder, state.latest)
    if state.step % job.config.log_every == 0:
        state.critic_rows.clear()
        state.generator_rows.clear()
        state.seconds_at_record = state.seconds


def store(job: Job, state: State) -> None:
    """Replace the checkpoint, unless something in the state is not finite."""
    check(job, state)
    checkpoint.save(
        job.folder / CHECKPOINT,
        state,
        about=job.about(),
        precision=job.fabric.strategy.precision,
        device=job.fabric.device,
    )
    state.saved_step = state.step
    write_status(job.folder, "running", state.step)


def look(job: Job, state: State, probes: Sequence[Probe]) -> None:
    """Show the state to some probes; what they draw leaves no trace in the run."""
    view = View(
        step=state.step,
        steps=job.config.steps,
        samples=state.samples,
        latest=state.latest,
        folder=job.folder,
        latent=job.pair.latent,
        average=state.average,
        seed=job.config.seed,
        source=job.source,
    )
    for probe in probes:
        with undisturbed(job.fabric.device):
            probe.act(view)


def check(job: Job, state: State) -> None:
    """Raise `NotFiniteError` when a number of the rows, a parameter or an optimiser's moment is not finite."""
    check_rows(job, state)
    if (name := first_bad_tensor(state.named_tensors())) is not None:
        raise not_finite(job, state, state.step, name)


def check_rows(job: Job, state: State) -> None:
    """The same for losses and scores alone; the error names the step in which the first bad number arose."""
    groups = (
        (state.critic_rows.rows, job.config.critic_steps * job.config.accumulate, CRITIC_COLUMNS),
        (state.generator_rows.rows, job.config.accumulate, ("generator_loss",)),
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
    back = "there is no checkpoint yet" if saved is None else f"the last good checkpoint is {path}, of step {saved}"
    return NotFiniteError(step, tensor, back, noticed=state.step)
