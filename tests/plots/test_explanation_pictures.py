"""What happens is inside the picture, and its axes say what they are."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

import divmin as dm
from divmin.explanation.curves import lines
from divmin.plots.explanation import draw_cost, draw_pull


@pytest.mark.parametrize("named", dm.recipes().values(), ids=lambda named: named.name)
def test_everything_that_happens_is_inside(named: object) -> None:
    for text in named.examples or (named.name,):  # type: ignore[attr-defined]
        found = dm.explain(text)
        for x in (*found.region_pushed_away, *found.region_without_pull):
            assert all(abs(end) < found.span for end in (x.low, x.high) if abs(end) != float("inf")), text


def test_clipping_is_seen() -> None:
    found = dm.explain("clipped(nonsaturating, 10)")
    assert 10 < found.span <= 20
    (line,) = lines([found], span=found.span, points=561).members
    assert line.weight is not None and line.weight[0] == 0.0


@pytest.mark.parametrize(
    ("recipes", "label"),
    [(["minimax"], "s (nats)"), (["hinge"], "s (no unit)"), (["minimax", "hinge"], "s (nats; kinks: no unit)")],
)
def test_units_of_the_cost(recipes: list[str], label: str) -> None:
    ax = Figure().subplots()
    draw_cost(lines([dm.explain(each) for each in recipes]), ax)
    assert ax.get_ylabel() == label


@pytest.mark.parametrize(("recipe", "said"), [("huszar", False), ("exact(kl)", True)])
def test_a_logarithmic_axis_says_so(recipe: str, said: bool) -> None:
    ax = Figure().subplots()
    draw_pull(lines([dm.explain(recipe)]), ax)
    assert ("logarithmic" in ax.get_ylabel()) == said == (ax.get_yscale() == "symlog")
