"""The Python in the documents runs as printed; each document in a process of its own, because some register things."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from divmin.training import TrainConfig

ROOT = Path(__file__).parent.parent
PROBE = {
    "CONTRIBUTING.md": """
import divmin as dm, torch
from divmin.family.recognise import recognise
two = dm.divergence("squared_sigmoid")
d = torch.linspace(-9, 9, 37, dtype=torch.float64)
torch.testing.assert_close(two.a(d), dm.divergence("reverse(softened_kl)").a(d), rtol=1e-12, atol=1e-14)
torch.testing.assert_close(two.f(d.exp()), 2 * (d.exp() - 1) - 4 * ((1 + d.exp()) / 2).log(), rtol=1e-9, atol=1e-11)
assert dm.divergence("symmetrize(power(2))").name == "0.5*symmetric_chi2"
assert dm.recipe("halved").minimises.name == dm.explain("halved").name == "js"
assert dm.data.load("three_modes(gap=3)").shape == (1,)
stripes = dm.data.load("stripes:4")
assert (stripes.size, stripes.shape, stripes.classes) == (16, (1, 16, 16), 2)
assert dm.data.load("stripes", image_size=8).batch(torch.tensor([4, 0])).sum(-1).tolist() == [[[0.0] * 8], [[-8.0, -8, 8, 8] * 2]]
assert dm.data.load("stacked:stripes").classes == 8
assert dm.models.build("linear", shape=(4, 2), encoder=True).encoder(torch.zeros(3, 4, 2)).shape == (3, 4)
assert samples.shape == (5, 2)
import numpy as np
random = np.random.default_rng(0)
found = dm.estimate("js", random.normal(1, 1, 2000), random.normal(0, 1, 2000), method="histogram(12)")
assert found.method == "histogram(12)" and abs(found.value - 0.111) < 0.02
import tempfile
with tempfile.TemporaryDirectory() as folder:
    config = dm.TrainConfig(recipe="halved", data="three_modes", model="linear", steps=2, out=folder + "/run")
    assert dm.train(config, show=False).state == "finished"
    assert dm.reproduce("shannon-triangular", quick=True, out=folder).tally == "1 passed"
""",
}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/training.md"])
def test_python_blocks_run(name: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), flags=re.DOTALL)
    script = "\n".join(block for block in blocks if ">>>" not in block) + PROBE.get(name, "")
    assert script.strip()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_examples_are_configurations(path: Path) -> None:
    config = TrainConfig.from_yaml(path)
    assert config.recipe == "nonsaturating"
    assert config.steps >= 1000


def test_numbers_of_parameters_are_those_of_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "divmin", "list", "--models", "--json"], capture_output=True, text=True, check=True
    )
    text = (ROOT / "docs" / "training.md").read_text()
    for record in json.loads(done.stdout):
        counts = ["-" if record[key] is None else f"{record[key]:,}" for key in ("generator", "critic", "encoder")]
        assert f"| {' x '.join(map(str, record['shape']))} | {' | '.join(counts)} |" in text


def test_links_lead_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", re.sub(r"`[^`]*`", "", document.read_text())):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_gallery_is_what_its_maker_writes_now() -> None:
    spec = importlib.util.spec_from_file_location("make_gallery", ROOT / "docs" / "make_gallery.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert (ROOT / "docs" / "gallery.md").read_text() == maker.page(), "run python docs/make_gallery.py"
