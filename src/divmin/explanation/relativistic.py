"""Relativistic recipes: what is known of them without data, and their weight for given data.

Pairing: the best critic is log p/q up to a constant, and the pull on a sample with log-ratio d is the mean over the data of
phi'-weights, w(d) = -E_p[phi'(d - d(x))]: a functional of the pushforward of p, not of the ratio alone.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from divmin.data.density import Density
from divmin.errors import DivminError
from divmin.explanation.examine import Pulled, examine
from divmin.explanation.probe import probe
from divmin.explanation.record import Explanation, Interval, Link
from divmin.explanation.verdict import verdict
from divmin.objectives import Relativistic

DRAWS = 20_000  # samples of p by which its pushforward is represented
WHOLE = (Interval(-torch.inf, torch.inf),)

PAIRING = (
    "No f-divergence: pairs of data and samples are compared, so the pull on a sample depends on all of the data. The best "
    "critic is log p/q up to a constant."
)
AVERAGE = (
    "No f-divergence: scores are compared with means over the other side, so the pull depends on all of data and model. The "
    "best critic is an increasing function of p/q that depends on them through four numbers, and runs away beyond two ratios."
)


FROM_PYTHON = (
    "for given data the pull is computed from Python: dm.explain({name}, p=, q=) with two distributions, or log_ratios= with "
    "values of log p/q at samples of the data"
)
TWO_SAMPLES = (
    "From two data sets, fit a classifier of data against samples and give its logits on data, minus log(number of data/number of "
    "samples), as log_ratios="
)


def explain_relativistic(recipe: Relativistic, p: Any = None, q: Any = None, log_ratios: Any = None) -> Explanation:
    """What is known; for pairing with data, the weight too."""
    known = p is not None or q is not None or log_ratios is not None
    link = None if recipe.average else Link("log(u) + constant", WHOLE, (), False, False, lambda d: d)
    if recipe.average:
        if known:
            raise DivminError(
                f"{recipe.name}: its pull for given data is not computed, since its best critic depends on means over data and "
                "model that would have to be solved for; p, q and log_ratios work with rpgan"
            )
        return _without(recipe, AVERAGE, link)
    if not known:
        return _without(recipe, PAIRING, link, (FROM_PYTHON.format(name=repr(recipe.name)),))
    at = _log_ratios(recipe.name, p, q, log_ratios)
    phi = probe(recipe.phi, f"{recipe.name}: phi")

    def pull(d: Tensor) -> Pulled:
        flat = d.reshape(-1)
        w = torch.cat([-phi.slope(each[:, None] - at).mean(1) for each in flat.split(64)]).reshape(d.shape)
        return Pulled(w, w.isfinite())

    found = verdict(recipe.name, pull, examine(pull, slow=True), link=link)
    sentence = (
        f"{PAIRING} For this data its pull is that of a divergence: {found.sentence[0].lower()}{found.sentence[1:]}"
    )
    return Explanation(
        **{
            **{name: getattr(found, name) for name in Explanation.__dataclass_fields__},
            "sentence": sentence,
            "is_divergence": False,
            "divergence": None,
            "name": None,
        }
    )


def _without(recipe: Relativistic, sentence: str, link: Link | None, notes: tuple[str, ...] = ()) -> Explanation:
    return Explanation(
        recipe.name,
        sentence,
        False,
        None,
        None,
        None,
        None,
        link,
        None,
        None,
        (),
        (),
        (),
        (),
        notes,
        pull=None,
        seen=None,
    )


def _log_ratios(name: str, p: Any, q: Any, log_ratios: Any) -> Tensor:
    """log p/q at samples of p."""
    if log_ratios is not None:
        if p is not None or q is not None:
            raise DivminError(f"{name}: give p and q, or log_ratios in their place, not both")
        try:
            at = torch.as_tensor(log_ratios, dtype=torch.float64).detach().reshape(-1)
        except (TypeError, ValueError, RuntimeError) as error:
            raise DivminError(f"{name}: log_ratios must be numbers, log p/q at samples of the data; {error}") from error
    else:
        at = _of_distributions(name, p, q)
    if not len(at):
        raise DivminError(f"{name}: log_ratios must be log p/q at samples of the data; got no values")
    bad = int((~at.isfinite()).sum())
    if bad:
        raise DivminError(f"{name}: log p/q must be finite at samples of the data; {bad} of {len(at)} values are not")
    return at


def _of_distributions(name: str, p: Any, q: Any) -> Tensor:
    if p is None or q is None:
        raise DivminError(f"{name}: give both p and q, or log_ratios at samples of the data")
    for which, each, needed in (("p", p, ("sample", "log_prob")), ("q", q, ("log_prob",))):
        if not all(callable(getattr(each, method, None)) for method in needed):
            raise DivminError(
                f"{name}: {which} must be a distribution with {' and '.join(needed)}, of torch.distributions or divmin.data; got "
                f"{type(each).__name__}. {TWO_SAMPLES}"
            )
    shapes = [_shape(p), _shape(q)]
    sizes = [None if shape is None else math.prod(shape) for shape in shapes]
    if None not in sizes and sizes[0] != sizes[1]:
        raise DivminError(f"{name}: p and q must have as many coordinates; got {sizes[0]} and {sizes[1]}")
    try:
        draws = _draw(p)
        with torch.no_grad():
            at = (_log_prob(p, draws, shapes[0]) - _log_prob(q, draws, shapes[1])).double().reshape(-1)
    except DivminError:
        raise
    except Exception as error:  # whatever a distribution raises, for example outside its support
        raise DivminError(f"{name}: log p/q at samples of p failed: {type(error).__name__}: {error}") from error
    return at


def _shape(law: Any) -> tuple[int, ...] | None:
    """Of one sample, where that is known."""
    if isinstance(law, Density):
        return (law.dim,)
    if isinstance(law, torch.distributions.Distribution):
        return (*law.batch_shape, *law.event_shape)
    return None


def _draw(p: Any) -> Tensor:
    if isinstance(p, Density):
        return p.sample(DRAWS, seed=0, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return p.sample((DRAWS,))  # type: ignore[no-any-return]


def _log_prob(law: Any, x: Tensor, shape: tuple[int, ...] | None) -> Tensor:
    found: Tensor = law.log_prob(x if shape is None else x.reshape(len(x), *shape))
    return found.reshape(len(x), -1).sum(1)
