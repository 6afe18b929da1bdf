"""A monitor for anyone's training loop: it is given the critic's scores, and says what they show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from divmin.diagnostics.pull import pull
from divmin.diagnostics.reading import Reading, reading
from divmin.diagnostics.report import Report, critic_report
from divmin.diagnostics.stream import Stream, scores
from divmin.diagnostics.support import Dimension, intrinsic_dimension
from divmin.errors import DivminError
from divmin.explanation import Explanation, audit, explain
from divmin.family import Divergence
from divmin.family.expression import divergence
from divmin.objectives import Own, Recipe, Relativistic
from divmin.objectives import recipe as named_recipe

WATCHED = ("kl", "reverse_kl", "js", "squared_hellinger")
KEPT, LEAST = 4096, 10  # scores of each side that are kept one by one, and without which there is no report
FORMAT = 1


class Monitor:
    """Watches a critic's scores during training, without touching them, in constant memory.

    Scores are copied where they are, counted every 32 updates at most (one copy to the CPU), and joined into at most 64 windows
    of steps. Nothing is drawn from any random generator.

    Args:
        recipe: what is trained: a recipe's name or object, two functions as `dm.Own`, or None where that is not known.
        critic_loss, generator_loss: two functions in place of a recipe, (real, fake) and (fake) to a scalar.
        divergences: what to bound from the scores, names or objects; the one that is minimised comes in addition.
        every: counts one update of so many.
        keep: the last scores of each side on which calibration and values rest.
        explanation: what the recipe minimises, where that was asked before.

    Raises:
        DivminError: an unknown recipe or divergence, or both a recipe and functions.

    Example:
        >>> import divmin as dm, torch
        >>> monitor = dm.Monitor(recipe="nonsaturating")
        >>> random = torch.Generator().manual_seed(0)
        >>> for step in range(40):  # log p/q = x - 1/2 for N(1, 1) against N(0, 1), and this critic says twice as much
        ...     x, y = 1 + torch.randn(64, generator=random), torch.randn(64, generator=random)
        ...     monitor.update(real=2 * (x - 0.5), fake=2 * (y - 0.5), step=step)
        >>> [finding.name for finding in monitor.report().findings]
        ['overconfident']

    Source: Shannon et al., section 7.
    """

    def __init__(
        self,
        recipe: str | Recipe | Relativistic | Own | None = None,
        *,
        critic_loss: Callable[..., Tensor] | None = None,
        generator_loss: Callable[..., Tensor] | None = None,
        divergences: Sequence[str | Divergence] = WATCHED,
        every: int = 1,
        keep: int = KEPT,
        explanation: Explanation | None = None,
    ) -> None:
        if every < 1 or keep < LEAST:
            raise DivminError(f"every is {every} and keep is {keep}: expected at least 1 and {LEAST}")
        self._losses, self._explanation = _asked(recipe, critic_loss, generator_loss, explanation)
        self._members = _members(divergences, self._explanation)
        self._every, self._keep = every, keep
        relative = isinstance(self._losses, Relativistic)
        self._reading: Reading = reading(self._explanation, relative)
        link = None if self._explanation is None else self._explanation.link
        even = float(link(0.0)) if self._reading.tells and link is not None else 0.0
        self._pull = None if self._losses is None else pull(self._losses, even)
        self._streams: list[Stream] = []
        self._dimensions: tuple[Dimension | None, Dimension | None] = (None, None)
        self._updates, self._first, self._last = 0, 0, -1

    def update(
        self,
        *,
        real: Any,
        fake: Any,
        step: int | None = None,
        gradient_norms: Tensor | Sequence[float] | float | None = None,
    ) -> None:
        """Take the critic's raw scores of a batch of data and one of samples.

        Args:
            real, fake: raw outputs, any shape (a map of patches counts every patch); or lists with one tensor a critic.
            step: of training; the number of updates so far when None.
            gradient_norms: of the generator's loss, for single samples or for the batch.

        Raises:
            DivminError: no numbers, lists of another length than before, or a step that lies before the last.
        """
        at = self._last + 1 if step is None else int(step)
        if self._streams and self._updates % self._every:
            self._last, self._updates = max(at, self._last), self._updates + 1
            return
        x, y = scores(real, "real"), scores(fake, "fake")
        if at < self._last:
            raise DivminError(f"step {at} comes after step {self._last}: expected steps that do not fall")
        if len(x) != len(y) or (self._streams and len(x) != len(self._streams)):
            raise DivminError(
                f"{len(x)} critics on data and {len(y)} on samples: expected {len(self._streams) or len(x)}, one tensor a critic"
            )
        norms = None if gradient_norms is None else scores([_tensor(gradient_norms)], "gradient_norms")[0]
        if not self._streams:
            self._streams = [self._stream() for _ in x]
            self._first = at
        self._last, self._updates = at, self._updates + 1
        for stream, one, other in zip(self._streams, x, y, strict=True):
            stream.take(at, one, other, norms)

    def look(self, *, real: Any, fake: Any) -> None:
        """Take a batch of data and one of samples, to tell in how many dimensions each lives; quadratic in their size, up to 2,000.

        Args:
            real, fake: data and samples themselves, [n, ...].

        Raises:
            DivminError: fewer than twenty distinct ones.
        """
        self._dimensions = (intrinsic_dimension(real), intrinsic_dimension(fake))

    def report(self) -> Report:
        """What was seen so far.

        Raises:
            DivminError: fewer than ten finite scores of each side.
        """
        for stream in self._streams:
            stream.count()
        least = min((min(len(each.real), len(each.fake)) for each in self._streams), default=0)
        if least < LEAST:
            raise DivminError(
                f"the monitor has seen {least} finite scores of each side: expected at least {LEAST}; call update first"
            )
        found = self._explanation
        return Report(
            found.subject if found is not None else "unknown losses",
            None if found is None else found.sentence,
            (self._first, self._last),
            self._updates,
            tuple(critic_report(each, self._members, found, self._dimensions) for each in self._streams),
            found,
        )

    def to_record(self) -> dict[str, Any]:
        """All that was counted as plain values for JSON, some hundred kilobytes however long it was; `restore` goes on from it."""
        return {
            "format": FORMAT, "first": self._first, "last": self._last, "updates": self._updates,
            "critics": [stream.to_record() for stream in self._streams],
        }  # fmt: skip

    def restore(self, record: Mapping[str, Any], *, step: int | None = None) -> None:
        """Go on from a record of a monitor of the same recipe, without windows that reach beyond a step.

        Raises:
            DivminError: it is no such record.
        """
        if record.get("format") != FORMAT:
            raise DivminError(f"a monitor's record of format {record.get('format')!r}: this version reads {FORMAT}")
        try:
            until = int(record["last"]) if step is None else step
            streams = [self._stream() for _ in record["critics"]]
            for stream, each in zip(streams, record["critics"], strict=True):
                stream.restore(each, until)
            first, updates = int(record["first"]), int(record["updates"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DivminError(f"no record of a monitor: {error!r}") from error
        self._streams, self._first, self._last = streams, first, min(until, int(record["last"]))
        self._updates = (
            min(updates, sum(each.updates for each in streams[0].history.windows) * self._every) if streams else 0
        )

    def _stream(self) -> Stream:
        return Stream(self._reading, self._members, self._pull, self._keep)


def _asked(
    recipe: Any,
    critic_loss: Callable[..., Tensor] | None,
    generator_loss: Callable[..., Tensor] | None,
    known: Explanation | None,
) -> tuple[Any, Explanation | None]:
    """The losses and what they minimise; None for what is not known."""
    if critic_loss is not None or generator_loss is not None:
        if recipe is not None or critic_loss is None or generator_loss is None:
            raise DivminError("give a recipe, or both critic_loss and generator_loss")
        recipe = Own(critic_loss, generator_loss)
    losses = named_recipe(recipe) if isinstance(recipe, str) else recipe
    if not isinstance(losses, Recipe | Relativistic | Own | None):
        raise DivminError(
            f"recipe is {type(recipe).__name__}: expected a name, a Recipe, dm.Own, or critic_loss= and generator_loss="
        )
    if losses is None or known is not None:
        return losses, known
    if isinstance(losses, Own):
        return losses, audit(losses.critic_loss, losses.generator_loss).explanation
    return losses, explain(recipe)  # an answer for a name is remembered


def _members(asked: Sequence[str | Divergence], explanation: Explanation | None) -> tuple[Divergence, ...]:
    members = [divergence(each) if isinstance(each, str) else each for each in asked]
    own = None if explanation is None else explanation.divergence
    if (
        own is not None
        and explanation is not None
        and explanation.name
        and all(own.name != each.name for each in members)
    ):
        members.append(own)
    if not members:
        raise DivminError("no divergence is named: give at least one, such as kl")
    return tuple(members)


def _tensor(norms: Any) -> Any:
    return [float(norms)] if isinstance(norms, int | float) and math.isfinite(norms) else norms
