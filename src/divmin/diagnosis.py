"""A trained generator before a critic: what it can be told by, on which samples, and what it would learn from that."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from divmin import training
from divmin.adversary import Contest, Separation, Settings, contest, fresh, separation, some, split, verdict
from divmin.adversary.pulls import OF_D, OWN, pull_of
from divmin.aim import explained
from divmin.data import Source
from divmin.errors import DivminError
from divmin.evaluation import CriticReading, from_critic
from divmin.evaluation.divergences import log_ratios
from divmin.explanation import explain
from divmin.family import Divergence
from divmin.family.expression import divergence
from divmin.files import check_folder, write_json
from divmin.judgement import SEEN, data_for, own_data
from divmin.objectives import AnyRecipe, Own, Recipe
from divmin.objectives import recipe as recipe_of
from divmin.progress import tracking, waiting
from divmin.training import TrainConfig, load, load_critic
from divmin.training.critic import TrainedCritic
from divmin.training.fingerprint import changed
from divmin.training.job import Networks
from divmin.training.run import DIAGNOSED, DIAGNOSIS

USUAL = ("kl", "reverse_kl", "js", "squared_hellinger")
LOGISTIC = "minimax"  # its critic's loss is the logistic one, whose best output is d
FRESH, TRAINED = "fresh critic", "trained critic"
SHARED = (
    "only the run's own data is there: the fresh critic is read on data that it has not seen, but the generator was trained on all "
    "of it, and what it has by heart looks better here than on new data; compare with held-out data"
)
NOISE = "samples are means of p(x|z), without its noise; the run's critic judged them with it"
AVERAGE = (
    "the run's critic was trained against the generator's last weights, and these are samples of their average: read the former "
    "with ema=False (--last)"
)
RECORD, WORST, FAKE, CURVES, CALIBRATION = DIAGNOSED
SHOWN = 32  # samples of a sheet


@dataclass(frozen=True, eq=False)
class Extremes:
    """Samples of one side in the order of d, the most telling first.

    Args:
        samples: [n, *shape].
        d: their log-ratios, nats [n].
        places: their indices: of the data in its source, of samples in `Sampler.sample(n, seed=)` [n].
    """

    samples: Tensor = field(repr=False)
    d: Tensor = field(repr=False)
    places: Tensor = field(repr=False)

    @classmethod
    def of(cls, samples: Tensor, d: Tensor, places: Tensor, *, highest: bool) -> Extremes:
        """In falling order of d, or in rising."""
        order = torch.argsort(d, descending=highest, stable=True)
        return cls(samples[order], d[order], places[order])

    def to_record(self) -> list[dict[str, Any]]:
        """The first ones as plain values for JSON."""
        first = zip(self.places[:SHOWN].tolist(), self.d[:SHOWN].tolist(), strict=True)
        return [{"index": place, "d": d} for place, d in first]


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What a critic sees of a generator.

    Args:
        run: the run's folder or checkpoint.
        step: generator steps behind it.
        source: the data.
        separation: how well d tells data and samples apart.
        reading: divergences, from below, and the calibration of d.
        worst_covered: data, the highest d first: what the model lacks most.
        most_fake: samples, the lowest d first: what the data lack most.
        sentences: what it comes to.
        contest: how a fresh critic learned it; None for the run's own critic.
        seed: names samples, parts and weights.
    """

    run: str
    step: int
    source: str
    separation: Separation
    reading: CriticReading
    worst_covered: Extremes
    most_fake: Extremes
    sentences: tuple[str, ...]
    contest: Contest | None
    seed: int

    @property
    def exit_code(self) -> int:
        """0, or 128 + n where signal n stopped the fresh critic early."""
        return 0 if self.contest is None or self.contest.stopped is None else 128 + self.contest.stopped

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "run": self.run,
            "step": self.step,
            "source": self.source,
            "seed": self.seed,
            "sentences": list(self.sentences),
            "separation": self.separation.to_record(),
            **self.reading.to_record(),
            "worst_covered": self.worst_covered.to_record(),
            "most_fake": self.most_fake.to_record(),
            "fresh_critic": None if self.contest is None else self.contest.to_record(),
        }

    def __str__(self) -> str:
        lines = [f"{self.run}, step {self.step}, against {self.source}"]
        if self.contest is not None:
            how = self.contest.settings
            lines += [
                f"fresh critic: {self.contest.critic}; critic loss of {self.contest.losses}, Adam, learning rate {how.lr:g}, "
                f"{how.batch_size} data and as many samples a step, {self.contest.last.step} steps, seed {how.seed}",
                f"data: {self.contest.said}",
            ]
            if self.contest.stopped is not None:
                lines.append(
                    f"stopped after {self.contest.last.step} of {how.steps} steps: this is what was measured so far"
                )
        return "\n".join([*lines, *(f"- {each}" for each in self.sentences), str(self.reading)])


def diagnose(
    run: str | Path,
    *,
    fresh_critic: bool = False,
    divergences: Sequence[str | Divergence] = USUAL,
    held_out: Source | str | None = None,
    source: Source | None = None,
    pair: Networks | None = None,
    recipe: AnyRecipe | Own | None = None,
    n: int | None = None,
    steps: int = 2000,
    batch_size: int = 128,
    lr: float = 1e-3,
    losses: str | AnyRecipe = LOGISTIC,
    model: str | None = None,
    width: int | None = None,
    ema: bool = True,
    seed: int = 0,
    device: str = "cpu",
    show: bool = True,
) -> Diagnosis:
    """Put a run's generator before its own critic, or before a fresh one that is trained against it while it stands still.

        d = log p/q as the critic has it;   D_f >= E_p[a(d)] - E_q[b(d)] on samples that it did not learn from

    Args:
        run: a run folder or checkpoint file; it is only read.
        fresh_critic: train a new critic and watch it, in place of reading the run's own.
        divergences: what is bounded from below, besides the divergence that the run's recipe minimises.
        held_out: data that the run was not trained on, as a source or as `divmin.data.load` reads it; the run's own when None. Of a
            density new samples are drawn in any case.
        source, pair, recipe: data, networks and losses of a run that was started with its own.
        n: data and samples on which the critic is read; see `divmin.adversary.some` and `split`.
        steps, batch_size, lr: Adam's, of the fresh critic.
        losses: the recipe whose critic loss trains it; the logistic loss by default, whose best output is d.
        model, width: another architecture for it.
        ema: samples of the averaged generator; False for its last weights.
        seed: names samples, parts and weights.
        device: where networks compute.
        show: show progress on standard error, on a terminal, of what takes over two seconds.

    Returns:
        A record that prints; `write` puts it into a folder, with pictures.

    Raises:
        DivminError: no such run, settings that do not fit, or a critic whose output is no log-ratio of a sample.

    Example:
        >>> import divmin as dm, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     config = dm.TrainConfig(data="ring", model="mlp", width=8, steps=2, out=folder + "/run")
        ...     run = dm.train(config, show=False)
        ...     found = dm.diagnose(run.folder, fresh_critic=True, steps=100, width=32, n=500, show=False)
        >>> found.separation.accuracy > 0.8, found.contest.looks[0].step, sorted(found.contest.last.gradients)
        (True, 0, ['non-saturating', 'own', 'saturating'])

    Source: Arjovsky and Bottou 2017, Towards principled methods for training generative adversarial networks, section 2.
    """
    settings = Settings(steps, batch_size, lr, seed)
    members = [divergence(each) if isinstance(each, str) else each for each in divergences]
    asked = _critic_loss(losses) if fresh_critic else None
    _check(device)
    sampler = load(run, pair=pair, device=device)
    config = sampler.config
    held = None if held_out is None else data_for(held_out, sampler)
    own = own_data(run, sampler, source, held)
    data = own if held is None else held
    with waiting("working out what is minimised") if show else nullcontext():
        found = explained(config, recipe)
    if found is not None and found.divergence is not None and all(f.name != found.divergence.name for f in members):
        members.append(found.divergence)
    warnings = [NOISE] if config.likelihood_noise else []
    # data that was learned from stays so under another name
    learned = data.size is not None and (held is None or not changed(sampler.about, held))

    if asked is not None:
        critic, words = fresh(config, sampler.shape, pair=pair, model=model, width=width, seed=seed + 1)
        critic.to(device)
        parts = split(data, n, seed)
        own_pull = pull_of(_losses(config, recipe), found)
        pulls = OF_D if own_pull is None else {**OF_D, OWN: own_pull}
        with tracking("training a fresh critic") if show else nullcontext(iter) as track:
            seen = contest(
                critic, sampler, parts, loss=asked.critic_loss, pulls=pulls, settings=settings, ema=ema,
                names=(words, asked.name), track=track,
            )  # fmt: skip
        warnings += [SHARED] if learned else []
        places, judge, link, label = parts.scored, TrainedCritic(critic, seen.best), None, FRESH
    else:
        _readable(config)
        if model is not None or width is not None:
            raise DivminError("model and width are of a fresh critic: give fresh_critic (--fresh-critic) too")
        places, judge = some(data, n, seed), load_critic(run, pair=pair, device=device)
        warnings += [SEEN] if learned else []
        warnings += [AVERAGE] if ema and config.ema_decay > 0 else []
        seen, link, label = None, None if found is None else found.link, TRAINED
    real, fake = data.batch(places), sampler.sample(len(places), seed=seed, ema=ema)
    scores = [judge.score(x) for x in (real, fake)]
    convert, words = (seen.log_ratio, _along(*seen.line)) if seen is not None else log_ratios(link)
    d_real, d_fake = (convert(each.double().numpy()) for each in scores)
    reading = replace(
        from_critic(members, d_real, d_fake, warnings=warnings, label=label, seen=learned and seen is None), link=words
    )
    apart = separation(d_real, d_fake)
    return Diagnosis(
        run=str(run),
        step=sampler.step,
        source=data.name,
        separation=apart,
        reading=reading,
        worst_covered=Extremes.of(real, torch.as_tensor(d_real), places, highest=True),
        most_fake=Extremes.of(fake, torch.as_tensor(d_fake), torch.arange(len(fake)), highest=False),
        sentences=verdict(apart, seen),
        contest=seen,
        seed=seed,
    )


def write(found: Diagnosis, folder: str | Path) -> list[Path]:
    """Put a diagnosis into a folder: the record, sheets of the most telling samples, calibration, curves of a fresh critic.

    Args:
        found: what `diagnose` returned.
        folder: made if it does not exist, in one that does.

    Returns:
        The files, the record first.

    Raises:
        DivminError: a folder that cannot be written to.
    """
    from divmin.plots import save_contest, save_estimates, save_sheet

    folder = Path(folder)
    check_out(folder)
    try:
        folder.mkdir(exist_ok=True)
        write_json(folder / RECORD, found.to_record())
        if found.contest is None:
            (folder / CURVES).unlink(missing_ok=True)  # of an earlier diagnosis
    except OSError as error:
        raise DivminError(f"cannot write {folder}: {error.strerror}") from error
    real, fake = found.worst_covered, found.most_fake
    image = real.samples.dim() == 4
    for side, other, name, titles in (
        (
            real,
            fake,
            WORST,
            ("worst-covered data, highest d = log p/q first (nats)", "data by d = log p/q, samples black"),
        ),
        (
            fake,
            real,
            FAKE,
            ("most fake-looking samples, lowest d = log p/q first (nats)", "samples by d = log p/q, data black"),
        ),
    ):
        title = titles[0] if image else f"{titles[1]}; the {'highest' if side is real else 'lowest'} ringed"
        save_sheet(side.samples, side.d, folder / name, title=title, shown=SHOWN, behind=other.samples)
    save_estimates(found.reading.estimates, found.reading.calibration, folder / CALIBRATION)
    pictures = [WORST, FAKE, CALIBRATION]
    if found.contest is not None:
        save_contest(found.contest, folder / CURVES)
        pictures.append(CURVES)
    return [folder / name for name in (RECORD, *pictures)]


def place_of(run: str | Path) -> Path:
    """Where the diagnosis of a run belongs: in its folder, or beside a checkpoint file.

    >>> place_of("runs/a/checkpoints/00000020.pt").as_posix()
    'runs/a/checkpoints/00000020-diagnosis'
    """
    run = Path(run)
    return run.parent / f"{run.stem}-diagnosis" if run.is_file() or run.suffix == ".pt" else run / DIAGNOSIS


def check_out(folder: Path) -> None:
    """Refuse a place that cannot be such a folder, before the work.

    Raises:
        DivminError: a file, or a place in a folder that does not exist.
    """
    check_folder(folder)
    if folder.exists() and not folder.is_dir():
        raise DivminError(f"cannot write a diagnosis to {folder}: it is a file; name a folder")


def _along(intercept: float, slope: float) -> str:
    return f"d = {intercept:.3g} + {slope:.3g} c, the line for its output c that the part to choose by asks for"


def _critic_loss(losses: str | AnyRecipe) -> AnyRecipe:
    """A recipe whose critic's output is d, by name or itself.

    Raises:
        DivminError: another recipe.
    """
    named = recipe_of(losses)
    if named.name == LOGISTIC:
        return named
    link = explain(named).link if isinstance(named, Recipe) else None
    if link is None or not link.is_log_ratio:
        raise DivminError(
            f"the best critic of {named.name} does not say log p/q itself: train a fresh one by a loss that does, such as "
            f"{LOGISTIC} (the logistic loss) or fgan(f)"
        )
    return named


def _losses(config: TrainConfig, recipe: Any) -> Any:
    try:
        return training.losses(config, recipe)
    except DivminError:  # a recipe that was the caller's own
        return None


def _readable(config: TrainConfig) -> None:
    """Refuse a run whose critic says no log-ratio of data and samples.

    Raises:
        DivminError: what it says instead.
    """
    other = {
        f"judges {config.packing} samples together (packing), and has no log-ratio of one": config.packing > 1,
        "was not trained (critic_steps is 0)": config.critic_steps == 0,
        f"compares data with reconstructions too (fakes is {config.fakes}), not with the model's samples alone": config.fakes
        != "prior",
    }
    for what, true in other.items():
        if true:
            raise DivminError(f"the run's critic {what}: use a fresh one, fresh_critic (--fresh-critic)")


def _check(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DivminError(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}") from error
