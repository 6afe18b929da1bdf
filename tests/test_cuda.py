"""The same on a CUDA device as on the CPU: losses, curves, training in each precision, exact resume, looks at a run.

These run where there is such a device and are skipped elsewhere; docs/benchmarks.md says on which they last ran.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import divmin as dm
from divmin.objectives import registry
from divmin.training import TrainConfig, checkpoint

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it starts; it then adds in one order
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")

TINY = TrainConfig(width=8, steps=6, batch_size=16, log_every=2, checkpoint_every=3, sample_every=100, device="cuda")
HALVES = (torch.float16, torch.bfloat16)


def config(folder: Path, **changes: object) -> TrainConfig:
    return TrainConfig(**({**TINY.to_mapping(), "out": str(folder)} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", dm.divergences())
def test_curves_are_those_of_the_cpu(name: str) -> None:
    f = dm.divergences()[name]
    d = torch.linspace(-30, 30, 241, dtype=torch.float64)
    for curve in (f.a, f.b, f.s):
        there = curve(d.cuda())
        assert there.is_cuda
        torch.testing.assert_close(there.cpu(), curve(d), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("name", dm.divergences())
def test_sixteen_bits_are_those_of_the_cpu(name: str, dtype: torch.dtype) -> None:
    f, largest = dm.divergences()[name], torch.finfo(dtype).max
    d = torch.tensor([-largest, -700.0, -9.0, -0.1, 0.0, 0.1, 9.0, 700.0, largest], dtype=dtype)
    for curve in (f.a, f.b, f.s):
        here, there = curve(d), curve(d.cuda()).cpu()
        assert there.dtype == dtype
        torch.testing.assert_close(there, here, rtol=2 * torch.finfo(dtype).eps, atol=0.0)


@pytest.mark.parametrize("name", [name for name, entry in registry.recipes().items() if "(" not in entry.usage])
def test_losses_under_autocast_are_those_of_the_cpu(name: str) -> None:
    recipe = dm.recipe(name)
    generator = torch.Generator().manual_seed(0)
    real, fake = (3 * torch.randn(512, generator=generator, dtype=torch.float64) for _ in range(2))
    with torch.autocast("cuda", dtype=torch.float16):
        there = recipe.critic_loss(real.cuda().float(), fake.cuda().float())
    torch.testing.assert_close(there.cpu().double(), recipe.critic_loss(real, fake), rtol=1e-5, atol=1e-6)


FAMILIES = {
    "nonsaturating": {"model": "dcgan"},
    "fgan(kl)": {"model": "mlp", "recipe": "fgan(kl)", "critic_lr": 1e-4},
    "rpgan with R1 and R2": {"model": "dcgan", "recipe": "rpgan", "r1": 1.0, "r2": 1.0},
    "gradient penalty": {"model": "mlp", "recipe": "wgan", "gradient_penalty": 10.0},
    "sdkl with pixels": {"model": "mlp", "recipe": "sdkl"},
    "augmentation and packing": {"model": "dcgan", "augment": "color,translation,cutout", "packing": 2},
    "spectral norm": {"model": "resnet", "image_size": 32, "spectral_norm": True},
    "dropout": {"model": "ali", "image_size": 32, "channels": 3},
    "features of the critic": {"model": "berger", "recipe": "sdkl", "likelihood": "features", "likelihood_noise": True,
                               "image_size": 32, "channels": 3},
}  # fmt: skip


@pytest.mark.parametrize("precision", ["32", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("family", FAMILIES)
def test_trains(tmp_path: Path, family: str, precision: str) -> None:
    run = dm.training.train(config(tmp_path / "run", precision=precision, **FAMILIES[family]))
    assert run.state == "finished"
    assert all(abs(each.generator_loss) < 1e5 for each in run.records())
    assert torch.isfinite(dm.load(run.folder, device="cuda").sample(4, seed=0)).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_first_losses_are_those_of_the_cpu(tmp_path: Path, family: str) -> None:
    """Data, z and weights come from generators of the CPU; dropout and noise are drawn on the device."""
    if family in (
        "dropout",
        "features of the critic",
        "sdkl with pixels",
        "gradient penalty",
        "augmentation and packing",
    ):
        pytest.skip("this family draws on the device")
    records = []
    for device in ("cpu", "cuda"):
        run = dm.training.train(
            config(tmp_path / f"on-{device}-{len(records)}", device=device, steps=1, log_every=1, **FAMILIES[family])
        )
        records.append(run.records()[0])
    here, there = records
    assert there.critic_loss == pytest.approx(here.critic_loss, rel=2e-3, abs=2e-3)  # convolutions in TF32
    assert there.generator_loss == pytest.approx(here.generator_loss, rel=2e-2, abs=2e-2)


@pytest.fixture
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("precision", ["32", "16-mixed"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.usefixtures("deterministic")
def test_a_resumed_run_is_the_one_that_never_stopped_bit_for_bit(tmp_path: Path, family: str, precision: str) -> None:
    """With PyTorch's deterministic kernels; others add in any order, and two runs of one seed differ with them too."""
    changes = {"precision": precision, **FAMILIES[family]}
    whole = dm.training.train(config(tmp_path / "whole", **changes))
    half = dm.training.train(config(tmp_path / "half", **{**changes, "steps": 3}))
    resumed = dm.training.resume(half.folder, steps=6)
    one, other = (checkpoint.read(each.checkpoint) for each in (whole, resumed))
    for part in ("generator", "critic", "average"):
        for name, tensor in one[part].items():
            assert torch.equal(tensor, other[part][name]), (part, name)
    assert one["scaler"] == other["scaler"]


def test_compiled_networks_train(tmp_path: Path) -> None:
    run = dm.training.train(config(tmp_path / "run", model="mlp", compile=True))
    assert run.state == "finished"


def test_looks_at_a_run(tmp_path: Path) -> None:
    run = dm.train(config(tmp_path / "run", model="mlp", steps=20), show=False)
    found = dm.diagnose(run.folder, fresh_critic=True, steps=20, n=256, device="cuda", show=False)
    assert str(found)
    assert str(dm.evaluate(run.folder, metrics="recall", n_fake=256))


def test_monitor_takes_scores_on_the_device() -> None:
    monitor = dm.Monitor(recipe="nonsaturating")
    for step in range(200):
        generator = torch.Generator().manual_seed(step)
        real, fake = torch.randn(64, generator=generator) + 0.5, torch.randn(64, generator=generator) - 0.5
        monitor.update(real=real.cuda(), fake=fake.cuda(), step=step)
    assert not [each for each in monitor.report().findings if each.severity == "serious"]
