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

import browser
import numpy as np
import pytest
from PIL import Image

import divmin as dm
from divmin.cli import main
from divmin.cli.train_command import configure, settings
from divmin.errors import DivminError, DivminWarning
from divmin.pages.cautions import cautions
from divmin.pages.commands import commands, flags
from divmin.pages.embedding import film, spread
from divmin.pages.told import tell
from divmin.pages.write import WORDS
from divmin.training import Run, TrainConfig
from divmin.training.run import MONITOR, REPORT, picture_path, write_status

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
    """Three hundred pictures of noise, which nothing compresses, alone and beside others like them."""
    folder, noise = tmp_path / "big", np.random.default_rng(0)
    shutil.copytree(runs[0].folder, folder)
    pixels = noise.integers(0, 255, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "samples.png", compress_level=0)
    for step in range(1000, 1300):
        (picture_path(folder, step)).hardlink_to(folder / "samples.png")
    path = dm.report(folder, out=tmp_path / "big.html")
    assert path.stat().st_size < 5_000_000
    frames = [each for each in read(path).all("img") if each.get("class") == "frame"]
    assert len(frames) == 24 and frames[-1]["alt"] == "samples of the same z at step 1,299"
    many = dm.report(*[folder] * 2, out=tmp_path / "many.html")
    assert many.stat().st_size < 5_000_000
    assert sum(each.get("class") == "frame" for each in read(many).all("img")) >= 2 * 4


def test_words_have_the_room_that_is_kept_for_them(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """So that as many runs as a page may have stay below 5 MB with what pictures get."""
    path = dm.report(*(run.folder for run in runs), out=tmp_path / "both.html")
    words = re.sub(r'"data:image/webp;base64,[^"]*"', "", path.read_text())
    assert len(words.encode()) < WORDS * len(runs)
    with pytest.raises(DivminError, match="41 runs: expected 1 to 40"):
        dm.report(*[runs[0].folder] * 41, out=path)


def test_runs_without_some_of_their_files(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """What is not there is named, with the reason."""
    folder = tmp_path / "poor"
    shutil.copytree(runs[0].folder, folder)
    assert read(dm.report(folder)).text.count("nobody has asked (divmin diagnose RUN") == 1  # all else is there
    for picture in folder.glob("*.png"):
        picture.unlink()
    for name, part in (
        ("monitor.json", "Pushforward and calibration: there is no monitor.json"),
        ("evaluation.jsonl", "Metrics: nothing was measured on the way"),
        ("metrics.jsonl", "Curves: there are no records yet"),
        ("samples", "Samples: no pictures have been drawn"),
    ):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        text = read(dm.report(folder)).text
        assert part in text[text.index("Not on this page") :]
    (folder / "explanation.json").unlink()
    assert (
        "Minimises half the softened reverse KL" in read(dm.report(folder)).text
    )  # asked anew, by the name of the recipe
    config = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(config.replace("recipe: nonsaturating", "recipe: my_own"))
    text = read(dm.report(folder)).text
    assert "What this run minimises is not known" in text and "Commands" in text
    assert "given as recipe (my_own): the first needs them from a module, with --import" in text


def test_a_diagnosis_is_part_of_the_page(runs: tuple[Run, Run], tmp_path: Path) -> None:
    from divmin.diagnosis import place_of, write

    folder = tmp_path / "told"
    shutil.copytree(runs[0].folder, folder)
    found = dm.diagnose(folder, fresh_critic=True, steps=60, width=16, n=400, show=False)
    write(found, place_of(folder))
    page = read(dm.report(folder))
    assert (
        found.sentences[0][1:40] in page.text
        and "A fresh critic: " in page.text
        and "Before another critic" in page.text
    )
    assert all(each[1:] in page.text for each in found.reading.warnings)
    assert "Not on this page" not in page.text
    assert sum("give the model away" in (each["alt"] or "") for each in page.all("img")) == 1
    for damage in ("{", "[]", '{"estimates": [{"value": 3}]}', '{"estimates": 7}'):
        (folder / "diagnosis" / "diagnosis.json").write_text(damage)
        assert "diagnosis.json is damaged" in read(dm.report(folder)).text


@pytest.mark.parametrize(
    "damage", ["{", "[]", "3", '{"sentence": 3}', '{"sentence": "S.", "link": 3, "tails": [], "warnings": 1}']
)
def test_damaged_files_are_told_on_the_page(damage: str, runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(runs[0].folder, folder)
    (folder / MONITOR).write_text("{")
    (folder / "explanation.json").write_text(damage)
    (folder / "samples" / "00000060.png").write_bytes(b"no picture")
    page = read(dm.report(folder))
    assert "What the critic said is lost" in page.text and "monitor.json is damaged" in page.text
    assert ("explanation.json is damaged" in page.text) == ("S." not in damage)
    assert page.all("input")[0]["data-steps"] == "0 30 90 120"
    (folder / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(DivminError, match=r"metrics\.jsonl, line 1"):
        dm.report(folder)


def test_reports_leave_the_run_as_it_is(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """Pictures that a killed run lacks are drawn for the page alone: its process may still be alive, or the folder not ours."""
    folder = tmp_path / "killed"
    shutil.copytree(runs[0].folder, folder)
    for name in ("curves.png", "divergence.png", "monitor.png", REPORT):
        (folder / name).unlink()
    write_status(folder, "interrupted", 100, reason="Ctrl-C", signal=2)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    page = read(dm.report(folder, out=tmp_path / "page.html"))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert "interrupted at step 100 of 120: Ctrl-C" in page.text
    for start in ("laws of the critic", "losses and critic outputs", "three curves"):
        assert sum((each["alt"] or "").startswith(start) for each in page.all("img")) == 1


def test_running_runs_are_as_far_as_their_records(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "running"
    shutil.copytree(runs[0].folder, folder)
    write_status(folder, "running", 0)
    text = read(dm.report(folder)).text
    assert "running running" in text and "120 of 120" in text and "The run is" not in text
    assert f"divmin resume {folder}" in text and "--steps 240" not in text


def test_a_run_that_failed_has_its_page(tmp_path: Path) -> None:
    def fail(view: dm.training.View) -> None:
        if view.step == 40:
            raise RuntimeError(f"the probe broke {EVIL}")

    config = TrainConfig(
        data="ring",
        model="mlp",
        width=8,
        batch_size=64,
        steps=60,
        log_every=10,
        device="cpu",
        out=str(tmp_path / "run"),
    )
    with pytest.raises(RuntimeError, match="the probe broke"):
        dm.train(config, probes=[dm.training.Probe(10, fail)], show=False)
    page = read(tmp_path / "run" / REPORT)
    first = page.text[page.text.index("Warnings") :]
    assert first.startswith(
        f"Warnings serious The run is failed at step 40 of 60: RuntimeError: the probe broke {EVIL}."
    )
    assert any("losses and critic outputs over 40 steps" in (each["alt"] or "") for each in page.all("img"))


def test_losses_that_are_objects_have_their_part(tmp_path: Path) -> None:
    """The process that trains knows what no name tells later."""
    from divmin.objectives import hybrid

    mine = hybrid(dm.from_f(lambda u: u * u.log() + (u - 1) ** 2, name="mine"), dm.divergence("js"))
    config = TrainConfig(
        data="ring",
        model="mlp",
        width=8,
        batch_size=256,
        steps=40,
        log_every=10,
        device="cpu",
        out=str(tmp_path / "run"),
    )
    run = dm.train(config, recipe=mine, show=False)
    text = read(run.folder / REPORT).text
    assert "lower bound" in text and "AUC" in text and "with --import" in text


def test_warnings_are_ordered_and_complete(runs: tuple[Run, Run], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(runs[0].folder, folder)
    told = json.loads((folder / "explanation.json").read_text())
    (folder / "explanation.json").write_text(json.dumps({**told, "is_divergence": False, "warnings": ["mind this"]}))
    lines = [{"step": step, "values": {"recall": value}} for step, value in ((60, 0.8), (120, 0.5))]
    (folder / "evaluation.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_status(folder, "failed", 60, reason="a NaN")
    (tmp_path / "place").mkdir()
    found = cautions(tell(Run.open(folder), tmp_path / "place", 10**6))
    assert found[0].sentence == "The run is failed at step 60 of 120: a NaN."
    order = ["serious", "caution", "note"]
    assert [each.severity for each in found] == sorted((each.severity for each in found), key=order.index)
    said = " ".join(each.sentence for each in found)
    assert "no f-divergence" in said and "mind this" in said
    assert "By recall samples were best at step 60 (0.8); at step 120 it is 0.5." in said
    assert any(f"divmin sample {folder / 'best.pt'}" in each.remedy for each in found)


def test_folders_may_be_called_anything(runs: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formulas, letters that no font has, one name twice, bytes that are no text, and the folder where one stands."""
    names = ["$x^", "_hidden", "字" * 70, "a/same", "b/same"]
    folders = [tmp_path / name for name in names] + [Path(f"{tmp_path}/\udcff")]
    for folder in folders:
        shutil.copytree(runs[0].folder, folder)
    page = read(dm.report(*folders, folders[0], out=tmp_path / "page.html"))
    for name in ("$x^", "_hidden", "字" * 70, str(tmp_path / "a/same"), str(tmp_path / "b/same")):
        assert name in page.text
    monkeypatch.chdir(folders[1])
    assert " _hidden " in read(dm.report(".")).text


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
    for number, error in enumerate(
        (DivminError("cannot write report.html: No space left on device"), KeyError("a bug"))
    ):

        def fails(*_: object, error: Exception = error) -> Path:
            raise error

        monkeypatch.setattr("divmin.experiment.report_known", fails)
        with pytest.warns(DivminWarning, match="there is no report"):
            run = trained(tmp_path / str(number), steps=20, evaluate_every=None)
        assert run.state == "finished"

    def fail(view: dm.training.View) -> None:
        raise RuntimeError("the probe broke")

    config = TrainConfig(data="ring", model="mlp", width=8, steps=4, device="cpu", out=str(tmp_path / "failed"))
    with pytest.raises(RuntimeError, match="the probe broke"):  # and no word about the page, which cannot be written
        dm.train(config, probes=[dm.training.Probe(1, fail)], show=False)


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


def test_every_command_is_understood(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """By the parser of the command line itself, whatever the folder is called and however the run ended."""
    import importlib

    from divmin.cli.main import Parser

    folder = tmp_path / "it's a $run; -x"
    shutil.copytree(runs[0].folder, folder)
    for state in ("finished", "interrupted"):
        write_status(folder, state, 100)
        (tmp_path / f"place of {state}").mkdir()
        lines = commands(tell(Run.open(folder), tmp_path / f"place of {state}", 10**6))
        assert [line.split()[1] for line in lines] == ["train", "resume", "evaluate", "diagnose", "sample"]
        for line in lines:
            _, command, *words = shlex.split(line)
            parser = Parser()
            importlib.import_module(f"divmin.cli.{command}_command").configure(parser)
            found = parser.parse_args(words)
            assert str(getattr(found, "run", folder)) == str(folder)
        assert ("--steps 240" in lines[1]) == (state == "finished")


def test_frames_are_spread_over_training(tmp_path: Path) -> None:
    paths = []
    for i in range(5):
        Image.new("RGB", (40, 20), (10 * i, 0, 0)).save(path := tmp_path / f"{i}.png")
        paths.append(path)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    assert spread(paths, 2) == [paths[0], paths[-1]]
    assert list(film([*paths, tmp_path / "broken.png"], budget=10**6)) == paths
    one = len(film(paths[-1:], budget=10**6)[paths[-1]])
    assert list(film(paths, budget=3 * one)) == [paths[0], paths[-1]]  # fewer where all are small already
    assert list(film(paths, budget=one)) == [paths[-1]] and film(paths, budget=10) == {}


needs_browser = pytest.mark.skipif(
    not browser.installed(),
    reason="no Chromium with ChromeDriver here: that the page works in a browser is not tested, what it consists of is",
)


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
        for key, frame, said in (("\ue012", 3, "90"), ("\ue011", 0, "0"), ("\ue014", 1, "30"), ("\ue010", 4, "120")):
            chromium.press("input[type=range]", key)  # left, home, right, end
            assert (chromium.run(shown), chromium.run(step)) == (frame, said)
        chromium.run("const s = document.querySelector('input'); s.value = 0; s.dispatchEvent(new Event('input'))")
        assert (chromium.run(shown), chromium.run(step)) == (0, "0")
        assert chromium.run("return document.querySelector('input').getAttribute('aria-valuetext')") == "step 0"
        seen = "[...document.images].filter(each => each.getClientRects().length)"
        assert chromium.run(f"return {seen}.every(each => each.complete && each.naturalWidth > 100)")
        assert chromium.run(
            "return performance.getEntriesByType('resource').every(each => each.name.startsWith('data:'))"
        )
        paper = "return getComputedStyle(document.body).backgroundColor"
        drawing = "return getComputedStyle(document.querySelector('.drawing img')).filter"
        light = chromium.run(paper)
        assert chromium.run(drawing) == "none"
        chromium.dark(True)
        dark = chromium.run(paper)
        assert light != dark and "invert" in chromium.run(drawing)
        chromium.press("#theme", " ")
        assert chromium.run(paper) == light and chromium.run(drawing) == "none"
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


@needs_browser
def test_on_paper(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """What opens on demand is open, and closed again after; dark readers print on white; no switches."""
    with browser.chromium(tmp_path / "profile") as chromium:
        chromium.dark(True)
        chromium.open(runs[0].folder / REPORT)
        chromium.run("document.getElementById('theme').click(); document.getElementById('theme').click()")
        opened = "return document.querySelector('details').open"
        chromium.run(f"addEventListener('beforeprint', () => {{ window.was = (() => {{ {opened} }})() }})")
        assert chromium.printed().startswith(b"%PDF")
        assert chromium.run("return window.was") is True and chromium.run(opened) is False
        chromium.paper()
        assert chromium.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert chromium.run("return getComputedStyle(document.getElementById('theme')).display") == "none"
        assert chromium.run("return getComputedStyle(document.querySelector('.drawing img')).filter") == "none"


@needs_browser
def test_without_script(runs: tuple[Run, Run], tmp_path: Path) -> None:
    """The last frame, and no slider that does nothing; somebody's script would not run either."""
    page = tmp_path / "page.html"
    text = (runs[0].folder / REPORT).read_text()
    page.write_text(
        text.replace("<script>", "<script>document.title = 'changed';", 1).replace(
            "<body>", "<body><b onclick='1'></b>"
        )
    )
    with browser.chromium(tmp_path / "profile") as chromium:
        chromium.open(page)
        assert "Content Security Policy" in " ".join(chromium.complaints())
        assert chromium.run("return document.title") == "first - divmin"
        assert chromium.run("return [...document.querySelectorAll('.frame')].map(each => each.hidden).join()") == (
            "true,true,true,true,false"
        )
        assert chromium.run("return document.querySelector('.slider').getClientRects().length") == 0
