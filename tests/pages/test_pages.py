"""The page about runs: what stands in it, that it needs nothing else, and that it works in a browser."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import divmin as dm
from divmin.cli import main
from divmin.cli.train_command import configure, settings
from divmin.errors import DivminError, DivminWarning
from divmin.pages.chapter import flags
from divmin.pages.embedding import films, spread
from divmin.training import Run, TrainConfig
from divmin.training.run import MONITOR, REPORT, picture_path, write_status

from . import browser

EVIL = "<script>alert(1)</script>"


def trained(folder: Path, **changes: Any) -> Run:
    settings: dict[str, Any] = {
        "data": "ring", "model": "mlp", "width": 16, "batch_size": 64, "steps": 120, "log_every": 20, "sample_every": 30,
        "evaluate_every": 60, "evaluate_samples": 300, "device": "cpu",
    }  # fmt: skip
    return dm.train(TrainConfig(**{**settings, **changes, "out": str(folder)}), show=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    folder = tmp_path_factory.mktemp("runs")
    return trained(folder / "first"), trained(folder / "second", recipe="minimax", seed=1)


class Page(HTMLParser):
    """What a page consists of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def test_every_run_ends_with_its_page(runs: tuple[Run, Run]) -> None:
    page = read(runs[0].folder / REPORT)
    parts = (
        "first", "finished", "softened reverse KL", "120 of 120", "Warnings", "Samples", "What is minimised", "Curves",
        "Pushforward and calibration", "Metrics", "Configuration", "Commands", "lower bound", "batch_size 64",
    )  # fmt: skip
    for part in parts:
        assert part in page.text, part
    assert page.text.index("Warnings") < page.text.index("Samples") < page.text.index("Configuration")
    assert "n_real" in page.text  # how numbers were computed stands beside them


def test_a_page_needs_nothing_else_and_every_picture_is_told(runs: tuple[Run, Run]) -> None:
    text = (runs[0].folder / REPORT).read_text()
    page = Page(text)
    assert len(text) < 5_000_000
    assert page.all("img")
    for image in page.all("img"):
        assert (image["src"] or "").startswith("data:image/webp;base64,") and len(image["alt"] or "") > 15
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "http" not in re.sub(r"http-equiv", "", text)
    assert any("default-src 'none'" in (each.get("content") or "") for each in page.all("meta"))
    (slider,) = page.all("input")
    frames = [each for each in page.all("img") if each.get("class") == "frame"]
    assert slider["data-steps"] == "0 30 60 90 120" and len(frames) == 5 and int(slider["max"] or 0) == 4
    assert ["hidden" in each for each in frames] == [True] * 4 + [False]  # without script the last is seen


def test_runs_side_by_side(runs: tuple[Run, Run], tmp_path: Path) -> None:
    path = dm.report(*(run.folder for run in runs), out=tmp_path / "both.html")
    page = read(path)
    assert "2 runs side by side" in page.text and "Settings that differ" in page.text
    rows = page.text[page.text.index("Settings that differ") :]
    assert (
        "recipe nonsaturating minimax" in rows and "seed 0 1" in rows and rows.index("batch_size") > 200
    )  # not among them
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert path.stat().st_size < 5_000_000


def test_what_users_write_is_text(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "a<b>&'run"
    shutil.copytree(runs[0].folder, folder)
    write_status(folder, "failed", 60, reason=f"no reason {EVIL}")
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("data: ring", f"data: '{EVIL}'"))
    told = json.loads((folder / "explanation.json").read_text())
    (folder / "explanation.json").write_text(json.dumps({**told, "sentence": f"Minimises {EVIL}", "warnings": [EVIL]}))
    text = dm.report(folder).read_text()
    page = Page(text)
    assert EVIL not in text and page.text.count(EVIL) >= 4
    assert len(page.all("script")) == 1
    assert "serious" in page.text and "divmin resume" in page.text


def test_a_page_stays_small_whatever_the_run(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "big"
    shutil.copytree(runs[0].folder, folder)
    noise = np.random.default_rng(0)
    for step in range(1000, 1060):
        Image.fromarray(noise.integers(0, 255, (900, 900, 3), dtype=np.uint8)).save(picture_path(folder, step))
    path = dm.report(folder, out=tmp_path / "big.html")
    assert path.stat().st_size < 5_000_000
    frames = [each for each in read(path).all("img") if each.get("class") == "frame"]
    assert 2 <= len(frames) <= 24
    many = dm.report(*[folder] * 6, out=tmp_path / "many.html")
    assert many.stat().st_size < 5_000_000


def test_runs_without_some_of_their_files(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "poor"
    shutil.copytree(runs[0].folder, folder)
    whole = read(dm.report(folder)).text
    for name in ("monitor.json", "evaluation.jsonl", "explanation.json", "samples.png", "metrics.jsonl"):
        (folder / name).unlink()
        assert len(read(dm.report(folder)).text) < len(whole)
    shutil.rmtree(folder / "samples")
    page = read(dm.report(folder))
    assert "not known" in page.text and "Metrics" not in page.text and "Commands" in page.text
    (folder / MONITOR).write_text("{")
    (folder / "explanation.json").write_text("[")
    text = read(dm.report(folder)).text
    assert "not known" in text and "monitor.json is damaged" in text


def test_a_diagnosis_is_part_of_the_page(runs: tuple[Run, Run], tmp_path: Path) -> None:
    from divmin.diagnosis import place_of, write

    folder = tmp_path / "told"
    shutil.copytree(runs[0].folder, folder)
    found = dm.diagnose(folder, fresh_critic=True, steps=60, width=16, n=400, show=False)
    write(found, place_of(folder))
    page = read(dm.report(folder))
    assert found.sentences[0][:40] in page.text and "Before another critic" in page.text
    assert sum("give the model away" in (each["alt"] or "") for each in page.all("img")) == 1
    (folder / "diagnosis" / "diagnosis.json").write_text("{")
    assert "diagnosis.json is damaged" in read(dm.report(folder)).text


def test_pictures_of_a_run_that_was_killed_are_drawn(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    shutil.copytree(runs[0].folder, folder)
    for name in ("curves.png", "divergence.png", "monitor.png", REPORT):
        (folder / name).unlink()
    write_status(folder, "interrupted", 100, reason="Ctrl-C", signal=2)
    page = read(dm.report(folder))
    assert "interrupted at step 100 of 120: Ctrl-C" in page.text
    assert sum("laws of the critic" in (each["alt"] or "") for each in page.all("img")) == 1
    assert (folder / "curves.png").exists()


def test_wrong_arguments_are_one_line(
    runs: tuple[Run, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (
        ["report", str(tmp_path / "nothing")],
        ["report", str(runs[0].folder), "--out", str(tmp_path / "page.pdf")],
        ["report", str(runs[0].folder), "--out", str(tmp_path / "no" / "page.html")],
    ):
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(DivminError, match="0 runs"):
        dm.report()
    assert main(["report", str(runs[0].folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(runs[0].folder / REPORT)}


def test_a_page_that_cannot_be_written_is_no_lost_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Path:
        raise DivminError("cannot write report.html: No space left on device")

    monkeypatch.setattr("divmin.experiment.report", fails)
    with pytest.warns(DivminWarning, match="there is no report"):
        run = trained(tmp_path / "run", steps=20, evaluate_every=None)
    assert run.state == "finished"


@pytest.mark.parametrize(
    "config",
    [
        TrainConfig(),
        TrainConfig(
            recipe="hybrid(jeffreys, js)", data="grid(n=5, spacing=2)", r1=0.5, augment="color,translation", steps=7
        ),
        TrainConfig(data="my folder/it's", check_finite=False, schedule="cosine", critic_lr=2e-5, seed=3),
    ],
    ids=["defaults", "text", "quotes"],
)
def test_the_command_makes_the_same_settings(config: TrainConfig) -> None:
    from divmin.cli.main import Parser

    parser = Parser()
    configure(parser)
    words = shlex.split(" ".join(flags(config)))
    assert replace(settings(parser.parse_args(words)), out=None) == config


def test_frames_are_spread_over_training(tmp_path: Path) -> None:
    paths = []
    for i in range(5):
        Image.new("RGB", (40, 20), (10 * i, 0, 0)).save(path := tmp_path / f"{i}.png")
        paths.append(path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert spread(paths, 2) == [paths[0], paths[-1]]
    assert len(films([*paths, tmp_path / "broken.png"], budget=10**6)) == 5
    assert films(paths, budget=10) == []


needs_browser = pytest.mark.skipif(not browser.installed(), reason="no Chromium with ChromeDriver is installed")


@needs_browser
def test_in_a_browser(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """No word in the console; the slider shows one frame after the other; both themes; nothing wider than a phone."""
    page = runs[0].folder / REPORT
    with browser.chromium(tmp_path / "profile") as chromium:
        chromium.size(1200, 900)
        chromium.dark(False)
        chromium.open(page)
        shown = "return [...document.querySelectorAll('.frame')].findIndex(frame => !frame.hidden)"
        step = "return document.querySelector('output').textContent"
        assert (chromium.run(shown), chromium.run(step)) == (4, "120")
        chromium.press("input[type=range]", "\ue012")  # arrow to the left
        assert (chromium.run(shown), chromium.run(step)) == (3, "90")
        chromium.run("const s = document.querySelector('input'); s.value = 0; s.dispatchEvent(new Event('input'))")
        assert (chromium.run(shown), chromium.run(step)) == (0, "0")
        loaded = "return [...document.images].filter(each => each.getClientRects().length).every(each => each.complete)"
        assert chromium.run("document.querySelectorAll('img').forEach(i => i.loading = 'eager'); return true")
        assert chromium.run(loaded)
        paper = "return getComputedStyle(document.body).backgroundColor"
        light = chromium.run(paper)
        chromium.dark(True)
        dark = chromium.run(paper)
        assert light != dark
        chromium.run("document.getElementById('theme').click()")
        assert chromium.run(paper) == light
        chromium.size(390, 800)
        assert chromium.run("return document.documentElement.scrollWidth") <= 390
        chromium.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert chromium.run("return document.documentElement.scrollWidth") <= 390
        assert len(chromium.picture()) > 10_000
        assert chromium.complaints() == []
        side = dm.report(*(run.folder for run in runs), out=tmp_path / "both.html")
        chromium.open(side)
        assert chromium.run("return document.documentElement.scrollWidth") <= 390
        assert chromium.complaints() == []
