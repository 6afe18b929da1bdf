"""What can go wrong while training and on disk: nothing good is lost, and one line says what happened."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from divmin.errors import DivminError
from divmin.training import NotFiniteError, Probe, Run, checkpoint, load, resume, train


class Breaking:
    """Losses that turn NaN from one critic call on."""

    name = "breaking"

    def __init__(self, inner, at, which="critic_loss"):
        self.inner, self.at, self.which, self.calls = inner, at, which, {"critic_loss": 0, "generator_loss": 0}

    def _spoil(self, which, loss):
        self.calls[which] += 1
        return loss * float("nan") if which == self.which and self.calls[which] > self.at else loss

    def critic_loss(self, real, fake):
        return self._spoil("critic_loss", self.inner.critic_loss(real, fake))

    def generator_loss(self, fake):
        return self._spoil("generator_loss", self.inner.generator_loss(fake))


@pytest.mark.parametrize("which", ["critic_loss", "generator_loss"])
@pytest.mark.parametrize("check_finite", [False, True])
def test_nan_loss_names_step_tensor_and_last_good_checkpoint(lab, which, check_finite):
    parts = lab.parts()
    # The rehearsal makes the first call; calls 2 to 7 are steps 1 to 6.
    parts["recipe"] = Breaking(parts["recipe"], at=7, which=which)
    settings = {"steps": 20, "checkpoint_every": 3, "log_every": 10, "check_finite": check_finite}
    with pytest.raises(NotFiniteError) as caught:
        lab.train("a", parts=parts, **settings)
    path = lab.root / "a" / "checkpoint.pt"
    error = caught.value
    noticed = "" if check_finite else " (noticed at step 9)"
    assert str(error) == f"step 7: {which} is not finite{noticed}; the last good checkpoint is {path}, of step 6"
    assert checkpoint.read(path)["step"] == 6
    # Without the flag the next checkpoint, at step 9, is the first to look.
    assert parts["recipe"].calls["generator_loss"] == 1 + (7 if check_finite else 9)
    run = Run.open(path.parent)
    assert run.state == "failed"
    assert "step 7" in run.reason
    assert all(torch.isfinite(value).all() for value in checkpoint.read(path)["critic"].values())


def test_nan_in_the_first_steps_leaves_the_checkpoint_of_the_start(lab):
    parts = lab.parts()
    parts["recipe"] = Breaking(parts["recipe"], at=2)
    with pytest.raises(
        NotFiniteError, match=r"step 2: critic_loss is not finite.*; the last good checkpoint is .*, of step 0"
    ):
        lab.train("a", parts=parts)
    assert checkpoint.read(lab.root / "a" / "checkpoint.pt")["step"] == 0


def test_nan_weight_is_named_and_never_stored(lab):
    grown = lab.train("a", steps=4)
    good = grown.checkpoint.read_bytes()
    parts = lab.parts()
    weight = parts["pair"].generator[2].bias

    class Spoiler(Breaking):
        def generator_loss(self, fake):
            self.calls["generator_loss"] += 1
            # After the rehearsal and step 5; in the last step no loss can show it.
            if self.calls["generator_loss"] == 3:
                weight.register_hook(lambda gradient: gradient * float("nan"))
            return self.inner.generator_loss(fake)

    parts["recipe"] = Spoiler(parts["recipe"], at=99)
    with pytest.raises(NotFiniteError, match=r"step 6: generator parameter .* is not finite"):
        resume(grown.folder, steps=6, **parts)
    assert grown.checkpoint.read_bytes() == good


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_finishes_the_step_and_saves(lab, same, number):
    ours = signal.getsignal(number)
    stop = Probe(1, lambda view: signal.raise_signal(number) if view.step == 3 else None)
    run = lab.train("a", steps=14, more={"probes": [stop]})
    assert (run.state, run.step, run.signal, run.exit_code) == ("interrupted", 3, number, 128 + number)
    assert Run.open(run.folder) == run
    assert signal.getsignal(number) == ours
    resumed = resume(run.folder, **lab.parts())
    assert (resumed.state, resumed.step, resumed.exit_code) == ("finished", 14, 0)
    whole = lab.train("whole", steps=14)
    assert same(checkpoint.read(whole.checkpoint)["average"], checkpoint.read(resumed.checkpoint)["average"])


def test_second_interrupt_stops_at_once_and_leaves_whole_files(lab):
    def twice(view):
        if view.step == 3:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        lab.train("a", steps=14, checkpoint_every=2, more={"probes": [Probe(1, twice)]})
    run = Run.open(lab.root / "a")
    assert (run.state, run.exit_code, run.reason) == ("interrupted", 130, "stopped at once")
    assert checkpoint.read(run.checkpoint)["step"] == 2
    assert resume(run.folder, **lab.parts()).step == 14


def test_training_in_another_thread_installs_no_handlers(lab):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(lab.train("a")))
    thread.start()
    thread.join()
    assert runs[0].state == "finished"


def test_every_truncation_and_bit_flip_is_noticed(lab, tmp_path):
    run = lab.train("a")
    data = run.checkpoint.read_bytes()
    broken = tmp_path / "broken.pt"
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        broken.write_bytes(data[:length])
        with pytest.raises(DivminError, match=r"broken.pt is not a divmin checkpoint"):
            checkpoint.read(broken)
    at = data.index(checkpoint.read(run.checkpoint)["critic"]["0.weight"].numpy().tobytes())
    broken.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(DivminError, match=r"broken.pt is damaged: the checksum of"):
        checkpoint.read(broken)


def test_foreign_files_and_other_versions(lab, tmp_path):
    path = tmp_path / "other.pt"
    for thing in ({"weights": torch.zeros(2)}, [1], torch.nn.Linear(1, 1)):
        torch.save(thing, path)
        with pytest.raises(DivminError, match=r"other.pt is not a divmin checkpoint"):
            checkpoint.read(path)
    payload = checkpoint.read(lab.train("a").checkpoint)
    torch.save(payload | {"version": 7, "divmin": "9.1"}, path)
    with pytest.raises(DivminError, match=r"has format version 7, .* reads version 2: use divmin 9.1, which wrote it"):
        checkpoint.read(path)
    for key in ("critic", "noise", "config", "step"):
        torch.save({name: value for name, value in payload.items() if name != key}, path)
        with pytest.raises(DivminError, match=rf"other.pt is damaged: {key} is missing"):
            checkpoint.read(path)
    with pytest.raises(DivminError, match="does not exist: no checkpoint was written there"):
        load(tmp_path / "absent.pt")


def test_checkpoint_holds_tensors_and_plain_values_only(lab):
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str | int) and plain(item) for key, item in value.items())
        if isinstance(value, list | tuple):
            return all(plain(item) for item in value)
        return value is None or isinstance(value, torch.Tensor | str | int | float | bool)

    assert plain(checkpoint.read(lab.train("a", parts=lab.parts("conv")).checkpoint))


def test_full_disk_keeps_the_old_checkpoint(lab, monkeypatch):
    run = lab.train("a")
    good = run.checkpoint.read_bytes()

    def full(stream):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def act(view):
        monkeypatch.setattr(os, "fsync", full)

    # Resumption shows nothing before its end; let the disk fill at step 8.
    with pytest.raises(DivminError, match=r"cannot write .*No space left on device; the run folder is"):
        resume(run.folder, steps=12, **lab.parts(), probes=[Probe(8, act)])
    monkeypatch.undo()
    assert run.checkpoint.read_bytes() == good
    assert not list(run.folder.glob(".*.part"))


def test_folder_that_cannot_be_made(lab, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DivminError, match=r"cannot write .*file/run.*: Not a directory"):
        lab.train("file/run")


def test_existing_run_is_kept_unless_overwritten(lab, same):
    run = lab.train("a")
    before = checkpoint.read(run.checkpoint)
    with pytest.raises(DivminError, match=r"holds a run: go on with divmin resume .*, or start anew with overwrite"):
        lab.train("a", seed=1)
    assert same(before["critic"], checkpoint.read(run.checkpoint)["critic"])
    (run.folder / "notes.txt").write_text("mine")
    (run.samples / "mine.png").write_bytes(b"mine")
    (run.samples / "00000003.png").write_bytes(b"divmin's")
    lab.train("a", seed=1, more={"overwrite": True})
    assert not same(before["critic"], checkpoint.read(run.checkpoint)["critic"])
    assert (run.folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in run.samples.iterdir()] == ["mine.png"]
    assert [record.step for record in run.records()] == [4, 6]


def test_bad_setting_does_not_cost_the_old_run(lab):
    run = lab.train("a")
    parts = lab.parts() | {"pair": lab.pair("conv")}
    with pytest.raises(DivminError, match="the generator returned shape"):
        lab.train("a", parts=parts, more={"overwrite": True})
    assert run.checkpoint.exists()


def test_folder_with_other_files_is_refused(lab):
    (lab.root / "a").mkdir()
    (lab.root / "a" / "thesis.tex").write_text("x")
    with pytest.raises(DivminError, match="holds other files"):
        lab.train("a")


def test_damaged_status_and_metrics_are_named(lab):
    run = lab.train("a")
    lines = (run.folder / "metrics.jsonl").read_text()
    (run.folder / "metrics.jsonl").write_text("{}\n" + lines)
    with pytest.raises(DivminError, match=r"metrics.jsonl, line 1: not a metrics record"):
        run.records()
    (run.folder / "status.json").write_text(json.dumps({"state": "odd", "step": 1, "reason": None, "signal": None}))
    with pytest.raises(DivminError, match="is damaged: got state 'odd'"):
        Run.open(run.folder)
    (run.folder / "status.json").write_text("{")
    with pytest.raises(DivminError, match=r"status.json is damaged"):
        Run.open(run.folder)


def test_unusable_device_and_precision(lab):
    with pytest.raises(DivminError, match="precision 16-mixed needs a GPU"):
        lab.train("a", precision="16-mixed")
    if not torch.cuda.is_available():
        with pytest.raises(DivminError, match="device cuda is not available here"):
            lab.train("a", device="cuda")


def test_import_is_light():
    code = "import sys, divmin.training; print([m for m in ('lightning_fabric', 'yaml', 'matplotlib', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_train_is_the_public_way_in(lab):
    assert train.__module__ == "divmin.training.start"


def test_changed_settings_are_taken_when_they_are_accepted(lab):
    run = lab.train("a", steps=4)
    text = (run.folder / "config.yaml").read_text()
    (run.folder / "config.yaml").write_text(text.replace("critic_lr: 0.001", "critic_lr: 0.0005"))
    with pytest.raises(
        DivminError, match=r"differs from the run: critic_lr 0.001 -> 0.0005; only steps can change .*accept"
    ):
        resume(run.folder, steps=8, **lab.parts())
    again = resume(run.folder, steps=8, accept_changes=True, **lab.parts())
    assert (again.config.critic_lr, again.step) == (0.0005, 8)
    assert checkpoint.read(again.checkpoint)["critic_optimizer"]["param_groups"][0]["lr"] == 0.0005


@pytest.mark.parametrize("change", [("log_every: 4", "log_every: 2"), ("critic_steps: 1", "critic_steps: 3")])
def test_accepted_changes_of_what_is_recorded(lab, change):
    """The checkpoint holds rows of half an interval, of the old size."""
    run = lab.train("a", steps=7)
    path = run.folder / "config.yaml"
    path.write_text(path.read_text().replace(*change))
    again = resume(run.folder, steps=12, accept_changes=True, **lab.parts())
    assert again.step == 12 and again.records()[-1].step == 12


def test_what_ends_with_the_last_step_does_not_grow(lab):
    for settings, what in (({"schedule": "cosine"}, "schedule"), ({"instance_noise": 0.1}, "instance_noise")):
        run = lab.train(what, steps=4, **settings)
        with pytest.raises(
            DivminError, match=rf"{what} of .* end with step 4: with another number of steps it is another run"
        ):
            resume(run.folder, steps=8, **lab.parts())
        assert resume(run.folder, steps=8, accept_changes=True, **lab.parts()).step == 8


def test_compiling_without_a_compiler_is_told_before_the_folder(lab, monkeypatch):
    def broken(function):
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(DivminError, match=r"torch.compile does not work here: InvalidCxxCompiler"):
        lab.train("a", compile=True)
    assert not (lab.root / "a").exists()


def test_folder_without_permission(lab, monkeypatch):
    def denied(path, *arguments, **named):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", denied)  # root, as whom tests may run, is denied nothing
    with pytest.raises(DivminError, match=r"cannot write .*Permission denied"):
        lab.train("shut/run")


def test_file_system_that_turns_read_only(lab, monkeypatch):
    run = lab.train("a")
    good = run.checkpoint.read_bytes()

    def shut(*arguments, **named):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(run.folder))

    def act(view):
        monkeypatch.setattr(os, "replace", shut)

    with pytest.raises(DivminError, match=r"cannot write .*Read-only file system; the run folder is"):
        resume(run.folder, steps=12, **lab.parts(), probes=[Probe(8, act)])
    monkeypatch.undo()
    assert run.checkpoint.read_bytes() == good


def test_data_that_become_unreadable_end_the_run_with_its_checkpoint(lab):
    parts = lab.parts()

    class Rotten:
        name, shape, size = "rotten", (2,), 37

        def __init__(self, inner):
            self.inner, self.bad = inner, False

        def look(self, view):
            self.bad = view.step >= 7

        def batch(self, indices):
            if self.bad:
                raise DivminError("cannot read the picture photos/7.png: image file is truncated; remove or replace it")
            return self.inner.batch(indices)

    source = Rotten(parts["source"])
    more = {"probes": [Probe(1, source.look)]}
    with pytest.raises(DivminError, match=r"cannot read the picture photos/7\.png"):
        lab.train("a", parts={**parts, "source": source}, more=more, steps=20, checkpoint_every=5)
    run = Run.open(lab.root / "a")
    assert run.state == "failed" and "photos/7.png" in run.reason
    assert checkpoint.read(run.checkpoint)["step"] == 5
    assert resume(run.folder, **lab.parts()).step == 20
