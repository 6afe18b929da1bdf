"""Which runs a sweep consists of: every recipe with every seed and every combination of further values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any, get_args, get_type_hints

from divmin.errors import DivminError, suggest
from divmin.grammar import listed
from divmin.training import TrainConfig

FIXED = ("recipe", "seed", "out")  # named by arguments of their own, or by the sweep itself


def grid(
    base: TrainConfig,
    *,
    recipes: Sequence[str],
    seeds: Sequence[int],
    values: Mapping[str, Sequence[Any]] | None = None,
    out: str | Path,
) -> list[TrainConfig]:
    """The settings of every run, each with a folder of its own below `out`.

    Args:
        base: the settings that all share.
        recipes: names or expressions.
        seeds: at least one; runs that differ in nothing else are averaged.
        values: field of TrainConfig -> values to try.
        out: where the folders are; their names tell the settings, so that the same settings find their run again.

    Returns:
        Recipes in the outermost loop, seeds in the innermost.

    Raises:
        DivminError: the same settings twice, an unknown field, or a value that cannot be.

    Example:
        >>> [config.out for config in grid(TrainConfig(), recipes=["fgan(kl)", "minimax"], seeds=[0, 1], out="s")]
        ['s/fgan-kl-seed0', 's/fgan-kl-seed1', 's/minimax-seed0', 's/minimax-seed1']
    """
    values = {} if values is None else values
    for name in values:
        _check_field(name)
    if not recipes or not seeds or not all(values.values()):
        raise DivminError("a sweep needs at least one recipe, one seed, and one value for each field of its grid")
    found = []
    for recipe, *rest in product(recipes, *values.values(), seeds):
        setting = dict(zip([*values, "seed"], rest, strict=True))
        name = "-".join([slug(recipe), *(slug(f"{k}-{v}") for k, v in setting.items() if k != "seed")])
        place = (Path(out) / f"{name}-seed{setting['seed']}").as_posix()
        found.append(replace(base, recipe=recipe, **setting, out=place))
    check_apart(found)
    return found


def check_apart(configs: Sequence[TrainConfig]) -> None:
    """Refuse runs that share a folder, or have none.

    Raises:
        DivminError: naming the folder.
    """
    seen: dict[str, TrainConfig] = {}
    for config in configs:
        if config.out is None:
            raise DivminError("each run of a sweep needs a folder of its own: set out")
        if config.out in seen:
            first = seen[config.out]
            how = "asked for twice" if first == config else f"meant for {first.recipe} and for {config.recipe}"
            raise DivminError(f"the run in {config.out} is {how}: name each setting once, in one way")
        seen[config.out] = config


def slug(text: str) -> str:
    """Text as a part of a file name; what tells recipes apart stays in it.

    >>> slug("lsgan(-1, 1, 0)"), slug("fgan(0.5*kl + 0.5*rkl)"), slug("critic_lr-0.001")
    ('lsgan-minus1-1-0', 'fgan-0.5xkl-plus-0.5xrkl', 'critic_lr-0.001')
    """
    told = re.sub(r"(^|[(,=\[*/^+ ])-", r"\1minus", text)
    for symbol, word in (("*", "x"), ("+", "plus"), ("/", "over"), ("^", "to")):
        told = told.replace(symbol, word)
    return re.sub(r"[^A-Za-z0-9._]+", "-", told).strip("-.")


def read_seeds(text: str) -> list[int]:
    """Seeds from text.

    >>> read_seeds("0, 1,2")
    [0, 1, 2]
    """
    try:
        return [int(part) for part in listed(text)]
    except ValueError as error:
        raise DivminError(f"seeds are whole numbers with commas between, such as 0,1,2; got {text!r}") from error


def read_values(text: str) -> tuple[str, list[Any]]:
    """A field of TrainConfig and the values to try, from text; `none` stands for no value where a field may have none.

    Raises:
        DivminError: an unknown field, or a value of another type.

    >>> read_values("critic_lr=1e-3, 1e-4"), read_values("data=ring(n=6), grid")
    (('critic_lr', [0.001, 0.0001]), ('data', ['ring(n=6)', 'grid']))
    """
    name, equals, rest = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise DivminError(f"a grid is a field and its values, such as critic_lr=1e-3,1e-4; got {text!r}")
    _check_field(name)
    hint = get_type_hints(TrainConfig)[name]
    kinds = get_args(hint) or (hint,)
    return name, [_value(name, part, kinds) for part in listed(rest)]


def _value(name: str, text: str, kinds: Sequence[Any]) -> Any:
    if type(None) in kinds and text.lower() == "none":
        return None
    kind = next(kind for kind in kinds if kind is not type(None))
    try:
        return _TRUTHS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError) as error:
        raise DivminError(f"{name} takes a value of type {kind.__name__}; got {text!r}") from error


_TRUTHS = {"true": True, "false": False, "yes": True, "no": False}


def _check_field(name: str) -> None:
    known = [field.name for field in fields(TrainConfig) if field.name not in FIXED]
    if name in FIXED:
        raise DivminError(
            f"{name} is no field of a grid: recipes and seeds have arguments of their own, and out is where all go"
        )
    if name not in known:
        raise DivminError(f"unknown field {name!r} in a grid: {suggest(name, known)}")
