"""From an item to its folder, its page and the book; from a name on the command line to an exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import browser
import numpy as np
import pytest

import divmin as dm
from divmin.cli import main
from divmin.errors import DivminError
from divmin.papers import Cost, Found, Item, Work, check, item, items
from divmin.papers.expected import at_least, at_most, between, near
from divmin.papers.sources import HUSZAR
from divmin.reproduction import book, reproduce, standing

CALLS: list[int] = []


@dataclass(frozen=True)
class Settings:
    n: int = 4
    stop_at: int = -1


def compute(settings: Settings, work: Work) -> Found:
    values = []
    for i in work.each("squares", range(settings.n)):
        if i == settings.stop_at:
            raise KeyboardInterrupt
        values.append(float(work.piece(f"square-{i}", lambda i=i: _square(i))["value"]))
    return Found({"sum": sum(values), "worst": 3.0}, {"values": np.array(values)}, notes=("<b>bold</b> & more",))


def _square(i: int) -> dict[str, float]:
    CALLS.append(i)
    return {"value": float(i * i)}


def draw(found: Found, figure: Any) -> None:
    figure.add_subplot(xlabel="i", ylabel="square").plot(found.arrays["values"])


def animate(found: Found, figure: Any) -> Iterator[None]:
    ax = figure.add_subplot()
    for i in range(len(found.arrays["values"])):
        ax.plot(found.arrays["values"][: i + 1], "k.")
        yield


OWN = Item(
    name="huszar-own", paper=HUSZAR, title="squares", claim="They add up.", settings=Settings(), quick=Settings(n=3),
    cost=Cost(1, 1), expected={"sum": near(5.0, 1e-9, source="by hand"), "worst": at_most(4)}, compute=compute, draw=draw,
    caption="a parabola", animate=animate,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh() -> None:
    CALLS.clear()


def test_a_result_has_files_and_is_not_computed_again(tmp_path: Path) -> None:
    outcome = reproduce(OWN, quick=True, out=tmp_path)
    assert outcome.passed and outcome.tally == "2 passed" and CALLS == [0, 1, 2]
    names = {path.name for path in outcome.folder.iterdir()}
    assert {"result.json", "data.npz", "figure.png", "film.gif", "index.html"} <= names
    page = (outcome.folder / "index.html").read_text()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more" in page and "<b>bold" not in page
    again = reproduce(OWN, quick=True, out=tmp_path)
    assert again == outcome and CALLS == [0, 1, 2]
    reproduce(OWN, quick=True, out=tmp_path, again=True)
    assert CALLS == [0, 1, 2] * 2


def test_other_settings_are_another_result_and_full_size_has_its_own_place(tmp_path: Path) -> None:
    reproduce(OWN, quick=True, out=tmp_path)
    changed = replace(OWN, quick=Settings(n=2))
    assert reproduce(changed, quick=True, out=tmp_path).numbers["sum"] == 1.0 and CALLS == [0, 1, 2, 0, 1]
    full = reproduce(OWN, out=tmp_path)
    assert full.folder.name == "full" and not full.passed, "0 + 1 + 4 + 9 is not 5"
    assert [each.verdict for each in full.checks] == ["fail", "pass"]


def test_interrupted_work_goes_on_and_damaged_pieces_are_made_again(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        reproduce(replace(OWN, quick=Settings(n=3, stop_at=2)), quick=True, out=tmp_path)
    assert not (tmp_path / "huszar-own" / "quick" / "result.json").exists() and CALLS == [0, 1]
    work = Work(tmp_path / "pieces")
    assert work.piece("a", lambda: {"x": [1.0, 2.0]})["x"].tolist() == [1.0, 2.0]
    assert work.piece("a", lambda: {"x": 7.0})["x"].tolist() == [1.0, 2.0]
    (tmp_path / "pieces" / "a.npz").write_bytes(b"PK half a file")
    assert work.piece("a", lambda: {"x": 7.0})["x"].tolist() == 7.0


def test_a_second_start_computes_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compute

    def stops(settings: Settings, work: Work) -> Found:
        _ = [work.piece(f"square-{i}", lambda i=i: _square(i)) for i in range(2)]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproduce(replace(OWN, compute=stops), quick=True, out=tmp_path)
    outcome = reproduce(replace(OWN, compute=whole), quick=True, out=tmp_path)
    assert CALLS == [0, 1, 2] and outcome.passed


def test_a_finding_is_no_failure_and_what_is_missing_is_one(tmp_path: Path) -> None:
    expected = {
        "sum": near(6.0, finding="five, as anyone can count"), "absent": at_least(0.0), "worst": between(2, 4),
    }  # fmt: skip
    odd = replace(OWN, expected=expected)
    outcome = reproduce(odd, quick=True, out=tmp_path)
    assert [each.verdict for each in outcome.checks] == ["finding", "fail", "pass"]
    assert outcome.verdict == "failed" and "five, as anyone can count" in (outcome.folder / "index.html").read_text()
    del expected["absent"]
    found = reproduce(replace(OWN, expected=expected), quick=True, out=tmp_path, again=True)
    assert found.passed and found.verdict == "findings" and found.tally == "1 passed, 1 finding"


def test_numbers_are_compared_with_what_is_expected_now(tmp_path: Path) -> None:
    """A bound that was mended, or a finding that was explained, counts without computing again; and so does a stricter one."""
    reproduce(OWN, quick=True, out=tmp_path)
    strict = replace(OWN, expected={"sum": near(6.0), "worst": at_most(4)})
    assert standing({"a": strict}, tmp_path)[0].status == "failed (quick)"
    outcome = reproduce(strict, quick=True, out=tmp_path)
    assert not outcome.passed and CALLS == [0, 1, 2]
    assert json.loads((outcome.folder / "result.json").read_text())["verdict"] == "failed"
    assert "expected 6" in (outcome.folder / "index.html").read_text()


def test_a_number_that_nobody_asked_for_then_is_computed_now(tmp_path: Path) -> None:
    """From the pieces that were kept: only what is missing costs anything."""
    small = replace(OWN, expected={"sum": near(6.0)})
    reproduce(
        replace(small, compute=lambda *given: replace(compute(*given), numbers={"sum": 6.0})), quick=True, out=tmp_path
    )
    before = list(CALLS)
    assert standing({"a": small}, tmp_path)[0].status.endswith("(quick)")
    assert standing({"a": OWN}, tmp_path)[0].outcome is None
    assert reproduce(OWN, quick=True, out=tmp_path).numbers["worst"] == 3.0
    assert before == CALLS


def test_a_number_that_is_none_fails_whatever_is_known_of_it() -> None:
    (only,) = check({"a": float("nan")}, {"a": near(1.0, finding="it is known")}, quick=True)
    assert only.verdict == "fail" and only.difference is None
    (other,) = check({"a": 1.5}, {"a": near(1.0, finding="it is known")}, quick=True)
    assert other.verdict == "finding" and other.difference == 0.5


@pytest.mark.skipif(
    not browser.installed(), reason="no Chromium with ChromeDriver here: the book in a browser is not tested"
)
def test_the_book_works_in_a_browser(tmp_path: Path) -> None:
    reproduce(OWN, quick=True, out=tmp_path)
    path = book(standing({"a": OWN}, tmp_path), tmp_path / "book.html")
    with browser.chromium(tmp_path / "profile") as chromium:
        for width, dark in ((1200, False), (400, True)):
            chromium.size(width, 900)
            chromium.dark(dark)
            chromium.open(path)
            assert chromium.run(
                "return [...document.images].every(each => each.complete && each.naturalWidth > 0 && each.alt)"
            )
            assert chromium.run("return document.documentElement.scrollWidth <= window.innerWidth")
            assert chromium.run(
                "return document.querySelector(document.querySelector('nav a').getAttribute('href')) !== null"
            )
        chromium.press("input[type=range]", "\ue011")  # home
        assert chromium.run("return document.querySelector('output').textContent") == "0"
        assert not chromium.complaints()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"item": 3}'])
def test_a_damaged_result_counts_as_none(tmp_path: Path, damage: str) -> None:
    outcome = reproduce(OWN, quick=True, out=tmp_path)
    (outcome.folder / "result.json").write_text(damage)
    assert standing({"a": OWN}, tmp_path)[0].status == "unreadable"
    assert reproduce(OWN, quick=True, out=tmp_path).passed


@pytest.mark.parametrize("lost", ["figure.png", "film.gif", "index.html", "data.npz"])
def test_what_is_lost_of_a_result_is_made_again(tmp_path: Path, lost: str) -> None:
    """From its data where these are there; and from its pieces where they are not."""
    outcome = reproduce(OWN, quick=True, out=tmp_path)
    (outcome.folder / lost).unlink()
    assert reproduce(OWN, quick=True, out=tmp_path) == outcome or lost == "data.npz"
    assert (outcome.folder / lost).exists() and CALLS == [0, 1, 2]


def test_what_is_drawn_otherwise_now_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = reproduce(OWN, quick=True, out=tmp_path)
    figure = outcome.folder / "figure.png"
    figure.write_bytes(b"an old picture")
    assert reproduce(OWN, quick=True, out=tmp_path) == outcome and figure.read_bytes() == b"an old picture"
    monkeypatch.setattr("divmin.reproduction.perform.pen", lambda item: "another")
    assert reproduce(OWN, quick=True, out=tmp_path).drawn == "another"
    assert figure.read_bytes() != b"an old picture" and CALLS == [0, 1, 2]


def test_nothing_is_drawn_from_nothing(tmp_path: Path) -> None:
    """A result of a time when an item had no picture."""
    plain = replace(OWN, draw=None, animate=None, compute=lambda *given: replace(compute(*given), arrays={}))
    reproduce(plain, quick=True, out=tmp_path)
    outcome = reproduce(OWN, quick=True, out=tmp_path)
    assert (outcome.folder / "figure.png").exists() and len(np.load(outcome.folder / "data.npz").files) == 1


def test_settings_of_the_other_size_are_a_mistake() -> None:
    published = item("shannon-saturation")
    other = replace(published, settings=replace(published.settings, reach=3.0))
    with pytest.raises(
        DivminError, match="the settings of shannon-saturation were changed, and this size uses its quick"
    ):
        reproduce(other, quick=True)


def test_settings_of_ones_own_do_not_replace_the_published_ones(tmp_path: Path) -> None:
    published = item("shannon-saturation")
    other = replace(published, quick=replace(published.quick, reach=3.0))
    first, second = (reproduce(each, quick=True, out=tmp_path) for each in (published, other))
    assert first.folder.name == "quick" and second.folder.name.startswith("quick-")
    assert reproduce(published, quick=True, out=tmp_path) == first
    assert "settings of one" in (second.folder / "index.html").read_text()
    assert [each.outcome for each in standing({"a": published}, tmp_path)] == [first]


def test_a_page_says_what_is_not_asked_at_toy_size(tmp_path: Path) -> None:
    expected = {"sum": near(5.0), "worst": at_most(2, full=True, finding="it is three"), "more": at_least(0, full=True)}
    outcome = reproduce(replace(OWN, expected=expected), quick=True, out=tmp_path)
    assert outcome.tally == "1 passed, 2 not asked at toy size"
    page = (outcome.folder / "index.html").read_text()
    assert "2 more are asked at full size only." in page and "Known at full size" in page and "it is three" in page
    assert "nan" not in page.split("<main>")[1]


def test_the_book_has_a_chapter_for_each_result(tmp_path: Path) -> None:
    with pytest.raises(DivminError, match="nothing was reproduced yet"):
        book(standing({"a": OWN}, tmp_path), tmp_path / "book.html")
    reproduce(OWN, quick=True, out=tmp_path)
    other = replace(OWN, name="huszar-other", claim="Never <run>.")
    path = book(standing({"a": OWN, "b": other}, tmp_path), tmp_path / "book.html")
    text = path.read_text()
    assert 'href="#run-1"' in text and "Not run: huszar-other." in text and "They add up." in text
    assert len(text) < 5_000_000
    with pytest.raises(DivminError, match=r"must end in \.html"):
        book(standing({"a": OWN}, tmp_path), tmp_path / "book.pdf")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda: replace(OWN, expected={}), "could not fail"),
        (lambda: replace(OWN, name="own"), "does not begin with the name of its paper"),
        (lambda: replace(OWN, caption=""), "picture without a caption"),
        (lambda: replace(OWN, quick=3), "same type of settings"),
        (lambda: replace(OWN, cost=Cost(0, 1)), "what it costs"),
        (lambda: near(float("nan")), "an interval from nan"),
    ],
)
def test_items_that_cannot_be_are_refused(change: Callable[[], object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        change()


def test_names_are_found_or_suggested() -> None:
    assert next(iter(items("shannon"))) == "shannon-equation-1" and set(items("shannon")) < set(items())
    with pytest.raises(DivminError, match="did you mean shannon-figure-2"):
        item("shanon-figure-2")
    with pytest.raises(DivminError, match="did you mean huszar"):
        items("husar")


class TestCommand:
    def test_lists(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["reproduce", "--out", str(tmp_path)]) == 0
        said = capsys.readouterr().out
        assert all(name in said for name in items()) and "not run" in said
        assert main(["reproduce", "--out", str(tmp_path), "--json"]) == 0
        assert {each["item"] for each in json.loads(capsys.readouterr().out)} == set(items())

    def test_runs_and_writes_the_book(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["--quick", "--out", str(tmp_path)]
        assert main(["reproduce", "shannon-figure-2", "shannon-table-1", *told, "--report"]) == 0
        said = capsys.readouterr().out
        assert "pass  kl: R" in said and "153 passed" in said and (tmp_path / "book.html").exists()
        assert main(["reproduce", "shannon-table-1", *told, "--json"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["items"][0]["verdict"] == "passed" and record["book"] is None

    def test_a_list_of_some(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["reproduce", "--paper", "huszar", "--list", "--out", str(tmp_path), "--json"]) == 0
        assert {each["item"] for each in json.loads(capsys.readouterr().out)} == set(items("huszar"))

    def test_the_second_time_it_is_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for said in ("about", "already there (--again computes it anew)"):
            assert main(["reproduce", "shannon-table-1", "--quick", "--out", str(tmp_path)]) == 0
            assert said in capsys.readouterr().out
        result = tmp_path / "shannon-table-1" / "quick" / "result.json"
        record = json.loads(result.read_text())
        result.write_text(json.dumps(record | {"numbers": dict.fromkeys(record["numbers"], 0.5)}))
        assert main(["reproduce", "--report", "--out", str(tmp_path)]) == 1, "a failure in the book"

    def test_an_item_of_ones_own_is_imported(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys.modules["divmin.papers.item"], "_ITEMS", dict(items()))
        text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text().split("## A figure of a paper")[1]
        (tmp_path / "triangular.py").write_text(text.split("```python")[1].split("```")[0])
        told = ["--import", str(tmp_path / "triangular.py"), "--out", str(tmp_path / "out")]
        assert main(["reproduce", "shannon-triangular", *told]) == 0
        assert "1 passed" in capsys.readouterr().out

    def test_the_book_computes_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Data that are damaged are told of; what would take hours waits until it is asked for."""
        told = ["--quick", "--out", str(tmp_path)]
        assert main(["reproduce", "shannon-figure-2", *told]) == 0
        folder = tmp_path / "shannon-figure-2" / "quick"
        (folder / "data.npz").write_bytes(b"PK half a file")
        (folder / "figure.png").unlink()
        before = (folder / "result.json").read_text()
        monkeypatch.setattr("divmin.reproduction.perform.one_thread", lambda small: pytest.fail("it computes"))
        assert main(["reproduce", "--report", "--out", str(tmp_path)]) == 0
        assert "shannon-figure-2 cannot be drawn from what is kept: run it with --again" in capsys.readouterr().err
        assert (folder / "result.json").read_text() == before and (tmp_path / "book.html").exists()

    def test_ctrl_c_says_how_to_go_on(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(*args: Any, **kwargs: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("divmin.reproduction.perform.check", stop)
        assert main(["reproduce", "shannon-table-1", "--quick", "--out", str(tmp_path)]) == 130
        assert "what was computed is kept: the same command goes on" in capsys.readouterr().err

    def test_a_failure_is_exit_code_1(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        weight = dm.Divergence.weight
        monkeypatch.setattr(dm.Divergence, "weight", lambda self, d: weight(self, 1.1 * d))
        assert main(["reproduce", "shannon-table-1", "--quick", "--out", str(tmp_path)]) == 1
        assert "fail" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["shannon"], "'shannon' is a source, not an item: --paper shannon"),
            (["shannon-table-2"], "did you mean shannon-table-1?"),
            (["--paper", "newton"], "unknown paper 'newton'"),
            (["--all", "--paper", "huszar"], "three ways to choose"),
            (["--again"], "--again needs items"),
            (["--list", "--report"], "--list runs and writes nothing"),
            (["shannon-table-1", "--jobs", "0"], "--jobs must be at least 1, got 0"),
            (["--report"], "nothing was reproduced yet"),
        ],
    )
    def test_bad_input_is_one_line(
        self, words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["reproduce", *words, "--out", str(tmp_path)]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1

    def test_a_folder_that_is_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").write_text("")
        assert main(["reproduce", "shannon-table-1", "--quick", "--out", str(tmp_path / "file")]) == 2
        assert "cannot write to" in capsys.readouterr().err
