"""`divmin train`: one flag for every field of TrainConfig, over the values of a YAML file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from divmin.cli.plugins import add_import, check_registered, load
from divmin.errors import DivminError, counted
from divmin.grammar import listed
from divmin.training import TrainConfig


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin train --recipe nonsaturating --data digits\n"
        "  divmin train --config run.yaml --recipe 'fgan(kl)' --steps 500\n"
        "  divmin train --data path/to/images --image-size 32 --dry-run\n"
        "flags win over --config, which wins over the defaults"
    )
    add_settings(parser)
    add_log(parser)
    add_import(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the run in the folder --out")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print the settings and what they minimise, and stop"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as a record for programs")


def add_settings(parser: argparse.ArgumentParser, without: Sequence[str] = ()) -> None:
    """--config, and a flag for every field of TrainConfig that the command does not fill in another way."""
    parser.add_argument("--config", metavar="FILE", help="a YAML file of the same settings")
    hints = get_type_hints(TrainConfig)
    for field in (each for each in fields(TrainConfig) if each.name not in without):
        flag = "--" + field.name.replace("_", "-")
        kind = next(kind for kind in (get_args(hints[field.name]) or (hints[field.name],)) if kind is not type(None))
        options: dict[str, Any] = {"default": None, "dest": field.name}
        text = f"{field.metadata['help']} (default {'none' if field.default in (None, '') else field.default})".replace(
            "%", "%%"
        )
        if kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text, **options)
        else:
            parser.add_argument(flag, type=kind, metavar=_METAVAR[kind], help=text, **options)


def add_log(parser: argparse.ArgumentParser) -> None:
    """The flag that names loggers."""
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="LIST",
        help="loggers that are told of the run: tensorboard, wandb (pip install 'divmin[tensorboard,wandb]')",
    )


def logs(arguments: argparse.Namespace) -> list[str]:
    """The loggers that were named."""
    return [name for text in arguments.log for name in listed(text)]


_METAVAR = {int: "N", float: "X", str: "TEXT"}


def run(arguments: argparse.Namespace) -> int:
    modules = load(arguments.imports)
    config = settings(arguments)
    if arguments.overwrite and config.out is None:
        raise DivminError("--overwrite needs --out: which run folder should be replaced?")
    if ":" in config.recipe:
        raise DivminError(
            f"train takes a recipe by its name; got '{config.recipe}': register it in that module (CONTRIBUTING.md, A recipe), "
            "then give its name, and the module with --import"
        )
    check_registered(config.recipe, modules, "see CONTRIBUTING.md, A recipe, for how to register one")
    if arguments.dry_run:
        return _dry_run(config, arguments.json)
    from divmin.cli.outcome import report
    from divmin.experiment import train

    show = not arguments.json
    return report(train(config, log=logs(arguments), overwrite=arguments.overwrite, show=show), arguments.json)


def settings(arguments: argparse.Namespace) -> TrainConfig:
    """The flags that were given, over the file of --config, over the defaults."""
    base = TrainConfig.from_yaml(arguments.config) if arguments.config else TrainConfig()
    known = {field.name for field in fields(TrainConfig)}
    given = {name: value for name, value in vars(arguments).items() if name in known and value is not None}
    return replace(base, **given)


def _dry_run(config: TrainConfig, as_json: bool) -> int:
    import json

    import yaml

    from divmin.aim import explained, sentences
    from divmin.experiment import judge_of
    from divmin.progress import tracking
    from divmin.training import rehearse
    from divmin.training.parts import parts

    with tracking("reading pictures") as track:
        recipe, source, pair = parts(config, track=track)  # a name that is not known is an error
    rehearse(config, recipe, source, pair)
    if (judge := judge_of(config)) is not None and judge.check is not None:
        judge.check(source)
    found = explained(config)
    networks = {"generator": pair.generator, "critic": pair.critic}
    if (encoder := getattr(pair, "encoder", None)) is not None:
        networks["encoder"] = encoder
    sizes = {name: sum(weight.numel() for weight in network.parameters()) for name, network in networks.items()}
    skipped = getattr(source, "skipped", ())
    if as_json:
        about = {
            "shape": list(source.shape),
            "samples": source.size,
            "classes": getattr(source, "classes", None),
            "skipped": list(skipped),
            **sizes,
            "latent": pair.latent,
        }
        explanation = None if found is None else found.to_record()
        print(json.dumps({"config": config.to_mapping(), "explanation": explanation, **about}, indent=2))
        return 0
    print(yaml.safe_dump(config.to_mapping(), sort_keys=False), end="")
    left_out = f", {counted(len(skipped), 'picture')} left out" if skipped else ""
    size = counted(source.size, "sample") if source.size else "endless samples"
    print(f"# data: {source.name}, shape {tuple(source.shape)}, {size}{left_out}")
    numbers = ", ".join(f"{name} {number:,}" for name, number in sizes.items())
    print(f"# networks: {numbers} parameters, z of dimension {pair.latent}")
    print("\n".join(f"# {line}" for line in sentences(config, found)))
    return 0
