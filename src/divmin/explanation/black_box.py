"""`divmin.audit`: what is wrong with two losses as people write them, functions of whole batches of logits.

Nothing of the code is read; it is called, differentiated, and compared with itself.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.explanation.questions import explain
from divmin.explanation.record import Explanation, short
from divmin.family import Divergence, divergence

BatchLoss = Callable[..., Any]

FAR, STEP = 60.0, 0.25  # logits up to which gradients are looked at, and how finely
STEADY = (4.0, 7.0)  # |logit| from which the course of a gradient is carried on
SHARE, FLOOR = (
    0.1,
    1e-3,
)  # a gradient is dead below this share of its course, if its course is above this part of its largest
AT = [-4.0, -2.0, -0.5, 0.3, 1.0, 3.0]  # log-ratios at which a claim is compared


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        kind: no_gradient, dead_gradient, not_finite, wrong_way, unbounded, swapped, not_identified, batch_dependence, reduction,
            random or claim.
        problem: whether it is wrong; else it is good to know.
        where: the critic's loss on data or on samples, or the generator's loss.
        message: a sentence.
        logit: where it begins.
    """

    kind: str
    problem: bool
    where: str
    message: str
    logit: float | None = None


@dataclass(frozen=True)
class Audit:
    """What an audit found, and what the pair minimises where that can be said."""

    findings: tuple[Finding, ...]
    explanation: Explanation | None

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(each for each in self.findings if each.problem)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        head = "no problem found" if self.ok else f"{len(self.problems)} problem(s) found"
        lines = [head] + [f"  {'problem' if x.problem else 'note'}, {x.where}: {x.message}" for x in self.findings]
        if self.explanation is not None:
            lines.append(f"  {self.explanation.sentence}")
        return "\n".join(lines)


def audit(
    critic_loss: BatchLoss,
    generator_loss: BatchLoss,
    *,
    claim: str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Audit:
    """Look for what is commonly wrong in GAN losses, by calling them.

    Args:
        critic_loss: (real_logits, fake_logits) to a scalar tensor, minimised by the critic.
        generator_loss: (fake_logits) or (real_logits, fake_logits) to a scalar tensor, minimised by the generator.
        claim: what it is said to be: a recipe such as "minimax", or a divergence such as "kl" (a factor does not matter).
        dtype: in which the losses are used.

    Returns:
        The findings: a side without gradient, gradients that die beyond some logit, NaN and infinities, samples pushed the wrong
        way, a critic without optimum or with the sides swapped, a loss that couples the elements of a batch or depends on
        its size, a claim that does not hold.

    Raises:
        DivminError: one line, when a loss cannot be called or does not return a scalar tensor.

    Example:
        >>> from torch.nn.functional import softplus
        >>> found = audit(
        ...     lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
        ...     lambda fake: -(fake.sigmoid() + 1e-8).log().mean(),
        ... )
        >>> [(each.kind, round(each.logit)) for each in found.problems]
        [('dead_gradient', -18)]
    """
    critic = _Loss("critic", _of_both(critic_loss, "critic_loss"), dtype)
    generator = _Loss("generator", _of_both(generator_loss, "generator_loss"), dtype)
    findings = [*critic.randomness(), *generator.randomness()]
    if findings:
        return Audit(tuple(findings), None)
    findings += critic.missing(("real", "fake")) + generator.missing(("fake",))
    findings += critic.reduction() + generator.reduction()
    coupled = critic.coupling() or generator.coupling()
    if coupled:
        relativistic = critic.shifts() and generator.shifts()
        return Audit((*findings, _about_coupling(relativistic)), None)
    for loss, side, wrong in ((critic, "real", -1), (critic, "fake", 1), (generator, "fake", -1)):
        findings += loss.course(side, wrong)
    explanation, further = _explained(critic, generator, claim)
    silent = {each.where for each in findings if each.kind == "no_gradient"}
    return Audit((*findings, *(each for each in further if each.where not in silent)), explanation)


def _of_both(loss: BatchLoss, name: str) -> Callable[[Tensor, Tensor], Any]:
    """The loss as a function of (real, fake), also if it takes fake alone."""
    if not callable(loss):
        raise DivminError(f"{name} must be a function of batches of logits; got {type(loss).__name__}")
    try:
        parameters = inspect.signature(loss).parameters.values()
    except (TypeError, ValueError):  # no signature to look at
        return loss
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p for p in places if p.default is p.empty]
    if len(needed) > 2:
        raise DivminError(f"{name} takes {len(needed)} arguments; expected (real_logits, fake_logits)")
    if len(needed) == 1 and name == "generator_loss":
        return lambda real, fake: loss(fake)
    return loss


@dataclass(frozen=True)
class _Loss:
    """A loss of two batches of logits, and what can be asked of it."""

    who: str
    call: Callable[[Tensor, Tensor], Any]
    dtype: torch.dtype

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        try:
            out = self.call(real, fake)
        except DivminError:
            raise
        except Exception as error:  # anything can come out of the user's code
            raise DivminError(
                f"{self.who}_loss failed on two batches of {len(real)} logits: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(out, Tensor) or out.numel() != 1:
            got = list(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise DivminError(f"{self.who}_loss must return a scalar tensor; got {got}")
        return out.reshape(())

    def gradients(self, real: Tensor, fake: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Of the loss with respect to both batches; None where there is no graph."""
        real, fake = (x.detach().clone().requires_grad_() for x in (real, fake))
        value = self(real, fake)
        if not value.requires_grad:
            return None, None
        one, other = torch.autograd.grad(value, (real, fake), allow_unused=True)
        return one, other

    def gradient(self, side: str, x: Tensor) -> Tensor:
        """With respect to one side of pairs (x, 0) or (0, x), a sample at a time."""
        rest = torch.zeros(1, dtype=x.dtype)
        found = []
        for each in x.reshape(-1, 1):
            pair = (each, rest) if side == "real" else (rest, each)
            got = self.gradients(*pair)[side == "fake"]
            found.append(torch.zeros(1, dtype=x.dtype) if got is None else got)
        return torch.cat(found)

    def randomness(self) -> list[Finding]:
        real, fake = _batches(8, self.dtype)
        if torch.equal(self(real, fake), self(real, fake)):
            return []
        message = "gives two values for the same logits: it draws random numbers or keeps a state"
        return [Finding("random", True, f"the {self.who}'s loss", message)]

    def missing(self, sides: tuple[str, ...]) -> list[Finding]:
        """Sides on which nothing is learnt at any logit."""
        found = []
        for side in sides:
            slopes = self.gradient(side, torch.linspace(-8, 8, 17, dtype=self.dtype))
            if not bool((slopes != 0).any()):
                message = (
                    f"no gradient reaches the {side} logits at all: a constant, a detached tensor, or swapped arguments"
                )
                found.append(Finding("no_gradient", True, self.where(side), message))
        return found

    def where(self, side: str) -> str:
        """What is looked at, in words."""
        if self.who == "generator":
            return "the generator's loss"
        return f"the critic's loss on {'data' if side == 'real' else 'samples'}"

    def reduction(self) -> list[Finding]:
        """Whether a batch repeated four times gives the same loss."""
        real, fake = _batches(4, torch.float64)
        once, often = self(real, fake), self(real.repeat(4), fake.repeat(4))
        if torch.allclose(once, often, rtol=1e-5, atol=1e-7):
            return []
        how = "4" if torch.allclose(4 * once, often, rtol=1e-5, atol=1e-7) else f"{float(often / once):.3g}"
        message = (
            f"depends on the batch size: the same samples four times over give {how} times the loss, gradients included"
        )
        return [Finding("reduction", True, f"the {self.who}'s loss", message)]

    def coupling(self) -> bool:
        """Whether the gradient of one logit changes with another logit."""
        real, fake = _batches(6, torch.float64)
        before = self.gradients(real, fake)
        for which, batch in ((0, real), (1, fake)):
            moved = batch.clone()
            moved[0] += 0.7
            after = self.gradients(*((moved, fake) if which == 0 else (real, moved)))
            for side, (old, new) in enumerate(zip(before, after, strict=True)):
                if old is None or new is None:
                    continue
                others = slice(1 if side == which else 0, None)
                if not torch.allclose(old[others], new[others], rtol=1e-6, atol=1e-9):
                    return True
        return False

    def shifts(self) -> bool:
        """Whether only differences of logits count."""
        real, fake = _batches(6, torch.float64)
        return torch.allclose(self(real, fake), self(real + 1.3, fake + 1.3), rtol=1e-6, atol=1e-9)

    def course(self, side: str, wrong: int) -> list[Finding]:
        """How the gradient of one side goes on to far logits; `wrong` is the sign of logits that this side should leave."""
        size = torch.arange(0, FAR + STEP / 2, STEP, dtype=self.dtype)
        found = []
        for sign in (-1, 1):
            slopes = self.gradient(side, sign * size).double()
            bad = ~slopes.isfinite()
            if bad.any():
                logit = sign * float(size[bad][0])
                message = f"its gradient is not finite from a logit of {short(logit)} on"
                found.append(Finding("not_finite", True, self.where(side), message, logit))
            elif sign == wrong:
                found += self._dead(side, sign, size.double(), slopes.abs())
        return found

    def _dead(self, side: str, sign: int, size: Tensor, slopes: Tensor) -> list[Finding]:
        steady = (size >= STEADY[0]) & (size <= STEADY[1])
        if not bool((slopes[steady] > 0).all()):
            alive = size[slopes > 0]
            if not len(alive) or float(alive[-1]) >= STEADY[1]:
                return []
            logit = sign * float(alive[-1])
            message = f"no gradient beyond a logit of {short(logit)}, where it is needed most"
            return [Finding("dead_gradient", True, self.where(side), message, logit)]
        last = int(steady.nonzero()[-1])
        rate = min(float((slopes[last] / slopes[steady][0]).log() / (STEADY[1] - STEADY[0])), 0.0)
        course = slopes[last] * (rate * (size - size[last])).exp()
        dead = (size > size[last]) & (slopes < SHARE * course) & (course > FLOOR * slopes[size <= STEADY[1]].max())
        if not dead.any():
            return []
        weaker = (size > size[last]) & (slopes < course / 2)
        logit = sign * float(size[weaker][0])
        share = float((slopes[dead] / course[dead])[-1])
        message = (
            f"its gradient dies from a logit of about {short(logit)} on, to {share:.1g} of its course at {short(sign * FAR)}: "
            "an eps, a clamp, or a probability that has been rounded"
        )
        return [Finding("dead_gradient", True, self.where(side), message, logit)]


def _batches(n: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Two fixed batches of logits without ties."""
    at = torch.arange(n, dtype=torch.float64)
    return (1.7 * (0.9 * at + 0.2).sin()).to(dtype), (1.3 * (1.1 * at + 2.0).cos()).to(dtype)


def _about_coupling(relativistic: bool) -> Finding:
    if relativistic:
        message = "compares data with samples (only differences of logits count): a relativistic loss; see divmin explain rpgan"
        return Finding("batch_dependence", False, "both losses", message)
    message = (
        "the gradient of one logit depends on other samples of the batch: the loss is not a mean over samples, as with one norm "
        "taken over the whole batch"
    )
    return Finding("batch_dependence", True, "the losses", message)


def _explained(critic: _Loss, generator: _Loss, claim: str | None) -> tuple[Explanation | None, list[Finding]]:
    """What the pair minimises, and the problems that this shows."""
    try:
        found = explain(
            critic=(lambda c: critic(c, 0 * c.detach()), lambda c: critic(0 * c.detach(), c)),
            generator=lambda c: generator(0 * c.detach(), c),
        )
    except DivminError:  # a side without gradient, which has been told
        return None, []
    link = found.link
    assert link is not None  # a game has a critic
    findings = []
    if link.runaway:
        where = " and ".join(map(str, link.runaway))
        if not link.identifies and found.pull is not None and _opposite(critic):
            message = (
                "a difference of means has no optimum of its own: the critic must be kept Lipschitz by other means"
            )
            findings.append(Finding("unbounded", False, "the critic's loss", message))
        elif not found.region_without_pull or not link.identifies:
            message = f"has no minimum for {where}: the critic's output runs away"
            findings.append(Finding("unbounded", True, "the critic's loss", message))
    elif not link.identifies:
        message = "its best output does not tell the ratio p/q, so it can be no density ratio"
        findings.append(Finding("not_identified", False, "the critic's loss", message))
    if link.falling:
        message = "its best output falls with p/q: higher means more fake"
        findings.append(Finding("swapped", bool(found.region_pushed_away), "the critic's loss", message))
    if found.region_pushed_away:
        where = " and ".join(map(str, found.region_pushed_away))
        message = f"pushes samples with {where} away from the data (u = p/q, best critic): no divergence is minimised"
        findings.append(Finding("wrong_way", True, "the generator's loss", message))
    if claim is not None and not _holds(found, claim):
        message = f"is said to be {claim}, but: {found.sentence}"
        findings.append(Finding("claim", True, "the pair", message))
    return found, findings


def _opposite(critic: _Loss) -> bool:
    """Whether the critic's slopes are constants of one size and opposite sign."""
    x = torch.linspace(-8, 8, 9, dtype=torch.float64)
    real, fake = critic.gradient("real", x), critic.gradient("fake", x)
    flat = bool((real == real[0]).all()) and bool((fake == fake[0]).all())
    return flat and math.isclose(float(real[0]), -float(fake[0])) and float(real[0]) != 0


def _holds(found: Explanation, claim: str) -> bool:
    """Whether a claim, a recipe or a divergence, is true up to a factor."""
    try:
        meant: Explanation | Divergence = explain(claim)
    except DivminError as no_recipe:
        try:
            meant = divergence(claim)
        except DivminError:
            raise DivminError(f"the claim '{claim}' is neither a recipe nor a divergence: {no_recipe}") from no_recipe
    other = meant if isinstance(meant, Divergence) else meant.divergence
    if found.divergence is not None and other is not None:
        return _alike([float(found.divergence.s(d)) for d in AT], [float(other.s(d)) for d in AT])
    if isinstance(meant, Divergence) or found.is_divergence != meant.is_divergence or not (found.pull and meant.pull):
        return False
    at = torch.tensor(AT, dtype=torch.float64)
    return _alike(found.pull(at).w.tolist(), meant.pull(at).w.tolist())


def _alike(one: list[float], other: list[float]) -> bool:
    """Equal up to a positive factor; two that are 0 everywhere are alike."""
    return (not any(one) and not any(other)) or (any(one) and any(other) and _same_course(one, other))


def _same_course(one: list[float], other: list[float]) -> bool:
    ratios = [x / y if y else math.nan for x, y in zip(one, other, strict=True)]
    return all(ratio > 0 and math.isclose(ratio, ratios[0], rel_tol=1e-4) for ratio in ratios)
