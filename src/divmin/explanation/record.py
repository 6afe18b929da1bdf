"""The answers of `divmin.explain`, as records."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from divmin import numerics
from divmin.family import Divergence, Tails
from divmin.grammar import plain
from divmin.numerics import Array

if TYPE_CHECKING:
    from torch import Tensor

    from divmin.explanation.examine import Examined, Pulled


def short(x: float) -> str:
    """A number for a sentence: six digits, no trailing zeros."""
    return f"{x:.6g}"


@dataclass(frozen=True)
class Interval:
    """Log-ratios from `low` to `high`, in nats; infinite where no end was seen."""

    low: float
    high: float

    @property
    def u_low(self) -> float:
        return math.exp(self.low) if self.low > -math.inf else 0.0

    @property
    def u_high(self) -> float:
        return math.exp(self.high) if self.high < math.inf else math.inf

    def __contains__(self, d: float) -> bool:
        return self.low < d < self.high

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "every u" if self.high == math.inf else f"u < {short(self.u_high)}"
        if self.high == math.inf:
            return f"u > {short(self.u_low)}"
        return f"{short(self.u_low)} < u < {short(self.u_high)}"


@dataclass(frozen=True)
class Mass:
    """A point mass of the weight at log-ratio `d`: the best critic jumps there and the generator's loss falls by `size`."""

    d: float
    size: float


@dataclass(frozen=True)
class Link:
    """What the best critic says: its output c*(d) at log-ratio d.

    Args:
        formula: c* as text in u, where one was found.
        identifies: where the output is strictly monotone in d, so that the ratio can be read off.
        runaway: where the critic's loss has no minimum, so that the output grows without end.
        falling: whether the output falls with d, so that lower means more real.
        is_log_ratio: whether c* = d.
        at: the link on float64 tensors.
        hidden: whether rounding hides a good part of it.
    """

    formula: str | None
    identifies: tuple[Interval, ...]
    runaway: tuple[Interval, ...]
    falling: bool
    is_log_ratio: bool
    at: Callable[[Tensor], Tensor] = field(repr=False, compare=False)
    hidden: bool = False

    @property
    def identified(self) -> bool:
        """Whether the output tells every ratio."""
        return len(self.identifies) == 1 and not self.runaway and str(self.identifies[0]) == "every u"

    def __call__(self, d: Array) -> Array:
        """c*(d) like d: tensors of any float dtype, arrays or numbers; infinite where the output runs away."""

        def at(x: Tensor) -> Tensor:
            c = self.at(x.double())
            return c.where(~self.runs_away(x), c.sign() * math.inf).to(x.dtype)

        return numerics.apply(at, d)

    def runs_away(self, d: Tensor) -> Tensor:
        """Where the critic's loss has no minimum."""
        away = d != d
        for each in self.runaway:
            away = away | ((d > each.low) & (d < each.high))
        return away

    def __str__(self) -> str:
        what = f"c* = {self.formula}" if self.formula else "c*, found numerically"
        if self.is_log_ratio:
            return f"{what}: the log-ratio itself"
        if self.identified:
            seen = " that rounding lets one see" if self.hidden else ""
            return f"{what}: tells every ratio{seen}" + (", lower for more real" if self.falling else "")
        if not self.identifies:
            return "does not tell the ratio"
        return f"{what}: tells the ratio only for {' and '.join(map(str, self.identifies))}"


@dataclass(frozen=True)
class Near:
    """A divergence of the catalogue, and how far off it is: the standard deviation of the difference of log w for |d| <= 4."""

    name: str
    distance: float


@dataclass(frozen=True)
class Saturation:
    """What the pull w on a model sample does far out, left (fake-looking samples) and right (data that the model misses)."""

    left: str
    right: str


@dataclass(frozen=True)
class Explanation:
    """What a generator minimises whose critic is at its optimum.

    Args:
        subject: what was explained.
        sentence: the answer in one sentence.
        is_divergence: whether there is an f-divergence D_F whose gradient the generator follows.
        divergence: it, where it can be built.
        name: as a multiple of an entry of the catalogue, or of an expression.
        expression: it in the algebra of the catalogue, from simpler members; None where none was found.
        formula: F''(u) as text, where a closed form was found.
        link: what the best critic says; None where there is no critic.
        tails: tail weights and constants; None where the weight has no sign.
        saturation: the pull far out.
        region_pushed_away: where model samples are pushed towards lower p/q, away from the data.
        region_without_pull: where the generator gets no gradient.
        masses: point masses of the weight.
        nearest: what it resembles, where it has no name.
        warnings: what a user of this recipe should know.
        pull: the weight on float64 tensors, with a mask of where it is sound.
        seen: the weight on the grid on which it was looked at, for pictures.
    """

    subject: str
    sentence: str
    is_divergence: bool
    divergence: Divergence | None
    name: str | None
    expression: str | None
    formula: str | None
    link: Link | None
    tails: Tails | None
    saturation: Saturation | None
    region_pushed_away: tuple[Interval, ...]
    region_without_pull: tuple[Interval, ...]
    masses: tuple[Mass, ...]
    nearest: tuple[Near, ...]
    warnings: tuple[str, ...]
    pull: Callable[[Tensor], Pulled] | None = field(repr=False, compare=False)
    seen: Examined | None = field(repr=False, compare=False)

    @property
    def span(self) -> float:
        """The largest |d| of a picture: 8 nats, or as far as anything begins, ends or jumps and a third on, at most 40."""
        told = () if self.link is None else (*self.link.identifies, *self.link.runaway)
        intervals = (*self.region_pushed_away, *self.region_without_pull, *told)
        places = [*(end for x in intervals for end in (x.low, x.high)), *(mass.d for mass in self.masses)]
        furthest = max((abs(d) for d in places if math.isfinite(d)), default=0.0)
        return min(max(8.0, 2.0 * math.ceil(0.65 * furthest)), 40.0)

    @property
    def formula_name(self) -> str:
        """Something to call it by: its name, its F'', or that it is none."""
        if self.name:
            return self.name
        if not self.is_divergence:
            return "no f-divergence"
        return f"F'' = {self.formula}" if self.formula else "an f-divergence without a name"

    def weight(self, d: Array) -> Array:
        """w_F(d): the pull on a model sample with log-ratio d; negative where it is pushed away from the data.

            the generator's gradient is -E_q[w_F(d) grad d]

        Args:
            d: log-ratios, any shape, nats.

        Returns:
            Weights, like `d`; NaN where rounding in the losses hides the answer, or the critic has no optimum.

        Raises:
            DivminError: when the weight depends on more than the ratio, so that it needs data.

        Example:
            >>> import divmin as dm
            >>> dm.explain("poole(kl)").weight(0.0)
            -1.0
        """
        from divmin.errors import DivminError

        if self.pull is None:
            raise DivminError(f"the weight of {self.subject} {_NEEDS_DATA}")
        pull, link = self.pull, self.link
        if self.divergence is not None and self.divergence.smooth:
            return self.divergence.weight(d)

        def at(x: Tensor) -> Tensor:
            d = x.double()
            got = pull(d)
            known = got.sound if link is None else got.sound & ~link.runs_away(d)
            return got.w.masked_fill(~known, math.nan).to(x.dtype)

        return numerics.apply(at, d)

    def to_record(self) -> dict[str, Any]:
        """The answer as plain values; an infinity is the text "inf" or "-inf"."""
        at = [-8.0, -4.0, -1.0, 0.0, 1.0, 4.0, 8.0]
        tails = self.tails
        return {
            "subject": self.subject,
            "sentence": self.sentence,
            "is_divergence": self.is_divergence,
            "name": self.name,
            "expression": self.expression,
            "F''": self.formula,
            "link": None
            if self.link is None
            else {
                "formula": self.link.formula,
                "is_log_ratio": self.link.is_log_ratio,
                "identified": self.link.identified,
                "identifies": _intervals(self.link.identifies),
                "runaway": _intervals(self.link.runaway),
                "falling": self.link.falling,
            },
            "tails": None
            if tails is None
            else {key: _plain(getattr(tails, key)) for key in ("R", "S", "C", "D", "confidence")},
            "left_bounded": None if tails is None else tails.left_bounded,
            "right_bounded": None if tails is None else tails.right_bounded,
            "saturation": None
            if self.saturation is None
            else {"left": self.saturation.left, "right": self.saturation.right},
            "region_pushed_away": _intervals(self.region_pushed_away),
            "region_without_pull": _intervals(self.region_without_pull),
            "masses": [{"d": mass.d, "size": mass.size} for mass in self.masses],
            "nearest": [{"name": near.name, "distance": near.distance} for near in self.nearest],
            "warnings": list(self.warnings),
            "d": at,
            "weight": None if self.pull is None or self.masses else [_plain(self.weight(d)) for d in at],
        }

    def __str__(self) -> str:
        rows = [
            ("minimises", self.formula_name),
            ("expression", self.expression),
            ("F''(u)", self.formula),
            ("best critic", None if self.link is None else str(self.link)),
            ("tail weights (R, S)", None if self.tails is None else tails_text(self.tails)),
            ("pull on fakes", None if self.saturation is None else self.saturation.left),
            ("pull on missed data", None if self.saturation is None else self.saturation.right),
            ("pushed away where", ", ".join(map(str, self.region_pushed_away)) or None),
            ("no pull where", ", ".join(map(str, self.region_without_pull)) or None),
            ("point masses", ", ".join(f"{short(x.size)} at u = {short(math.exp(x.d))}" for x in self.masses) or None),
            ("nearest", ", ".join(f"{near.name} ({near.distance:.2g})" for near in self.nearest) or None),
        ]
        lines = [f"{self.subject}: {self.sentence}"]
        lines += [f"  {label:<22}{value}" for label, value in rows if value]
        lines += [f"  warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


_NEEDS_DATA = "depends on the whole of the data, not on the ratio alone: give p= and q=, or log_ratios="


def tails_text(tails: Tails) -> str:
    """Tail weights with what they mean."""
    left, right = ("bounded" if side else "unbounded" for side in (tails.left_bounded, tails.right_bounded))
    how = "" if tails.confidence is None else f", measured to +-{tails.confidence:.1g}"
    return f"{tails}{how}: left-{left}, right-{right}"


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _intervals(intervals: tuple[Interval, ...]) -> list[dict[str, float | str | None]]:
    return [
        {"d_low": _plain(x.low), "d_high": _plain(x.high), "u_low": _plain(x.u_low), "u_high": _plain(x.u_high)}
        for x in intervals
    ]


def multiple(factor: float, text: str) -> str:
    """A factor before a name, not written when it is 1."""
    return text if factor == 1 else f"{plain(factor)}*{text}"
