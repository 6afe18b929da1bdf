"""The classifier learns, says how well, and is trained once: its file is used only when it is exactly what it should be."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from divmin.data import ArraySource, from_array, load
from divmin.errors import DivminError
from divmin.evaluation import Settings, classify

FEW = Settings(steps=150)


def blobs(n: int = 200, labels: tuple[int, int] = (3, 7)) -> ArraySource:
    """Two far apart classes of vectors on scales that differ by a thousand."""
    random = torch.Generator().manual_seed(0)
    which = torch.arange(n) % 2
    x = torch.randn(n, 2, generator=random) + 6 * which[:, None]
    return from_array(x * torch.tensor([1.0, 1000.0]), name="blobs", labels=torch.tensor(labels)[which])


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every training."""
    module = sys.modules["divmin.evaluation.classifier"]
    times: list[int] = []
    train = module._trained

    def counted(*arguments: object) -> object:
        times.append(1)
        return train(*arguments)

    monkeypatch.setattr(module, "_trained", counted)
    return times


def test_digits_are_told_apart_on_samples_that_were_held_out(tmp_path: Path) -> None:
    found = classify(load("digits"), FEW, folder=tmp_path)
    assert found.accuracy > 0.9 and found.held == 180 and found.classes == tuple(range(10))
    assert sum(found.shares) == pytest.approx(1)
    assert f"right on {found.accuracy:.1%} of 180 held out" in str(found)


def test_vectors_and_labels_with_gaps(tmp_path: Path) -> None:
    source = blobs()
    found = classify(source, FEW, folder=tmp_path)
    assert found.classes == (3, 7) and found.accuracy == 1.0
    answers = torch.tensor(found.classes)[found.predict(source.values)]
    assert (answers == source.labels).float().mean() > 0.99


def test_a_feature_depends_on_its_sample_alone(tmp_path: Path) -> None:
    digits = load("digits")
    found = classify(digits, FEW, folder=tmp_path)
    x = digits.batch(torch.arange(64))
    torch.testing.assert_close(found.features(x)[3:4], found.features(x[3:4]), rtol=1e-4, atol=1e-4)


def test_it_is_trained_once(tmp_path: Path, trained: list[int]) -> None:
    source = blobs()
    first, second = (classify(source, FEW, folder=tmp_path) for _ in range(2))
    assert len(trained) == 1 and len(list(tmp_path.iterdir())) == 1
    assert torch.equal(first.features(source.values), second.features(source.values))
    assert (first.accuracy, first.held) == (second.accuracy, second.held)


@pytest.mark.parametrize("change", ["settings", "data", "labels"])
def test_another_question_is_another_file(change: str, tmp_path: Path, trained: list[int]) -> None:
    source, settings = blobs(), FEW
    classify(source, settings, folder=tmp_path)
    values, labels = source.values.clone(), source.labels
    if change == "settings":
        settings = replace(settings, seed=1)
    elif change == "data":
        values[17, 1] += 1e-3
    else:
        labels = labels.roll(1)
    classify(ArraySource("blobs", values, labels), settings, folder=tmp_path)
    assert len(trained) == 2 and len(list(tmp_path.iterdir())) == 2


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code in a cache was run')",)


def damage(file: Path, kind: str) -> None:
    content = file.read_bytes()
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "flipped":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    elif kind == "pickle":
        file.write_bytes(pickle.dumps(Bomb()))
    elif kind == "code":
        torch.save({"format": Bomb()}, file)
    else:
        payload = torch.load(file, weights_only=True)
        if kind == "key":
            payload["key"] = "0" * 64
        elif kind == "format":
            payload["format"] = "divmin cache 0"
        else:
            payload["content"] = {"body": {}, "head": {}, "accuracy": 1.0, "held": 1}
        torch.save(payload, file)


@pytest.mark.parametrize("kind", ["empty", "cut", "flipped", "pickle", "code", "key", "format", "content"])
def test_a_file_that_is_not_right_is_made_anew(kind: str, tmp_path: Path, trained: list[int]) -> None:
    source = blobs()
    first = classify(source, FEW, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    damage(file, kind)
    again = classify(source, FEW, folder=tmp_path)
    assert len(trained) == 2
    assert torch.equal(first.features(source.values), again.features(source.values))
    classify(source, FEW, folder=tmp_path)
    assert len(trained) == 2  # the file was put right


def test_the_folder_is_named_by_the_environment(cache_folder: Path) -> None:
    before = set(cache_folder.glob("*")) if cache_folder.exists() else set()
    classify(blobs(40), replace(FEW, steps=3))
    assert len(set(cache_folder.glob("classifier-*.pt")) - before) == 1


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DivminError, match=r"cannot write the cache .*DIVMIN_CACHE"):
        classify(blobs(), replace(FEW, steps=2), folder=tmp_path / "file")


def test_global_random_state_and_gradient_mode_are_left_alone(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    with torch.no_grad():
        found = classify(blobs(), FEW, folder=tmp_path)
        assert not torch.is_grad_enabled()
    assert found.accuracy == 1.0
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("labels", "says"),
    [(None, "has no labels"), (torch.zeros(50, dtype=torch.int64), "are the same"), (torch.arange(10), "at least 20")],
)
def test_data_that_teaches_nothing(labels: Tensor | None, says: str, tmp_path: Path) -> None:
    n = 50 if labels is None else len(labels)
    with pytest.raises(DivminError, match=says):
        classify(from_array(torch.randn(n, 2), labels=labels), folder=tmp_path)
