"""`divmin.audit`: what is wrong with two losses as people write them, functions of whole batches of logits.

Nothing of the code is read; it is called, differentiated, and compared with itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError, counted
from divmin.explanation.batches import SMALLEST, BatchLoss, batch_loss, batches
from divmin.explanation.questions import explain
from divmin.explanation.record import Explanation, short
from divmin.family import Divergence, divergence
from divmin.objectives import AnyRecipe, Relativistic
from divmin.objectives import recipe as named_recipe

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
            random, claim or unexplained.
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
        head = "no problem found" if self.ok else f"{counted(len(self.problems), 'problem')} found"
        lines = [head] + [f"  {'problem' if x.problem else 'note'}, {x.where}: {x.message}" for x in self.findings]
        if self.explanation is not None:
            lines.append(f"  {self.explanation.sentence}")
        return "\n".join(lines)


def audit(
    critic_loss: Callable[..., Any],
    generator_loss: Callable[..., Any],
    *,
    claim: str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Audit:
    """Look for what is commonly wrong in GAN losses, by calling them.

    Logits come in float tensors of shape [B] or, where a loss fails with that, [B, 1], and B is at least 8.

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
    critic, generator = batch_loss(critic_loss, "critic"), batch_loss(generator_loss, "generator")
    meant = None if claim is None else _meant(claim)
    findings = [*_random(critic), *_random(generator)] or [*_undefined(critic), *_undefined(generator)]
    if findings:
        return Audit(tuple(findings), None)
    for loss, side in ((critic, "real"), (critic, "fake"), (generator, "fake")):
        findings += _missing(loss, side, dtype)
    findings += _reduction(critic) + _reduction(generator)
    real, fake = critic.tilt()
    way = 1 if fake > real else -1  # whether a higher logit means more real, or more fake
    if critic.couples() or generator.couples():
        explanation, further = None, _coupled(critic, generator, way, meant)
    else:
        for loss, side, wrong in ((critic, "real", -way), (critic, "fake", way), (generator, "fake", -way)):
            findings += _course(loss, side, wrong, dtype)
        explanation, further = _explained(critic, generator, way, meant)
    silent = {each.where for each in findings if each.kind == "no_gradient"}
    return Audit((*findings, *(each for each in further if each.where not in silent)), explanation)


# --- one loss -----------------------------------------------------------------------------------------------------------------


def _random(loss: BatchLoss) -> list[Finding]:
    if not loss.random():
        return []
    message = "gives two values for the same logits: it draws random numbers or keeps a state"
    return [Finding("random", True, f"the {loss.who}'s loss", message)]


def _undefined(loss: BatchLoss) -> list[Finding]:
    """Values that are no numbers at moderate logits, and on which side."""
    value = loss(*batches(SMALLEST, torch.float64))
    if bool(value.isfinite()):
        return []
    what = "infinite" if bool(value.isinf()) else "NaN"
    found, rest = [], torch.full((SMALLEST,), 0.5, dtype=torch.float64)
    for side in ("real", "fake"):
        tried = ((x, torch.full_like(rest, x)) for x in torch.linspace(-8, 8, 33).tolist())
        bad = [x for x, at in tried if not bool(loss(*((at, rest) if side == "real" else (rest, at))).isfinite())]
        if bad:
            message = f"is {what}: it has no finite value at {side} logits from {short(bad[0])} to {short(bad[-1])}"
            found.append(Finding("not_finite", True, loss.where(side), message, bad[-1] if bad[-1] < 8 else bad[0]))
    message = f"is {what} on a batch of logits between -2 and 2"
    return found or [Finding("not_finite", True, f"the {loss.who}'s loss", message)]


def _missing(loss: BatchLoss, side: str, dtype: torch.dtype) -> list[Finding]:
    """A side on which nothing is learnt at any logit."""
    if bool((loss.slopes(side, torch.linspace(-8, 8, 17, dtype=dtype)) != 0).any()):
        return []
    message = f"no gradient reaches the {side} logits at all: a constant, a detached tensor, or swapped arguments"
    return [Finding("no_gradient", True, loss.where(side), message)]


def _reduction(loss: BatchLoss) -> list[Finding]:
    if loss.growth == 1:
        return []
    message = f"depends on the batch size: the same samples four times over give {loss.growth:.3g} times the loss and gradients"
    return [Finding("reduction", True, f"the {loss.who}'s loss", message)]


def _course(loss: BatchLoss, side: str, wrong: int, dtype: torch.dtype) -> list[Finding]:
    """How the gradient of one side goes on to far logits; `wrong` is the sign of logits that this side should leave."""
    size = torch.arange(0, FAR + STEP / 2, STEP, dtype=dtype)
    found = []
    for sign in (-1, 1):
        slopes = loss.slopes(side, sign * size).double()
        bad = ~slopes.isfinite()
        if bad.any():
            logit = sign * float(size[bad][0])
            message = f"its gradient is not finite from a logit of {short(logit)} on"
            found.append(Finding("not_finite", True, loss.where(side), message, logit))
        elif sign == wrong:
            found += _dead(loss.where(side), sign, size.double(), slopes.abs())
    return found


def _dead(where: str, sign: int, size: Tensor, slopes: Tensor) -> list[Finding]:
    steady = (size >= STEADY[0]) & (size <= STEADY[1])
    if not bool((slopes[steady] > 0).all()):
        alive = size[slopes > 0]
        if not len(alive) or float(alive[-1]) >= STEADY[1]:
            return []
        logit = sign * float(alive[-1])
        message = f"no gradient beyond a logit of {short(logit)}, where it is needed most"
        return [Finding("dead_gradient", True, where, message, logit)]
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
        f"its gradient dies beyond a logit of about {short(logit)}: at {short(sign * FAR)} it is {share:.1g} times what its "
        "course before would give; the cause is an eps, a clamp, or a probability that has been rounded"
    )
    return [Finding("dead_gradient", True, where, message, logit)]


# --- losses that couple their batches -----------------------------------------------------------------------------------------


def _coupled(critic: BatchLoss, generator: BatchLoss, way: int, meant: AnyRecipe | Divergence | None) -> list[Finding]:
    """What can be said of a pair in which single samples have no loss of their own."""
    findings = [*_same_way(critic)]
    relative, level = critic.shifts(), not generator.shifts()
    if relative and level:
        message = "depends on the level of the critic's outputs, but the critic's loss says something of their differences only"
        findings.append(Finding("batch_dependence", True, "the generator's loss", message))
    elif relative:
        message = "compares data with samples (only differences of logits count): a relativistic loss; see divmin explain rpgan"
        findings.append(Finding("batch_dependence", False, "both losses", message))
    for loss in () if relative else (critic, generator):
        if loss.couples():
            message = (
                "the gradient of one logit depends on other samples of the batch: it is no mean of a loss of single samples, "
                "as with a norm, a maximum or a function of a mean over the batch; so what is minimised cannot be said"
            )
            findings.append(Finding("batch_dependence", True, f"the {loss.who}'s loss", message))
    if generator.tilt()[1] * way > 0:
        findings.append(_pushes_away("samples", way, generator.exchanged().tilt()[1] * way < 0))
    if meant is not None:
        findings += _not_proportional(critic, generator, way, meant)
    return findings


def _same_way(critic: BatchLoss) -> list[Finding]:
    if critic.direction("real") * critic.direction("fake") <= 0:
        return []
    message = "pushes data and samples the same way, so it does not learn to tell them apart: is a minus missing?"
    return [Finding("wrong_way", True, "the critic's loss", message)]


def _pushes_away(what: str, way: int, exchanged: bool = False) -> Finding:
    """A generator that works with the critic; where high means fake, it is the critic's sides that are swapped."""
    if way < 0:
        message = (
            f"data and samples look swapped: its output is higher for fakes, and the generator raises it, so {what} are pushed "
            "away from the data"
        )
        return Finding("swapped", True, "the critic's loss", message)
    message = f"pushes {what} away from the data: no divergence is minimised"
    if exchanged:
        message += "; with its two arguments swapped it would not (it is called with real logits first, then fake ones)"
    return Finding("wrong_way", True, "the generator's loss", message)


def _not_proportional(
    critic: BatchLoss, generator: BatchLoss, way: int, meant: AnyRecipe | Divergence
) -> list[Finding]:
    """Whether the gradients are those of a relativistic recipe, each up to a factor."""
    if not isinstance(meant, Relativistic):
        message = f"is said to be {meant.name}, whose losses are means over single samples, but this couples the batch"
        return [Finding("claim", True, "the pair", message)]
    pair = batches(SMALLEST, torch.float64)
    right = (
        BatchLoss("critic", meant.critic_loss),
        BatchLoss("generator", lambda real, fake: meant.generator_loss(fake, real=real)),
    )
    other = []
    for given, wanted, first in ((critic, right[0], 0), (generator, right[1], 1)):  # the generator moves samples only
        one = torch.cat(given.gradients(*(way * x for x in pair))[first:]) * way
        two = torch.cat(wanted.gradients(*pair)[first:])
        if not _alike(one.tolist(), two.tolist()):
            other.append(f"the {given.who}'s loss")
    if not other:
        return []
    message = (
        f"is said to be {meant.name}, but the gradient of {' and of '.join(other)} is another, not a multiple of it"
    )
    return [Finding("claim", True, "the pair", message)]


# --- losses of single samples -------------------------------------------------------------------------------------------------


def _explained(
    critic: BatchLoss, generator: BatchLoss, way: int, meant: AnyRecipe | Divergence | None
) -> tuple[Explanation | None, list[Finding]]:
    """What the pair minimises, and the problems that this shows."""
    if not {critic.growth, generator.growth} <= {1, 4}:  # told, and there is no loss a sample
        return None, []
    try:
        found = explain(
            critic=(lambda c: critic.mean(c, 0 * c.detach()), lambda c: critic.mean(0 * c.detach(), c)),
            generator=lambda c: generator.mean(0 * c.detach(), c),
        )
    except DivminError as error:
        return None, [Finding("unexplained", True, "the pair", f"cannot be explained: {error}")]
    link = found.link
    assert link is not None  # a game has a critic
    findings = [] if link.identifies else _same_way(critic)
    if link.runaway and not findings:
        where = " and ".join(map(str, link.runaway))
        if not link.identifies and _opposite(critic):
            message = (
                "a difference of means has no optimum of its own: the critic must be kept Lipschitz by other means"
            )
            findings.append(Finding("unbounded", False, "the critic's loss", message))
        elif not found.region_without_pull or not link.identifies:
            message = f"has no minimum for {where}: the critic's output runs away"
            findings.append(Finding("unbounded", True, "the critic's loss", message))
    elif not link.identifies and not findings:
        message = "its best output does not tell the ratio p/q, so it can be no density ratio"
        findings.append(Finding("not_identified", False, "the critic's loss", message))
    away = [*map(str, found.region_pushed_away), *(f"u = {short(math.exp(x.d))}" for x in found.masses if x.size < 0)]
    if not link.identifies and not found.masses and generator.direction("fake") == way:
        away = ["every u"]  # a critic that runs away tells no ratio, but a direction
    blind = any(each.kind == "wrong_way" for each in findings)
    if away and not blind:
        where = f"samples with {' and '.join(away)} (u = p/q, best critic)"
        findings.append(_pushes_away("all samples" if away == ["every u"] else where, way))
    elif way < 0 and not blind:
        message = "its output falls with p/q: higher means more fake, against the usual convention"
        findings.append(Finding("swapped", False, "the critic's loss", message))
    if meant is not None and not _holds(found, meant):
        findings.append(Finding("claim", True, "the pair", f"is said to be {meant.name}, but: {found.sentence}"))
    return found, findings


def _opposite(critic: BatchLoss) -> bool:
    """Whether the critic's slopes are constants of one size and opposite sign."""
    x = torch.linspace(-8, 8, 9, dtype=torch.float64)
    real, fake = critic.slopes("real", x), critic.slopes("fake", x)
    flat = bool((real == real[0]).all()) and bool((fake == fake[0]).all())
    return flat and math.isclose(float(real[0]), -float(fake[0])) and float(real[0]) != 0


def _meant(claim: str) -> AnyRecipe | Divergence:
    """What a claim names: a recipe or a divergence."""
    try:
        return named_recipe(claim)
    except DivminError as no_recipe:
        try:
            return divergence(claim)
        except DivminError:
            raise DivminError(f"the claim '{claim}' is neither a recipe nor a divergence: {no_recipe}") from no_recipe


def _holds(found: Explanation, meant: AnyRecipe | Divergence) -> bool:
    """Whether a claim is true up to a factor."""
    other = meant if isinstance(meant, Divergence) else explain(meant)
    wanted = other if isinstance(other, Divergence) else other.divergence
    if found.divergence is not None and wanted is not None:
        return _alike([float(found.divergence.s(d)) for d in AT], [float(wanted.s(d)) for d in AT])
    if isinstance(other, Divergence) or found.is_divergence != other.is_divergence or not (found.pull and other.pull):
        return False
    at = torch.tensor(AT, dtype=torch.float64)
    return _alike(found.pull(at).w.tolist(), other.pull(at).w.tolist())


def _alike(one: list[float], other: list[float]) -> bool:
    """Equal up to a positive factor; two that are 0 everywhere are alike."""
    return (not any(one) and not any(other)) or (any(one) and any(other) and _same_course(one, other))


def _same_course(one: list[float], other: list[float]) -> bool:
    ratios = [x / y if y else math.nan for x, y in zip(one, other, strict=True)]
    return all(ratio > 0 and math.isclose(ratio, ratios[0], rel_tol=1e-4) for ratio in ratios)
