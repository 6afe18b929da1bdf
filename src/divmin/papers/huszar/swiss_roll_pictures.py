"""Pictures of the swiss roll under three rules: the last samples with curves, and the film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Found
from divmin.papers.huszar.three_rules import LOSS, RULES
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WINDOW = 2.4  # the plane is shown from -WINDOW to WINDOW
LEVELS = (0.1, 0.4)  # of the density
CURVES = {
    "energy": "energy distance",
    "off": "share of samples off the roll",
    "covered": "share of parts with a sample",
}


def draw(found: Found, figure: Figure) -> None:
    arrays = found.arrays
    above, below = figure.subplots(2, 3)
    for i, ax in enumerate(above):
        _plane(ax, arrays, i)
        ax.scatter(*arrays[f"samples{i}"][-1].T, s=5, color=line_style(i)[0], label="samples")
    above[0].legend(fontsize="small", loc="upper left")
    for ax, (measure, name) in zip(below, CURVES.items(), strict=True):
        for i, rule in enumerate(RULES):
            curves = arrays[f"{measure}{i}"]
            mean, (colour, dash) = curves.mean(0), line_style(i)
            ax.plot(arrays["steps"], mean, color=colour, linestyle=dash, label=rule)
            if len(curves) > 1:
                error = curves.std(0, ddof=1) / np.sqrt(len(curves))
                ax.fill_between(arrays["steps"], mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)
        ax.set(xlabel="generator steps", ylabel=name)
        if measure == "energy":
            ax.set_yscale("symlog", linthresh=1e-2)
            ax.set_ylim(bottom=-2e-3)
        else:
            ax.set_ylim(-0.02, 1.02)
        ax.legend(fontsize="small")


def animate(found: Found, figure: Figure) -> Iterator[None]:
    arrays = found.arrays
    above, below = figure.subplots(2, 3)
    figure.subplots_adjust(left=0.07, right=0.99, bottom=0.07, top=0.9, wspace=0.22, hspace=0.22)
    samples, arrows = [], []
    for i in range(3):
        _plane(above[i], arrays, i)
        samples.append(above[i].scatter(*arrays[f"samples{i}"][0].T, s=5, color=line_style(i)[0]))
        below[i].set(xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW), xlabel="x", ylabel="y")
        below[i].set_aspect("equal")
        arrows.append(below[i].quiver(*arrays["grid"].T, *_shown(arrays[f"field{i}"][0]).T, scale=16, width=0.005))
    for frame, step in enumerate(arrays["steps"]):
        for i in range(3):
            samples[i].set_offsets(arrays[f"samples{i}"][frame])
            arrows[i].set_UVC(*_shown(arrays[f"field{i}"][frame]).T)
        figure.suptitle(f"generator step {step}: samples, and the field that moves them")
        yield


def _plane(ax: Axes, arrays: Any, i: int) -> None:
    """The data's density, and the window."""
    ax.contour(arrays["axis"], arrays["axis"], arrays["density"], LEVELS, colors="#c00000", linewidths=0.7)
    ax.set(xlim=(-WINDOW, WINDOW), ylim=(-WINDOW, WINDOW), xlabel="x", ylabel="y")
    ax.set_title(f"{RULES[i]}: {LOSS[RULES[i]]}", fontsize="medium")
    ax.set_aspect("equal")


def _shown(field: NDArray[Any]) -> NDArray[Any]:
    """Arrows of length |g|/(1 + |g|), since slopes grow over the training."""
    length = np.linalg.norm(field, axis=-1, keepdims=True)
    shown: NDArray[Any] = field / (1 + length)
    return shown
