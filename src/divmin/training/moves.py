"""One update of the critic, and one of the generator with its encoder: which loss reaches which weights.

critic               its loss on data and on samples that have no graph, and its penalties
generator            the adversarial loss of samples; reconstructions of data
encoder              reconstructions, and the distance to the prior; nothing adversarial
"""

from __future__ import annotations

import torch
from torch import Tensor

from divmin.data.base import index_stream
from divmin.objectives.bound import reparameterised
from divmin.training.data_term import Bound, DataTerm, bound
from divmin.training.job import Job
from divmin.training.penalties import NEEDS_SLOPES, Judged
from divmin.training.seen import score
from divmin.training.state import State, frozen, trainable


def draw_data(job: Job, state: State) -> tuple[Tensor, ...]:
    """This process's part of the next batch, in micro-batches on the device."""
    config, source = job.config, job.source
    indices, state.samples = index_stream(source.size, config.batch_size, config.seed, state.samples)
    mine = torch.cat([job.processes.part(part) for part in indices.split(config.micro_batch)])
    data = source.batch(mine).to(job.fabric.device, non_blocking=True)
    parts: tuple[Tensor, ...] = data.split(config.micro_batch // job.processes.world)
    return parts


def draw_noise(job: Job, state: State) -> tuple[Tensor, ...]:
    """z ~ N(0, I) for one optimiser step, in micro-batches; the draw does not depend on how many, or on processes."""
    z = torch.randn(job.config.batch_size, job.pair.latent, generator=state.noise)
    return tuple(
        job.processes.part(part).to(job.fabric.device, non_blocking=True) for part in z.split(job.config.micro_batch)
    )


def move_critic(job: Job, state: State, data: tuple[Tensor, ...]) -> None:
    """The critic learns to tell data from samples, which are made without a graph: the generator stands still."""
    config, recipe, critic, sight = job.config, job.recipe, state.critic, job.sight
    due = job.penalties and (state.samples // config.batch_size - 1) % config.penalty_every == 0
    noises = [draw_noise(job, state) for _ in range(2 if config.fakes == "both" else 1)]
    # In float32 the scores that the loss needs serve slopes too, unless noise makes them those of another point.
    shared = bool(NEEDS_SLOPES & config.penalties.keys()) and config.precision == "32" and not config.likelihood_noise
    state.critic_optimizer.zero_grad(set_to_none=True)
    for part, real in enumerate(data):
        with job.fabric.autocast():
            with torch.no_grad():
                samples = fakes(job, state, real, [noise[part] for noise in noises])
            seen_real, seen_fake = sight(real, state.step), sight(samples, state.step)
            if due and shared:
                seen_real, seen_fake = (seen.detach().requires_grad_() for seen in (seen_real, seen_fake))
            c_real, c_fake = score(critic, seen_real), score_fakes(job, state, seen_fake)
            d_real, d_fake = job.processes.joint(c_real), job.processes.joint(c_fake)
            loss = recipe.critic_loss(d_real, d_fake)
        judged = (Judged(seen_real, c_real if shared else None), Judged(seen_fake, c_fake if shared else None))
        penalty = torch.stack([each(critic, *judged) for each in job.penalties]).sum() if due else None
        total = loss if penalty is None else loss + penalty / job.processes.world
        job.fabric.backward(total if config.accumulate == 1 else total / config.accumulate)
        record_critic(state, loss, d_real, d_fake, penalty)
        for hear in job.hearers:
            hear(state.step + 1, d_real, d_fake)
    job.processes.add_gradients(critic.parameters())
    state.critic_optimizer.step()


def move_generator(job: Job, state: State, data: tuple[Tensor, ...]) -> None:
    """The generator follows the critic, which stands still: it passes gradients on and collects none."""
    config, term = job.config, job.data_term
    noises = draw_noise(job, state) if job.plays and config.fakes != "reconstructions" else None
    codes = draw_noise(job, state) if term is not None else None
    state.generator_optimizer.zero_grad(set_to_none=True)
    with frozen(trainable(state.critic)):
        for part, real in enumerate(data):
            with job.fabric.autocast():
                found = None if codes is None else data_bound(job, state, real, codes[part])
                adversarial = play(job, state, real, None if noises is None else noises[part], found)
                paid = None if term is None or found is None else pay(job, state, term, real, found)
            total = adversarial if paid is None else adversarial + paid / job.processes.world
            job.fabric.backward(total if config.accumulate == 1 else total / config.accumulate)
            record_generator(state, adversarial, found)
    job.processes.add_gradients(
        weight for group in state.generator_optimizer.param_groups for weight in group["params"]
    )
    state.generator_optimizer.step()


def play(job: Job, state: State, real: Tensor, z: Tensor | None, found: Bound | None) -> Tensor:
    """The adversarial loss of samples of the prior, or of reconstructions, whose code stands still: it trains no encoder."""
    if not job.plays:
        return torch.zeros((), device=job.fabric.device)
    drawn = [
        each
        for each in (z, None if job.config.fakes == "prior" or found is None else found.z.detach())
        if each is not None
    ]
    seen = job.sight(torch.cat([state.generator(each) for each in drawn]), state.step)
    d_fake = job.processes.joint(score_fakes(job, state, seen))
    compared = {"real": job.processes.joint(score_data(job, state, real))} if job.needs_real else {}
    loss: Tensor = job.recipe.generator_loss(d_fake, **compared)
    return loss


def pay(job: Job, state: State, term: DataTerm, real: Tensor, found: Bound) -> Tensor:
    """The mean of G (reconstruction + prior) over this process's data; the weight G stands still."""
    paid = found.reconstruction + found.prior
    if term.constant is not None:
        return term.constant * paid.mean()
    return (term.weight(score_data(job, state, real)) * paid).mean()


def data_bound(job: Job, state: State, real: Tensor, noise: Tensor) -> Bound:
    """The bound on -log q of data."""
    assert state.encoder is not None  # `fits` has seen to it
    features = state.critic.features if job.config.likelihood == "features" else _same
    return bound(state.generator, state.encoder, features, real, noise, job.config.likelihood_sd)  # type: ignore[arg-type]


def fakes(job: Job, state: State, real: Tensor, noises: list[Tensor]) -> Tensor:
    """What the critic compares data with: samples of the prior, reconstructions, or first these and then those."""
    drawn = list(noises)
    if job.config.fakes != "prior":
        assert state.encoder is not None  # `fits` has seen to it
        drawn[-1] = reparameterised(state.encoder(real), drawn[-1])
    samples: Tensor = torch.cat([state.generator(z) for z in drawn]) if len(drawn) > 1 else state.generator(drawn[0])
    return samples


def score_fakes(job: Job, state: State, seen: Tensor) -> Tensor:
    """Scores of samples, with the Gaussian's noise where p(x|z) is sampled; data never get it."""
    config = job.config
    sd = config.likelihood_sd if config.likelihood_noise else 0.0
    return score(state.critic, seen, features=config.likelihood == "features", sd=sd)


def score_data(job: Job, state: State, data: Tensor) -> Tensor:
    """The critic's scores of data, to which the generator has no path."""
    with torch.no_grad():
        return score(state.critic, job.sight(data, state.step))


def record_critic(state: State, loss: Tensor, real: Tensor, fake: Tensor, penalty: Tensor | None) -> None:
    """Keep the loss, and mean and variance of d on both sides, without reading them."""
    real_variance, real_mean = torch.var_mean(real.detach(), correction=0)
    fake_variance, fake_mean = torch.var_mean(fake.detach(), correction=0)
    paid = torch.zeros_like(real_mean) if penalty is None else penalty.detach()
    state.critic_rows.write(loss.detach(), real_mean, real_variance, fake_mean, fake_variance, paid)


def record_generator(state: State, loss: Tensor, found: Bound | None) -> None:
    """Keep the adversarial loss and both parts of the bound, without reading them."""
    nothing = torch.zeros_like(loss)
    parts = (nothing, nothing) if found is None else (found.reconstruction.mean(), found.prior.mean())
    state.generator_rows.write(loss.detach(), *(part.detach() for part in parts))


def _same(x: Tensor) -> Tensor:
    return x
