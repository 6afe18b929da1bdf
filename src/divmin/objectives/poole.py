"""Generator losses made from an f at the ratio that a logistic critic reports: as Poole et al. published them, and exactly.

poole(f)    h(c) = f_G(e^c), the estimate of D_f itself: its gradient is that of F'' = -f_G'/u, not of f_G
exact(f)    h(c) = -b_f(c), whose gradient is that of D_f
"""

from __future__ import annotations

import math
from dataclasses import replace

from divmin.errors import DivminError
from divmin.family import Divergence, divergence
from divmin.grammar import Call, Name, bound, plain
from divmin.objectives.base import Recipe
from divmin.objectives.fgan import trainable
from divmin.objectives.logistic import FAKE, REAL
from divmin.objectives.registry import Named, divergence_of, register
from divmin.objectives.terms import Bound, Minus, Valued, Written

# f_G'(1) of the functions as they stand in the paper; those that are not listed were printed with f_G'(1) = 0.
PUBLISHED = {"kl": 1.0, "reverse_kl": -1.0, "igog": -0.5}


def poole(f: Divergence, affine: float | None = None) -> Recipe:
    """The generator minimises the plug-in estimate E_q[f_G(e^c)] of a divergence, with a logistic critic.

        h(c) = f(e^c) + affine (e^c - 1)

    Adding a multiple of u - 1 to f leaves D_f as it is, but not this loss: its gradient gains -affine grad KL(p||q).

    Args:
        f: the divergence, as f with f(1) = f'(1) = 0.
        affine: the slope f_G'(1) of the function that is meant; None takes it as published (1 for u log u, -1 for -log u).

    Returns:
        The recipe; `divmin.explain` says what it minimises.

    Raises:
        NotSmoothError: when f has a kink.

    Example:
        >>> import divmin as dm, torch
        >>> poole(dm.divergence("kl")).generator(torch.tensor([2.0])) / torch.tensor(2.0).exp()  # u log u
        tensor([2.])

    Source: Poole et al. 2016, eq. 3; Shannon et al., eq. 53.
    """
    trainable(f)
    slope = PUBLISHED.get(f.name, 0.0) if affine is None else float(affine)
    shown = f.name if affine is None else f"{f.name}, affine={plain(slope)}"
    summary = "Logistic critic; the generator minimises the plug-in estimate E_q[f_G(e^c)]."
    return Recipe(f"poole({shown})", Written(REAL), Written(FAKE), Valued(f, slope), None, summary)


def exact(f: Divergence) -> Recipe:
    """A logistic critic, and the generator loss -E_q[b_f(c)] whose gradient is that of D_f.

    Args:
        f: a smooth divergence.

    Returns:
        The recipe.

    Raises:
        NotSmoothError: when f has a kink.

    Example:
        >>> import divmin as dm
        >>> exact(dm.divergence("kl")).minimises.name
        'kl'

    Source: Shannon et al., eqs. 35-37.
    """
    trainable(f)
    summary = "Logistic critic; the generator minimises -E_q[b_f(c)], which follows the gradient of D_f."
    return Recipe(f"exact({f.name})", Written(REAL), Written(FAKE), Minus(Bound(f, 0)), f, summary)


def _poole_from(call: Call) -> Recipe:
    if not call.arguments:
        raise DivminError("poole takes a divergence, as in poole(kl)")
    if call.arguments[0] == Name("gan"):  # the paper's row u log u - (u + 1) log(u + 1)
        published = poole(2 * divergence("js"), *bound(call, {"affine": -math.log(2)}, skip=1))
        return published if call.keywords or len(call.arguments) > 1 else replace(published, name="poole(gan)")
    written = call.keywords or len(call.arguments) > 1
    affine = bound(call, {"affine": None}, skip=1)[0] if written else None
    return poole(divergence_of(call), affine)


def _exact_from(call: Call) -> Recipe:
    if len(call.arguments) != 1 or call.keywords:
        raise DivminError("exact takes one divergence, as in exact(kl)")
    return exact(divergence_of(call))


register(
    Named(
        "poole(f, affine)", _poole_from,
        "Logistic critic; the generator minimises E_q[f_G(e^c)], an estimate of D_f, with f_G as published or any slope at 1.",
        "Poole et al. 2016, eq. 3", (),
        ("poole(kl)", "poole(reverse_kl)", "poole(igog)", "poole(gan)", "poole(js)", "poole(hellinger)", "poole(jeffreys)",
         "poole(kl, affine=0)", "poole(power(0.5), affine=-2)"),
    )
)  # fmt: skip
register(
    Named(
        "exact(f)", _exact_from,
        "Logistic critic; the generator minimises -E_q[b_f(c)]: exactly D_f, whatever f is.",
        "Shannon et al., eqs. 35-37", (), ("exact(kl)", "exact(softened_kl)"),
    )
)  # fmt: skip
