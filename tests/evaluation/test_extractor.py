"""Features by name, by module and by function; and Inception, whose weights are never fetched."""

from __future__ import annotations

import copy
import hashlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from divmin.data import from_array, load
from divmin.errors import DivminError
from divmin.evaluation import Extractor, extractor, extractors, inception, register_extractor


def test_pixels_are_the_samples() -> None:
    digits = load("digits")
    images = digits.batch(torch.arange(300))
    found = extractor("pixels", digits)
    assert torch.equal(found(images), images.flatten(1).double())
    assert (found.dim, found.preprocessing) == (64, "pixels in [-1, 1] as they are, flattened")
    assert "coordinates" in extractor("pixels", load("ring")).preprocessing


def test_a_module_computes_in_evaluation_mode_and_gets_its_modes_back() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.9))
    network[1].eval()
    found = extractor(network, load("ring"))
    x = torch.randn(600, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(found(x), found(x)) and found(x).shape == (600, 3)
    assert [part.training for part in network] == [True, False, True]
    assert torch.equal(network[1].running_mean, torch.zeros(3))
    assert found.name == "Sequential"


def test_a_function_and_an_extractor() -> None:
    def radius(x: Tensor) -> Tensor:
        return x.norm(dim=1, keepdim=True)

    found = extractor(radius, load("ring"))
    assert (found.name, found.dim) == ("radius", 1)
    assert extractor(found, load("ring")) is found


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("pixel", "did you mean pixels"),
        (3, "expected a name, a module, or a function"),
        (nn.Linear, "expected a name, a module, or a function"),
        (nn.Linear(5, 5), r"Linear fails on samples of shape \[1, 2\]"),
        ("classifier", "has no labels"),
        ("inception", "needs images"),
    ],
)
def test_one_line_says_what_is_wrong(what: object, says: str) -> None:
    with pytest.raises(DivminError, match=says):
        extractor(what, load("ring"))


def test_features_are_checked() -> None:
    with pytest.raises(DivminError, match=r"returned \(4, 2\): expected features \(4, 3\)"):
        Extractor("mine", "", 3, lambda x: x)(torch.zeros(4, 2))
    with pytest.raises(DivminError, match="of 4 samples are not finite"):
        Extractor("mine", "", 2, lambda x: x / 0)(torch.zeros(4, 2))


def test_a_registered_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["divmin.evaluation.extractor"]
    monkeypatch.setattr(module, "_EXTRACTORS", copy.copy(module._EXTRACTORS))
    register_extractor("twice", "for tests")(
        lambda source, seed, track: Extractor("twice", "times 2", 2, lambda x: 2 * x)
    )
    assert extractor("twice", load("ring"))(torch.ones(1, 2)).tolist() == [[2, 2]]
    assert "twice" in extractors()
    with pytest.raises(DivminError, match="two extractors"):
        register_extractor("twice", "again")(lambda source, seed, track: None)


class TestInception:
    @pytest.fixture
    def weights(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A file that passes for the published weights."""
        path = tmp_path / "weights.pth"
        torch.save({"w": torch.ones(1)}, path)
        monkeypatch.setattr(inception, "DIGEST", hashlib.sha256(path.read_bytes()).hexdigest()[:8])
        monkeypatch.setenv("DIVMIN_INCEPTION", str(path))
        return path

    def test_without_weights_it_says_where_they_are(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("DIVMIN_INCEPTION", raising=False)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        with pytest.raises(DivminError, match=f"no file {tmp_path}.*{inception.FILE}: fetch https://"):
            extractor("inception", load("digits"))

    def test_other_weights_are_refused(self, weights: Path) -> None:
        weights.write_bytes(b"something else")
        with pytest.raises(DivminError, match="damaged or holds other weights"):
            extractor("inception", load("digits"))

    def test_without_the_library_it_says_how_to_install(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch_fidelity", None)
        with pytest.raises(DivminError, match=r"pip install 'divmin\[inception\]'"):
            extractor("inception", load("digits"))

    def test_a_file_with_code_is_refused(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        torch.save({"w": nn.Linear(1, 1)}, weights)  # a pickled class
        monkeypatch.setattr(inception, "DIGEST", hashlib.sha256(weights.read_bytes()).hexdigest()[:8])
        self.stand_in(monkeypatch)
        with pytest.raises(DivminError, match="no file of weights"):
            extractor("inception", load("digits"))

    def test_images_arrive_as_bytes_of_three_channels(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen = self.stand_in(monkeypatch)
        source = from_array(torch.linspace(-1, 1, 4 * 16 * 16).reshape(4, 1, 16, 16))
        found = extractor("inception", source)
        features = found(source.values)
        assert seen == [("inception-v3-compat", ["2048"], str(weights)), (torch.uint8, (4, 3, 16, 16), 0, 255)]
        assert features.shape == (4, 2048) and "299 x 299" in found.preprocessing and "6726825d" in found.preprocessing

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> list[object]:
        """A network in place of the library's, which tells what it was given."""
        import torchmetrics.image.fid as fid

        seen: list[object] = []

        class Network(nn.Module):
            def __init__(self, name: str, features: list[str], path: str) -> None:
                super().__init__()
                seen.append((name, features, path))

            def forward(self, x: Tensor) -> Tensor:
                seen.append((x.dtype, tuple(x.shape), int(x.min()), int(x.max())))
                return x.flatten(1).float()[:, :1].expand(-1, 2048)

        monkeypatch.setitem(sys.modules, "torch_fidelity", SimpleNamespace())  # type: ignore[arg-type]
        monkeypatch.setattr(fid, "NoTrainInceptionV3", Network)
        return seen
