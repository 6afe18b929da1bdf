"""What people do to losses: smoothed labels, clipped outputs, an eps inside the logarithm, a drift penalty."""

from __future__ import annotations

from dataclasses import replace

from divmin.errors import DivminError
from divmin.grammar import Binary, Call, Negative, Node, Number, bound, plain, write
from divmin.objectives.base import Recipe
from divmin.objectives.registry import Named, recipe_of, register
from divmin.objectives.terms import Blend, Clipped, Term, Written


def smoothed(recipe: Recipe, real: float = 0.9, fake: float = 0.0) -> Recipe:
    """The critic's labels smoothed: data count as real with weight `real`, samples with weight `fake`; one-sided for fake = 0.

        l_p := real l_p + (1 - real) l_q        l_q := fake l_p + (1 - fake) l_q

    Args:
        recipe: any recipe with one loss a sample; its generator loss stays.
        real: the label of data, above `fake`, at most 1.
        fake: the label of samples, at least 0.

    Raises:
        DivminError: labels out of order.

    Example:
        >>> import divmin as dm
        >>> smoothed(dm.recipe("minimax"), 0.9, 0.1).name
        'smoothed(minimax, 0.9, 0.1)'

    Source: Salimans et al. 2016, section 3.4, for the one-sided form.
    """
    if not 0 <= fake < real <= 1:
        raise DivminError(f"smoothed needs labels 0 <= fake < real <= 1; got real={plain(real)}, fake={plain(fake)}")

    def label(value: float) -> Term:
        parts = [(value, recipe.real), (round(1 - value, 15), recipe.fake)]
        kept = tuple((factor, term) for factor, term in parts if factor)
        return kept[0][1] if len(kept) == 1 else Blend(kept)

    shown = f"{plain(real)}, {plain(fake)}" if fake else plain(real)
    return _changed(recipe, f"smoothed({recipe.name}, {shown})", label(real), label(fake), recipe.generator)


def clipped(recipe: Recipe, limit: float = 10.0) -> Recipe:
    """Every loss sees the critic's output cut to [-limit, limit].

    Args:
        recipe: any recipe with one loss a sample.
        limit: nats, above 0.

    Raises:
        DivminError: a limit that is not positive.

    Example:
        >>> import divmin as dm, torch
        >>> clipped(dm.recipe("huszar"), 5).generator(torch.tensor([8.0]))
        tensor([-5.])
    """
    if not limit > 0:
        raise DivminError(f"clipped needs a limit above 0; got {plain(limit)}")
    parts = (Clipped(each, limit) for each in (recipe.real, recipe.fake, recipe.generator))
    return _changed(recipe, f"clipped({recipe.name}, {plain(limit)})", *parts)


def epsilon(recipe: Recipe, eps: float = 1e-8) -> Recipe:
    """Logarithms of probabilities as public code writes them: log(sigmoid(c) + eps) in the place of log sigmoid(c).

    Args:
        recipe: one whose losses are written with softplus(c) and softplus(-c).
        eps: above 0.

    Raises:
        DivminError: a recipe written otherwise, or an eps that is not positive.

    Example:
        >>> import divmin as dm, torch
        >>> epsilon(dm.recipe("nonsaturating"), 1e-8).generator(torch.tensor([-30.0]))
        tensor([18.4207])
    """
    if not eps > 0:
        raise DivminError(f"epsilon needs an eps above 0; got {plain(eps)}")
    before = [_tree(recipe, each) for each in (recipe.real, recipe.fake, recipe.generator)]
    after = [_with_eps(each, eps) for each in before]
    if after == before:
        raise DivminError(f"epsilon needs losses written with softplus, as those of nonsaturating; got {recipe.name}")
    parts = [Written(write(each)) for each in after]
    return _changed(recipe, f"epsilon({recipe.name}, {plain(eps)})", *parts)


def drift(recipe: Recipe, weight: float = 1e-3) -> Recipe:
    """A penalty weight * c^2 on the critic's output on data alone, which keeps it near 0 and moves its optimum.

    Args:
        recipe: any recipe with one loss a sample.
        weight: above 0.

    Raises:
        DivminError: a weight that is not positive.

    Example:
        >>> import divmin as dm
        >>> str(drift(dm.recipe("wgan"), 0.001).real)
        '-c + 0.001*(c^2)'

    Source: Karras et al. 2018, appendix A.1.
    """
    if not weight > 0:
        raise DivminError(f"drift needs a weight above 0; got {plain(weight)}")
    real = Blend(((1.0, recipe.real), (weight, Written("c^2"))))
    return _changed(recipe, f"drift({recipe.name}, {plain(weight)})", real, recipe.fake, recipe.generator)


def _changed(recipe: Recipe, name: str, real: Term, fake: Term, generator: Term) -> Recipe:
    return replace(recipe, name=name, real=real, fake=fake, generator=generator, minimises=None)


def _tree(recipe: Recipe, term: Term) -> Node:
    if not isinstance(term, Written):
        raise DivminError(f"epsilon needs losses written with softplus, as those of nonsaturating; got {recipe.name}")
    return term.tree


def _with_eps(node: Node, eps: float) -> Node:
    match node:
        case Call("softplus", (argument,)):  # softplus(-c) = -log D, softplus(c) = -log(1 - D)
            data = isinstance(argument, Negative)
            inner = argument.operand if isinstance(argument, Negative) else argument
            chance: Node = Call("sigmoid", (inner,))
            chance = chance if data else Binary("-", Number(1.0), chance)
            return Negative(Call("log", (Binary("+", chance, Number(eps)),)))
        case Binary(symbol, left, right):
            return Binary(symbol, _with_eps(left, eps), _with_eps(right, eps))
        case Negative(operand):
            return Negative(_with_eps(operand, eps))
    return node


register(
    Named(
        "smoothed(recipe, real, fake)",
        lambda call: smoothed(recipe_of(call), *bound(call, {"real": 0.9, "fake": 0.0}, skip=1)),
        "Label smoothing of any recipe: one-sided by default, two-sided with a label for samples too.",
        "Salimans et al. 2016, section 3.4", ("label_smoothing",),
        ("smoothed(nonsaturating, 0.9)", "smoothed(nonsaturating, 0.9, 0.1)", "smoothed(minimax, 0.9)",
         "smoothed(minimax, 0.9, 0.1)"),
    )
)  # fmt: skip
register(
    Named(
        "clipped(recipe, limit)",
        lambda call: clipped(recipe_of(call), *bound(call, {"limit": 10.0}, skip=1)),
        "The losses see the critic's output cut to [-limit, limit], as public code does against overflow.",
        "public f-GAN code", ("logit_clipping",), ("clipped(nonsaturating, 10)",),
    )
)  # fmt: skip
register(
    Named(
        "epsilon(recipe, eps)",
        lambda call: epsilon(recipe_of(call), *bound(call, {"eps": 1e-8}, skip=1)),
        "log(sigmoid(c) + eps) in the place of log sigmoid(c), as public code does against log 0.",
        "public GAN code", ("log_eps",), ("epsilon(nonsaturating, 1e-8)",),
    )
)  # fmt: skip
register(
    Named(
        "drift(recipe, weight)",
        lambda call: drift(recipe_of(call), *bound(call, {"weight": 1e-3}, skip=1)),
        "A one-sided penalty on the squared output on data, which moves the critic's optimum.",
        "Karras et al. 2018, appendix A.1", (), ("drift(nonsaturating, 0.001)", "drift(wgan, 0.001)"),
    )
)  # fmt: skip
