"""What regularisers of the critic do to the answer, in one sentence each."""

from __future__ import annotations

from divmin.errors import DivminError, suggest

EFFECTS = {
    "r1": "(squared slopes of the critic on data): p = q stays at rest, since a flat critic costs nothing; elsewhere the critic "
    "is smoothed and is no longer the log-ratio, so what is minimised is near the answer, not equal to it",
    "r2": "(squared slopes of the critic on samples): as r1, with samples in the place of data",
    "gp": "(slopes of the critic pulled to 1 between data and samples): it moves the optimum of a critic that classifies "
    "everywhere, also at p = q, where the best critic is flat; meant for differences of means",
    "gp_one_sided": "(only slopes above 1 are punished): it moves the optimum wherever the log-ratio is steeper than 1 a unit of "
    "distance, and leaves p = q at rest",
    "drift": "(squared outputs on data): it moves the optimum, in a way that is a function of the ratio; drift(recipe, weight) "
    "is explained exactly",
    "spectral_norm": "(layers of norm 1): the critic cannot change faster than its Lipschitz constant, so steeper log-ratios are "
    "cut and what is minimised is a smoothed form of the answer",
    "instance_noise": "(noise on data and samples): the same divergence, between the noisy data and the noisy model",
    "label_smoothing": "(other labels): it moves the optimum; smoothed(recipe, real, fake) is explained exactly",
    "orthogonal": "(orthogonal weights): a prior on the critic; what it does to the optimum is not known",
    "augmentation": "(the same random changes of data and samples): the same divergence, between the changed distributions; a "
    "model that equals the data stays at rest",
}


def effects(names: tuple[str, ...]) -> tuple[str, ...]:
    """The sentences for these regularisers.

    Raises:
        DivminError: for a name that is not known.

    Example:
        >>> effects(("label_smoothing",))
        ('label_smoothing (other labels): it moves the optimum; smoothed(recipe, real, fake) is explained exactly',)
    """
    for name in names:
        if name not in EFFECTS:
            raise DivminError(f"unknown penalty '{name}': {suggest(name, tuple(EFFECTS))}")
    return tuple(f"{name} {EFFECTS[name]}" for name in names)
