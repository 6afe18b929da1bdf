"""`divmin explain`, `list` and `train` with modules of the user's own, and what they say when something does not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from divmin.cli import main
from divmin.objectives import registry

MODULE = """
from divmin.objectives import register_fixed
register_fixed("third", "softplus(-c)/3", "softplus(c)/3", "-softplus(c)/3", "A third of minimax.", "a test")
pair = (("softplus(-c)", "softplus(c)"), "-log(D)")
def made():
    return "softplus(-c)", "softplus(c)", lambda c: -c
two = (lambda real, fake: real.mean(), lambda fake: fake.mean())
number = 3
def bad():
    return 1 / 0
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules, left as the registry was found."""
    (tmp_path / "mine.py").write_text(MODULE)
    (tmp_path / "quits.py").write_text("import sys\n\nsys.exit(5)\n")
    (tmp_path / "broken.py").write_text("x = 1\ny = 1 / 0\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_named", dict(registry._named))
    return tmp_path


@pytest.mark.parametrize("text", ["mine:pair", "mine.py:pair", "./mine.py:pair"])
def test_a_module_is_one_in_every_spelling(text: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", text, "--import", "mine.py", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["subject"], record["name"]) == (text, "0.5*softened_reverse_kl")


def test_pairs_stand_beside_recipes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "minimax", "--import", "mine.py", "--compare", "mine:pair", "mine:made", "--plot", "a.png"]
    assert main([*arguments, "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [each["subject"] for each in records] == ["minimax", "mine:pair", "mine:made"]
    assert [each["name"] for each in records] == ["2*js", "0.5*softened_reverse_kl", "reverse_kl"]


@pytest.mark.parametrize("columns", ["60", "80", "200"])
def test_names_are_whole_in_the_table(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["explain", "nonsaturating", "--compare", "lsgan(-1, 1, 0)", "hinge"]) == 0
    shown = capsys.readouterr().out
    above = shown.partition("nonsaturating: Minimises")[0]
    for word in ("0.5*softened_reverse_kl", "lsgan(-1, 1, 0)", "fades like u^-1", "u > 1"):
        assert word in above, shown


def test_own_recipes_are_listed(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--recipes", "--import", "mine.py"]) == 0
    assert "A third of minimax." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", "mine:pair"], "allow it with --import mine"),
        (["explain", "mine:two", "--import", "mine.py"], r"pair of functions.*dm\.audit\(critic_loss, generator_loss\)"),
        (["explain", "mine:number", "--import", "mine.py"], r"of type int; expected a recipe, \(\(loss_on_real"),
        (["explain", "mine:bad", "--import", "mine.py"], r"ZeroDivisionError: division by zero \(mine.py, line 10\)"),
        (["explain", "mine:nothing", "--import", "mine.py"], "mine has no 'nothing'"),
        (["explain", "mine", "--import", "mine.py"], "registers no recipe called mine.*mine:NAME"),
        (["train", "--recipe", "mine", "--import", "mine.py"], "registers no recipe called mine.*CONTRIBUTING"),
        (["train", "--recipe", "mine:pair", "--import", "mine.py"], "takes a recipe by its name.*CONTRIBUTING"),
        (["explain", "minimax", "--import", "quits.py"], r"sys.exit\(5\) was called \(quits.py, line 3\)"),
        (["explain", "minimax", "--import", "broken.py"], r"ZeroDivisionError: .*\(broken.py, line 2\)"),
        (["explain", "nonsaturating", "--samples", "fixed"], "--sampled-loss is differentiated"),
        (["explain", "--sampled-loss", "k4"], "k1, k2, k3"),
        (["explain", "--help"], ""),
    ],
)  # fmt: skip
def test_one_line(arguments: list[str], says: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if arguments[-1] == "--help":
        with pytest.raises(SystemExit):
            main(arguments)
        shown = capsys.readouterr().out
        assert "p=, q=" in shown and "MODULE:NAME is a recipe" in shown
        return
    assert main(arguments) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and len(caught.err.splitlines()) == 1
    assert re.search(says, caught.err), caught.err


def test_two_files_of_one_name_are_not_confused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "sub").mkdir()
    (here / "sub" / "mine.py").write_text("x = 1\n")
    assert main(["explain", "mine:pair", "--import", "mine.py", "--import", "sub/mine.py"]) == 2
    assert "two modules are called mine" in capsys.readouterr().err


def test_a_file_that_is_named_twice_runs_once(here: Path) -> None:
    assert main(["explain", "mine:pair", "--import", "mine.py", "--import", "mine"]) == 0
