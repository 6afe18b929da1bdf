"""The monitor in somebody's loop: what it takes, what it keeps, and that it changes nothing."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import softplus

import divmin as dm
from divmin.diagnostics import JsonLines, Monitor, Report, TensorBoard, WandB
from divmin.diagnostics.bins import COUNT, EDGES, area, counted
from divmin.diagnostics.history import MOST, History, Moments, Window
from divmin.diagnostics.support import intrinsic_dimension
from divmin.errors import DivminError


def normal_scores(seed: int, n: int, gap: float = 1.0) -> tuple[Tensor, Tensor]:
    """The log-ratio of N(gap, 1) to N(0, 1) on n samples of each."""
    random = torch.Generator().manual_seed(seed)
    x, y = gap + torch.randn(n, generator=random), torch.randn(n, generator=random)
    return gap * (x - gap / 2), gap * (y - gap / 2)


def watched(monitor: Monitor, steps: int = 40, n: int = 128, **changes: Any) -> Report:
    for step in range(steps):
        x, y = normal_scores(step, n)
        monitor.update(real=x, fake=y, step=step, **changes)
    return monitor.report()


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50))
def test_every_number_is_counted_in_the_bin_that_holds_it(values: list[float]) -> None:
    d = np.array(values)
    counts = counted(d)
    assert counts.sum() == len(d)
    inside = d.clip(EDGES[0], np.nextafter(EDGES[-1], 0))
    plain = np.histogram(inside, EDGES)[0]
    at_an_edge = (np.abs(inside[:, None] - EDGES) <= 1e-12 * (1 + np.abs(EDGES))).any(1).sum()
    assert np.abs(np.cumsum(counts) - np.cumsum(plain)).max() <= at_an_edge


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_windows_are_few_and_lose_nothing(sizes: list[int], seed: int) -> None:
    random, history, everything = np.random.default_rng(seed), History(), []
    step = 0
    for size in sizes:
        while size:
            part = min(size, history.room)
            d = random.normal(size=3 * part)
            everything.append(d)
            now = Window(step, step + part - 1, part, counted(d), counted(-d), {"d": Moments.of(d)})
            history, step, size = history.with_update(now), step + part, size - part
            assert len(history.windows) <= MOST
    whole, d = history.joined(), np.concatenate(everything)
    assert whole is not None
    assert (whole.first, whole.last, whole.updates) == (0, step - 1, sum(sizes))
    assert np.array_equal(whole.real, counted(d)) and whole.moments["d"].n == len(d)
    assert math.isclose(whole.moments["d"].total, d.sum(), abs_tol=1e-9 * len(d))
    assert all(
        one.last + 1 == other.first for one, other in zip(history.windows[:-1], history.windows[1:], strict=True)
    )
    assert all(each.updates == history.span for each in history.windows[:-1])


def test_memory_does_not_grow_with_steps() -> None:
    monitor = dm.Monitor("nonsaturating", keep=256)
    sizes = []
    for part in range(4):
        for step in range(2000):
            x, y = normal_scores(step, 4)
            monitor.update(real=x, fake=y, step=2000 * part + step)
        sizes.append(len(json.dumps(monitor.to_record())))
    assert sizes[3] < 1.2 * sizes[1]
    assert len(monitor.report().critics[0].windows) <= MOST


def test_pushforward_identity_and_values_of_a_well_trained_critic() -> None:
    """On held-out data of a mixture p~(d) = e^d q~(d) holds within its intervals, and D_f from d is the exact one."""
    p, q = "0.5*normal(-1, 0.9) + 0.5*normal(1.3, 0.8)", "normal(0, 1.3)"
    laws = [dm.law(each) for each in (p, q)]
    torch.manual_seed(0)
    critic = torch.nn.Sequential(
        torch.nn.Linear(1, 64), torch.nn.Tanh(), torch.nn.Linear(64, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1)
    )
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1500)
    for _ in range(1500):
        x, y = (critic(law.sample((512, 1)).float())[:, 0] for law in laws)
        optimizer.zero_grad()
        (softplus(-x).mean() + softplus(y).mean()).backward()
        optimizer.step()
        schedule.step()
    monitor = dm.Monitor("minimax", keep=20_000, divergences=("kl", "reverse_kl", "js", "squared_hellinger"))
    with torch.no_grad():
        for step in range(20):
            monitor.update(
                **{s: critic(law.sample((1000, 1)).float()) for s, law in zip(("real", "fake"), laws, strict=True)},
                step=step,
            )
    found = monitor.report()
    seen = found.critics[0]
    assert not [each for each in found.findings if each.severity != "note"], str(found)
    for value, stderr in (seen.calibration.mean_ratio, seen.calibration.mean_inverse):
        assert abs(value - 1) < 4 * stderr + 0.02
    assert abs(seen.calibration.slope[0] - 1) < 4 * seen.calibration.slope[1]
    for each in seen.values:
        truth = dm.exact(each.divergence, p, q).value
        assert abs(each.value - truth) < 4 * each.stderr, (each.divergence, each.value, truth)
    bins = [each for each in seen.calibration.bins if math.isfinite(each.seen)]
    assert sum(abs(each.said - each.seen) < 3 * each.stderr for each in bins) >= len(bins) - 1


def test_bounds_over_time_are_those_of_their_windows() -> None:
    found = watched(dm.Monitor("nonsaturating", divergences=("kl",)), steps=16)
    curve = found.critics[0].curves["kl"]
    assert curve.steps == (3.5, 11.5)
    kl = dm.divergence("kl")
    for k, value in enumerate(curve.values):
        x, y = (
            torch.cat([normal_scores(step, 128)[side] for step in range(8 * k, 8 * k + 8)]).double() for side in (0, 1)
        )
        assert math.isclose(value, float(kl.a(x).mean() - kl.b(y).mean()), rel_tol=1e-9)


@pytest.mark.parametrize("recipe", ["hinge", "wgan"])
def test_critics_that_tell_no_ratio_are_read_as_an_order(recipe: str) -> None:
    monitor = dm.Monitor(recipe)
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=7 * x + 30, fake=7 * y + 30, step=step)  # any increasing line says the same
    found = monitor.report()
    assert not [each for each in found.findings if each.severity != "note"]
    kl = next(each for each in found.critics[0].values if each.divergence == "kl")
    assert abs(kl.value - 0.5) < 4 * kl.stderr
    assert not found.critics[0].curves


def test_relativistic_critics_are_read_up_to_a_constant() -> None:
    monitor = dm.Monitor("rpgan")
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=x - 11, fake=y - 11, step=step)
    found = monitor.report().critics[0]
    kl = next(each for each in found.values if each.divergence == "kl")
    assert abs(kl.value - 0.5) < 4 * kl.stderr
    assert found.signal is not None and 0.5 < found.signal.pull < 2
    assert not [each for each in found.findings if each.severity != "note"]


def test_scores_of_several_critics_are_told_apart() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=[x.view(2, 1, 8, 8), 2 * x], fake=[y.view(2, 1, 8, 8), 2 * y], step=step)
    found = monitor.report()
    assert [each.name for each in found.findings] == ["overconfident"]
    assert found.findings[0].sentence.startswith("critic 2 of 2: ")
    assert "critic 2/slope" in found.numbers and "critic 1 of 2" in str(found)


def test_losses_of_ones_own_are_asked_what_they_minimise() -> None:
    monitor = dm.Monitor(
        critic_loss=lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
        generator_loss=lambda fake: -softplus(fake).mean(),
    )
    found = watched(monitor)
    assert found.sentence is not None and "Jensen-Shannon" in found.sentence
    assert found.critics[0].signal is not None


def test_without_a_recipe_scores_are_an_order_and_nothing_is_said_of_the_generator() -> None:
    found = watched(Monitor())
    assert found.sentence is None and found.critics[0].signal is None and found.lines is None
    assert found.critics[0].reading.kind == "order"


def test_least_squares_scores_are_turned_into_ratios() -> None:
    monitor = dm.Monitor("lsgan")
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=x.sigmoid(), fake=y.sigmoid(), step=step)
    kl = next(each for each in monitor.report().critics[0].values if each.divergence == "kl")
    assert abs(kl.value - 0.5) < 4 * kl.stderr


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_scores_of_any_precision(dtype: torch.dtype) -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=x.to(dtype), fake=y.to(dtype), step=step)
    assert not [each for each in monitor.report().findings if each.severity != "note"]


def test_scores_that_are_not_finite_are_counted_and_named() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128)
        if step == 30:
            x[3], y[:2] = math.nan, math.inf
        monitor.update(real=x, fake=y, step=step)
    first = monitor.report().findings[0]
    assert first.name == "not finite" and first.sentence.startswith("3 of ")


def test_later_changes_of_a_tensor_are_not_seen() -> None:
    monitor = dm.Monitor("nonsaturating")
    x, y = normal_scores(0, 4096)
    monitor.update(real=x, fake=y)
    before = watched_numbers(monitor)
    again = dm.Monitor("nonsaturating")
    x, y = normal_scores(0, 4096)
    again.update(real=x, fake=y)
    x.zero_(), y.zero_()
    assert watched_numbers(again) == before


def watched_numbers(monitor: Monitor) -> dict[str, float]:
    return monitor.report().numbers


def test_a_record_goes_on_where_it_was() -> None:
    whole, first = dm.Monitor("nonsaturating"), dm.Monitor("nonsaturating")
    for step in range(100):
        x, y = normal_scores(step, 32)
        whole.update(real=x, fake=y, step=step)
        if step < 60:
            first.update(real=x, fake=y, step=step)
    second = dm.Monitor("nonsaturating")
    second.restore(json.loads(json.dumps(first.to_record())))
    for step in range(60, 100):
        x, y = normal_scores(step, 32)
        second.update(real=x, fake=y, step=step)
    a, b = whole.report(), second.report()
    assert (a.steps, a.updates) == (b.steps, b.updates)
    for one, other in zip(a.critics[0].windows, b.critics[0].windows, strict=True):
        assert (one.first, one.last) == (other.first, other.last) and np.array_equal(one.real, other.real)
    assert a.numbers.keys() == b.numbers.keys()
    assert all(math.isclose(a.numbers[k], b.numbers[k], rel_tol=1e-5, abs_tol=1e-6) for k in a.numbers)


def test_a_record_without_its_last_steps() -> None:
    monitor = dm.Monitor("nonsaturating")
    watched(monitor, steps=40)
    again = dm.Monitor("nonsaturating")
    again.restore(monitor.to_record(), step=20)
    again.update(**dict(zip(("real", "fake"), normal_scores(1, 300), strict=True)), step=21)
    windows = again.report().critics[0].windows
    assert [each.last for each in windows] == [7, 15, 21]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"real": torch.zeros(0), "fake": torch.zeros(3)}, "at least one"),
        ({"real": torch.zeros(3, dtype=torch.int64), "fake": torch.zeros(3)}, "expected floats"),
        ({"real": [torch.zeros(3), torch.zeros(3)], "fake": torch.zeros(3)}, "one tensor a critic"),
        ({"real": "scores", "fake": torch.zeros(3)}, "expected a tensor"),
        ({"real": torch.zeros(3), "fake": torch.zeros(3), "step": -5}, "do not fall"),
    ],
)
def test_what_is_no_score_is_refused_in_one_line(wrong: dict[str, Any], message: str) -> None:
    monitor = dm.Monitor("nonsaturating")
    monitor.update(real=torch.zeros(3), fake=torch.zeros(3), step=3)
    with pytest.raises(DivminError, match=message) as error:
        monitor.update(**wrong)
    assert "\n" not in str(error.value)


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"recipe": "nonsense"}, {"recipe": 3}, {"critic_loss": max}, {"every": 0}, {"divergences": ()}):
        with pytest.raises(DivminError):
            Monitor(**wrong)  # type: ignore[arg-type]
    with pytest.raises(DivminError, match="call update first"):
        dm.Monitor().report()
    for record in ({}, {"format": 7}, {"format": 1, "first": 0, "last": 1, "updates": 1, "critics": [{}]}):
        with pytest.raises(DivminError):
            dm.Monitor().restore(record)


def test_vanishing_pull_is_named_with_its_remedy() -> None:
    monitor = dm.Monitor("minimax")
    for step in range(40):
        x, y = normal_scores(step, 128, gap=5.0)
        monitor.update(real=x, fake=y, step=step)
    names = {each.name: each for each in monitor.report().findings}
    assert "vanishing" in names and "non-saturating" in names["vanishing"].remedy
    signal = monitor.report().critics[0].signal
    assert signal is not None and signal.pull < 0.05 and signal.lost > 0.9
    same = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128, gap=5.0)
        same.update(real=x, fake=y, step=step)
    assert "vanishing" not in {each.name for each in same.report().findings}


def test_pull_that_rests_on_few_samples_is_named() -> None:
    monitor = dm.Monitor("fgan(kl)")  # e^d pulls
    for step in range(40):
        x, y = normal_scores(step, 128, gap=3.0)
        monitor.update(real=x, fake=y, step=step)
    names = [each.name for each in monitor.report().findings]
    assert "exploding" in names, monitor.report()


def test_gradient_norms_that_shrink_or_scatter_are_named() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(64):
        x, y = normal_scores(step, 128)
        monitor.update(real=x, fake=y, step=step, gradient_norms=torch.full((128,), math.exp(-step / 8)))
    assert "gradients vanish" in [each.name for each in monitor.report().findings]
    wild = dm.Monitor("nonsaturating")
    random = torch.Generator().manual_seed(0)
    for step in range(64):
        x, y = normal_scores(step, 128)
        wild.update(real=x, fake=y, step=step, gradient_norms=(3 * torch.randn(128, generator=random)).exp())
    assert "gradients unstable" in [each.name for each in wild.report().findings]


def test_a_critic_that_makes_no_mistake_is_named() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128, gap=9.0)
        monitor.update(real=x, fake=y, step=step)
    found = monitor.report()
    assert found.findings[0].name == "perfect critic" and found.critics[0].support.overlap < 0.01


def test_growing_mismatches_are_named_by_their_side() -> None:
    """A model that closes in on one of two bumps: the other is missed more and more, and nothing is paid for it."""
    found = {}
    for grows in (True, False):
        monitor, random = dm.Monitor("nonsaturating"), torch.Generator().manual_seed(0)
        p = dm.law("0.5*normal(-2, 0.5) + 0.5*normal(2, 0.5)")
        for step in range(96):
            share = step / 96 if grows else 0.0
            second = round(0.5 * (1 - 0.999 * share), 6)
            q = dm.law(f"{1 - second:.6f}*normal(-2, 0.5) + {second:.6f}*normal(2, 0.5)")
            x, y = (_draw(law, 256, random) for law in (p, q))
            monitor.update(real=p.log_prob(x) - q.log_prob(x), fake=p.log_prob(y) - q.log_prob(y), step=step)
        found[grows] = {each.name: each for each in monitor.report().findings}
    assert "forgotten modes" in found[True] and "bounded on the right" in found[True]["forgotten modes"].sentence
    assert "fake-looking samples" not in found[True]
    assert not {"forgotten modes", "fake-looking samples"} & set(found[False])


def _draw(law: Any, n: int, random: torch.Generator) -> Tensor:
    parts = torch.multinomial(law.mixture_distribution.probs, n, replacement=True, generator=random)
    component: Normal = law.component_distribution
    return component.loc[parts] + component.scale[parts] * torch.randn(n, generator=random, dtype=component.loc.dtype)


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_intrinsic_dimension_of_curved_surfaces(dimension: int) -> None:
    random = torch.Generator().manual_seed(dimension)
    flat = torch.rand(1500, dimension, generator=random)
    bent = torch.cat([flat, flat.sin(), (flat.sum(1, keepdim=True) ** 2)], 1) @ torch.randn(
        2 * dimension + 1, 12, generator=random
    )
    found = intrinsic_dimension(bent)
    assert found.ambient == 12 and abs(found.value - dimension) < 4 * found.stderr + 0.06 * dimension
    with pytest.raises(DivminError, match="distinct"):
        intrinsic_dimension(torch.zeros(100, 3))


def test_thin_supports_are_a_note() -> None:
    monitor = dm.Monitor("nonsaturating")
    watched(monitor)
    random = torch.Generator().manual_seed(0)
    line = torch.rand(300, 1, generator=random)
    monitor.look(real=line * torch.ones(1, 10), fake=line.sin() + torch.zeros(1, 10))
    found = monitor.report()
    assert "thin supports" in [each.name for each in found.findings if each.severity == "note"]
    assert "of 10" in str(found.critics[0].support)


def test_area_is_that_of_all_pairs() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(0.7, 1, 400), random.normal(0, 1, 300)
    pairs = float((x[:, None] > y).mean())
    assert abs(area(counted(x), counted(y)) - pairs) < 0.01
    assert counted(x).shape == (COUNT,)


def test_writers_are_told_numbers_and_findings(tmp_path: Path) -> None:
    found = watched(dm.Monitor("nonsaturating"))

    class Board:
        def __init__(self) -> None:
            self.scalars: dict[str, float] = {}
            self.texts: dict[str, str] = {}
            self.logged: list[dict[str, Any]] = []

        def add_scalar(self, name: str, value: float, step: int) -> None:
            assert step == 39
            self.scalars[name] = value

        def add_text(self, name: str, text: str, step: int) -> None:
            self.texts[name] = text

        def log(self, told: dict[str, Any], commit: bool) -> None:
            assert not commit
            self.logged.append(told)

    board = Board()
    TensorBoard(board)(found)
    WandB(board)(found)
    assert board.scalars == {f"monitor/{name}": value for name, value in found.numbers.items()}
    assert board.logged[0]["monitor/auc"] == found.numbers["auc"]
    path = tmp_path / "monitor.jsonl"
    for _ in range(2):
        JsonLines(path)(found)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 2 and lines[0]["numbers"] == found.numbers
    with pytest.raises(DivminError, match="cannot write"):
        JsonLines(tmp_path / "no" / "where.jsonl")(found)


def test_records_are_plain() -> None:
    json.dumps(watched(dm.Monitor("nonsaturating")).to_record(), allow_nan=False)


def test_scores_after_a_sigmoid_are_named() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 128)
        monitor.update(real=x.sigmoid(), fake=y.sigmoid(), step=step)
    assert monitor.report().findings[0].name == "probabilities"


@pytest.mark.parametrize("recipe", ["hinge", "nonsaturating"])
def test_a_critic_that_never_moves_is_named_whatever_it_says(recipe: str) -> None:
    """Samples climb along a critic that stands still, until they score higher than data."""
    monitor, random = dm.Monitor(recipe), torch.Generator().manual_seed(0)
    for step in range(64):
        x, y = torch.randn(128, generator=random), 0.05 * step + torch.randn(128, generator=random)
        monitor.update(real=x, fake=y, step=step)
    assert monitor.report().findings[0].name == "frozen"


def test_a_weak_critic_behind_a_sigmoid_is_told_from_one_side_alone() -> None:
    for strength in (0.05, 0.2, 0.5, 2.0):
        monitor = dm.Monitor("nonsaturating")
        for step in range(100):
            x, y = normal_scores(step, 64)
            monitor.update(real=(strength * x).sigmoid(), fake=(strength * y).sigmoid(), step=step)
        assert monitor.report().findings[0].name == "probabilities", strength


def test_a_fooled_critic_is_not_to_be_weakened() -> None:
    monitor, random = dm.Monitor("nonsaturating"), torch.Generator().manual_seed(0)
    for step in range(40):
        x, y = (torch.randn(64, generator=random) for _ in range(2))
        monitor.update(real=1 + 0.1 * x, fake=8 + 0.3 * y, step=step)
    found = {each.name: each for each in monitor.report().findings}["vanishing"]
    assert "fooled" in found.sentence and "weaken" not in found.remedy


def test_gradient_norms_that_are_not_finite_are_named() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(50):
        x, y = normal_scores(step, 64)
        monitor.update(real=x, fake=y, step=step, gradient_norms=torch.full((8,), 1.0 if step < 6 else math.nan))
    found = monitor.report().findings[0]
    assert found.name == "gradients not finite" and "352 of the gradient norms" in found.sentence


def test_an_order_has_no_calibration_and_few_scores_acquit_nobody(tmp_path: Path) -> None:
    monitor = dm.Monitor()
    for step in range(40):
        x, y = normal_scores(step, 64)
        monitor.update(real=x, fake=y, step=step)
    assert "calibration" not in str(monitor.report())
    dm.plots.save_monitor(monitor.report(), str(tmp_path / "a.png"))
    few = dm.Monitor("nonsaturating")
    few.update(real=torch.randn(12), fake=torch.randn(12))
    assert "nothing is wrong" not in str(few.report()) and "too few to judge" in str(few.report())


def test_values_that_no_bound_can_reach_are_said_to_be_so() -> None:
    monitor = dm.Monitor("nonsaturating")
    for step in range(40):
        x, y = normal_scores(step, 64)
        monitor.update(real=x + 200, fake=y - 200, step=step)
    assert "beyond log n" in str(monitor.report())
