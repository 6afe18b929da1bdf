"""The configurations in examples/ are read, and Berger & Sebag's five models train at a small size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import divmin as dm
import divmin.experiment
from divmin.training import TrainConfig, checkpoint

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {
    "data": "digits",
    "image_size": 16,
    "channels": 1,
    "width": 8,
    "latent": 4,
    "batch_size": 4,
    "steps": 2,
    "device": "cpu",
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_examples_are_configurations(path):
    config = TrainConfig.from_yaml(path)
    assert (divmin.experiment.explained(config) is None) == (config.fakes != "prior")


@pytest.mark.parametrize("path", sorted((EXAMPLES / "berger").glob("*.yaml")), ids=lambda path: path.stem)
def test_bergers_models_train_at_a_small_size(path, tmp_path):
    run = dm.train(replace(TrainConfig.from_yaml(path), **SMALL, out=f"{tmp_path}/run"), show=False)
    (record,) = run.records()
    assert run.state == "finished" and record.penalty > 0
    assert ("encoder" in checkpoint.read(run.checkpoint)) == (path.stem != "gan") == (record.prior is not None)
