"""`divmin train`: one flag for every field of TrainConfig, over the values of a YAML file."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from typing import Any, get_args, get_type_hints

from divmin.cli.plugins import add_import, check_registered, load
from divmin.errors import DivminError, counted
from divmin.training import TrainConfig


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin train --recipe nonsaturating --data digits\n"
        "  divmin train --config run.yaml --recipe 'fgan(kl)' --steps 500\n"
        "  divmin train --data path/to/images --image-size 32 --dry-run\n"
        "flags win over --config, which wins over the defaults"
    )
    parser.add_argument("--config", metavar="FILE", help="a YAML file of the same settings")
    hints = get_type_hints(TrainConfig)
    for field in fields(TrainConfig):
        flag = "--" + field.name.replace("_", "-")
        kind = next(kind for kind in (get_args(hints[field.name]) or (hints[field.name],)) if kind is not type(None))
        options: dict[str, Any] = {"default": None, "dest": field.name}
        text = f"{field.metadata['help']} (default {'none' if field.default is None else field.default})".replace(
            "%", "%%"
        )
        if kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text, **options)
        else:
            parser.add_argument(flag, type=kind, metavar=_METAVAR[kind], help=text, **options)
    add_import(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the run in the folder --out")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, print the settings and what they minimise, and stop"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as a record for programs")


_METAVAR = {int: "N", float: "X", str: "TEXT"}


def run(arguments: argparse.Namespace) -> int:
    modules = load(arguments.imports)
    config = _config(arguments)
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

    return report(train(config, overwrite=arguments.overwrite), arguments.json)


def _config(arguments: argparse.Namespace) -> TrainConfig:
    base = TrainConfig.from_yaml(arguments.config) if arguments.config else TrainConfig()
    given = {field.name: getattr(arguments, field.name) for field in fields(TrainConfig)}
    config = replace(base, **{name: value for name, value in given.items() if value is not None})
    if arguments.overwrite and config.out is None:
        raise DivminError("--overwrite needs --out: which run folder should be replaced?")
    return config


def _dry_run(config: TrainConfig, as_json: bool) -> int:
    import json

    import yaml

    from divmin import data, models
    from divmin.cli.outcome import sentences
    from divmin.experiment import explained
    from divmin.objectives import recipe

    recipe(config.recipe)  # a name that is not known is an error
    found = explained(config.recipe)
    source = data.load(config.data, seed=config.seed, image_size=config.image_size, channels=config.channels)
    pair = models.build(config.model, shape=source.shape, latent=config.latent, width=config.width, seed=config.seed)
    sizes = [sum(p.numel() for p in network.parameters()) for network in (pair.generator, pair.critic)]
    if as_json:
        about = {
            "shape": list(source.shape),
            "samples": source.size,
            "generator": sizes[0],
            "critic": sizes[1],
            "latent": pair.latent,
        }
        explanation = None if found is None else found.to_record()
        print(json.dumps({"config": config.to_mapping(), "explanation": explanation, **about}, indent=2))
        return 0
    print(yaml.safe_dump(config.to_mapping(), sort_keys=False), end="")
    size = counted(source.size, "sample") if source.size else "endless samples"
    print(f"# data: {source.name}, shape {tuple(source.shape)}, {size}")
    print(f"# networks: generator {sizes[0]:,} parameters, critic {sizes[1]:,}, z of dimension {pair.latent}")
    print("\n".join(f"# {line}" for line in sentences(config.recipe, found)))
    return 0
