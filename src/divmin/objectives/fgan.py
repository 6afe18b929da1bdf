"""Any divergence as a game: the f-GAN in the log-ratio, and hybrids of two."""

from __future__ import annotations

from divmin.errors import DivminError, NotSmoothError
from divmin.family import Divergence
from divmin.grammar import Call, Name, write
from divmin.objectives.base import Recipe
from divmin.objectives.registry import Named, divergence_of, register
from divmin.objectives.terms import Bound, Minus


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
        >>> import divmin as dm
        >>> fgan(dm.divergence("kl"), nonsaturating=True).minimises.name
        'reverse_kl'

    Source: Nowozin et al. 2016; Shannon et al., eqs. 13 and 40-42.
    """
    if nonsaturating:
        summary = "f-GAN with the generator minimising -E_q[a(d)]."
        return _pair(f"fgan({f.name}, nonsaturating)", f, Bound(f, 1), f.nonsaturating(), summary)
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
        >>> import divmin as dm
        >>> hybrid(dm.divergence("srkl"), dm.divergence("js")).minimises.name
        'softened_reverse_kl'

    Source: Shannon et al., eqs. 36-37.
    """
    summary = "The critic learns the log-ratio by the second divergence, the generator minimises the first."
    return _pair(f"hybrid({f.name}, {g.name})", g, Bound(f, 0), f, summary)


def _pair(name: str, critic: Divergence, reward: Bound, minimises: Divergence, summary: str) -> Recipe:
    trainable(critic, minimises)
    return Recipe(name, Minus(Bound(critic, 1)), Bound(critic, 0), Minus(reward), minimises, summary)


def trainable(*divergences: Divergence) -> None:
    """Refuse divergences whose f has a kink."""
    for part in divergences:
        if not part.smooth:
            raise NotSmoothError(
                f"{part.name} cannot train: its f has a kink, so a(d) and b(d) are flat and give no gradient"
            )


def _fgan_from(call: Call) -> Recipe:
    if len(call.arguments) not in (1, 2) or call.keywords:
        got = len(call.arguments) + len(call.keywords)
        raise DivminError(f"fgan takes a divergence, then maybe nonsaturating; got {got} arguments")
    if len(call.arguments) == 2 and call.arguments[1] not in (Name("nonsaturating"), Name("ns")):
        raise DivminError(f"the second argument of fgan can only be nonsaturating; got {write(call.arguments[1])}")
    return fgan(divergence_of(call), nonsaturating=len(call.arguments) == 2)


def _hybrid_from(call: Call) -> Recipe:
    if len(call.arguments) != 2 or call.keywords:
        got = len(call.arguments) + len(call.keywords)
        raise DivminError(f"hybrid takes two divergences, the generator's and the critic's; got {got}")
    return hybrid(divergence_of(call, 0), divergence_of(call, 1))


register(
    Named(
        "fgan(f)", _fgan_from,
        "f-GAN of any divergence in the log-ratio; fgan(f, nonsaturating) for the generator loss -E_q[a(d)].",
        "Nowozin et al. 2016; Shannon et al., eqs. 13 and 40-42", ("f_gan",),
        ("fgan(kl)", "fgan(kl, nonsaturating)", "fgan(js)", "fgan(reverse_kl, nonsaturating)"),
    )
)  # fmt: skip
register(
    Named(
        "hybrid(f, g)", _hybrid_from,
        "The generator minimises f while the critic learns the log-ratio by the bound of g.",
        "Shannon et al., eqs. 36-37", (), ("hybrid(srkl, js)", "hybrid(jeffreys, js)"),
    )
)  # fmt: skip
