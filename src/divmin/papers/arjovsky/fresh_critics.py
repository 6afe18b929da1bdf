"""What fresh critics against frozen generators show, as arrays over critic steps and as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from divmin.adversary import Contest

Floats = NDArray[np.float64]


def curves_of(seen: Contest) -> dict[str, object]:
    """The looks of one contest as arrays over critic steps [k]: step, loss, accuracy; mean and sd of both gradients."""
    from divmin.adversary.pulls import NONSATURATING, SATURATING

    lengths = {"minimax": SATURATING, "nonsaturating": NONSATURATING}
    return {
        "step": [look.step for look in seen.looks],
        "loss": [look.loss for look in seen.looks],
        "accuracy": [look.accuracy for look in seen.looks],
        **{name: [look.gradients[pull].mean for look in seen.looks] for name, pull in lengths.items()},
        **{f"{name} sd": [look.gradients[pull].sd for look in seen.looks] for name, pull in lengths.items()},
    }


@dataclass(frozen=True)
class Watched:
    """Contests of several generators with several seeds each.

    Args:
        step: critic steps of the looks [k].
        curves: by name, what was seen [generators, seeds, k].
    """

    step: Floats
    curves: Mapping[str, Floats]

    @classmethod
    def of(cls, pieces: Sequence[Sequence[Mapping[str, NDArray[Any]]]]) -> Watched:
        """From the arrays of `curves_of`, by generator and seed."""
        names = [name for name in pieces[0][0] if name != "step"]
        stacked = {name: np.array([[each[name] for each in row] for row in pieces], dtype=np.float64) for name in names}
        return cls(np.asarray(pieces[0][0]["step"], dtype=np.float64), stacked)

    def first(self, name: str) -> Floats:
        """At step 0 [generators, seeds]."""
        return self.curves[name][..., 0]

    def last(self, name: str) -> Floats:
        """At the last step [generators, seeds]."""
        return self.curves[name][..., -1]

    def peak(self, name: str) -> Floats:
        """The largest of all looks [generators, seeds]."""
        return np.asarray(np.max(self.curves[name], axis=-1), dtype=np.float64)

    def right_from(self, share: float = 1.0) -> Floats:
        """The look from which on the held-out accuracy never fell below a share, in steps [generators, seeds]; infinite if none."""
        wrong = self.curves["accuracy"] < share
        after = wrong.shape[-1] - wrong[..., ::-1].argmax(axis=-1)  # the look after the last wrong one
        after = np.where(wrong.any(axis=-1), after, 0)
        return np.append(self.step, np.inf)[after]

    def decades(self, name: str) -> Floats:
        """log10 of the largest over the last [generators, seeds]: how far a gradient fell."""
        return np.asarray(np.log10(self.peak(name) / self.last(name)))

    def growth(self, name: str) -> Floats:
        """The last over the first [generators, seeds]."""
        return self.last(name) / self.first(name)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, for a picture."""
        return {"step": self.step, **self.curves}


def running_average(curve: Floats, looks: int) -> Floats:
    """The mean of the last looks up to each, or of as many as there are.

    >>> running_average(np.array([4.0, 2.0, 0.0]), 2)
    array([4., 3., 1.])
    """
    return np.array([curve[max(0, i + 1 - looks) : i + 1].mean() for i in range(len(curve))])


def draw_curves(
    ax: Axes,
    step: Floats,
    curves: Floats,
    labels: Sequence[str],
    spread: Floats | None = None,
    *,
    log: bool = True,
    running: int = 1,
) -> None:
    """One line a generator: the median of seeds, with the range of seeds, or one sd between batches, as a band.

    Args:
        ax: to draw on.
        step: critic steps [k].
        curves: [generators, seeds, k].
        labels: of generators.
        spread: sd between batches of z [generators, seeds, k].
        log: whether the vertical axis is logarithmic.
        running: looks over which the line is averaged, up to each; the median itself is then a thin line.
    """
    for i, label in enumerate(labels):
        colour, dash = line_style(i)
        middle = np.median(curves[i], axis=0)
        low, high = curves[i].min(axis=0), curves[i].max(axis=0)
        if spread is not None:
            around = np.median(spread[i], axis=0)
            low, high = np.maximum(middle - around, middle / 100), middle + around  # a logarithmic axis has no zero
        if running > 1:
            ax.plot(step, middle, color=colour, linewidth=0.7, alpha=0.5)
            middle = running_average(middle, running)
        ax.plot(step, middle, color=colour, linestyle=dash, label=label)
        ax.fill_between(step, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.set_xscale("symlog", linthresh=1, linscale=0.3)
    ax.set_xlim(0, step[-1])
    ends = [0, *(10**k for k in range(int(np.log10(step[-1])) + 1))]
    ax.set_xticks(ends, [str(each) for each in ends])
    ax.set_xlabel("critic steps")
    if log:
        ax.set_yscale("log")
