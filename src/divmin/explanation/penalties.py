"""What regularisers of the critic do to the answer, in one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from divmin.errors import DivminError, suggest
from divmin.explanation.record import Link


@dataclass(frozen=True)
class Effect:
    """A regulariser: what it is, what it does to a best critic, and to one whose loss has no minimum without it."""

    what: str
    optimum: str
    runaway: str


LIPSCHITZ = "it is what gives this critic an optimum: what is minimised is then {}"
SAME = "the same answer, {}"

EFFECTS = {
    "r1": Effect(
        "squared slopes of the critic on data",
        "p = q stays at rest, since a flat critic costs nothing; elsewhere it makes the critic smoother than the best one, so what "
        "is minimised is near the answer, not equal to it",
        "it keeps the critic's slopes small on data; off the data its outputs can still run away",
    ),
    "r2": Effect(
        "squared slopes of the critic on samples",
        "as r1, with samples in the place of data",
        "it keeps the critic's slopes small on samples; off the samples its outputs can still run away",
    ),
    "gp": Effect(
        "slopes of the critic pulled to 1 between data and samples",
        "it moves the best critic everywhere, also at p = q, where that is flat; meant for differences of means",
        LIPSCHITZ.format("about Wasserstein-1, whose best critic has slopes of 1 between data and samples"),
    ),
    "gp_one_sided": Effect(
        "only slopes above 1 are punished",
        "it moves the best critic wherever that is steeper than 1 a unit of distance, and leaves p = q at rest",
        LIPSCHITZ.format("about Wasserstein-1, and a flat critic at p = q costs nothing"),
    ),
    "drift": Effect(
        "squared outputs on data",
        "it moves the best critic, in a way that is a function of the ratio; drift(recipe, weight) is explained exactly",
        "it gives the critic's loss a minimum at every ratio; drift(recipe, weight) is explained exactly",
    ),
    "spectral_norm": Effect(
        "layers of norm 1",
        "the critic cannot change faster than its Lipschitz constant, so where the best one is steeper it is cut, and what is "
        "minimised is a smoothed form of the answer",
        LIPSCHITZ.format("Wasserstein-1 times a Lipschitz constant, as far as the network reaches it"),
    ),
    "instance_noise": Effect(
        "noise on data and samples",
        SAME.format("between the noisy data and the noisy model"),
        SAME.format("between the noisy data and the noisy model"),
    ),
    "label_smoothing": Effect(
        "other labels",
        "it moves the best critic; smoothed(recipe, real, fake) is explained exactly",
        "smoothed(recipe, real, fake) says what it would be, but a difference of means has no labels",
    ),
    "orthogonal": Effect(
        "orthogonal weights",
        "a prior on the critic; what it does to the optimum is not known",
        "a prior on the critic; whether its outputs still run away is not known",
    ),
    "packing": Effect(
        "several samples judged together",
        "with a best critic the log-ratio of m samples is the sum of m log-ratios, so the answer holds for the laws of packs: the "
        "same p = q stays at rest, and a model that repeats itself is told apart sooner",
        "several samples judged together do not keep the outputs from running away",
    ),
    "reconstructions": Effect(
        "the critic compares data with reconstructions",
        "its best output is then the ratio of data and reconstructions, not of data and the model's samples: the answer does not "
        "hold for the model, and what is minimised is not known",
        "what is minimised is not known",
    ),
    "likelihood_of_features": Effect(
        "the data term describes features of the critic",
        "it is -log q of features, which move with the critic, and not of x: the answer holds for the laws of features at best",
        "it is -log q of features, which move with the critic, and not of x",
    ),
    "mean_of_likelihood": Effect(
        "the critic judges the mean of p(x|z)",
        "the data term is about the model with the likelihood's noise and the adversarial one about the model without: the answer "
        "holds as far as that noise does not matter",
        "the data term is about the model with the likelihood's noise, the adversarial one about the model without",
    ),
    "likelihood_noise": Effect(
        "samples of p(x|z) instead of its mean",
        "the model is the one with that noise: the answer is about it",
        "the model is the one with that noise",
    ),
    "augmentation": Effect(
        "the same random changes of data and samples",
        SAME.format("between the changed distributions; a model that equals the data stays at rest"),
        SAME.format("between the changed distributions; a model that equals the data stays at rest"),
    ),
}


def checked(penalty: str | Sequence[str]) -> tuple[str, ...]:
    """Names of regularisers.

    Raises:
        DivminError: for something else than names, or a name that is not known.
    """
    names = (penalty,) if isinstance(penalty, str) else penalty
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise DivminError(
            f"penalty must be the name of a regulariser, or several, such as penalty='r1'; got {penalty!r}. A strength is "
            "not needed: it is only said what a penalty does"
        )
    for name in names:
        if name not in EFFECTS:
            raise DivminError(f"unknown penalty '{name}': {suggest(name, tuple(EFFECTS))}")
    return tuple(names)


def effects(names: tuple[str, ...], link: Link | None) -> tuple[str, ...]:
    """The sentences for these regularisers, of a game with this best critic.

    Example:
        >>> effects(("label_smoothing",), None)
        ('label_smoothing (other labels): it moves the best critic; smoothed(recipe, real, fake) is explained exactly',)
    """
    runs_away = link is not None and bool(link.runaway) and not link.identifies
    return tuple(
        f"{name} ({each.what}): {each.runaway if runs_away else each.optimum}"
        for name, each in ((name, EFFECTS[name]) for name in names)
    )
