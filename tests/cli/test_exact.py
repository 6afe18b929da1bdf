"""`divmin exact` as people use it: the table, the records, the pictures, and how it says no."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

import divmin as dm
from divmin.cli import main
from divmin.cli.exact_command import EXAMPLES
from divmin.values.profile import profile

MIXTURE = "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"
DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "values.md").read_text()
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for line in [*EXAMPLES.splitlines(), *DOCUMENT.splitlines()]
    if line.strip().startswith("divmin exact")
]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exact", "js,kl,skew(kl, 0.3),chi2_data_denominator", "normal(0, 1)", "normal(0.5, 1.5)"]) == 0
    heading, *rows = lines(capsys.readouterr().out)
    assert heading.split("  ")[0] == "divergence" and "nats" in heading and "error at most" in heading
    assert [row.split()[0] for row in rows] == ["js", "kl", "skew_kl(0.3)", "chi2_data_denominator"]
    assert rows[0].split()[1] == f"{dm.exact('js', 'normal(0, 1)', 'normal(0.5, 1.5)').value:.12g}"
    assert rows[0].endswith("inversion of the moment function of d") or rows[0].endswith("quadrature on the line")
    assert rows[3].split()[1:3] == ["inf", "0"]


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exact", "js,chi2_data_denominator", "normal(0, 1)", "normal(0.5, 1.5)", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["p"], record["q"], record["plot"]) == ("normal(0, 1)", "normal(0.5, 1.5)", None)
    js, chi2 = record["values"]
    assert js == dm.exact("js", "normal(0, 1)", "normal(0.5, 1.5)").to_dict()
    assert (chi2["value"], chi2["error"], chi2["route"]) == ("inf", 0.0, "closed form")


def test_route_and_samples(capsys: pytest.CaptureFixture[str]) -> None:
    for route in ("closed form", "quadrature on the line", "line"):
        assert main(["exact", "kl", "normal(0, 1)", "normal(1, 1)", "--route", route, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["values"][0]["value"] == pytest.approx(0.5, rel=1e-12)
    sampled = ["exact", "kl", "laplace(0, 1)^3", "normal(0, 1)^3", "--samples", "1000"]
    found = []
    for seed in ("1", "1", "2"):
        assert main([*sampled, "--seed", seed]) == 0
        found.append(capsys.readouterr().out)
    assert found[0] == found[1] != found[2]
    assert "standard error" in found[0] and "Monte Carlo" in found[0]


@pytest.mark.parametrize(
    ("f", "p", "q", "axis"),
    [
        ("js", MIXTURE, "normal(0, 1)", "x"),
        ("kl,tv,js", "uniform(0, 1)", "0.5*beta(0.5, 2) + 0.5*cauchy(0, 1)", "x"),
        ("kl,js", "uniform(0, 1)", "uniform(0.5, 2)", "x"),
        ("kl,js", "normal(0, 1)", "normal(0, 1)", "x"),
        ("js,chi2_data_denominator", "normal(0, 1)", "normal(0.5, 1.5)", "x"),
        ("js,kl", "normal([0, 0], [[1, 0.3], [0.3, 2]])", "normal(0, 1)^2", "d"),
        ("js", "normal(0, 1)^3", "normal(0, 1.5)^3", "d"),
        ("kl,js", "poisson(4)", "0.5*negative_binomial(4, 0.5) + 0.5*geometric(0.3)", "outcome"),
        ("kl", "[3, 1, 0]", "[0, 1, 1]", "outcome"),
    ],
)
def test_plot(f: str, p: str, q: str, axis: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "cost.png"
    assert main(["exact", f, p, q, "--plot", str(plot)]) == 0
    assert f"picture: {plot}" in capsys.readouterr().out
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert profile(f.split(","), p, q).axis == axis


@pytest.mark.parametrize(
    ("f", "p", "q"),
    [
        ("js", MIXTURE, "normal(0, 1)"),
        ("kl", "uniform(0, 1)", "exponential(2)"),
        ("reverse_kl", "normal([0, 0], [[1, 0.3], [0.3, 2]])", "normal(0.2, 1)^2"),
        ("js", "normal(0, 1)^4", "normal(0, 1.5)^4"),
        ("kl", "poisson(4)", "negative_binomial(4, 0.5)"),
    ],
)
def test_costs_add_up_to_the_value(f: str, p: str, q: str) -> None:
    """What is drawn is all of the divergence: the area below the curve, or the sum of the points."""
    drawn = profile([f], p, q)
    (costs,) = drawn.costs.values()
    gaps = [b - a for a, b in zip(drawn.at, drawn.at[1:], strict=False)]
    area = sum(gap * (a + b) / 2 for gap, a, b in zip(gaps, costs, costs[1:], strict=False))
    total = sum(costs) if drawn.axis == "outcome" else area
    assert total == pytest.approx(dm.exact(f, p, q).value, rel=0.02)


@pytest.mark.parametrize("arguments", COMMANDS, ids=range(len(COMMANDS)))
def test_examples_of_the_help_and_the_document_run(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    assert "nats" in capsys.readouterr().out or "--json" in arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["js", "norml(0, 1)", "normal(0, 1)"], "did you mean normal?"),
        (["jss", "normal(0, 1)", "normal(0, 1)"], "did you mean js"),
        (["js,,kl", "normal(0, 1)", "normal(1, 1)"], "commas between"),
        (["js", "normal(0, 1)"], "required: Q"),
        (["-log(u)", "normal(0, 1)", "normal(1, 1)"], "goes after --"),
        (["js", "normal(0, 1)", "[0.5, 0.5]"], "categorical(...)"),
        (["js", "normal(0, 1)", "poisson(2)"], "no ratio"),
        (["js", "laplace(0, 1)^3", "normal(0, 1)^3"], "samples=100000"),
        (["js", "normal(0, 1)", "normal(1, 1)", "--route", "guess"], "unknown route 'guess'"),
        (["js", "normal(0, 1)", "normal(1, 1)", "--route", "line", "--samples", "9"], "give one of them"),
        (["js", "normal(0, 1)", "normal(1, 1)", "--samples", "1"], "at least 2"),
        (["js", "normal(0, 1)", "normal(1, 1)", "--samples", "many"], "invalid int"),
        (["js", "normal(0, 1)", "normal(1, 1)", "--plot", "x.bmp"], ".png, .svg, .pdf"),
        (["kl", "dirichlet(1, 2, 3)", "dirichlet(1, 1, 1)", "--plot", "x.png"], "nothing to draw"),
        (["kl", "normal(0, 1)^3", "normal(0, 1)^3", "--plot", "x.png"], "one law"),
        (["kl", "ring(sigma=0.5)", "ring(sigma=0.5)", "--samples", "9", "--plot", "x.png"], "nothing to draw"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["exact", *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert len(lines(caught.err)) == 1 and said in caught.err, caught.err
    assert list(tmp_path.iterdir()) == []
