"""Relativistic recipes: what is known of them without data, and their weight for given data.

Pairing: the best critic is log p/q up to a constant, and the pull on a sample with log-ratio d is the mean over the data of
phi'-weights, w(d) = -E_p[phi'(d - d(x))]: a functional of the pushforward of p, not of the ratio alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.explanation.examine import Pulled
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


def explain_relativistic(
    recipe: Relativistic, notes: tuple[str, ...], p: Any = None, q: Any = None, log_ratios: Any = None
) -> Explanation:
    """What is known; for pairing with data, the weight too."""
    known = p is not None or q is not None or log_ratios is not None
    link = None if recipe.average else Link("log(u) + constant", WHOLE, (), False, False, lambda d: d)
    if recipe.average:
        if known:
            raise DivminError(f"{recipe.name}: its weight for given data is not worked out; rpgan's is")
        return _without(recipe, AVERAGE, link, notes)
    if not known:
        return _without(recipe, PAIRING, link, notes)
    at = _log_ratios(recipe.name, p, q, log_ratios)
    phi = probe(recipe.phi, f"{recipe.name}: phi")

    def pull(d: Tensor) -> Pulled:
        flat = d.reshape(-1)
        w = torch.cat([-phi.slope(each[:, None] - at).mean(1) for each in flat.split(64)]).reshape(d.shape)
        return Pulled(w, w.isfinite())

    from divmin.explanation.examine import examine

    found = verdict(recipe.name, pull, examine(pull, slow=True), link=link, warnings=notes)
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


def _without(recipe: Relativistic, sentence: str, link: Link | None, notes: tuple[str, ...]) -> Explanation:
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
        at = torch.as_tensor(log_ratios, dtype=torch.float64).detach().reshape(-1)
    else:
        if p is None or q is None:
            raise DivminError(f"{name}: give both p and q, or log_ratios at samples of the data")
        draws = _draw(p)
        with torch.no_grad():
            at = (_log_prob(p, draws) - _log_prob(q, draws)).double().reshape(-1)
    if not len(at) or not bool(at.isfinite().all()):
        raise DivminError(
            f"{name}: log p/q must be finite at samples of the data; got {len(at)} values, not all finite"
        )
    return at


def _draw(p: Any) -> Tensor:
    from divmin.data.density import Density

    if isinstance(p, Density):
        return p.sample(DRAWS, seed=0, dtype=torch.float64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return p.sample((DRAWS,))  # type: ignore[no-any-return]


def _log_prob(p: Any, x: Tensor) -> Tensor:
    found: Tensor = p.log_prob(x)
    return found.reshape(len(x), -1).sum(1)
