"""TensorBoard's own reader finds what the run folder says: every record and picture, each once, however the run went."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import divmin as dm
from divmin.training import Probe, Record, Run
from divmin.training.record import TIMING
from divmin.training.run import frames

SMALL = {"data": "ring", "model": "mlp", "width": 8, "batch_size": 8, "log_every": 4, "sample_every": 3, "samples": 9}


def config(folder: Path, **settings: object) -> dm.TrainConfig:
    return dm.TrainConfig(**(SMALL | {"checkpoint_every": 5, "out": str(folder)} | settings))


def told(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    return found.Reload()


def scalars(found: EventAccumulator, name: str) -> dict[int, float]:
    events = found.Scalars(f"train/{name}")
    assert len({event.step for event in events}) == len(events), "a step was told twice"
    return {event.step: event.value for event in events}


def pictures(found: EventAccumulator) -> list[int]:
    return [event.step for event in found.Images("samples")]


def agree(found: EventAccumulator, records: list[Record], more: tuple[int, ...] = ()) -> None:
    for name in [name for name, value in asdict(records[0]).items() if name != "step" and value is not None]:
        values = scalars(found, name)
        assert sorted(values) == sorted([*(record.step for record in records), *more])
        for record in records if name not in TIMING else ():  # the clock goes on while steps are repeated
            assert values[record.step] == pytest.approx(getattr(record, name), rel=1e-6)


def test_every_record_and_picture(tmp_path: Path) -> None:
    run = dm.train(config(tmp_path / "run", steps=10), log=("tensorboard",), show=False)
    found = told(run.folder)
    agree(found, run.records())
    assert [record.step for record in run.records()] == [4, 8, 10]
    assert pictures(found) == [int(path.stem) for path in frames(run.folder)] == [0, 3, 6, 9, 10]
    text = found.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert '"recipe": "nonsaturating"' in text


def test_nothing_is_told_twice_when_a_run_goes_on(tmp_path: Path) -> None:
    dm.train(config(tmp_path / "run", steps=7), log=("tensorboard",), show=False)
    run = dm.resume(tmp_path / "run", steps=14, log=("tensorboard",), show=False)
    assert len(list(run.folder.glob("events.out.tfevents.*"))) == 2
    # The record of step 7 was told when the run ended there; the longer run has none at 7.
    agree(told(run.folder), run.records(), more=(7,))
    assert pictures(told(run.folder)) == [0, 3, 6, 7, 9, 12, 14]


def test_a_killed_run_repeats_steps_and_tells_each_once(tmp_path: Path) -> None:
    def die(view: dm.training.View) -> None:
        if view.step == 9:
            raise RuntimeError("killed")

    folder = tmp_path / "run"
    with pytest.raises(RuntimeError, match="killed"):
        dm.train(config(folder, steps=14), probes=[Probe(1, die)], log=("tensorboard",), show=False)
    assert sorted(scalars(told(folder), "d_real")) == [4, 8]  # 8 is after the checkpoint of step 5, and comes again
    run = dm.resume(folder, log=("tensorboard",), show=False)
    agree(told(folder), run.records())
    assert pictures(told(folder)) == [0, 3, 6, 9, 12, 14]


def test_a_logger_that_joins_late_hears_everything(tmp_path: Path) -> None:
    dm.train(config(tmp_path / "run", steps=8), show=False)
    run = dm.resume(tmp_path / "run", steps=12, log=("tensorboard",), show=False)
    agree(told(run.folder), run.records())
    assert pictures(told(run.folder)) == [0, 3, 6, 8, 9, 12]


def test_a_run_that_replaces_another_begins_anew(tmp_path: Path) -> None:
    dm.train(config(tmp_path / "run", steps=12), log=("tensorboard",), show=False)
    run = dm.train(config(tmp_path / "run", steps=4), overwrite=True, log=("tensorboard",), show=False)
    agree(told(run.folder), run.records())


def test_a_run_that_goes_back_or_changes_is_told_anew(tmp_path: Path) -> None:
    """What loggers heard of the part that is given up goes; a run that merely goes on keeps it."""
    folder = tmp_path / "run"
    run = dm.train(config(folder, steps=15, keep=9), log=("tensorboard",), show=False)
    run = dm.resume(folder, steps=12, file=folder / "checkpoints" / "00000005.pt", log=("tensorboard",), show=False)
    agree(told(folder), run.records())
    assert [record.step for record in run.records()] == [4, 8, 12]
    settings = folder / "config.yaml"
    settings.write_text(settings.read_text().replace("recipe: nonsaturating", "recipe: minimax"))
    run = dm.resume(folder, steps=16, accept_changes=True, log=("tensorboard",), show=False)
    agree(told(folder), run.records())
    assert json.loads((folder / "explanation.json").read_text())["minimises"] == "2*js"


def test_a_damaged_note_is_named_and_can_be_removed(tmp_path: Path) -> None:
    run = dm.train(config(tmp_path / "run", steps=4), log=("tensorboard",), show=False)
    for text in ("{", "[]", '{"tensorboard": {"step": "4"}}', '{"tensorboard": 3}'):
        (run.folder / "logged.json").write_text(text)
        with pytest.raises(dm.DivminError, match=r"logged.json is damaged: remove it, and everything is told again"):
            dm.resume(run.folder, steps=8, log=("tensorboard",), show=False)
    (run.folder / "logged.json").unlink()
    again = dm.resume(run.folder, steps=8, log=("tensorboard",), show=False)
    agree(told(run.folder), again.records())


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    one = dm.train(config(tmp_path / "a", steps=6), log=("tensorboard",), show=False)
    other = dm.train(config(tmp_path / "b", steps=6), show=False)
    assert torch.equal(dm.load(one.folder).sample(5), dm.load(other.folder).sample(5))
    assert Run.open(one.folder).state == "finished"
