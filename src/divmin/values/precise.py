"""torch.distributions with parameters in float64, made anew so that no constant of theirs was computed in fewer digits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution


def precise(law: Distribution) -> Distribution:
    """The same law in float64 on the CPU, with gradients kept.

    Example:
        >>> precise(distributions.Normal(0.0, 1.0)).scale.dtype
        torch.float64
    """
    if isinstance(law, distributions.Independent):
        return distributions.Independent(precise(law.base_dist), law.reinterpreted_batch_ndims)
    if isinstance(law, distributions.MixtureSameFamily):
        weights: Any = precise(law.mixture_distribution)
        return distributions.MixtureSameFamily(weights, precise(law.component_distribution))
    if type(law) is distributions.TransformedDistribution:
        return distributions.TransformedDistribution(
            precise(law.base_dist), [_transform(each) for each in law.transforms]
        )
    return type(law)(**{name: _double(value) for name, value in parameters(law).items()})


def parameters(law: Distribution) -> dict[str, Any]:
    """What the law was made from: of the spellings of one parameter, such as probs and logits, the one that was given."""
    names = [name for name in law.arg_constraints if name in vars(law)] or list(law.arg_constraints)
    if "probs" in names and "logits" in names:  # one of them was made from the other when it was first asked for
        names.remove("logits")
    if isinstance(law, distributions.MultivariateNormal):
        given = [name for name in names if name != "loc"]
        names = ["loc", given[0] if given else "scale_tril"]
    found = {name: getattr(law, name) for name in names}
    for name in ("temperature", "total_count"):
        if hasattr(law, name) and name not in found:
            found[name] = getattr(law, name)
    return found


def _double(value: Any) -> Any:
    return value.double().cpu() if isinstance(value, Tensor) and value.is_floating_point() else value


def _transform(transform: Any) -> Any:
    if isinstance(transform, distributions.AffineTransform):
        loc, scale = (torch.as_tensor(part, dtype=torch.float64) for part in (transform.loc, transform.scale))
        return distributions.AffineTransform(loc, scale, transform.event_dim)
    if isinstance(transform, distributions.ComposeTransform):
        return distributions.ComposeTransform([_transform(part) for part in transform.parts])
    return transform
