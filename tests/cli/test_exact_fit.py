"""`divmin exact --fit` as people use it: the points, the count, records, pictures, and how it says no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import divmin as dm
from divmin.cli import main

MIXTURE = "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"
TWO = "0.5*normal(-1.5, 0.6) + 0.5*normal(1.5, 0.6)"
Caught = pytest.CaptureFixture[str]


def test_every_point_and_the_count(capsys: Caught) -> None:
    assert main(["exact", "js,rkl", TWO, "normal(m, s)", "--fit"]) == 0
    js, reverse = capsys.readouterr().out.split("\n\n")
    assert js.splitlines()[0] == "js: 1 minimum"
    heading, *lines = reverse.splitlines()
    assert heading == "reverse_kl: 3 minima, 2 saddles"
    assert lines[0].split() == ["kind", "m", "s", "nats"]
    assert lines[1].split()[:4] == ["minimum,", "lowest", "0", "1.434353237"]
    assert [line.split()[0] for line in lines[2:6]] == ["minimum", "minimum", "saddle", "saddle"]
    assert lines[-1] == "  complete: the count is 1"


def test_records(capsys: Caught) -> None:
    assert main(["exact", "js", MIXTURE, "normal(loc, scale)", "--fit", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    (found,) = record["fits"]
    (point,) = found["points"]
    assert (record["q"], record["plot"], found["divergence"]) == ("normal(loc, scale)", None, "js")
    assert (found["complete"], found["count"], point["kind"], point["lowest"]) == (True, 1, "minimum", True)
    assert point["parameters"] == pytest.approx({"loc": -0.4696168812, "scale": 1.0400259718}, abs=1e-9)


def test_an_incomplete_count_is_said(capsys: Caught) -> None:
    box = ["--box", "loc=30:31", "--box", "scale=0.1:0.11"]
    assert main(["exact", "kl", "normal(0, 1)", "normal(loc, scale)", "--fit", *box]) == 0
    out = capsys.readouterr().out
    assert out.startswith("kl: 0 minima\n") and "should be 1" in out and "complete" not in out


@pytest.mark.parametrize(
    ("f", "p", "q", "box"),
    [
        ("rkl,js", TWO, "normal(m, s)", ["m=-3:3", "s=0.4:3"]),
        ("js,kl", "laplace(0.5, 1)", "normal(m, 1.5)", []),
        ("kl", "bernoulli(0.3)", "bernoulli(x)", ["x=0.05:0.95"]),
    ],
)
def test_plot(f: str, p: str, q: str, box: list[str], tmp_path: Path, capsys: Caught) -> None:
    plot = tmp_path / "landscape.png"
    flags = [word for each in box for word in ("--box", each)]
    assert main(["exact", f, p, q, "--fit", *flags, "--plot", str(plot)]) == 0
    assert f"picture: {plot}" in capsys.readouterr().out
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["js", "normal(0, 1)", "normal(0, 1)", "--fit"], "no free name"),
        (["js", "normal(0, 1)", "normal(m, s)"], "--fit to search"),
        (["js", "normal(m, 1)", "normal(m, s)", "--fit"], "takes numbers"),
        (["js", "normal(0, 1)", "norml(m, s)", "--fit", "--box", "m=0:1", "--box", "s=1:2"], "did you mean normal?"),
        (["js", "normal(0, 1)", "normal(m, s, r)", "--fit", "--box", "m=0:1"], "one for each free name of Q, m, s, r"),
        (["js", "normal(0, 1)", "gamma(a, b)", "--fit"], "where to search"),
        (["js", "poisson(2)", "poisson(r)", "--fit"], "where to search"),
        (["js", "binomial(4, 0.5)", "binomial(n, 0.5)", "--fit", "--box", "n=1:9"], "whole numbers"),
        (["js", "normal(0, 1)", "normal(m, s)", "--box", "m=0:1"], "give --fit"),
        (["js", "normal(0, 1)", "normal(m, 1)", "--fit", "--box", "m=1:0"], "NAME=LOW:HIGH"),
        (["js", "normal(0, 1)", "normal(m, 1)", "--fit", "--box", "m=a:b"], "NAME=LOW:HIGH"),
        (["js", "normal(0, 1)", "normal(m, 1)", "--fit", "--box", "m"], "NAME=LOW:HIGH"),
        (["js", "normal(0, 1)", "normal(m, 1)", "--fit", "--box", "m=0:1", "--box", "m=1:2"], "twice"),
        (["js", "normal(0, 1)", "normal(0, s)", "--fit", "--box", "s=-1:2"], "outside|inside"),
        (["js", "normal(0, 1)", "normal(m, s)", "--fit", "--samples", "9"], "leave --route and --samples out"),
        (["js", "normal(0, 1)", "normal(m, s)", "--fit", "--plot", "x.bmp"], ".png, .svg, .pdf"),
        (
            ["js", "normal(0, 1)", "student_t(k, m, s)", "--fit", "--plot", "x.png"],
            "one or two can be drawn",
        ),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, capsys: Caught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["exact", *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and len(caught.err.strip().splitlines()) == 1
    assert any(each in caught.err for each in said.split("|")), caught.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("f", "p", "text", "box", "best"),
    [
        ("js", "normal(0, 1)", "normal(m, 2*s)", {"m": (-1.0, 1.0), "s": (0.3, 2.0)}, {"m": 0.0, "s": 0.5}),
        ("kl", "gamma(2, 4)", "exponential(rate=r)", {"r": (0.5, 8.0)}, {"r": 2.0}),
        ("srkl", MIXTURE, "normal(scale=s, mean=m)", None, {"s": 0.5325176963, "m": -0.9695789684}),
    ],
)
def test_families_as_text(f: str, p: str, text: str, box: Any, best: dict[str, float]) -> None:
    found = dm.fit(f, p, text, box)
    assert found.complete and found.best.parameters == pytest.approx(best, abs=1e-8)
    assert list(found.best.parameters) == list(best)


def test_landscapes_of_text_are_single_values() -> None:
    grid = {"m": [-0.5, 0.5], "w": [0.25, 0.5]}
    mixed = dm.landscape("js", MIXTURE, "w*normal(m, 0.5) + (1 - w)*cauchy(1, 1)", grid)
    plain = dm.landscape("js", MIXTURE, "normal(m, w)", grid)
    one = dm.exact("js", MIXTURE, "0.25*normal(0.5, 0.5) + 0.75*cauchy(1, 1)").value
    assert float(mixed.values[1, 0]) == pytest.approx(one, rel=1e-9)
    assert float(plain.values[0, 1]) == pytest.approx(dm.exact("js", MIXTURE, "normal(-0.5, 0.5)").value, rel=1e-9)
