"""Divergences of held-out data and samples from a critic that was trained on neither.

    D_f >= E_p[a_f(d)] - E_q[b_f(d)]   for any function d, with equality at the log-ratio

So a trained critic gives a lower bound whatever it has learned, if what it is read on is independent of what it was trained on.
Source: Nguyen et al. 2010; Shannon et al., eq. 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from divmin.errors import DivminError
from divmin.estimators import Calibration, Estimate
from divmin.estimators.calibration import calibrate
from divmin.estimators.cautions import about_the_ratio, about_the_value
from divmin.estimators.crossfit import Refits, Scores
from divmin.estimators.functionals import interval, lower_bound
from divmin.estimators.samples import Floats
from divmin.family import Divergence
from divmin.family.expression import divergence

if TYPE_CHECKING:
    from divmin.explanation.record import Link

FARTHEST, FINE = (
    60.0,
    2401,
)  # log-ratios at which a link is looked at, nats, and how many: between two it is off by 3e-4 at most
LABEL = "trained critic"


@dataclass(frozen=True)
class CriticReading:
    """What a trained critic says about two sets that it has not seen.

    Args:
        estimates: a lower bound for each divergence asked for.
        calibration: whether its log-ratios mean what they say; E_q[e^d] and E_p[e^-d] should be 1.
        link: how its output was turned into a log-ratio, in words.
        warnings: what to know before quoting a number.
    """

    estimates: tuple[Estimate, ...]
    calibration: Calibration
    link: str
    warnings: tuple[str, ...]

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "estimates": [each.to_dict() for each in self.estimates],
            "calibration": self.calibration.to_dict(),
            "link": self.link,
            "warnings": list(self.warnings),
        }

    def __str__(self) -> str:
        (slope, slope_error), (mean, mean_error) = self.calibration.slope, self.calibration.mean_ratio
        inverse, inverse_error = self.calibration.mean_inverse
        lines = [
            f"the {self.calibration.label} on n = {self.estimates[0].n[0]} data and m = {self.estimates[0].n[1]} samples; "
            f"{self.link}"
        ]
        lines += [f"  {each.headline}" for each in self.estimates]
        lines += [
            f"  calibration: slope {slope:.3f} +- {slope_error:.3f}, E_q[e^d] = {mean:.4g} +- {mean_error:.2g}, "
            f"E_p[e^-d] = {inverse:.4g} +- {inverse_error:.2g}; 1 is perfect"
        ]
        said = [*self.warnings, *(f"{each.divergence}: {w}" for each in self.estimates for w in each.warnings)]
        return "\n".join(lines + [f"  warning: {each}" for each in said])


def from_critic(
    divergences: str | Divergence | Sequence[str | Divergence],
    real: Any,
    fake: Any,
    *,
    link: Link | None = None,
    warnings: Sequence[str] = (),
    label: str = LABEL,
    seen: bool = False,
) -> CriticReading:
    """Lower bounds from the scores of a trained critic, with its calibration.

        E_p[a_f(d)] - E_q[b_f(d)]

    Args:
        divergences: names, expressions or objects.
        real, fake: the critic's scores of held-out data [n] and of samples [m], at least 10 of each.
        link: what the best critic's output is, from `divmin.explain(recipe).link`; its inverse turns scores into log-ratios. When
            None the scores are taken for log-ratios, which is a bound too, but a loose one where they are something else.
        warnings: what else is to be said, such as that the data was trained on.
        label: what to call the critic.
        seen: whether it was trained on the data, so that its values bound nothing.

    Returns:
        Bounds with standard errors and 95% intervals, nats.

    Raises:
        DivminError: scores that are not finite, or too few.

    Example:
        >>> random = np.random.default_rng(0)
        >>> x, y = random.normal(1, 1, 4000), random.normal(0, 1, 4000)  # log p/q = x - 1/2, KL = 1/2
        >>> kl = from_critic("kl", x - 0.5, y - 0.5).estimates[0]
        >>> kl.kind, kl.interval[0] < 0.5 < kl.interval[1]
        ('lower bound', True)
    """
    asked = [divergences] if isinstance(divergences, str | Divergence) else list(divergences)
    members = [divergence(each) if isinstance(each, str) else each for each in asked]
    if not members:
        raise DivminError("no divergence is named: give at least one, such as kl")
    x, y = (_scores(name, each) for name, each in (("data", real), ("samples", fake)))
    convert, words = log_ratios(link)
    scores = _judged(convert(x), convert(y))
    # One fit that saw none of these samples: its noise can't be told from them, and nothing is put back.
    refits = Refits(scores.x[None], scores.y[None], 0.0)
    found = []
    for f in members:
        value = lower_bound(f, scores, refits)
        found.append(
            Estimate(
                divergence=f.name,
                value=value.value,
                stderr=value.stderr,
                interval=interval(value, f),
                kind="no bound" if seen else value.kind,
                shortfall=value.shortfall,
                method=label,
                n=(len(x), len(y)),
                seed=0,
                tried=(),
                warnings=tuple(about_the_value(f, value, scores)),
            )
        )
    said = (*warnings, *about_the_ratio(scores))
    return CriticReading(tuple(found), calibrate(scores, label=label), words, said)


def log_ratios(link: Link | None) -> tuple[Callable[[Floats], Floats], str]:
    """The inverse of a link, as a function of scores [n], and what it is in words.

    Scores beyond all best outputs get the log-ratio at that end. Where the link does not tell every ratio, scores are taken as they
    are: the bound holds for any function of x.

    Args:
        link: what the best critic's output is at each log-ratio; None for scores that are log-ratios.

    Example:
        >>> import divmin as dm
        >>> convert, words = log_ratios(dm.explain("lsgan").link)  # the best output is a sigmoid of d
        >>> convert(np.array([0.5, 0.75])).round(3), words
        (array([0.   , 1.099]), "d from the inverse of the recipe's link, c* = u/(u + 1): tells every ratio")
    """
    if link is None:
        return (lambda c: c), "its output is taken for d"
    if link.is_log_ratio:
        return (lambda c: c), "its output is d"
    if not link.identified:
        return (lambda c: c), "its output is taken for d, since this recipe's best critic does not tell every ratio"
    grid = torch.linspace(-FARTHEST, FARTHEST, FINE, dtype=torch.float64)
    outputs: Any = link(grid)
    d, c = grid.numpy(), outputs.numpy()
    kept = np.isfinite(c)
    d, c = d[kept], c[kept]
    if link.falling:
        d, c = d[::-1], c[::-1]
    rising = np.concatenate(
        [[True], np.diff(np.maximum.accumulate(c)) > 0]
    )  # where rounding leaves the output flat, its first d
    d, c = d[rising], c[rising]
    return (lambda scores: np.interp(scores, c, d)), f"d from the inverse of the recipe's link, {link}"


def _scores(name: str, values: Any) -> Floats:
    tensor = values.detach().cpu().double() if isinstance(values, Tensor) else values
    scores: Floats = np.asarray(tensor, dtype=np.float64).reshape(-1)
    if len(scores) < 10:
        raise DivminError(f"{len(scores)} scores of {name}: expected at least 10")
    if broken := int((~np.isfinite(scores)).sum()):
        raise DivminError(f"{broken} of {len(scores)} scores of {name} are not finite: the critic has diverged")
    return scores


def _judged(x: Floats, y: Floats) -> Scores:
    one = [np.ones(len(each)) for each in (x, y)]
    none = [np.zeros(len(each), dtype=np.int64) for each in (x, y)]
    return Scores(x, y, one[0], one[1], none[0], none[1])
