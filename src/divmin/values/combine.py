"""From several laws to one: torch's own mixtures and products where the parts are of one family, ours where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution

from divmin.errors import DivminError
from divmin.values.compound import Given, Mixed, Product, dimension, discrete
from divmin.values.normal import normal_parameters
from divmin.values.precise import parameters

NESTED = (distributions.Independent, distributions.MixtureSameFamily, distributions.TransformedDistribution)


def mixture(weights: Tensor, parts: Sequence[Given]) -> Given:
    """The law that is part i with probability weights[i].

    Raises:
        DivminError: parts of different dimensions, or discrete ones beside continuous ones.
    """
    if len({dimension(part) for part in parts}) > 1:
        raise DivminError(
            f"a mixture of laws in {' and '.join(str(dimension(part)) for part in parts)} dimensions: expected one space"
        )
    if len({discrete(part) for part in parts}) > 1:
        raise DivminError("a mixture of discrete and continuous laws has no density: expected one kind")
    batch = stacked(parts)
    if batch is None:
        return Mixed(weights, tuple(parts))
    return distributions.MixtureSameFamily(distributions.Categorical(weights), batch)


def product(parts: Sequence[Given]) -> Given:
    """Independent laws beside each other."""
    flat = [each.base_dist if isinstance(each, distributions.Independent) else each for each in parts]
    made = _parameters(flat)
    if made is not None and all(value.shape == part.batch_shape for part, each in made for value in each.values()):
        family: type[Any] = type(made[0][0])
        joined = {name: torch.cat([each[name].reshape(-1) for _, each in made]) for name in made[0][1]}
        return distributions.Independent(family(**joined), 1)
    normal = [each for each in map(normal_parameters, parts) if each is not None]
    if len(normal) == len(parts):
        means, roots = zip(*normal, strict=True)
        return distributions.MultivariateNormal(torch.cat(means), scale_tril=torch.block_diag(*roots))
    return Product(tuple(parts))


def stacked(parts: Sequence[Given]) -> Distribution | None:
    """Laws of one family as one batch; None where they are of several families, or of several sizes."""
    inner = [each.base_dist for each in parts if isinstance(each, distributions.Independent)]
    if len(inner) == len(parts):
        batch = stacked(inner)
        return None if batch is None else distributions.Independent(batch, 1)
    made = _parameters(parts)
    if made is None or len({tuple(value.shape for value in each.values()) for _, each in made}) > 1:
        return None
    family: type[Any] = type(made[0][0])
    return family(**{name: torch.stack([each[name] for _, each in made]) for name in made[0][1]})  # type: ignore[no-any-return]


def _parameters(parts: Sequence[Given]) -> list[tuple[Distribution, dict[str, Tensor]]] | None:
    """Each law with what it is made from, where all are of one family of torch and spelt alike."""
    one = [each for each in parts if type(each) is type(parts[0]) and type(each) not in NESTED]
    if len(one) < len(parts):
        return None
    made = [
        (each, {name: torch.as_tensor(value, dtype=torch.float64) for name, value in parameters(each).items()})
        for each in one
        if isinstance(each, Distribution)
    ]
    same = len(made) == len(parts) and all(values.keys() == made[0][1].keys() for _, values in made)
    return made if same else None
