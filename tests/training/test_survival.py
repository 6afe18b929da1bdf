"""Runs that are killed, damaged or taken back: what is left, and where they go on."""

from __future__ import annotations

import os
import signal

import pytest

from divmin.errors import DivminError
from divmin.training import Probe, Run, checkpoint, resume


def test_thirty_kills_lose_at_most_one_interval_each(lab, same):
    """A process that is killed at random moments and started again ends where the undisturbed one does, bit for bit."""
    import random
    import time

    every, steps = 7, 600
    settings = {"steps": steps, "checkpoint_every": every, "log_every": 5, "keep": 3, "critic_steps": 2}
    whole = lab.train("whole", **settings)
    folder = lab.root / "killed"
    moments = random.Random(0)
    reached, kills, done = -1, 0, False
    while not done:
        into, out = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                told = [Probe(1, lambda view, out=out: os.write(out, b"%d\n" % view.step))]
                if (folder / "status.json").exists():
                    resume(folder, **lab.parts(), probes=told)
                else:
                    lab.train("killed", **settings, more={"probes": told})
            finally:
                os._exit(0)
        os.close(out)
        if kills < 30:
            time.sleep(moments.uniform(0, 0.12))
            os.kill(child, signal.SIGKILL)
            kills += 1
        os.waitpid(child, 0)
        with os.fdopen(into) as stream:
            seen = [int(line) for line in stream.read().split()]
        reached = max([reached, *seen])
        if not (folder / "status.json").exists():
            continue  # before its first moment
        run = Run.open(folder)
        assert all(record.step % 5 == 0 or record.step == steps for record in run.records())
        if run.checkpoint.exists():
            saved = checkpoint.read(run.checkpoint)["step"]
            assert saved >= reached - every
            done = saved == steps and run.state == "finished"
        else:
            assert reached <= 0
    assert kills == 30
    one, other = (checkpoint.read(each.checkpoint) for each in (whole, run))
    for part in ("generator", "critic", "average", "generator_optimizer", "critic_optimizer", "random", "noise"):
        assert same(one[part], other[part]), part
    assert [r.critic_loss for r in whole.records()] == [r.critic_loss for r in run.records()]
    assert [p.name for p in sorted((folder / "checkpoints").iterdir())] == ["00000588.pt", "00000595.pt", "00000600.pt"]
    assert not list(folder.rglob("*.part"))


def test_older_checkpoints_are_kept_and_gone_back_to(lab, same):
    settings = {"steps": 12, "checkpoint_every": 2, "log_every": 2}
    whole = lab.train("whole", **settings)
    run = lab.train("kept", **settings, keep=3)
    assert [p.name for p in sorted((run.folder / "checkpoints").iterdir())] == [
        "00000008.pt",
        "00000010.pt",
        "00000012.pt",
    ]
    assert not (whole.folder / "checkpoints").exists()
    old = run.folder / "checkpoints" / "00000008.pt"
    run.checkpoint.write_bytes(b"damaged")
    with pytest.raises(
        DivminError, match=r"not a divmin checkpoint.*; an older one is .*00000012.pt: resume from it with file="
    ):
        resume(run.folder, steps=14, **lab.parts())
    again = resume(run.folder, file=old, **lab.parts())
    assert same(checkpoint.read(whole.checkpoint)["generator"], checkpoint.read(again.checkpoint)["generator"])
    assert [record.step for record in again.records()] == [2, 4, 6, 8, 10, 12]


def test_going_back_gives_up_what_came_after(lab):
    from divmin.training.run import picture_path

    def draw(view):
        view.picture.write_bytes(b"picture")

    settings = {"steps": 12, "checkpoint_every": 2, "keep": 4}
    run = lab.train("a", **settings, more={"probes": [Probe(2, draw)]})
    again = resume(run.folder, file=run.folder / "checkpoints" / "00000008.pt", steps=9, **lab.parts())
    assert [p.name for p in sorted((run.folder / "checkpoints").iterdir())] == [
        "00000006.pt",
        "00000008.pt",
        "00000009.pt",
    ]
    assert not picture_path(run.folder, 10).exists() and picture_path(run.folder, 8).exists()
    assert again.step == 9
