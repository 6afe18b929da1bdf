"""Pictures of a diagnosis: sheets of the most telling samples, and a fresh critic's way to telling them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from divmin.adversary import Contest
from divmin.adversary.pulls import NONSATURATING, OWN, SATURATING
from divmin.adversary.separation import BLIND
from divmin.plots.samples import SKEWED
from divmin.plots.style import COLOURS, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 8
LOSSES = {
    SATURATING: ("E log(1 - D)", COLOURS[0], "-"),
    NONSATURATING: ("-E log D", COLOURS[1], "--"),
    OWN: ("the run's own loss", COLOURS[2], ":"),
}


def save_sheet(
    samples: Tensor, d: Tensor, path: Path, *, title: str, shown: int = 32, behind: Tensor | None = None
) -> None:
    """Samples in the order of their log-ratio: the first images each with its d, or all vectors coloured by it.

    Args:
        samples: images [n, 1 or 3, h, w] in [-1, 1], or vectors [n, ...], the most telling first.
        d: their log-ratios [n], nats.
        path: a .png, .svg or .pdf file.
        title: what they are.
        shown: how many images; of vectors a quarter of them are ringed.
        behind: vectors of the other side, as black dots, or ticks where they are numbers; of no use with images.
    """
    if samples.dim() == 4:
        rows = math.ceil(min(shown, len(samples)) / COLUMNS)
        with figure(path, 0.9 * COLUMNS, 1.12 * rows + 0.4) as drawn:
            axes = drawn.subplots(rows, COLUMNS, squeeze=False).flat
            for i, ax in enumerate(axes):
                ax.set_axis_off()
                if i < min(shown, len(samples)):
                    draw_image(samples[i], float(d[i]), ax)
            drawn.suptitle(title, fontsize="medium")
        return
    with figure(path, 5.6, 4.3) as drawn:
        ax = drawn.subplots()
        if behind is not None:
            draw_behind(behind, ax)
        points = draw_ratios(samples, d, ax, shown // 4)
        if points is not None:
            drawn.colorbar(points, ax=ax, label="d (nats)")
        ax.set_title(title, fontsize="medium")


def draw_image(image: Tensor, d: float, ax: Axes) -> None:
    """One image [c, h, w] in [-1, 1] above its log-ratio."""
    shown = ((image.permute(1, 2, 0) + 1) / 2).clamp(0, 1)
    ax.imshow(shown.squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.text(0.5, -0.04, f"{d:+.2f}", transform=ax.transAxes, ha="center", va="top", fontsize="small")


def draw_behind(samples: Tensor, ax: Axes) -> None:
    """The other side, small and dark: vectors as dots under all others, numbers as ticks along the axis."""
    flat = samples.flatten(1).numpy()
    if flat.shape[1] > 1:
        ax.scatter(flat[:, 0], flat[:, 1], s=1.5, color="0.25", linewidths=0, zorder=0)
    else:
        ticks = ax.get_xaxis_transform()  # x in its unit, y as a share of the height
        ax.plot(flat[:, 0], [0.015] * len(flat), "|", color="0.25", markersize=6, alpha=0.3, transform=ticks)


def draw_ratios(samples: Tensor, d: Tensor, ax: Axes, ringed: int) -> Any:
    """Vectors in the plane of their first two coordinates coloured by d, or numbers against d; the first ones ringed.

    Returns:
        The coloured points, for a colour bar; None for numbers.
    """
    flat, ratios = samples.flatten(1).numpy(), d.numpy()
    k = flat.shape[1]
    if k == 1:
        ax.scatter(flat[:, 0], ratios, s=5, color=COLOURS[0], linewidths=0)
        ax.scatter(flat[:ringed, 0], ratios[:ringed], s=28, facecolors="none", edgecolors="0.15", linewidths=0.7)
        ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.set(xlabel="x", ylabel="d (nats)")
        return None
    far = float(d.abs().quantile(0.99)) or 1.0
    points = ax.scatter(flat[:, 0], flat[:, 1], c=ratios, s=7, cmap="coolwarm", vmin=-far, vmax=far, linewidths=0)
    ax.scatter(flat[:ringed, 0], flat[:ringed, 1], s=28, facecolors="none", edgecolors="0.15", linewidths=0.7)
    of = "" if k == 2 else f" (coordinates 1 and 2 of {k})"
    ax.set(xlabel=f"x1{of}", ylabel="x2")
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    if 1 / SKEWED < (high - low) / (right - left) < SKEWED:
        ax.set_aspect("equal", adjustable="datalim")
    return points


def draw_loss(record: Contest, ax: Axes) -> None:
    """The critic's loss on its own part and on one held out, with the levels of 100%, 10% and 1% of 2 log 2."""
    steps = [look.step for look in record.looks]
    training = [math.nan if look.training_loss is None else look.training_loss for look in record.looks]
    if all(math.isnan(each) or each > 0 for each in training):
        ax.plot(steps, training, "--", color=COLOURS[1], label="training")
    ax.plot(steps, [look.loss for look in record.looks], color=COLOURS[0], label="held out")
    for share in (1.0, 0.1, 0.01):
        ax.axhline(share * BLIND, color="0.75", linewidth=0.8, zorder=0)
        ax.annotate(
            "2 log 2" if share == 1 else f"{share:.0%}", (1, share * BLIND), xycoords=("axes fraction", "data"),
            xytext=(3, 0), textcoords="offset points", va="center", fontsize="x-small", color="0.4",
        )  # fmt: skip
    ax.plot(record.best, record.lowest.loss, "o", color=COLOURS[0], label="read here", clip_on=False)
    ax.set(title="critic's loss", xlabel="critic steps", ylabel="nats", yscale="log")
    _steps(record, ax)
    ax.legend(frameon=False, fontsize="small")


def draw_accuracy(record: Contest, ax: Axes) -> None:
    """The share of held-out data and samples that the critic tells."""
    shares = [look.accuracy for look in record.looks]
    ax.plot([look.step for look in record.looks], shares, color=COLOURS[0])
    ax.axhline(0.5, color="0.75", linewidth=0.8, zorder=0)
    ax.set(title="accuracy, held out", xlabel="critic steps", ylabel="share", ylim=(min(0.48, *shares) - 0.03, 1.02))
    _steps(record, ax)


def draw_gradients(record: Contest, ax: Axes) -> None:
    """The length of the generator's gradient by each loss, with one standard deviation between batches."""
    steps = [look.step for look in record.looks]
    for name, (label, colour, dash) in LOSSES.items():
        if name not in record.last.gradients:
            continue
        lengths = [look.gradients[name] for look in record.looks]
        means = [each.mean for each in lengths]
        ax.plot(steps, means, dash, color=colour, label=label, linewidth=2.2 if dash == ":" else 1.5)
        low = [max(each.mean - each.sd, each.mean / 100) for each in lengths]  # a logarithmic axis has no zero
        ax.fill_between(steps, low, [each.mean + each.sd for each in lengths], color=colour, alpha=0.15, linewidth=0)
    ax.set(
        title="generator's gradient (mean, 1 sd)", xlabel="critic steps", ylabel="norm over all weights", yscale="log"
    )
    _steps(record, ax)
    ax.legend(frameon=False, fontsize="small")


def save_contest(record: Contest, path: Path) -> None:
    """Loss, accuracy and gradients over the steps of a fresh critic, to a .png, .svg or .pdf file."""
    with figure(path, 13.0, 3.6) as drawn:
        for draw, ax in zip((draw_loss, draw_accuracy, draw_gradients), drawn.subplots(1, 3), strict=True):
            draw(record, ax)


def _steps(record: Contest, ax: Axes) -> None:
    """Steps on a logarithmic axis on which 0 has a place."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.3)
    ax.set_xlim(0, max(1, record.last.step))
    ends = [0, *(10**k for k in range(int(math.log10(max(1, record.last.step))) + 1))]
    ax.set_xticks(ends, [str(each) for each in ends])
