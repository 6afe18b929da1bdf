"""`divmin sweep`: a grid of recipes, seeds and settings, as runs of their own."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from divmin.cli.columns import aligned
from divmin.cli.plugins import add_import, load
from divmin.cli.train_command import add_log, add_settings, logs, settings
from divmin.errors import DivminError, suggest
from divmin.grammar import listed

if TYPE_CHECKING:
    from divmin.sweeps import Line, Outcome
    from divmin.training import TrainConfig

OWN = ("recipe", "seed", "out")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin sweep --recipes 'minimax, fgan(kl)' --seeds 0,1,2 --data ring --model mlp --out runs/ring\n"
        "  divmin sweep --recipes minimax --seeds 0,1 --grid 'critic_lr=1e-3,1e-4' --config run.yaml --out runs/rates\n"
        "the same command again goes on with what is unfinished; means are over the finished runs"
    )
    parser.add_argument("--recipes", metavar="LIST", help="recipes with commas between (default: that of --config)")
    parser.add_argument("--seeds", metavar="LIST", help="seeds with commas between (default: that of --config)")
    parser.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="FIELD=LIST",
        help="values of another setting, such as critic_lr=1e-3,1e-4; several --grid are combined",
    )
    parser.add_argument(
        "--out", default="runs/sweep", metavar="FOLDER", help="where the run folders are (default runs/sweep)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="runs at once, in processes of one thread each if there are several (default 1)",
    )
    parser.add_argument(
        "--metric", metavar="LIST", help="which metrics the table has (default: what was measured, or losses)"
    )
    add_settings(parser, without=OWN)
    add_log(parser)
    add_import(parser)
    parser.add_argument("--dry-run", action="store_true", help="print the runs and where they stand, and stop")
    parser.add_argument("--json", action="store_true", help="print a record for programs")


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    from divmin.sweeps import grid, read_seeds, read_values, sweep
    from divmin.training import Record

    base = settings(arguments)
    values = [read_values(text) for text in arguments.grid]
    if len(dict(values)) < len(values):
        raise DivminError("--grid names a field twice: give all its values in one --grid")
    configs = grid(
        base,
        recipes=[base.recipe] if arguments.recipes is None else listed(arguments.recipes),
        seeds=[base.seed] if arguments.seeds is None else read_seeds(arguments.seeds),
        values=dict(values),
        out=arguments.out,
    )
    metrics = None if arguments.metric is None else listed(arguments.metric)
    if metrics is not None and all(each.evaluate_every is None for each in configs):
        known = [item.name for item in fields(Record)]
        for name in metrics:  # without an evaluation there is what the records hold, which is known now
            if name not in known:
                raise DivminError(
                    f"--metric {name} is not in the records of a run, and nothing is evaluated without --evaluate-every: "
                    f"{suggest(name, known)}"
                )
    if arguments.dry_run:
        return _dry_run(configs, arguments.json)
    show = not arguments.json
    outcomes = sweep(configs, jobs=arguments.jobs, log=logs(arguments), imports=arguments.imports, show=show)
    return _report(outcomes, metrics, arguments.json)


def _dry_run(configs: Sequence[TrainConfig], as_json: bool) -> int:
    from divmin.objectives import recipe
    from divmin.sweeps.standing import standing

    for text in dict.fromkeys(config.recipe for config in configs):
        recipe(text)  # a name that is not known is an error
    stands = [standing(config) for config in configs]
    if as_json:
        records = [
            {"config": c.to_mapping(), "todo": s.todo, "reason": s.reason} for c, s in zip(configs, stands, strict=True)
        ]
        print(json.dumps(records, indent=2))
    else:
        print("\n".join(aligned([(str(c.out), s.todo, s.reason or "") for c, s in zip(configs, stands, strict=True)])))
    return 0


def _report(outcomes: Sequence[Outcome], metrics: Sequence[str] | None, as_json: bool) -> int:
    from divmin.sweeps import metrics_of, table

    lines = table(outcomes, metrics)
    if as_json:
        record = {"table": [each.to_record() for each in lines], "runs": [each.to_record() for each in outcomes]}
        print(json.dumps(record, indent=2))
    else:
        print("\n".join(_rows(lines, metrics or metrics_of(outcomes))))
        for each in outcomes:
            if each.state != "finished":
                why = "" if each.reason is None else f", {each.reason}"
                print(f"{Path(str(each.config.out)).name}: {each.state} at step {each.step}{why}")
        if any(each.state in ("interrupted", "waiting") for each in outcomes):
            print("go on with the same command")
    return exit_code(outcomes)


def _rows(lines: Sequence[Line], metrics: Sequence[str]) -> list[str]:
    head = [*lines[0].settings, "finished", *metrics]
    rows = [
        [
            *(str(value) for value in line.settings.values()),
            f"{line.finished}/{line.runs}",
            *(str(line.means.get(name, "-")) for name in metrics),
        ]
        for line in lines
    ]
    return aligned([head, *rows])


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """What a shell expects: 128 + n after signal n, 1 when a run failed, 0 when all are finished."""
    for each in outcomes:
        if each.state == "interrupted" and each.signal is not None:
            return 128 + each.signal
    return 0 if all(each.state == "finished" for each in outcomes) else 1
