"""What an explanation says: sentences, records, the command, and that nothing of it is Python run from text."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import divmin as dm
from divmin.cli import main
from divmin.explanation.algebraic import algebraic, composition, nearest
from divmin.explanation.curves import lines
from divmin.explanation.symbolic import Closed, closed_form, exact_tails, within
from divmin.plots import save_explanations

REGISTRY = [text for named in dm.recipes().values() for text in (named.examples or (named.name,))]


def test_the_sentence_that_people_should_know() -> None:
    assert dm.explain("nonsaturating").sentence == (
        "Minimises half the softened reverse KL (4 KL(m||p), m = (p + q)/2): strongly mode-seeking; "
        "does not saturate when samples look fake; "
        "missed data cost at most 0.307 nats, half of it once the model is a factor of 3.7 short."
    )
    # 0.307 is half of 2 - 2 log 2, and 3.7 is where s has reached half of it.
    f = dm.divergence("0.5*srkl")
    assert f.s(math.inf) == pytest.approx(0.307, abs=5e-4)
    assert f.s(math.log(3.7)) == pytest.approx(f.s(math.inf) / 2, rel=0.02)


@pytest.mark.parametrize("text", REGISTRY)
def test_every_recipe_has_an_answer(text: str) -> None:
    found = dm.explain(text)
    assert found.sentence.endswith(".")
    assert found.subject == dm.recipe(text).name
    printed = str(found)
    assert printed.startswith(f"{found.subject}: {found.sentence}")
    record = json.loads(json.dumps(found.to_record(), allow_nan=False))
    assert record["is_divergence"] == found.is_divergence
    if found.is_divergence and not found.masses and found.region_without_pull == ():
        assert found.divergence is not None
        assert [float(w) for w in record["weight"]] == pytest.approx([float(found.weight(d)) for d in record["d"]])
    if found.divergence is not None and found.name:
        assert dm.divergence(found.name).s(1.3) == pytest.approx(found.divergence.s(1.3), rel=1e-9)
    if found.expression is not None and found.divergence is not None:
        other = dm.divergence(found.expression)
        assert other.weight(2.0) / other.weight(-1.0) == pytest.approx(found.weight(2.0) / found.weight(-1.0), rel=1e-9)


def test_what_a_recipe_says_of_itself_is_true() -> None:
    for text in REGISTRY:
        r = dm.recipe(text)
        if r.minimises is not None:
            found = dm.explain(text)
            assert found.divergence is not None
            for d in (-3.0, 0.2, 2.0):
                assert found.weight(d) == pytest.approx(r.minimises.weight(d), rel=1e-6), text


def test_compositions_and_neighbours() -> None:
    for name, expression in {
        "js": "symmetrize(soften(kl))", "srkl": "soften(reverse(kl))", "jeffreys": "symmetrize(kl)",
        "chi2_data_denominator": "nonsaturating(reverse(kl))", "triangular": "soften(chi2_model_denominator)",
        "ag": "symmetrize(soften(reverse(kl)))",
    }.items():  # fmt: skip
        assert composition(dm.divergence(name).weight, 1e-9) == expression
    assert composition(dm.divergence("kl").weight, 1e-9) is None
    found = algebraic(dm.divergence("3*reverse(soften(jeffreys))").weight, 1e-9)
    assert found is not None
    assert dm.divergence(found.expression).weight(1.7) * found.factor == pytest.approx(
        3 * dm.divergence("reverse(soften(jeffreys))").weight(1.7)
    )
    assert algebraic(lambda d: 1 + d**2, 1e-9) is None
    assert nearest(dm.divergence("1.001*js + 0.001*kl").weight)[0].name == "js"
    assert nearest(lambda d: d) == ()


def test_closed_forms_and_their_limits() -> None:
    assert closed_form(dm.recipe("lsgan")) == Closed("1/(u*(u + 1)^3)", "u/(u + 1)")  # type: ignore[arg-type]
    assert closed_form(dm.recipe("hinge")) is None  # type: ignore[arg-type]
    # a critic whose best output solves a polynomial of degree two
    quadratic = dm.explain(critic=("softplus(-c) + exp(-c)", "softplus(c)"), generator="-c")
    assert quadratic.formula is not None
    numeric = dm.explain(
        critic=(lambda c: torch.nn.functional.softplus(-c) + (-c).exp(), torch.nn.functional.softplus),
        generator=lambda c: -c,
    )
    from divmin.functions import evaluate
    from divmin.grammar import parse

    u = torch.logspace(-3, 3, 25, dtype=torch.float64)
    closed = evaluate(parse(quadratic.formula), {"u": u})
    torch.testing.assert_close(closed, numeric.weight(u.log()) / u**2, rtol=1e-8, atol=0)
    tails = exact_tails("(2*u + 1)/(u^2*(u + 1)^2)")
    assert tails is not None
    assert (tails.R, tails.S, tails.C, tails.D) == (2, 0, 1, 2)
    assert exact_tails("log(1 + 1/u)/u") is None  # a logarithm beside the power


def test_work_that_takes_too_long_is_stopped() -> None:
    turns = [0]

    def forever() -> None:
        while True:
            turns[0] += 1

    assert within(0.2, forever) is None
    import time

    time.sleep(0.3)
    before = turns[0]
    time.sleep(0.2)
    assert turns[0] == before
    with pytest.raises(ZeroDivisionError):
        within(1, lambda: 1 / 0)


def test_penalties_are_accounted_for() -> None:
    found = dm.explain("nonsaturating", penalty=["r1", "gp_one_sided"])
    assert any(warning.startswith("r1 ") for warning in found.warnings)
    assert any("moves the best critic wherever that is steeper" in warning for warning in found.warnings)
    assert found.name == "0.5*softened_reverse_kl"


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_lines_are_the_functions() -> None:
    record = lines(
        [dm.explain("minimax"), dm.explain("wgan"), dm.explain("poole(kl)"), dm.explain("hinge")], span=4, points=17
    )
    minimax, wgan, poole, hinge = record.members
    f = dm.divergence("2*js")
    assert minimax.weight == pytest.approx([f.weight(d) for d in record.d])
    assert minimax.s == pytest.approx([f.s(d) for d in record.d])
    assert minimax.link == pytest.approx(record.d, abs=1e-9)
    assert wgan.weight is None
    assert poole.weight == pytest.approx([-(1 + d) * math.exp(d) for d in record.d], rel=1e-8, abs=1e-9)
    # s of F'' = -(1 + log u)/u, by hand for d > 0: e^-d (f(e^d)) with f(u) = -(u log^2 u)/2
    assert poole.s is not None
    right = [(d, s) for d, s in zip(record.d, poole.s, strict=True) if d > 0]
    assert [s for _, s in right] == pytest.approx([-(d**2) / 2 for d, _ in right], rel=1e-3)
    assert hinge.masses == ((0.0, 2.0),)
    assert hinge.s == pytest.approx([1 - math.exp(-abs(d)) for d in record.d])
    with pytest.raises(dm.DivminError, match="a picture needs"):
        lines([])


def test_pictures_are_drawn(tmp_path: Path) -> None:
    found = [dm.explain(text) for text in ("nonsaturating", "lsgan(-1, 1, 0)", "hinge", "rpgan", "fgan(kl)")]
    for number, each in enumerate(([found[0]], [found[3]], found)):
        path = tmp_path / f"{number}.png"
        save_explanations(lines(each), path, caption="a caption" if len(each) == 1 else "")
        assert path.stat().st_size > 5000


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsaturating"], "half the softened reverse KL"),
        (["lsgan(-1, 1, 0)"], "pushed away where     u > 1"),
        (
            ["--critic-real", "softplus(-c)", "--critic-fake", "softplus(c)", "--generator", "-log(D)"],
            "0.5*softened_reverse_kl",
        ),
        (["--reward", "log(D)"], "0.5*softened_reverse_kl"),
        (["--weight", "u/(1 + u)"], "2*js"),
        (["--sampled-loss", "k3"], "minimises             kl"),
        (["--sampled-loss", "k3", "--samples", "reparameterised"], "minimises             reverse_kl"),
        (["huszar", "--penalty", "r1", "gp"], "warning: r1 (squared slopes"),
    ],
)
def test_explain_command(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 0
    assert says in capsys.readouterr().out


def test_explain_side_by_side(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plot = tmp_path / "two.svg"
    assert main(["explain", "minimax", "--compare", "huszar", "hinge", "--plot", str(plot)]) == 0
    printed = capsys.readouterr().out
    assert "2*js" in printed
    assert "huszar: Minimises the reverse KL" in printed
    assert plot.read_text().startswith("<?xml")
    assert main(["explain", "minimax", "--compare", "huszar", "--json"]) == 0
    assert [each["name"] for each in json.loads(capsys.readouterr().out)] == ["2*js", "reverse_kl"]
    assert main(["explain", "wgan", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["link"]["identified"] is False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "got nothing"),
        (["minimax", "--reward", "c"], "a recipe and --reward"),
        (["--critic-real", "softplus(-c)"], "--critic-fake and --generator are missing"),
        (["minimaxx"], "did you mean minimax"),
        (["os:system"], "allow it with --import os"),
        (["minimax", "--plot", "out.txt"], "must end in"),
        (["minimax", "--import", "no_such_module_at_all"], "cannot import no_such_module_at_all"),
        (["minimax", "--import", "no/such.py"], "no such file"),
    ],
)
def test_explain_says_no_in_one_line(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


MODULE = """
from torch.nn.functional import softplus
from divmin.family import Entry, register as enter
from divmin.family.power import Power
from divmin.objectives import register_fixed

pair = ((lambda c: softplus(-c), softplus), lambda c: -c)
three = (lambda c: softplus(-c), softplus, lambda c: softplus(-c))
number = 3

def make():
    return pair

def broken():
    raise RuntimeError("no")

register_fixed("mine", "softplus(-c)", "softplus(c)", "-c", "My own.", "me")
enter(Entry("threefold", 3 * Power(0.25), "-16*u^(1/4) + 4*u + 12", "Three times a power.", "me"))
"""


SESSION = """
import contextlib, io, sys
from divmin.cli import main

def divmin(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()

assert divmin("explain", "losses:pair")[0] == 2
code, _, err = divmin("explain", "mine")
assert code == 2 and "unknown recipe 'mine'" in err, err
for name, says in {"pair": "reverse_kl", "three": "0.5*softened_reverse_kl", "make": "reverse_kl"}.items():
    code, out, err = divmin("explain", f"losses:{name}", "--import", "losses")
    assert code == 0 and says in out, err
for name, says in {"number": "is of type int", "broken": "RuntimeError: no", "nothing": "has no 'nothing'"}.items():
    code, out, err = divmin("explain", f"losses:{name}", "--import", "losses")
    assert code == 2 and says in err, err
assert "reverse_kl" in divmin("explain", "mine")[1]
assert "Three times a power" in divmin("show", "threefold")[1]
small = ("--data", "ring", "--model", "mlp", "--width", "8", "--steps", "2", "--out", "run")
code, out, err = divmin("train", "--recipe", "mine", *small)
assert code == 0 and "mine: Minimises the reverse KL" in err and "minimised: reverse_kl" in out, (out, err)
"""


def test_importing_is_asked_for(tmp_path: Path) -> None:
    """In processes of their own, because what is registered stays registered."""
    (tmp_path / "losses.py").write_text(MODULE)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    done = run("-c", SESSION)
    assert done.returncode == 0, done.stderr
    done = run("-m", "divmin", "resume", "run", "--steps", "3")
    assert (done.returncode, "unknown recipe 'mine'" in done.stderr) == (2, True)
    done = run("-m", "divmin", "resume", "run", "--steps", "3", "--import", "losses.py")
    assert done.returncode == 0, done.stderr


def test_list_of_recipes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--recipes", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["usage"].partition("(")[0] for record in records] == list(dm.recipes())
    assert all(record["formula"] and record["source"] for record in records)
    assert main(["list", "--recipes"]) == 0
    assert "lsgan(fake, real, generator)" in capsys.readouterr().out
