"""Two processes are one with the joint batch: same losses, same weights, to rounding; and what happens when one dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from divmin.training import Run, checkpoint
from divmin.training.parallel import JointBatchNorm, Processes, with_joint_statistics

TIME = 120  # seconds that a run of a few steps may take on a busy machine

# Batch statistics in the generator, penalties that differentiate twice, micro-batches, averages over the batch.
RUNS = {
    "batch norm, r1 and accumulation": [
        "--data",
        "digits",
        "--model",
        "dcgan",
        "--r1",
        "1",
        "--accumulate",
        "2",
        "--critic-steps",
        "2",
    ],
    "averages over the batch": ["--data", "ring", "--model", "mlp", "--recipe", "ragan", "--orthogonal", "0.001"],
}
# The level of the scores, which these losses do not see: its gradient is rounding alone, of which Adam makes whole steps.
UNSEEN = {"averages over the batch": {"d_real", "d_fake", "d_real_sd", "d_fake_sd"}}
COMMON = ["--width", "4", "--steps", "4", "--batch-size", "16", "--log-every", "2", "--device", "cpu", "--beta2", "0.9"]


def environment():
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTEST", "RANK", "WORLD", "LOCAL", "MASTER"))
    }
    return kept | {"OMP_NUM_THREADS": "1"}


def train(folder: Path, *flags: str, command=(sys.executable, "-m", "divmin"), check=True):
    done = subprocess.run(
        [*command, "train", *COMMON, *flags, "--out", str(folder)],
        env=environment(), capture_output=True, text=True, timeout=TIME,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


def launched(count):
    """By torchrun, which makes the processes itself."""
    return (sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={count}", "-m", "divmin")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_two_processes_equal_one_with_the_joint_batch(tmp_path, name):
    unseen = UNSEEN.get(name, set())
    train(tmp_path / "one", *RUNS[name])
    said = train(tmp_path / "two", *RUNS[name], "--devices", "2")
    assert said.stdout.count("run folder:") == 1  # one of them talks
    one, two = Run.open(tmp_path / "one"), Run.open(tmp_path / "two")
    assert (two.config.devices, two.state) == (2, "finished")
    assert sorted(p.name for p in one.folder.iterdir()) == sorted(p.name for p in two.folder.iterdir())
    for first, second in zip(one.records(), two.records(), strict=True):
        for key in {"critic_loss", "generator_loss", "d_real", "d_real_sd", "d_fake", "d_fake_sd", "penalty"} - unseen:
            assert getattr(second, key) == pytest.approx(getattr(first, key), abs=1e-5), key
    held = [checkpoint.read(run.checkpoint) for run in (one, two)]
    assert [len(each["random"]) for each in held] == [1, 2]
    for part in () if unseen else ("generator", "critic", "average"):
        for key, value in held[0][part].items():
            torch.testing.assert_close(held[1][part][key], value, rtol=0, atol=1e-5, msg=f"{part} {key}")


@pytest.mark.slow
def test_runs_of_torchrun_resume_bitwise(tmp_path, same):
    """Dropout and instance noise are drawn apart in each process, and each gets its own random state back."""
    flags = [*RUNS["averages over the batch"], "--instance-noise", "0.3", "--instance-noise-steps", "9", "--steps", "4"]
    train(tmp_path / "whole", *flags, command=launched(2))
    train(tmp_path / "half", *flags, "--steps", "2", command=launched(2))
    resumed = subprocess.run(
        [*launched(2), "resume", str(tmp_path / "half"), "--steps", "4"],
        env=environment(), capture_output=True, text=True, timeout=TIME,
    )  # fmt: skip
    assert resumed.returncode == 0, resumed.stderr
    whole, half = (checkpoint.read(tmp_path / name / "checkpoint.pt") for name in ("whole", "half"))
    for part in ("generator", "critic", "average", "generator_optimizer", "critic_optimizer", "random", "noise"):
        assert same(whole[part], half[part]), part
    assert not torch.equal(whole["random"][0]["cpu"], whole["random"][1]["cpu"])


@pytest.mark.slow
def test_a_process_that_dies_ends_the_run_with_one_line(tmp_path):
    folder = tmp_path / "run"
    flags = ["--data", "ring", "--model", "mlp", "--steps", "100000", "--checkpoint-every", "20", "--devices", "2"]
    running = subprocess.Popen(
        [sys.executable, "-m", "divmin", "train", *COMMON, *flags, "--out", str(folder)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + TIME
        # The first checkpoint is of step 0; the kill is to come after a later one.
        while not (folder / "status.json").exists() or Run.open(folder).step < 20:
            assert running.poll() is None and time.monotonic() < end, running.communicate()
            time.sleep(0.1)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        workers = [int(child) for child in children if b"train" in Path(f"/proc/{child}/cmdline").read_bytes()]
        os.kill(workers[0], signal.SIGKILL)
        _, said = running.communicate(timeout=TIME)
    finally:
        running.kill()
    assert running.returncode == 1, said
    assert "divmin: a process of this run has ended; go on with divmin resume" in said
    assert "Traceback" not in said
    run = Run.open(folder)
    assert run.state == "failed" and "a process of this run has ended" in run.reason
    assert checkpoint.read(run.checkpoint)["step"] >= 20


@pytest.mark.slow
def test_interrupting_several_processes_saves_and_tells_once(tmp_path):
    folder = tmp_path / "run"
    flags = ["--data", "ring", "--model", "mlp", "--steps", "100000", "--checkpoint-every", "20", "--devices", "2"]
    running = subprocess.Popen(
        [sys.executable, "-m", "divmin", "train", *COMMON, *flags, "--out", str(folder)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + TIME
        # The first checkpoint is of step 0; the kill is to come after a later one.
        while not (folder / "status.json").exists() or Run.open(folder).step < 20:
            assert running.poll() is None and time.monotonic() < end, running.communicate()
            time.sleep(0.1)
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
        told, said = running.communicate(timeout=TIME)
    finally:
        running.kill()
    assert running.returncode == 130, said
    assert told.count("interrupted (SIGINT) at step") == 1 and "Traceback" not in said
    run = Run.open(folder)
    assert checkpoint.read(run.checkpoint)["step"] == run.step


def test_a_batch_that_cannot_be_shared(tmp_path):
    done = train(
        tmp_path / "run", "--data", "ring", "--model", "mlp", "--batch-size", "15", "--devices", "2", check=False
    )
    assert done.returncode == 2
    assert "2 processes must share a batch of 15 evenly: choose another batch_size" in done.stderr
    assert not (tmp_path / "run").exists()


def test_one_process_is_left_as_it_is():
    alone, x = Processes(), torch.randn(6, 2, requires_grad=True)
    assert alone.first and alone.part(x) is x and alone.joint(x) is x and alone.any(None, x.device) is None
    assert alone.any(2, x.device) == 2 and alone.collect({"cpu": x}) == [{"cpu": x}]


def test_parts_follow_the_order_of_ranks():
    x = torch.arange(6)
    assert [Processes(rank, 3).part(x).tolist() for rank in range(3)] == [[0, 1], [2, 3], [4, 5]]


def test_joint_batch_norm_takes_the_place_of_torchs_own():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Sequential(torch.nn.BatchNorm2d(4, momentum=0.3)))
    before = network.state_dict()
    changed = with_joint_statistics(network)
    layer = changed[1][0]
    assert isinstance(layer, JointBatchNorm) and layer.momentum == 0.3
    assert changed.state_dict().keys() == before.keys()
    assert all(changed.state_dict()[key].data_ptr() == before[key].data_ptr() for key in before)


@pytest.mark.parametrize("shape", [(8, 3), (8, 3, 5), (8, 3, 5, 4)])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_joint_batch_norm_of_one_process_is_torchs(tmp_path, shape, momentum):
    """Values, gradients and running statistics over a group of one."""
    import torch.distributed as distributed

    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/group", rank=0, world_size=1)
    try:
        own = torch.nn.modules.batchnorm._BatchNorm
        kind = {2: torch.nn.BatchNorm1d, 3: torch.nn.BatchNorm1d, 4: torch.nn.BatchNorm2d}[len(shape)]
        plain, joint = kind(3, momentum=momentum), torch.nn.Sequential(kind(3, momentum=momentum))
        with_joint_statistics(joint)
        assert isinstance(joint[0], own)
        x = torch.randn(shape)
        one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        for _ in range(2):
            values = plain(one), joint(other)
        torch.testing.assert_close(*values, rtol=1e-5, atol=1e-6)
        slopes = [torch.autograd.grad(v.pow(3).sum(), z)[0] for v, z in zip(values, (one, other), strict=True)]
        torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-5)
        for key, value in plain.state_dict().items():
            torch.testing.assert_close(joint.state_dict()[f"0.{key}"], value)
        torch.testing.assert_close(plain.eval()(x), joint.eval()(x))
    finally:
        distributed.destroy_process_group()
