"""The table of generator objectives: their form in the logit, what they really descend, and where that leads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.explanation import explain
from divmin.objectives import recipe
from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.expected import Expected, at_most, near
from divmin.papers.item import largest
from divmin.papers.poole.objectives import OBJECTIVES, Objective, chase, losses, minima
from divmin.papers.reference import reference
from divmin.papers.sources import POOLE
from divmin.papers.work import Arrays
from divmin.plots.style import line_style, plain_ticks
from divmin.values.pursuit import Standstill, pursuit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
AT = {"loc": 0.3, "scale": 1.1}  # of the model at which values and gradients are compared, on B_asym
# The least of a divergence that a row really descends: where the reference has its minimum.
MINIMA = {
    "reverse KL": "reverse_kl", "-log D": "softened_reverse_kl", "alpha 1/2, affine part dropped": "squared_hellinger",
    "exact KL": "kl", "exact softened KL": "softened_kl", "log(1 - D)": "js",
}  # fmt: skip
# Rows whose descents narrow to a point that data do not hold, or widen without end: until log-ratios leave float64.
LOST, NARROW, WIDE = ("KL", "JS", "squared Hellinger", "Jeffreys"), 0.2, 10.0
WIDEST = 3.0  # scale up to which the reference's integrals, cut at 30, are exact
SHOWN = ("KL", "reverse KL", "-log D", "GAN", "JS", "squared Hellinger", "alpha 1/2, affine part dropped")
TOOK = "appendix A; numbers by independent quadrature"


@dataclass(frozen=True)
class Settings:
    """How far it goes.

    Args:
        traced: rows whose standstills and descents are computed.
        explained: rows that `divmin.explain` is asked about.
        mixtures: data on which standstills are looked for.
        nodes: of the grid of each parameter from which that search starts.
        starts: mu and sigma where descents on D_fig5 begin.
        rate: of a descent, also its longest step.
        steps: of a descent.
        points: of the curves in the picture.
    """

    traced: tuple[str, ...] = tuple(OBJECTIVES)
    explained: tuple[str, ...] = tuple(OBJECTIVES)
    mixtures: tuple[str, ...] = ("D_fig5", "A_sym", "B_asym")
    nodes: int = 25
    starts: tuple[tuple[float, float], ...] = ((0.5, 2.5), (-0.5, 1.0), (1.0, 0.8), (2.0, 1.0), (-2.0, 0.5))
    rate: float = 0.2
    steps: int = 500
    points: int = 241


FULL = Settings()
QUICK = Settings(
    traced=("KL", "reverse KL", "-log D"),
    explained=("KL", "-log D"),
    mixtures=("D_fig5",),
    nodes=17,
    starts=((-0.5, 1.0), (1.0, 0.8)),
    rate=0.3,
    steps=120,
    points=61,
)


def expectations() -> dict[str, Expected]:
    wanted: dict[str, Expected] = {}
    for name, row in OBJECTIVES.items():
        wanted[f"{name}: loss, logit form, f_G and f_eff'' agree to"] = at_most(1e-12, source="f_eff'' = -f_G'/u")
        if row.referred:
            known = reference("poole", "objectives", row.referred)
            value = known["E_q f_G(r)"]
            wanted[f"{name}: E_q f_G(r) at the test point"] = near(value, relative=1e-11, source=TOOK)
            if math.isfinite(value):
                wanted[f"{name}: gradient there agrees to"] = at_most(1e-11, source=TOOK)
        wanted[f"{name}: -f_G'(1), what draws a model back to the data"] = near(row.slope, 1e-9, source="f_eff''(1)")
        wanted[f"{name}: is a divergence, 1 or 0"] = near(
            row.is_divergence, source="f_eff is convex, or not", full=name not in QUICK.explained
        )
        if row.minimises not in ("", "unnamed"):
            wanted[f"{name}: is {row.minimises}, 1 or 0"] = near(1, source="f_eff''", full=name not in QUICK.explained)
        wanted |= _of_standstills(name, row)
    wanted["poole(igog) less -log D, relative"] = at_most(1e-13, source="section 3: f_G = log(1 + 1/u)")
    return wanted


def _of_standstills(name: str, row: Objective) -> dict[str, Expected]:
    later, wanted = name not in QUICK.traced, {}
    if any(_referred(row, mixture) for mixture in FULL.mixtures):
        wanted[f"{name}: known standstills are found to"] = at_most(1e-8, source=TOOK, full=later)
        wanted[f"{name}: their eigenvalues agree to"] = at_most(2e-6, source=TOOK + ", by differences", full=later)
    share = near(row.is_divergence, source="stable exactly where f_eff is convex", full=later)
    wanted[f"{name}: share of data sets with a stable standstill"] = share
    wanted[f"{name}: share of descents that come to one"] = share
    if name in LOST:
        wanted[f"{name}: share of descents that narrow below {NARROW:g} or widen beyond {WIDE:g}"] = near(
            1, source="f_eff'' changes its sign", full=later
        )
    if name in MINIMA:
        wanted[f"{name}: distance from the minimum of {MINIMA[name]} on D_fig5"] = at_most(
            1e-8, source=TOOK, full=later
        )
    return wanted


def _referred(row: Objective, mixture: str) -> list[dict[str, float]]:
    known = reference("poole", "stationary", mixture).get(row.referred, [])
    return [each for each in known if each["sigma"] <= WIDEST]


def compute(settings: Settings, work: Work) -> Found:
    numbers: dict[str, float] = {}
    rows, arrays = [], {}
    for name in work.each("objectives", OBJECTIVES):
        row = OBJECTIVES[name]
        numbers[f"{name}: loss, logit form, f_G and f_eff'' agree to"] = _disagreement(row)
        numbers |= _at_points(name, row)
        said, points, ends = "", "", ""
        if name in settings.explained:
            known = explain(recipe(row.recipe))
            said = known.sentence.split(":")[0]
            numbers[f"{name}: is a divergence, 1 or 0"] = float(known.is_divergence)
            if row.minimises:
                numbers[f"{name}: is {row.minimises}, 1 or 0"] = float(known.name == row.minimises)
        if name in settings.traced:
            traced = work.piece(row.recipe, partial(_traced, row, settings))
            found = {mixture: _read(traced, mixture) for mixture in settings.mixtures}
            numbers |= _compared(name, row, found)
            points = "; ".join(_written(each) for each in found["D_fig5"]) or "none"
            path = np.asarray(traced["path"], dtype=np.float64)
            share = numbers[f"{name}: share of descents that come to one"] = _arrived(path[-1], found["D_fig5"])
            ends = f"{share:.0%}"
            if name in LOST:
                sigma = path[-1, :, 1]
                numbers[f"{name}: share of descents that narrow below {NARROW:g} or widen beyond {WIDE:g}"] = float(
                    np.mean((sigma < NARROW) | (sigma > WIDE))
                )
            arrays[f"path of {name}"] = path
        value = numbers[f"{name}: E_q f_G(r) at the test point"]
        rows.append((name, row.f, row.logit, f"{value:.6g}", row.curvature, said, points, ends))
    numbers["poole(igog) less -log D, relative"] = _igog()
    d = np.linspace(-6, 6, settings.points)
    arrays |= {"d": d} | {f"pull of {name}": _pull(OBJECTIVES[name], d) for name in SHOWN}
    heads = ("f_G is", "f_G(u)", "in the logit V", "E_q f_G(r)", "f_eff''(u)", "what that is",
             "standstills on D_fig5 (mu, sigma)", "descents that end")  # fmt: skip
    return Found(numbers, arrays, (Table(heads, tuple(rows), NOTE),), NOTES)


NOTE = "E_q f_G(r) at data 0.7 N(-1, 0.5^2) + 0.3 N(2, 0.5^2) and model N(0.3, 1.1^2); * marks a stable standstill."
NOTES = (
    "Where f_eff'' changes its sign, the generator is pushed away from data that it under-represents, and no descent with a "
    "best critic ends anywhere: KL, canonical reverse KL, Jensen-Shannon, Hellinger, chi-squares and Jeffreys.",
    "An affine part c (u - 1) changes no divergence but this table: see poole-affine.",
)


def _disagreement(row: Objective) -> float:
    """The largest relative difference between the loss here, its form in the logit, f_G(u), and its slope and -u f_eff''."""
    import torch

    wide, close = (torch.linspace(-end, end, 401, dtype=torch.float64) for end in (20.0, 8.0))
    loss, logit, formula = losses(row), row.logit_at(wide), row.logit_at(close)
    at = close.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(at).sum(), at)
    pull = row.weight_at(close)
    parts = (
        (loss(wide) + row.constant - logit) / (1 + logit.abs()),
        (row.f_at(close.exp()) - formula) / (1 + formula.abs()),
        (slope + pull) / (pull.abs() + close.exp()),
    )
    return max(largest(part.detach().numpy()) for part in parts)


def _at_points(name: str, row: Objective) -> dict[str, float]:
    """Value and gradient at the test point, and what draws the model back where it has become the data."""
    far = chase(row, "B_asym")
    z = far.free(AT)[None]
    home = pursuit(losses(row), "normal(0, 1)", "normal(loc, scale)", {"loc": (-1, 1), "scale": (0.5, 2)})
    jacobian = home.derivative(home.free({"loc": 0.0, "scale": 1.0})[None])[0].numpy()
    numbers = {f"{name}: E_q f_G(r) at the test point": float(far.value(z)) + row.constant}
    if row.referred:
        known = np.array(reference("poole", "objectives", row.referred)["field_mu_logsigma"], dtype=float)
        numbers[f"{name}: gradient there agrees to"] = largest(far.gradient(z)[0].numpy() - known)
    # By mu and log sigma the derivative is -f_G'(1) times diag(1, 2): its worst component speaks for it.
    apart = jacobian / np.array([1.0, 2.0]) - row.slope * np.eye(2)
    numbers[f"{name}: -f_G'(1), what draws a model back to the data"] = row.slope + apart.flat[np.abs(apart).argmax()]
    return numbers


def _igog() -> float:
    import torch

    v = torch.linspace(-20, 20, 401, dtype=torch.float64)
    plain, written = losses(OBJECTIVES["-log D"])(v), losses(Objective("poole(igog)", "", "", ""))(v)
    return largest(((plain - written - math.log(2)) / (1 + plain)).numpy())


def _compared(name: str, row: Objective, found: Mapping[str, tuple[Standstill, ...]]) -> dict[str, float]:
    """How far known standstills are from the nearest that was found, and the minimum of what the row descends."""
    stable = [any(each.stable for each in standing) for standing in found.values()]
    numbers = {f"{name}: share of data sets with a stable standstill": float(np.mean(stable))}
    pairs = [(standing, each) for mixture, standing in found.items() for each in _referred(row, mixture)]
    if pairs:
        nearest = [min(standing, key=lambda one: _distance(one, each), default=None) for standing, each in pairs]
        both = [(one, each) for one, (_, each) in zip(nearest, pairs, strict=True) if one is not None]
        missed = [math.inf] * (len(both) < len(pairs))
        numbers[f"{name}: known standstills are found to"] = max([*(_distance(*each) for each in both), *missed])
        numbers[f"{name}: their eigenvalues agree to"] = max([*(_of_eigenvalues(*each) for each in both), *missed])
    if name in MINIMA:
        [best] = minima(MINIMA[name], "D_fig5")
        numbers[f"{name}: distance from the minimum of {MINIMA[name]} on D_fig5"] = min(
            (_distance(one, best) for one in found["D_fig5"] if one.stable), default=math.inf
        )
    return numbers


def _distance(one: Standstill, known: dict[str, float]) -> float:
    return max(abs(one.parameters["loc"] - known["mu"]), abs(one.parameters["scale"] - known["sigma"]))


def _of_eigenvalues(one: Standstill, known: Mapping[str, Any]) -> float:
    wanted = sorted(complex(*each).real for each in known["eig"])
    return largest(np.sort([each.real for each in one.eigenvalues]) - wanted)


def _written(one: Standstill) -> str:
    return f"({one.parameters['loc']:.4f}, {one.parameters['scale']:.4f}){'*' if one.stable else ''}"


def _traced(row: Objective, settings: Settings) -> dict[str, Floats]:
    """Standstills, a line of parameters and eigenvalues each, and descents on D_fig5, [steps + 1, starts, 2]."""
    import torch

    found = {
        mixture: np.array(
            [
                (*each.parameters.values(), *(part for value in each.eigenvalues for part in (value.real, value.imag)))
                for each in chase(row, mixture).standstills(settings.nodes)
            ]
        ).reshape(-1, 6)
        for mixture in settings.mixtures
    }
    one = chase(row, "D_fig5")
    starts = torch.stack([one.free({"loc": mu, "scale": sigma}) for mu, sigma in settings.starts])
    path = one.parameters(one.descend(starts, rate=settings.rate, steps=settings.steps))
    return found | {"path": path.numpy()}


def _read(traced: Arrays, mixture: str) -> tuple[Standstill, ...]:
    lines = traced[mixture].tolist()
    return tuple(
        Standstill({"loc": line[0], "scale": line[1]}, (complex(*line[2:4]), complex(*line[4:6])), 0.0)
        for line in lines
    )


def _arrived(ends: Floats, found: tuple[Standstill, ...]) -> float:
    """The share of ends within 0.05 of a stable point."""
    stable = [list(each.parameters.values()) for each in found if each.stable]
    apart = [min((largest(end - np.array(point)) for point in stable), default=math.inf) for end in ends]
    return float(np.mean(np.array(apart) < 0.05))


def _pull(row: Objective, d: Floats) -> Floats:
    import torch

    found: Floats = row.weight_at(torch.from_numpy(d)).numpy()
    return found


def draw(found: Found, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    for i, name in enumerate(SHOWN):
        colour, dash = line_style(i)
        left.plot(found.arrays["d"], found.arrays[f"pull of {name}"], color=colour, linestyle=dash, label=name)
        if f"path of {name}" in found.arrays:
            paths = found.arrays[f"path of {name}"]
            right.plot(paths[..., 0], paths[..., 1], color=colour, linestyle=dash, linewidth=1.2)
            right.plot(paths[-1, :, 0], paths[-1, :, 1], "o", color=colour, markersize=4)
    left.axhline(0, color="0.5", linewidth=0.8)
    left.set(xlabel="d = log p/q (nats)", ylabel="pull on a model sample, $u^2 f_{eff}''$", ylim=(-3, 3))
    left.legend(fontsize=8, loc="lower left")
    left.set_title("what each objective does")
    right.set(xlabel="mean of the model", ylabel="standard deviation", yscale="log", xlim=(-4, 4), ylim=(0.15, 8))
    plain_ticks(right.yaxis)
    right.set_title("descents, best critic, data D_fig5, colours as on the left")


register(
    Item(
        name="poole-table-objectives",
        paper=POOLE,
        title="Appendix A: generator objectives in the critic's logit, and what they minimise",
        claim="With the ratio e^V from a logistic critic, the generator can minimise an estimate of any f-divergence: "
        "E_q f_G(e^V), whose forms in the logit a table lists.",
        settings=FULL,
        quick=QUICK,
        cost=Cost(quick=5, full=100),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(11, 4.8),
        caption="Left: the pull on a model sample with log-ratio d. Below zero it is pushed away from the data: KL beyond "
        "d = -1, Jensen-Shannon and Hellinger beyond 0. Right: descents of (mean, standard deviation) with a best critic; dots "
        "are their ends. Reverse KL, -log D, the GAN's own f and Hellinger without its affine part come to a point; the others "
        "run out of the picture, or collapse until log-ratios leave float64.",
        slips=(
            "The objectives estimate the divergence, but their gradient, with the critic held fixed, is not its gradient: it "
            "is that of the divergence with f_eff'' = -f_G'(u)/u, where this is one.",
        ),
    )
)
