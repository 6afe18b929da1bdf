"""Data terms -E_p[G(c(x)) log q(x)]: what they weigh, and the bound on -log q(x) that an encoder gives.

Source: Berger & Sebag, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from divmin.errors import DivminError
from divmin.objectives.bound import prior_gap, reparameterised, squared_error


@dataclass(frozen=True)
class DataTerm:
    """A weight G of -log q on data.

    Args:
        weight: G as a function of the critic's scores, at least 0.
        constant: its value, where it does not depend on them.
    """

    weight: Callable[[Tensor], Tensor]
    constant: float | None


@dataclass(frozen=True)
class Bound:
    """-log q(x) from above, for each sample: reconstruction + prior, in nats, without the constant of p(x|z).

    Args:
        reconstruction: -log p(x|z), [n].
        prior: KL(q(z|x) || N(0, 1)), [n].
        z: the draws from q(z|x), [n, latent].
    """

    reconstruction: Tensor
    prior: Tensor
    z: Tensor


def bound(
    generator: nn.Module,
    encoder: nn.Module,
    features: Callable[[Tensor], Tensor],
    data: Tensor,
    noise: Tensor,
    sd: float,
) -> Bound:
    """The negative evidence lower bound with a Gaussian on features of the picture.

        -log N(features(x); features(generator(z)), sd^2) + KL(q(z|x) || N(0, 1))        z = mean + e^(log_variance/2) noise

    Args:
        generator, encoder: the networks.
        features: what the Gaussian describes; the identity for pixels.
        data: x [n, ...].
        noise: standard normal [n, latent].
        sd: the Gaussian's standard deviation.
    """
    code = encoder(data)
    z = reparameterised(code, noise)
    with torch.no_grad():
        wanted = features(data)
    return Bound(squared_error(wanted, features(generator(z)), sd), prior_gap(code), z)


PLACES = torch.linspace(-20, 20, 41)  # scores at which a term is asked whether it changes


def data_term(recipe: Any) -> DataTerm | None:
    """The data term of a recipe; None where it has none.

    Raises:
        DivminError: a weight that is negative somewhere: a bound from above cannot be maximised.

    >>> import divmin as dm
    >>> data_term(dm.recipe("sdkl")).constant, data_term(dm.recipe("minimax"))
    (1.0, None)
    """
    weight = getattr(recipe, "likelihood", None)
    if weight is None:
        return None
    values = weight(PLACES)
    if bool((values < 0).any()):
        at = float(PLACES[values < 0][0])
        raise DivminError(
            f"the weight of -log q in {recipe.name} is negative at a score of {at:g}; expected at least 0 everywhere, since -log q "
            "is only known from above"
        )
    return DataTerm(weight, float(values[0]) if bool((values == values[0]).all()) else None)


def plays(recipe: Any) -> bool:
    """Whether the generator's adversarial loss changes with the scores.

    >>> import divmin as dm
    >>> plays(dm.recipe("berger_kl")), plays(dm.recipe("sdkl"))
    (False, True)
    """
    term = getattr(recipe, "generator", None)
    if not callable(term):
        return True
    values = term(PLACES)
    return not bool((values == values[0]).all())
