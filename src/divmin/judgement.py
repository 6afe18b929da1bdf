"""A trained run against data: metrics of its samples, and divergences by its own critic and by a fresh estimate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from divmin import data
from divmin.aim import explained
from divmin.data import DensitySource, Source
from divmin.errors import DivminError
from divmin.estimators import fit_ratio
from divmin.estimators.record import Estimate
from divmin.evaluation import CriticReading, Evaluation, Modes, assess, compare, from_critic
from divmin.evaluation.comparison import Comparison
from divmin.evaluation.evaluate import fitting
from divmin.evaluation.metric import chosen
from divmin.family import Divergence
from divmin.family.expression import divergence
from divmin.progress import tracking
from divmin.training import Sampler, load, load_critic
from divmin.training.fingerprint import changed
from divmin.training.job import Networks

SEEN = "the critic was trained on this data: its scores hold what it remembers, and bound nothing; compare with held-out data"
PACKED = (
    "the critic judges {0} samples together: these are divergences of {0} independent draws, {0} times as large for KL"
)


@dataclass(frozen=True)
class FreshEstimate:
    """Divergences by a log-ratio learned anew from data and samples.

    Args:
        estimates: one for each divergence.
        over: what the log-ratio is a function of.
        fit: how it was learned, in lines.
    """

    estimates: tuple[Estimate, ...]
    over: str
    fit: str

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "estimates": [each.to_dict() for each in self.estimates],
            "over": self.over,
        }

    def __str__(self) -> str:
        lines = [f"estimated anew over {self.over}", *(f"  {line}" for line in self.fit.splitlines())]
        for each in self.estimates:
            lines += [
                f"  {each.headline}",
                *(f"  warning: {w}" for w in each.warnings if f"warning: {w}" not in self.fit),
            ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Judgement:
    """What was found about a run.

    Args:
        run: its folder or checkpoint.
        step: generator steps behind the samples.
        evaluation: the metrics.
        critic: divergences by the trained critic; None where none were asked for.
        fresh: divergences by a fresh estimate; None where none were asked for.
    """

    run: str
    step: int
    evaluation: Evaluation
    critic: CriticReading | None = None
    fresh: FreshEstimate | None = None

    def __getitem__(self, name: str) -> Any:
        """A number of the evaluation by its name."""
        return self.evaluation[name]

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "run": self.run,
            "step": self.step,
            **self.evaluation.to_record(),
            "critic": None if self.critic is None else self.critic.to_record(),
            "fresh": None if self.fresh is None else self.fresh.to_record(),
        }

    def __str__(self) -> str:
        parts = [f"{self.run}, step {self.step}", str(self.evaluation)]
        parts += [str(each) for each in (self.critic, self.fresh) if each is not None]
        return "\n".join(parts)


def evaluate(
    run: str | Path,
    metrics: str | Sequence[str] | None = None,
    *,
    divergences: str | Divergence | Sequence[str | Divergence] = (),
    held_out: Source | str | None = None,
    source: Source | str | None = None,
    pair: Networks | None = None,
    n_real: int | None = None,
    n_fake: int | None = None,
    extractor: Any = None,
    modes: Modes | None = None,
    neighbours: int = 5,
    method: Any = "auto",
    ema: bool = True,
    seed: int = 0,
    show: bool = True,
) -> Judgement:
    """Judge the samples of a trained run.

    Args:
        run: a run folder or checkpoint file.
        metrics: names of `divmin.evaluation.metrics()`, as a list or with commas; all that fit the data when None.
        divergences: names, expressions or objects, to be read from the run's critic and estimated anew.
        held_out: data that the run was not trained on, as a source or as `divmin.data.load` reads it; the run's own data when
            None. Samples of a density are fresh ones in any case.
        source: the data of a run that was started with a source of its own, as a source or as `divmin.data.load` reads it, for
            example a .npy file. Not needed beside held_out, from which a classifier of features or modes then learns.
        pair: the networks of a run that was started with its own.
        n_real, n_fake, extractor, modes, neighbours, seed: as `divmin.evaluation.evaluate` takes them.
        method: what learns the fresh log-ratio from the extractor's features, as `divmin.estimate` takes it.
        ema: samples of the averaged generator; False for its last weights.
        show: show progress on standard error, on a terminal, of what takes over two seconds.

    Returns:
        A record that prints as a table with all of its settings.

    Raises:
        DivminError: no such run, unknown names, data that does not fit, or a source that is not the run's own.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = dm.train(dm.TrainConfig(data="ring", model="mlp", width=8, steps=2, out=folder + "/run"), show=False)
        ...     found = dm.evaluate(run.folder, "modes, frechet", n_fake=200, n_real=300, show=False)
        >>> found["frechet"].n_real, found["frechet"].n_fake, found["frechet"].preprocessing
        (300, 200, 'coordinates as they are, flattened')
    """
    started = time.perf_counter()
    asked = None if metrics is None else chosen(metrics)
    members = [divergence(each) if isinstance(each, str) else each for each in _listed(divergences)]
    sampler = load(run, pair=pair)
    held = None if held_out is None else data_for(held_out, sampler)
    own = own_data(run, sampler, source, held)
    compared = own if held is None else held

    def draw(n: int, seed: int) -> Tensor:
        return sampler.sample(n, seed=seed, ema=ema)

    with tracking("evaluating") if show else nullcontext(iter) as track:
        two = compare(
            compared, draw, n_real=n_real, n_fake=n_fake, extractor=extractor, modes=modes, learned_from=own,
            neighbours=neighbours, seed=seed, track=track,
        )  # fmt: skip
        evaluation = assess(two, fitting(own, modes) if asked is None else asked, started)
        if members:
            _ = two.features  # within the bar, where no metric needed them
    if not members:
        return Judgement(str(run), sampler.step, evaluation)
    critic = load_critic(run, pair=pair)
    link = found.link if (found := explained(sampler.config)) is not None else None
    # data that was learned from stays so under another name
    learned = held is None or not changed(sampler.about, held)
    seen = [SEEN] if learned and not isinstance(compared, DensitySource) else []
    packed = [PACKED.format(critic.packing)] if critic.packing > 1 else []
    reading = from_critic(
        members, critic.score(two.real), critic.score(two.fake), link=link, warnings=[*seen, *packed], seen=bool(seen)
    )
    return Judgement(str(run), sampler.step, evaluation, reading, _anew(members, two, method, show))


def _listed(divergences: str | Divergence | Sequence[str | Divergence]) -> list[str | Divergence]:
    return [divergences] if isinstance(divergences, str | Divergence) else list(divergences)


def own_data(run: str | Path, sampler: Sampler, source: Source | str | None, held: Source | None) -> Source:
    """The data that the run was trained on; held-out data where these were a source of its own that is not given again."""
    if source is not None:
        given = data_for(source, sampler)
        # A density is the same with any seed, and compared by fresh samples.
        if given.size is not None and (how := changed(sampler.about, given)):
            raise DivminError(
                f"{given.name} {how} when {run} was trained: give the data of the run, or other data as held_out= (--held-out)"
            )
        return given
    if "data" not in sampler.about.get("supplied", ()):
        return data_for(sampler.config.data, sampler)
    # The name of a source may happen to be one that can be read.
    with suppress(DivminError):
        named = data_for(sampler.config.data, sampler)
        if not changed(sampler.about, named):
            return named
    if held is not None:
        return held
    raise DivminError(
        f"{run} was trained on a source of its own, {sampler.config.data!r}: give its data again, as source= (--data with a "
        ".npy, .npz, .csv or .pt file of the same samples, or a name), or compare with held_out= (--held-out)"
    )


def data_for(given: Source | str, sampler: Sampler) -> Source:
    """A source, or the one that a name means, of the shape of the run's samples."""
    config, shape = sampler.config, sampler.shape
    if isinstance(given, str):
        given = data.load(given, seed=config.seed, image_size=config.image_size, channels=config.channels)
    if tuple(given.shape) != shape:
        raise DivminError(
            f"{given.name} has samples of shape {tuple(given.shape)}: the run makes samples of shape {shape}"
        )
    return given


def _anew(members: Sequence[Divergence], two: Comparison, method: Any, show: bool) -> FreshEstimate:
    x, y = (each.numpy() for each in two.features)
    ratio = fit_ratio(x, y, method=method, seed=two.seed, progress=show)
    over = f"{two.extractor.name}: {two.extractor.preprocessing}"
    return FreshEstimate(tuple(ratio.divergence(f) for f in members), over, str(ratio))
