"""The command line as people use it: what it prints, what it writes, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import divmin as dm
from divmin.cli import main
from divmin.family.catalogue import entries
from divmin.grammar import Name, number, parse

TRAIN = [
    "train",
    "--model",
    "mlp",
    "--width",
    "8",
    "--data",
    "ring",
    "--steps",
    "4",
    "--log-every",
    "2",
    "--batch-size",
    "8",
]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "ring"
    assert main([*TRAIN, "--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list"], ["list", "--json"], ["--version"], ["train", "--help"], ["estimate", "--help"]],
)
def test_needs_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom divmin.cli import main\n"
        f"try: main({arguments})\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'sympy' not in sys.modules, 'slow import'"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_list_has_every_entry(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in entries())
    assert main(["list", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [record["name"] for record in records] == list(entries())


def test_list_counts_the_parameters_of_models(capsys: pytest.CaptureFixture[str]) -> None:
    from divmin.models import count, models

    assert main(["list", "--models"]) == 0
    said = lines(capsys.readouterr().out)
    assert main(["list", "--models", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert {record["name"] for record in records} == set(models())
    for record in records:
        assert record["width"] == models()[record["name"]].width
        found = count(record["name"], shape=tuple(record["shape"]))
        assert (record["generator"], record["critic"], record["encoder"]) == (
            found.generator,
            found.critic,
            found.encoder,
        )
        assert any(line.startswith(record["name"]) and f"{found.critic:,}" in line for line in said)
    assert any(line.startswith("resnet") and line.endswith("-") for line in said)  # it has no encoder
    assert max(map(len, said)) <= 120


def test_list_tells_the_tails_of_families(capsys: pytest.CaptureFixture[str]) -> None:
    """What the table prints in terms of a parameter is what the members have."""
    main(["list", "--json"])
    for record in json.loads(capsys.readouterr().out):
        entry = entries()[record["name"]]
        for values in entry.examples:
            if record["name"] in ("gjs", "skew_kl", "skew_reverse_kl") and values[0] in (0.0, 1.0):
                continue  # the limits of a family have tails of their own
            tails = entry.build(*values).tails
            for text, value in zip(record["tails"], (tails.R, tails.S), strict=True):
                if text == "-inf":
                    assert value == -float("inf")
                    continue
                for name, x in zip(entry.parameters, values, strict=True):
                    text = text.replace(name, f"({x!r})")
                assert number(parse(text)) == pytest.approx(value, abs=1e-12), record["name"]


@pytest.mark.parametrize(
    "text", ["js", "soften(reverse(kl))", "u*log(u) - u + 1", "tv", "power(0.3)", "2*kl", "skew(js, 0.3)"]
)
def test_show(text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plot = tmp_path / "curves.png"
    assert main(["show", text, "--plot", str(plot)]) == 0
    printed = capsys.readouterr().out
    assert "tail weights" in printed and str(plot) in printed
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert main(["show", text, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    f = dm.divergence(text)
    assert record["name"] == f.name
    assert record["tails"]["R"] in (f.tails.R, str(f.tails.R))
    assert [float(x) for x in record["s"]] == [f.s(d) for d in record["d"]]


def test_train_says_what_it_minimised_and_what_it_wrote(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--out", str(run), "--overwrite"]) == 0
    printed, said = capsys.readouterr()
    sentence = (
        "nonsaturating: Minimises half the softened reverse KL (4 KL(m||p), m = (p + q)/2): strongly mode-seeking"
    )
    assert said.startswith(sentence) and (printed + said).count("Minimises half") == 1
    assert "tail weights (R, S) = (2, 0): left-unbounded, right-bounded" in said.splitlines()
    assert "minimised: 0.5*softened_reverse_kl" in printed.splitlines()
    assert f"run folder: {run}" in printed
    for name in ("samples.png", "curves.png", "divergence.png"):
        assert f"picture: {run / name}" in printed
        assert (run / name).stat().st_size > 1000


def test_train_json_and_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main([*TRAIN, "--out", str(folder), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["state"], record["step"]) == ("finished", 4)
    assert record["explanation"]["name"] == "0.5*softened_reverse_kl"
    assert all(Path(path).exists() for path in record["pictures"])
    assert main(["resume", str(folder), "--steps", "6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["step"] == 6
    assert main(["resume", str(folder), "--steps", "6"]) == 2


def test_flags_win_over_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("steps: 7\nmodel: mlp\nwidth: 8\ndata: ring\nrecipe: fgan(js)\n")
    assert main(["train", "--config", str(file), "--recipe", "huszar", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    settings = yaml.safe_load(printed)
    assert (settings["steps"], settings["recipe"], settings["critic_steps"]) == (7, "huszar", 1)
    assert "# huszar: Minimises the reverse KL divergence" in printed
    assert not list(tmp_path.glob("runs*"))


def test_sample(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    for name in ("a.png", "b.npy", "c.npy"):
        assert main(["sample", str(run), "--n", "10", "--out", str(tmp_path / name), "--json"]) == 0
    assert json.loads(lines(capsys.readouterr().out)[-1])["shape"] == [2]
    one, other = (np.load(tmp_path / name, allow_pickle=False) for name in ("b.npy", "c.npy"))
    assert one.shape == (10, 2) and (one == other).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shwo"], "invalid choice"),
        (["show"], "required"),
        (["show", "klx"], "did you mean"),
        (["show", "kl - js"], "cannot stand here"),
        (["show", "u^3 - 2*u^2"], "not convex"),
        (["show", "__import__('os')"], "cannot read"),
        (["show", "js", "--plot", "curves.bmp"], ".png, .svg, .pdf"),
        (["show", "js", "--plot", "/dev/null/curves.png"], "cannot write"),
        (["train", "--step", "3"], "--step"),
        (["train", "--steps", "0"], "at least 1"),
        (["train", "--steps", "many"], "invalid int"),
        (["train", "--recipe", "nonsaturatin"], "did you mean nonsaturating"),
        (["train", "--recipe", "fgan(tv)"], "kink"),
        (["train", "--data", "/no/such/place"], "/no/such/place"),
        (["train", "--model", "resnet9000"], "unknown model"),
        (["train", "--data", "ring", "--model", "dcgan"], "dcgan"),
        (["train", "--config", "/no/such/file.yaml"], "cannot read"),
        (["train", "--overwrite"], "--out"),
        (["train", "--data", "digits", "--image-size", "9999999"], "at most 1024"),
        (["show", "-log(u)"], "goes after --"),
        (["resume", "/no/such/run"], "holds no run"),
        (["sample", "/no/such/run"], "does not exist"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert len(lines(caught.err)) == 1 and said in caught.err, caught.err
    assert list(tmp_path.iterdir()) == []


def test_sample_refuses_bad_requests(run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["sample", str(run), "--n", "0", "--out", str(tmp_path / "x.png")]) == 2
    assert main(["sample", str(run), "--out", str(tmp_path / "x.jpeg")]) == 2
    assert main(["sample", str(run), "--out", "/dev/null/x.npy"]) == 2
    assert len(lines(capsys.readouterr().err)) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "js", "--plot"],
        ["explain", "minimax", "--plot"],
        ["exact", "js", "normal(0, 1)", "normal(1, 1)", "--plot"],
        ["exact", "js", "normal(0, 1)", "normal(m, 1)", "--fit", "--plot"],
        ["estimate", "x.npy", "y.npy", "--plot"],
        ["sample", "run", "--out"],
    ],
    ids=" ".join,
)
def test_a_folder_that_does_not_exist_is_not_made(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "missing/folder/x.png"]) == 2
    caught = capsys.readouterr()
    assert caught.out == "" and caught.err.count("\n") == 1
    assert "the folder missing/folder does not exist" in caught.err
    assert list(tmp_path.iterdir()) == []


def test_unknown_key_names_file_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("step: 7\n")
    assert main(["train", "--config", str(file)]) == 2
    assert f"{file}: unknown key 'step': did you mean steps?" in capsys.readouterr().err


def test_a_run_is_not_replaced_unasked(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "checkpoint.pt").read_bytes()
    assert main([*TRAIN, "--out", str(run)]) == 2
    assert "divmin resume" in capsys.readouterr().err
    assert (run / "checkpoint.pt").read_bytes() == before


def test_a_folder_without_a_run_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    assert main([*TRAIN, "--out", str(tmp_path), "--overwrite"]) == 2
    assert "holds other files" in capsys.readouterr().err
    assert (tmp_path / "config.yaml").read_text() == "mine"


def test_dry_run_as_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TRAIN, "--dry-run", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["config"]["steps"], record["explanation"]["name"]) == (4, "0.5*softened_reverse_kl")
    assert record["shape"] == [2]


def test_show_puts_the_parameters_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "power(-2)", "--json"]) == 0
    f = json.loads(capsys.readouterr().out)["f"]
    assert dm.divergence(f).name == "power(-2)"
    assert main(["show", "--", "-log(u)"]) == 0
    assert capsys.readouterr().out.startswith("reverse_kl")


def test_list_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "arithmetic_geometric" in shown and "mode-covering" in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "E_q" not in line and "divmin show" not in line)


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "show", "train", "resume", "sample", "runs", "sweep"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert f"divmin {command}" in capsys.readouterr().out.partition("example")[2]


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m divmin list | head -n 1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_nan_is_a_failure_with_the_way_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*TRAIN, "--recipe", "fgan(chi2_model_denominator)", "--critic-lr", "1e6", "--steps", "200"]
    assert main([*arguments, "--out", str(tmp_path / "run"), "--check-finite"]) == 1
    said = lines(capsys.readouterr().err)[-1]
    assert "is not finite" in said and "step" in said


def test_names_are_names() -> None:
    """Whatever `divmin list` prints as a name can be typed back."""
    for name, entry in entries().items():
        assert isinstance(parse(name), Name)
        for alias in entry.aliases:
            assert isinstance(parse(alias), Name)


def test_half_a_flag_is_answered_with_the_whole_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "runs/a", "--fresh"]) == 2
    assert "did you mean --fresh-critic? (see divmin diagnose --help)" in capsys.readouterr().err
