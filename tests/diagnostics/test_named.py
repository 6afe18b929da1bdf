"""The confusion table: laws that are known, critics with one known error, and what the diagnosis calls it."""

from __future__ import annotations

from collections import Counter

import pytest

import divmin as dm
from divmin.diagnostics import Report
from divmin.diagnostics.findings import NOTE
from divmin.explanation import Explanation

from .cases import EXPECTED, SOUND, Case

SEEDS, SOUND_SEEDS = range(2000, 2012), range(2000, 2040)  # 6 errors 12 times, and 40 sound critics


@pytest.fixture(scope="module")
def known() -> Explanation:
    return dm.explain("nonsaturating")


def diagnosed(case: Case, known: Explanation) -> Report:
    monitor = dm.Monitor("nonsaturating", explanation=known)
    for step, (real, fake) in enumerate(case.batches()):
        monitor.update(real=real, fake=fake, step=step)
    return monitor.report()


def told(report: Report) -> list[str]:
    return [each.name for each in report.findings if each.severity != NOTE]


def test_errors_of_critics_are_named(known: Explanation) -> None:
    table = {
        error: Counter(next(iter(told(diagnosed(Case(error, seed), known))), SOUND) for seed in SEEDS)
        for error in EXPECTED
        if error != SOUND
    }
    right = sum(found[name] for error, found in table.items() if (name := EXPECTED[error]) is not None)
    assert right >= 0.95 * len(SEEDS) * len(table), table


def test_sound_critics_raise_no_warning(known: Explanation) -> None:
    found = [told(diagnosed(Case(SOUND, seed), known)) for seed in SOUND_SEEDS]
    assert sum(not names for names in found) >= 0.95 * len(SOUND_SEEDS), found


def test_numbers_of_the_sentence(known: Explanation) -> None:
    found = diagnosed(Case("scaled by 2", 1), known)
    slope, stderr = found.critics[0].calibration.slope
    assert abs(slope - 0.5) < 4 * stderr
    assert f"overconfident by a factor {1 / slope:.2g}" in str(found)
    assert "lower bound" in found.findings[0].sentence
