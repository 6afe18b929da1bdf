"""The commands that make a run again, and that look further at it."""

from __future__ import annotations

import shlex
from dataclasses import fields

from divmin import training
from divmin.data.registry import densities, parse_call
from divmin.data.sets import split_word
from divmin.errors import DivminError
from divmin.files import split_place
from divmin.models import models
from divmin.pages.told import Told
from divmin.training import TrainConfig


def commands(told: Told) -> tuple[str, ...]:
    """Lines for a shell: the run again, the same run further, its samples judged and drawn."""
    config, folder = told.run.config, shlex.quote(str(told.run.folder))
    again = " ".join(["divmin train", *flags(config), "--out", shlex.quote(f"{told.run.folder}-again")])
    further = [f"divmin resume {folder}"] if told.run.state != "finished" else []
    if (
        told.run.state == "finished" and not config.ends
    ):  # what ends with the last step is not what a longer run would be
        further = [f"divmin resume {folder} --steps {2 * config.steps}"]
    looks = (
        f"divmin evaluate {folder}",
        f"divmin diagnose {folder} --fresh-critic",
        f"divmin sample {folder} --out samples.png",
    )
    return (again, *further, *looks)


def objects(config: TrainConfig) -> list[str]:
    """The settings whose names stand for objects of somebody's program, which no command can name."""
    found = []
    try:
        training.losses(config)
    except DivminError:
        found.append(f"recipe ({config.recipe})")
    if not _is_data(config.data):
        found.append(f"data ({config.data})")
    if config.model not in models():
        found.append(f"model ({config.model})")
    return found


def _is_data(name: str) -> bool:
    """Whether a text names data, or could: a path may be one on another machine."""
    try:
        call = parse_call(name)
        return split_word(name) is not None or call is None or call[0] in densities() or split_place(name)[0].exists()
    except (DivminError, OSError):
        return True  # written for the language of names, at least


def flags(config: TrainConfig) -> list[str]:
    """The flags of `divmin train` for settings that differ from the defaults, quoted for a shell.

    >>> flags(TrainConfig(recipe="fgan(kl)", spectral_norm=True, seed=3))
    ["'--recipe=fgan(kl)'", '--spectral-norm', '--seed=3']
    """
    default, found = TrainConfig(), []
    for item in fields(TrainConfig):
        value, flag = getattr(config, item.name), item.name.replace("_", "-")
        if item.name == "out" or value == getattr(default, item.name):
            continue
        if isinstance(value, bool):
            found.append(f"--{'' if value else 'no-'}{flag}")
        else:  # with the sign of equality, since a value may begin with a minus
            found.append(shlex.quote(f"--{flag}={value}"))
    return found
