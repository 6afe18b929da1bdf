"""The named recipes: what text stands for which pair of losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from divmin.errors import DivminError, NotSmoothError, suggest
from divmin.family import Divergence
from divmin.family.expression import build, divergence
from divmin.grammar import Call, Name, Node, parse, write
from divmin.objectives.base import Recipe
from divmin.objectives.reduce import Bound, Minus


@dataclass(frozen=True)
class Named:
    """A recipe of the registry: how it is written, and how its arguments become a Recipe."""

    usage: str
    make: Callable[[tuple[Node, ...]], Recipe]
    summary: str
    source: str
    aliases: tuple[str, ...] = ()
    example: str = ""

    @property
    def name(self) -> str:
        return self.usage.partition("(")[0]


_named: dict[str, Named] = {}


def register(named: Named) -> None:
    """Add a recipe under its name and aliases; a taken name is an error."""
    for name in (named.name, *named.aliases):
        if name in _named:
            raise DivminError(f"the recipe name '{name}' is taken by {_named[name].usage}")
        _named[name] = named


def recipes() -> dict[str, Named]:
    """The registry of recipes: name to usage, summary and source.

    Returns:
        A new dict without the aliases, in the order of registration.

    Example:
        >>> recipes()["fgan"].usage
        'fgan(f)'
    """
    return {named.name: named for name, named in _named.items() if name == named.name}


def recipe(what: str | Recipe) -> Recipe:
    """The recipe that a text stands for.

    Args:
        what: "minimax", "nonsaturating", "fgan(kl)", "fgan(kl, nonsaturating)", "hybrid(srkl, js)", "huszar", with any
            expression of the catalogue in the place of a divergence. A Recipe is returned as it is.

    Returns:
        A frozen Recipe.

    Raises:
        DivminError: one line, naming the nearest known recipe.

    Example:
        >>> recipe("nonsaturating").minimises.name
        '0.5*softened_reverse_kl'
    """
    if isinstance(what, Recipe):
        return what
    node = parse(what)
    if not isinstance(node, Name | Call):
        raise DivminError(f"'{what}' is not a recipe; expected a name such as nonsaturating or fgan(kl)")
    name = (node.text if isinstance(node, Name) else node.name).lower()
    if name not in _named:
        raise DivminError(f"unknown recipe '{name}': {suggest(name, tuple(_named))}")
    if isinstance(node, Call) and node.keywords:
        raise DivminError(f"{_named[name].usage} takes no named arguments")
    return _named[name].make(node.arguments if isinstance(node, Call) else ())


# --- the losses that everyone uses ----------------------------------------------------------------------------------------


def _logistic_real(c: Tensor) -> Tensor:
    return softplus(-c)


def _logistic_fake(c: Tensor) -> Tensor:
    return softplus(c)


def _saturating(c: Tensor) -> Tensor:
    return -softplus(c)  # log(1 - sigma(c))


def _without_arguments(
    usage: str, generator: Callable[[Tensor], Tensor], minimises: str, summary: str
) -> Callable[[tuple[Node, ...]], Recipe]:
    def make(arguments: tuple[Node, ...]) -> Recipe:
        if arguments:
            raise DivminError(f"{usage} takes no arguments; got {len(arguments)}")
        return Recipe(usage, _logistic_real, _logistic_fake, generator, divergence(minimises), summary)

    return make


def _logistic(
    usage: str,
    generator: Callable[[Tensor], Tensor],
    minimises: str,
    summary: str,
    source: str,
    aliases: tuple[str, ...],
) -> Named:
    return Named(usage, _without_arguments(usage, generator, minimises, summary), summary, source, aliases, usage)


register(
    _logistic(
        "minimax", _saturating, "2*js",
        "Logistic critic; the generator minimises log(1 - sigma(c)): 2 JS, with a gradient that vanishes on fakes.",
        "Goodfellow et al. 2014, eq. 1", ("saturating", "gan_minimax"),
    )
)  # fmt: skip
register(
    _logistic(
        "nonsaturating", _logistic_real, "0.5*softened_reverse_kl",
        "Logistic critic; the generator minimises -log sigma(c): half the softened reverse KL, not Jensen-Shannon.",
        "Goodfellow et al. 2014, section 3; Shannon et al., section 9", ("ns", "non_saturating", "gan"),
    )
)  # fmt: skip
register(
    _logistic(
        "huszar", Tensor.neg, "reverse_kl",
        "Logistic critic; the generator minimises -c: the reverse KL.",
        "Huszar 2016", ("reverse_kl_gan",),
    )
)  # fmt: skip


# --- any divergence ----------------------------------------------------------------------------------------------------


def fgan(f: Divergence, nonsaturating: bool = False) -> Recipe:
    """The f-GAN in the log-ratio: the critic maximises E_p[a(d)] - E_q[b(d)] and estimates d itself.

    The generator minimises -E_q[b(d)], or -E_q[a(d)] when non-saturating, which is the divergence f''/u.

    Args:
        f: a smooth divergence.
        nonsaturating: which of the two the generator minimises.

    Returns:
        The recipe.

    Raises:
        NotSmoothError: when f has a kink, so that its critic has no gradient to learn from.

    Example:
        >>> fgan(divergence("kl"), nonsaturating=True).minimises.name
        'reverse_kl'

    Source: Nowozin et al. 2016; Shannon et al., eqs. 13 and 40-42.
    """
    if nonsaturating:
        return _pair(
            f"fgan({f.name}, nonsaturating)",
            f,
            Bound(f, 1),
            f.nonsaturating(),
            "f-GAN with the generator minimising -E_q[a(d)].",
        )
    return _pair(f"fgan({f.name})", f, Bound(f, 0), f, "f-GAN: critic and generator play the bound on one divergence.")


def hybrid(f: Divergence, g: Divergence) -> Recipe:
    """Two divergences: the critic learns d by the bound of g, the generator minimises f.

    Args:
        f: what the generator minimises, by -E_q[b_f(d)].
        g: a smooth divergence, whose bound the critic maximises.

    Returns:
        The recipe.

    Raises:
        NotSmoothError: when either has a kink.

    Example:
        >>> hybrid(divergence("srkl"), divergence("js")).minimises.name
        'softened_reverse_kl'

    Source: Shannon et al., eqs. 36-37.
    """
    return _pair(
        f"hybrid({f.name}, {g.name})",
        g,
        Bound(f, 0),
        f,
        "The critic learns the log-ratio by the second divergence, the generator minimises the first.",
    )


def _pair(name: str, critic: Divergence, reward: Bound, minimises: Divergence, summary: str) -> Recipe:
    for part in (critic, minimises):
        if not part.smooth:
            raise NotSmoothError(
                f"{part.name} cannot train: its f has a kink, so a(d) and b(d) are flat and give no gradient"
            )
    return Recipe(name, Minus(Bound(critic, 1)), Bound(critic, 0), Minus(reward), minimises, summary)


def _fgan_from(arguments: tuple[Node, ...]) -> Recipe:
    if len(arguments) not in (1, 2):
        raise DivminError(f"fgan takes a divergence, then maybe nonsaturating; got {len(arguments)} arguments")
    if len(arguments) == 2 and arguments[1] not in (Name("nonsaturating"), Name("ns")):
        raise DivminError(f"the second argument of fgan can only be nonsaturating; got {write(arguments[1])}")
    return fgan(build(arguments[0], write(arguments[0])), nonsaturating=len(arguments) == 2)


def _hybrid_from(arguments: tuple[Node, ...]) -> Recipe:
    if len(arguments) != 2:
        raise DivminError(f"hybrid takes two divergences, the generator's and the critic's; got {len(arguments)}")
    return hybrid(*(build(each, write(each)) for each in arguments))


register(
    Named(
        "fgan(f)", _fgan_from,
        "f-GAN of any divergence in the log-ratio; fgan(f, nonsaturating) for the generator loss -E_q[a(d)].",
        "Nowozin et al. 2016; Shannon et al., eqs. 13 and 40-42", ("f_gan",), "fgan(kl)",
    )
)  # fmt: skip
register(
    Named(
        "hybrid(f, g)", _hybrid_from,
        "The generator minimises f while the critic learns the log-ratio by the bound of g.",
        "Shannon et al., eqs. 36-37", (), "hybrid(srkl, js)",
    )
)  # fmt: skip
