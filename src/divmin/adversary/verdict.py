"""What a diagnosis comes to, in sentences, with what theory says against it."""

from __future__ import annotations

from dataclasses import dataclass

from divmin.adversary.contest import Contest, Look
from divmin.adversary.pulls import NONSATURATING, OWN, SATURATING, Norm
from divmin.adversary.separation import BLIND, Separation

ORDERED = 0.999  # an area under the curve above which hardly any pair is out of order
SEPARATE = 0.01  # of 2 log 2: a held-out loss below which two sets hardly overlap
VANISHED, GROWN = 10.0, 3.0  # factors of a gradient that are worth a word
RISEN = 1.1  # of the lowest held-out loss, above which the critic has learned its part by heart


@dataclass(frozen=True)
class Change:
    """A gradient between the look where the saturating one was longest and the last look."""

    before: Norm
    after: Norm

    @property
    def fell(self) -> float:
        """Its length before over that at the end."""
        return self.before.mean / self.after.mean if self.after.mean > 0 else float("inf")

    @property
    def grew(self) -> float:
        """The inverse."""
        return self.after.mean / self.before.mean if self.before.mean > 0 else float("inf")

    @property
    def spread(self) -> float:
        """The standard deviation between batches over the mean, at the end."""
        return self.after.sd / self.after.mean if self.after.mean > 0 else 0.0

    def __str__(self) -> str:
        if self.fell == self.grew:
            return "is as long as before"
        factor = f"fell by a factor of {self.fell:.3g}" if self.fell > 1 else f"grew by a factor of {self.grew:.3g}"
        return f"{factor} (to {self.after.mean:.2g} +- {self.after.sd:.2g} between batches)"


def verdict(found: Separation, contest: Contest | None) -> tuple[str, ...]:
    """What was found, in sentences: how far the sets are apart, how fast that was learned, what the generator would be told.

    Args:
        found: what the critic tells apart on samples that it has not seen.
        contest: how a fresh critic learned it; None for a run's own critic.
    """
    if contest is None:
        return (
            f"the run's own critic, on {found.n[0]} data and {found.n[1]} samples, {_far(found)}",
            "it follows a generator that moves: a fresh critic may see more (--fresh-critic)",
        )
    return (
        f"after {_steps(contest.best)} the fresh critic, on {found.n[0]} data and {found.n[1]} samples that it did not learn "
        f"from, {_far(found)}",
        *_learned(contest),
        *([] if found.blind else _told(contest, apart=found.loss < SEPARATE * BLIND)),
    )


def peak(contest: Contest) -> Look:
    """The look at which the gradient of the saturating loss was longest."""
    return max(contest.looks, key=lambda look: look.gradients[SATURATING].mean)


def changes(contest: Contest) -> dict[str, Change]:
    """How each gradient changed from that look to the last."""
    before = peak(contest)
    return {name: Change(before.gradients[name], after) for name, after in contest.last.gradients.items()}


def _far(found: Separation) -> str:
    if found.blind:
        return f"finds no difference ({found}): nothing wrong is seen"
    if found.loss < SEPARATE * BLIND:
        return f"separates them ({found}): supports do not meet as far as it sees"
    if found.auc > ORDERED:
        return f"orders them almost without a mistake, though the size of d is off ({found}): supports hardly meet"
    off = "; it is too sure of itself: its loss is above that of D = 1/2" if found.loss > BLIND else ""
    return f"tells them apart in part ({found}){off}"


def _learned(contest: Contest) -> list[str]:
    reached = [_first(contest.below(share), contest.last.step) for share in (0.1, 0.01)]
    said = [f"held-out loss below 10% of 2 log 2 {reached[0]}, below 1% {reached[1]}"]
    lowest, last = contest.lowest, contest.last
    if last.loss > RISEN * lowest.loss and last.training_loss is not None and last.training_loss < lowest.loss:
        said.append(
            f"its held-out loss was lowest at step {lowest.step} ({lowest.loss:.3g}) and rose to {last.loss:.3g} while that on "
            f"its own part fell to {last.training_loss:.3g}: it learned this by heart, and is read as it was at step {lowest.step}"
        )
    return said


def _told(contest: Contest, apart: bool) -> list[str]:
    before, found = peak(contest), changes(contest)
    if contest.last.step == before.step:
        lengths = [contest.last.gradients[name] for name in (SATURATING, NONSATURATING)]
        of = [f"{each.mean:.2g} +- {each.sd:.2g}" for each in lengths]
        return [
            f"the generator's gradient of E log(1 - D) was longest at the last look ({of[0]} between batches; of -E log D "
            f"{of[1]}): no sign of vanishing"
        ]
    parts = [f"of E log(1 - D) {found[SATURATING]}", f"of -E log D {found[NONSATURATING]}"]
    same = next(
        (
            f"of {loss}"
            for name, loss in ((SATURATING, "E log(1 - D)"), (NONSATURATING, "-E log D"))
            if _same(found, name)
        ),
        "",
    )
    if OWN in found:
        parts.append(f"of the run's own loss, which is that {same}" if same else f"of the run's own loss {found[OWN]}")
    said = [
        f"gradients of the generator from step {before.step}, where that of E log(1 - D) was longest, to step "
        f"{contest.last.step}: {'; '.join(parts)}"
    ]
    vanishing = apart and found[SATURATING].fell > VANISHED
    growing = found[NONSATURATING].grew > GROWN or (apart and found[NONSATURATING].spread > 1)
    if vanishing:
        who = ""
        if OWN in found:
            who = ": so does the run's own loss" if found[OWN].fell > VANISHED else ": the run's own loss does not"
        said.append(
            f"before a critic trained this far, a generator that minimises E log(1 - D) stands still{who}; what helps: a loss "
            "that does not saturate (nonsaturating, huszar), instance noise, which makes supports meet, R1 or another penalty "
            "of the critic's slope, fewer critic steps"
        )
    if growing:
        said.append(
            "the gradient of -E log D gets large or uncertain as the critic becomes sure: what helps is R1 or another penalty of "
            "the critic's slope, instance noise, a smaller learning rate"
        )
    if not vanishing and not growing:
        said.append("no gradient vanishes and none explodes")
    return said


def _same(found: dict[str, Change], name: str) -> bool:
    """Whether the run's own loss has the gradient of another, up to rounding."""
    if OWN not in found:
        return False
    own, other = found[OWN].after, found[name].after
    return abs(own.mean - other.mean) <= 1e-4 * other.mean and other.mean > 0


def _first(step: int | None, steps: int) -> str:
    return f"not reached in {_steps(steps)}" if step is None else f"at step {step}"


def _steps(n: int) -> str:
    return f"{n} step" if n == 1 else f"{n} steps"
