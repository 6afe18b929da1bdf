"""Samples from files, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import divmin as dm
from divmin.cli import main
from divmin.data import read_samples

X = np.random.default_rng(0).normal(1, 1, (40, 2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "one.npz", x=X)
    np.savez(tmp_path / "two.npz", x=X, y=X + 1)
    pd.DataFrame(X, columns=["a", "b"]).to_csv(tmp_path / "x.csv", index=False)
    pd.DataFrame(X).to_csv(tmp_path / "bare.csv", index=False, header=False)
    pd.DataFrame(X, columns=["a", "b"]).to_parquet(tmp_path / "x.parquet")
    torch.save(torch.from_numpy(X), tmp_path / "x.pt")
    torch.save({"x": torch.from_numpy(X), "y": torch.zeros(3)}, tmp_path / "two.pt")
    np.save(tmp_path / "y.npy", np.random.default_rng(1).normal(0, 1, (50, 2)))
    return tmp_path


@pytest.mark.parametrize(
    "name", ["x.npy", "one.npz", "two.npz:x", "x.csv", "bare.csv", "x.parquet", "x.pt", "two.pt:x"]
)
def test_every_kind_of_file(name: str, folder: Path) -> None:
    np.testing.assert_allclose(read_samples(str(folder / name)), X, rtol=1e-12)


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    for i in range(3):
        Image.fromarray(np.full((6, 5), 51 * i, dtype=np.uint8)).save(tmp_path / f"{i}.png")
    read = read_samples(str(tmp_path))
    assert read.shape == (3, 1, 6, 5) and read[1, 0, 0, 0] == pytest.approx(51 / 127.5 - 1)
    assert read_samples(str(tmp_path), image_size=4).shape == (3, 1, 4, 4)


def test_bad_files_are_told(folder: Path) -> None:
    (folder / "text.csv").write_text("a,b\n1,2\n3,red\n")
    (folder / "gap.csv").write_text("a,b\n1,2\n3,\n")
    (folder / "ragged.csv").write_text("1,2\n3\n")
    (folder / "empty.csv").write_text("")
    (folder / "broken.npy").write_bytes(b"nothing")
    (folder / "x.txt").write_text("1 2 3")
    np.save(folder / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    torch.save(["not", "a tensor"], folder / "list.pt")
    pd.DataFrame({"a": [1.0], "name": ["x"]}).to_parquet(folder / "text.parquet")
    for name, words in [
        ("none.npy", "no such file"),
        ("text.csv", r"text or gaps in b \(line 3: 'red'\)"),
        ("gap.csv", r"text or gaps in b \(line 3: ''\): leave such columns or lines out"),
        ("ragged.csv", "line 2 .* has 1 field, the first has 2"),
        ("empty.csv", "empty"),
        ("broken.npy", "cannot read"),
        ("x.txt", "expected a folder"),
        ("objects.npy", "allow_pickle"),
        ("list.pt", "list"),
        ("text.parquet", "name"),
        ("two.npz", "name one"),
    ]:
        with pytest.raises(dm.DivminError, match=words):
            read_samples(str(folder / name))


def test_gaps_of_a_parquet_file_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = pd.DataFrame({"a": pd.array([None, *range(39)], dtype="Int64"), "b": range(40)})
    whole.to_parquet(folder / "gap.parquet")
    assert main(["estimate", str(folder / "gap.parquet"), str(folder / "y.npy"), "-f", "js"]) == 2
    assert "the first set has NaN or infinite numbers in 1 of 40 samples" in capsys.readouterr().err


def test_what_is_infinite_is_text_in_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, scale in (("x", 1), ("y", 3)):
        np.save(tmp_path / f"{name}.npy", scale * np.random.default_rng(scale).normal(0, 1, (60, 1)))
    f = "chi2_data_denominator"
    assert (
        main(["estimate", *(str(tmp_path / f"{name}.npy") for name in "xy"), "-f", f, "--method", "gaussian", "--json"])
        == 0
    )
    (found,) = json.loads(capsys.readouterr().out)["estimates"]
    assert (found["value"], found["interval"][1]) == ("inf", "inf")


def test_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / "x.npy"), str(folder / "y.npy")]
    picture = folder / "estimate.png"
    assert main(["estimate", *files, "-f", "kl,js,skew(kl, 0.3)", "--seed", "1", "--test", "--plot", str(picture)]) == 0
    shown = capsys.readouterr()
    assert "skew_kl(0.3)" in shown.out and "two-sample test" in shown.out and not shown.err
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 500
    assert main(["estimate", *files, "-f", "kl,js,srkl", "--method", "logistic", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [each["divergence"] for each in record["estimates"]] == ["kl", "js", "softened_reverse_kl"]
    assert record["estimates"][0]["value"] == dm.estimate("kl", X, np.load(files[1]), method="logistic").value


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--method", "logistik"], "did you mean logistic"),
        (["-f", "kl,,js"], "commas between"),
        (["-f", "nosuch"], "unknown divergence"),
        (["--folds", "1"], "folds"),
        (["--plot", "x.gif"], ".png"),
        (["--kind", "guess"], "unknown kind"),
        (["--seed", "-1"], "at least 0"),
    ],
)
def test_bad_input_is_one_line(folder: Path, extra: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(folder / "x.npy"), str(folder / "y.npy"), "--method", "logistic", *extra]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_bad_input_is_told_before_torch_is_imported(folder: Path) -> None:
    """It takes longer to import than everything else that a refusal needs."""
    files, x = [str(folder / "x.npy"), str(folder / "y.npy")], str(folder / "x.npy")
    (folder / "x.txt").write_text("1 2 3")
    bad = [
        [*files, "--plot", "x.gif"], [*files, "--plot", str(folder / "no" / "x.png")], [*files, "-f", "nosuch"],
        [*files, "--method", "logistik"], [*files, "--kind", "guess"], [*files, "--seed", "-1"], [*files, "--folds", "1"],
        [x, "none.npy"], [x, str(folder / "x.txt")],
    ]  # fmt: skip
    code = (
        "import sys\nfrom divmin.cli import main\n"
        f"print([main(['estimate', *each]) for each in {bad}])\n"
        "print([name for name in ('torch', 'sklearn', 'scipy.stats') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == [str([2] * len(bad)), "[]"], done.stderr


def test_an_unknown_kind_is_told_before_anything_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("divmin.estimators.ratio.fit_ratio", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(dm.DivminError, match="unknown kind 'guess'"):
        dm.estimate("js", X, X + 1, kind="guess")


def test_columns_of_other_names_or_in_another_order_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They would be compared by position, and two copies of one table would look far apart."""
    rows = "\n".join(f"{i},{(7 * i) % 11}" for i in range(40))
    for name, header in (("ab", "a,b"), ("ba", "b,a"), ("ac", "a,c"), ("bare", "1,2")):
        (tmp_path / f"{name}.csv").write_text(f"{header}\n{rows}\n")
    table = pd.DataFrame(np.zeros((40, 2)), columns=["b", "a"])
    table.to_parquet(tmp_path / "ba.parquet")
    for other, says in (("ba.csv", "another order"), ("ac.csv", "other names"), ("ba.parquet", "another order")):
        assert (
            main(["estimate", str(tmp_path / "ab.csv"), str(tmp_path / other), "-f", "js", "--method", "gaussian"]) == 2
        )
        assert says in capsys.readouterr().err
    assert (
        main(["estimate", str(tmp_path / "ab.csv"), str(tmp_path / "bare.csv"), "-f", "js", "--method", "gaussian"])
        == 0
    )
