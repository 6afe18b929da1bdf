"""Configurations: what is accepted, what is refused and in which words."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import fields, replace

import pytest

from divmin.errors import DivminError
from divmin.training import TrainConfig


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"batch_size": 10, "accumulate": 4}, "accumulate must divide batch_size, got 4 micro-batches for 10 samples"),
        ({"beta1": 1.0}, r"beta1 must lie in \[0, 1\), got 1"),
        ({"beta2": -0.1}, r"beta2 must lie in \[0, 1\), got -0.1"),
        ({"ema_decay": float("nan")}, r"ema_decay must lie in \[0, 1\), got nan"),
        ({"critic_lr": 0.0}, "critic_lr must be positive and finite, got 0"),
        ({"generator_lr": float("inf")}, "generator_lr must be positive and finite, got inf"),
        ({"seed": -1}, r"seed must lie in \[0, 2\*\*63\), got -1"),
        ({"device": "gpu"}, "device must be one of auto, cpu, cuda, mps, got 'gpu'"),
        ({"precision": "64"}, "precision must be one of 32, bf16-mixed, 16-mixed, got '64'"),
        ({"steps": 1.5}, r"steps must be int, got 1.5 \(float\)"),
        ({"steps": True}, r"steps must be int, got True \(bool\)"),
        ({"check_finite": 1}, r"check_finite must be bool, got 1 \(int\)"),
        ({"image_size": "big"}, r"image_size must be int or none, got 'big' \(str\)"),
        ({"recipe": " "}, "recipe must name something"),
        ({"stepps": 3}, "unknown key 'stepps': did you mean steps?"),
        ({3: 3}, "unknown key 3"),
    ],
)
def test_impossible_values_are_named(values, message):
    with pytest.raises(DivminError, match=message) as caught:
        TrainConfig.from_mapping(values)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "build", [TrainConfig, lambda **values: replace(TrainConfig(), **values)], ids=["new", "replace"]
)
def test_an_unknown_name_gets_a_suggestion(build):
    with pytest.raises(DivminError, match=r"^TrainConfig has no setting 'stepz': did you mean steps\?$"):
        build(stepz=3)
    assert inspect.signature(TrainConfig).parameters["steps"].default == 2000
    assert pickle.loads(pickle.dumps(TrainConfig(steps=3))) == copy.copy(TrainConfig(steps=3))


def test_round_trips(tmp_path):
    config = TrainConfig(steps=7, critic_lr=3e-4, out="there", check_finite=True, image_size=16)
    assert TrainConfig.from_mapping(config.to_mapping()) == config
    assert TrainConfig.from_json(config.to_json()) == config
    assert config.to_json() == replace(config).to_json()


def test_yaml_names_file_and_key(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("steps: many\n")
    with pytest.raises(DivminError, match=r"run.yaml: steps must be int, got 'many' \(str\)"):
        TrainConfig.from_yaml(path)
    path.write_text("critic_lr: 1e-3\nprecision: '32'\n")
    assert TrainConfig.from_yaml(path).critic_lr == 1e-3
    path.write_text("")
    assert TrainConfig.from_yaml(path) == TrainConfig()
    for text, message in (("- 1", "expected keys and values, got list"), ("a: [", "not YAML")):
        path.write_text(text)
        with pytest.raises(DivminError, match=message):
            TrainConfig.from_yaml(path)
    with pytest.raises(DivminError, match="cannot read"):
        TrainConfig.from_yaml(tmp_path / "absent.yaml")


def test_every_field_explains_itself():
    assert all(len(item.metadata["help"]) > 10 for item in fields(TrainConfig))
