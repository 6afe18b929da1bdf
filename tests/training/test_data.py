"""Runs on data that are drawn, left out in parts, or go bad on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from divmin.data.assemble import assemble
from divmin.data.folder import Files, picture_files
from divmin.data.form import Form
from divmin.errors import DivminError, DivminWarning
from divmin.training import Probe, Run, TrainConfig, checkpoint, resume, train


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for i in range(8):
        drawn = np.random.default_rng(i).integers(0, 256, (8, 8), dtype=np.uint8)
        Image.fromarray(drawn).save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def config(tmp_path: Path, **settings) -> TrainConfig:
    base = TrainConfig(model="mlp", width=8, steps=6, batch_size=4, device="cpu", out=str(tmp_path / "run"))
    return replace(base, **settings)


def test_stacked_pictures_resume_bit_for_bit(tmp_path, same):
    whole = train(config(tmp_path, data="stacked:digits", out=str(tmp_path / "whole")))
    half = train(config(tmp_path, data="stacked:digits", steps=3))
    assert checkpoint.read(whole.checkpoint)["shape"] == [3, 8, 8]
    rest = resume(half.folder, steps=6)
    for key in ("generator", "critic", "average"):
        assert same(checkpoint.read(whole.checkpoint)[key], checkpoint.read(rest.checkpoint)[key])


def test_pictures_left_out_by_setting(photos, tmp_path, same):
    """Neither the run nor its resumption differs from one on a folder without the broken picture."""
    (photos / "3.png").unlink()
    whole = train(config(tmp_path, data=str(photos), out=str(tmp_path / "whole")))
    (photos / "3.png").write_bytes(b"broken")
    with pytest.raises(DivminError, match=r"3\.png"):
        train(config(tmp_path, data=str(photos)))
    assert not (tmp_path / "run").exists()
    with pytest.warns(DivminWarning, match="left out 1 of 8"):
        train(config(tmp_path, data=str(photos), corrupt="skip", steps=3))
    with pytest.warns(DivminWarning, match="left out 1 of 8"):
        rest = resume(tmp_path / "run", steps=6)
    assert same(checkpoint.read(whole.checkpoint)["average"], checkpoint.read(rest.checkpoint)["average"])


def test_data_that_lost_or_gained_samples_do_not_go_on(photos, tmp_path):
    (photos / "3.png").write_bytes(b"broken")
    with pytest.warns(DivminWarning):
        run = train(config(tmp_path, data=str(photos), corrupt="skip", steps=3))
    (photos / "3.png").unlink()
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(photos / "9.png")
    with pytest.raises(DivminError, match=r"photos has 8 samples, and had 7 when .*run was trained: put back"):
        resume(run.folder, steps=6)
    (photos / "9.png").unlink()
    assert resume(run.folder, steps=6).state == "finished"


def test_a_picture_that_goes_bad_in_the_middle_of_a_run(photos, tmp_path):
    source = assemble("photos", Files(picture_files(photos)), Form(), memory=0)
    spoil = Probe(1, lambda view: (photos / "3.png").write_bytes(b"") if view.step == 3 else None)
    with pytest.raises(DivminError, match=r"cannot read the picture .*3\.png any more: .*; put back") as caught:
        train(config(tmp_path, checkpoint_every=1), source=source, probes=[spoil])
    run = Run.open(tmp_path / "run")
    assert run.state == "failed"
    assert run.reason is not None and "3.png" in run.reason and "\n" not in str(caught.value)
    assert 3 <= checkpoint.read(run.checkpoint)["step"] < 6
    drawn = np.random.default_rng(3).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(drawn).save(photos / "3.png")
    assert resume(run.folder, source=source).state == "finished"


def test_progress_of_reading_reaches_the_caller(photos, tmp_path):
    seen: list[int] = []
    train(config(tmp_path, data=str(photos), steps=1), track=lambda numbers: (seen.append(i) or i for i in numbers))
    resume(tmp_path / "run", steps=2, track=lambda numbers: (seen.append(i) or i for i in numbers))
    assert seen == [*range(8), *range(8)]
