"""`divmin.explain`: what any adversarial recipe minimises, and the same question outside GANs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from torch import Tensor

from divmin.errors import DivminError
from divmin.explanation.critic import Best, Critic, Kind, critic
from divmin.explanation.examine import TRUST, Examined, Pulled, examine, grid, intervals, masses, pull_of, steps
from divmin.explanation.penalties import checked, effects
from divmin.explanation.probe import Probe, probe
from divmin.explanation.record import Explanation, Interval, Link
from divmin.explanation.relativistic import explain_relativistic
from divmin.explanation.symbolic import Closed, closed_form, of_text
from divmin.explanation.verdict import verdict
from divmin.functions import evaluate
from divmin.grammar import Node, names, parse
from divmin.numerics import float64
from divmin.objectives import AnyRecipe, Recipe, Relativistic, Written
from divmin.objectives import recipe as named_recipe
from divmin.objectives.terms import Valued

Loss = str | Callable[..., Any]
SECONDS = 10.0  # for the closed form
LITTLE = 5.0  # an end of what rounding lets one see, in nats, that is worth telling

# Estimators of KL(q||p) from samples of q, as functions of d = log p/q.
ESTIMATORS = {"k1": "-d", "k2": "d^2/2", "k3": "exp(d) - 1 - d"}


def explain(
    recipe: str | AnyRecipe | None = None,
    *,
    critic: tuple[Loss, Loss] | None = None,
    generator: Loss | None = None,
    weight: Loss | None = None,
    reward: Loss | None = None,
    sampled_loss: Loss | None = None,
    samples: str | None = None,
    p: Any = None,
    q: Any = None,
    log_ratios: Any = None,
    penalty: str | Sequence[str] = (),
) -> Explanation:
    """What a generator minimises whose critic is at its optimum.

        best critic      c*(u) = argmin_c u l_p(c) + l_q(c)
        effective F      w_F(d) = -d/dd h(c*(e^d)),    F''(u) = w_F(log u)/u^2

    Where w_F > 0 everywhere, the generator's gradient is that of the f-divergence D_F. Where w_F < 0, there is no such
    divergence, and samples there are pushed away from the data.

    Args:
        recipe: a name ("nonsaturating", "lsgan(-1, 1, 0)", "smoothed(minimax, 0.9, 0.1)"), or a recipe object.
        critic: in the place of a recipe, what the critic pays on data and on model samples: two functions of its raw output
            (torch, NumPy or plain Python; a loss for each output, or their mean or sum), or two texts in c.
        generator: what the generator pays on model samples, likewise.
        weight: a generator weight h(r) directly, as a function of d, or a text in d or u = e^d: distillation by f-divergences.
        reward: the reward of adversarial imitation, a function of the logistic critic's output or a text in c or
            D = sigma(c): log(D), -log(1 - D), c (their sum), -c*exp(c) (FAIRL's).
        sampled_loss: a loss k(d) that is averaged over samples of the model, "k1", "k2", "k3", a text in d or a function.
        samples: how the gradient of the sampled loss is taken: "fixed" (through log q at fixed samples; the default),
            "reparameterised" (also through the samples: the gradient of the mean itself), or "reward" (k held fixed and only the
            samples move).
        p, q: two distributions with log_prob (torch.distributions or divmin.data densities), for recipes whose weight
            depends on all of the data.
        log_ratios: in their place, values of log p/q at samples of the data.
        penalty: names of regularisers, whose effect on the answer is added to the warnings: "r1", "gp", ...

    Returns:
        The answer; print it, or read its fields.

    Raises:
        DivminError: one line, for losses that cannot be called, give NaN, are random, or have no derivative.

    Example:
        >>> import divmin as dm
        >>> dm.explain("nonsaturating").name
        '0.5*softened_reverse_kl'
        >>> from torch.nn.functional import softplus
        >>> mine = dm.explain(critic=(lambda c: softplus(-c), softplus), generator=lambda c: (-c).exp())
        >>> mine.name, str(mine.tails)
        ('0.5*chi2_data_denominator', '(3, 0)')

    Source: Shannon et al., sections 8 to 10, for one pair of losses; the general statement is in docs/theory.md.
    """
    given = {
        "recipe": recipe,
        "critic": critic or generator,
        "weight": weight,
        "reward": reward,
        "sampled_loss": sampled_loss,
    }
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) != 1:
        what = "nothing" if not asked else " and ".join(asked)
        raise DivminError(
            f"explain takes one of recipe, critic with generator, weight, reward and sampled_loss; got {what}"
        )
    penalties = checked(penalty)
    if samples is not None and sampled_loss is None:
        raise DivminError(
            f"samples={samples!r} says how a sampled_loss is differentiated; got {asked[0]}, which has no such choice"
        )
    data = (p, q, log_ratios)
    if any(each is not None for each in data):
        _check_data(asked[0], recipe)
    if recipe is not None:
        known = isinstance(recipe, str) and all(each is None for each in data)
        found = _remembered(named_recipe(recipe)) if known else _recipe(named_recipe(recipe), *data)
    elif critic is not None or generator is not None:
        found = _game(critic, generator)
    elif weight is not None:
        found = _weight(weight)
    elif reward is not None:
        found = _reward(reward)
    else:
        assert sampled_loss is not None
        found = _sampled(sampled_loss, samples or "fixed")
    return replace(found, warnings=(*found.warnings, *effects(penalties, found.link)))


def _check_data(asked: str, recipe: str | AnyRecipe | None) -> None:
    """Data are used by recipes whose pull depends on them; elsewhere they would be ignored."""
    if recipe is None or not isinstance(one := named_recipe(recipe), Relativistic):
        what = asked if recipe is None else one.name
        raise DivminError(
            f"p, q and log_ratios are for recipes whose pull depends on all of the data, such as rpgan; the answer for {what} "
            "holds for any data, so leave them out"
        )


# --- games --------------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=128)
def _remembered(recipe: AnyRecipe) -> Explanation:
    """The answer for a recipe that was given by name: made of formulas, so it stays what it is."""
    return _recipe(recipe, None, None, None)


def _recipe(recipe: AnyRecipe, p: Any, q: Any, log_ratios: Any) -> Explanation:
    if isinstance(recipe, Relativistic):
        return explain_relativistic(recipe, p, q, log_ratios)
    notes: tuple[str, ...] = ()
    real = probe(recipe.real, f"{recipe.name}: the critic's loss on data")
    fake = probe(recipe.fake, f"{recipe.name}: the critic's loss on samples")
    generator = probe(recipe.generator, f"{recipe.name}: the generator's loss")
    likelihood = None if recipe.likelihood is None else probe(recipe.likelihood, f"{recipe.name}: the data term")
    if recipe.likelihood is not None:
        notes = (*notes, "the data term needs log q of the model; a VAE's bound stands in for it")
    if isinstance(recipe.generator, Valued):
        notes = (*notes, "the affine part of f_G counts: adding k u to it adds -k times the gradient of KL(p||q)")
    return _explained(recipe.name, real, fake, generator, likelihood, notes, recipe)


def _game(pair: Any, generator: Loss | None) -> Explanation:
    if pair is None or generator is None:
        missing = "critic=(loss_on_real, loss_on_fake)" if pair is None else "generator=loss"
        raise DivminError(f"explain needs both losses; {missing} is missing")
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        got = f"{len(pair)} of them" if isinstance(pair, tuple | list) else type(pair).__name__
        raise DivminError(f"critic must be two losses, (loss_on_real, loss_on_fake); got {got}")
    losses = [Written(each) if isinstance(each, str) else each for each in (*pair, generator)]
    labels = ("loss_on_real", "loss_on_fake", "generator")
    real, fake, last = (probe(each, f"{label}(c)") for each, label in zip(losses, labels, strict=True))
    written = all(isinstance(each, Written) for each in losses)
    recipe = Recipe("the given losses", losses[0], losses[1], losses[2]) if written else None
    return _explained("the given losses", real, fake, last, None, (), recipe)


def _explained(
    subject: str,
    real: Probe,
    fake: Probe,
    generator: Probe,
    likelihood: Probe | None,
    notes: tuple[str, ...],
    recipe: Recipe | None,
) -> Explanation:
    """The whole of it for a game: best critic, pull, verdict."""
    slow = any(each.slow for each in (real, fake, generator))
    best_critic = critic(real, fake)
    pull = pull_of(best_critic, generator, likelihood)
    best = best_critic.best(grid(slow))
    seen = examine(pull, slow)
    if seen.low == seen.high:
        c = float(best_critic.best(float64([0.0])).c)
        raise DivminError(
            f"{generator.name} has no finite slope at c = {c:.6g}, the best critic's output for p = q: "
            "it must be defined for all outputs"
        )
    form = None if recipe is None else closed_form(recipe, SECONDS)
    link = _link(best_critic, generator, best, seen, None if form is None else form.link)
    jumps = masses(best_critic, generator, best, seen)
    return verdict(subject, pull, seen, link=link, masses=jumps, closed=lambda: form, warnings=notes)


def _link(judge: Critic, generator: Probe, best: Best, seen: Examined, formula: str | None) -> Link:
    """What the best critic says, as far as rounding lets one see."""
    sure = (best.d >= seen.low) & (best.d <= seen.high)
    answers = (best.where(Kind.INTERIOR) & sure).any()

    def tells(found: Best) -> Tensor:
        return found.where(Kind.INTERIOR, Kind.LOST) & (found.slope != 0)

    def runs(found: Best) -> Tensor:
        """Without end; where other ratios have a best output, into a limit where the generator's loss is flat is a plateau."""
        return found.where(Kind.LOW, Kind.HIGH) & (~answers | (generator.slope(found.c) != 0))

    def inside(test: Callable[[Best], Tensor]) -> tuple[Interval, ...]:
        return intervals(best.d[sure], test(best)[sure], lambda d: test(judge.best(d)))

    interior = best.where(Kind.INTERIOR) & sure
    is_log_ratio = bool(interior[sure].all()) and bool(
        ((best.c - best.d).abs() < 1e-6 * (1 + best.d.abs()))[sure].all()
    )
    falling = bool((best.slope[interior] < 0).any()) and not bool((best.slope[interior] > 0).any())
    shown = "log(u)" if is_log_ratio else formula
    hidden = min(-seen.low, seen.high) < LITTLE
    return Link(shown, inside(tells), inside(runs), falling, is_log_ratio, lambda d: judge.best(d).c, hidden)


# --- the same identity outside GANs ---------------------------------------------------------------------------------------


def _weight(weight: Loss) -> Explanation:
    given = _in_d(weight, "weight(d)", ("d", "u"), "text such as u/(1 + u)")
    return _direct("the given weight", given, lambda value, first, second: value, lambda f, d: f)


def _reward(reward: Loss) -> Explanation:
    """A policy that climbs E_q[r(d)] follows -dr/dd in the place of h: b_F = r."""
    term = Written(reward) if isinstance(reward, str) else reward
    given = _Given(probe(term, "reward(c)"), term.tree if isinstance(term, Written) else None)
    note = "the answer is about densities of states and actions; a reward of one sign also pays for longer or shorter episodes"
    return _direct("the given reward", given, lambda value, first, second: first, lambda f, d: f.diff(d), (note,))


def _sampled(loss: Loss, samples: str) -> Explanation:
    # Through log q at fixed samples: h = -k'. Through everything: f(u) = k(log u). Only the samples: h = k.
    ways: dict[str, tuple[Combine, Callable[[Any, Any], Any]]] = {
        "fixed": (lambda value, first, second: second, lambda k, d: k.diff(d, 2)),
        "reparameterised": (lambda value, first, second: second - first, lambda k, d: k.diff(d, 2) - k.diff(d)),
        "reward": (lambda value, first, second: -first, lambda k, d: -k.diff(d)),
    }
    if samples not in ways:
        raise DivminError(f"samples must be one of {', '.join(ways)}; got {samples!r}")
    text = ESTIMATORS.get(loss, loss) if isinstance(loss, str) else loss
    given = _in_d(text, "sampled_loss(d)", ("d",), f"{', '.join(ESTIMATORS)}, or text such as d^2/2")
    subject = f"{loss if isinstance(loss, str) else 'the given loss'}, samples {samples}"
    return _direct(subject, given, *ways[samples])


@dataclass(frozen=True)
class _Given:
    """A function of d, and how it was written if it was."""

    probe: Probe
    tree: Node | None


Combine = Callable[[Tensor, Tensor, Tensor], Tensor]


def _direct(
    subject: str, given: _Given, weight: Combine, symbolic: Callable[[Any, Any], Any], notes: tuple[str, ...] = ()
) -> Explanation:
    """The pull made of a function of d and its derivatives."""
    function = given.probe
    # a jump of the first derivative is a point mass of the second, which a weight may have as a part
    one, zero = float64(1.0), float64(0.0)
    share = float(weight(zero, zero, one))

    def pull(d: Tensor) -> Pulled:
        w = weight(function.value(d), *function.derivatives(d))
        return Pulled(w, (function.doubt(d) < TRUST) & w.isfinite())

    def closed() -> Closed | None:
        return None if given.tree is None else of_text(given.tree, symbolic, SECONDS)

    seen = examine(pull, function.slow)
    jumps = steps(function.slope, seen, share) if share else ()
    return verdict(subject, pull, seen, masses=jumps, closed=closed, warnings=notes)


def _in_d(loss: Loss, name: str, allowed: tuple[str, ...], expected: str) -> _Given:
    """A function of d, or a text in d (or u = e^d)."""
    if not isinstance(loss, str):
        return _Given(probe(loss, name, "d"), None)
    tree = parse(loss)
    if not names(tree) <= set(allowed):
        got = ", ".join(sorted(names(tree)))
        raise DivminError(f"'{loss}' may depend on {' and '.join(allowed)} only; got {got}, expected {expected}")

    def function(d: Tensor) -> Tensor:
        value = evaluate(tree, {"d": d, "u": d.exp()})
        return value if isinstance(value, Tensor) else value + 0 * d

    return _Given(probe(function, name, "d"), tree)
