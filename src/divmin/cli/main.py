"""`divmin COMMAND`: finds the command, runs it, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from divmin.errors import DivminError, DivminWarning, suggest
from divmin.version import __version__

# command -> one line of help; the module divmin.cli.COMMAND_command has `configure(parser)` and `run(arguments) -> exit code`
COMMANDS = {
    "list": "the catalogue of divergences",
    "show": "everything about one divergence, by name or expression",
    "explain": "what a recipe, or any pair of losses, minimises",
    "exact": "divergences between two given laws",
    "estimate": "divergences between the laws of two sets of samples, with intervals",
    "train": "train a generator against a critic",
    "resume": "go on with a run from its checkpoint",
    "sample": "draw from a trained generator",
    "evaluate": "judge the samples of a trained generator against data",
    "report": "runs as one page of HTML: what they minimise, how they went, what is wrong",
    "diagnose": "what its own critic, or a fresh one, sees of a trained generator, and would tell it",
    "runs": "the runs in a folder: what they minimise, how far they are, their best numbers",
    "reproduce": "the figures, tables and claims of the sources, each compared with expected numbers",
    "sweep": "a grid of recipes and seeds as runs of their own, with means and standard errors",
}
OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and which takes no half of a flag for the whole."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})

    def error(self, message: str) -> NoReturn:
        if message.endswith(("required: divergence", "required: Q")):
            message += "; an expression that begins with a minus goes after --"
        raise DivminError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 success, 1 failure of the work, 2 bad input, 128 + n after signal n."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show(warnings.showwarning)
            return _run(given)
    except DivminError as error:
        print(f"divmin: {' '.join(str(error).split())}", file=sys.stderr)
        return getattr(error, "exit_code", BAD_INPUT)
    except KeyboardInterrupt:
        print("divmin: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _show(otherwise: Callable[..., None]) -> Callable[..., None]:
    """Our own warnings as one line; those of libraries as before."""

    def show(message: Warning | str, *rest: Any, **named: Any) -> None:
        if isinstance(message, DivminWarning):
            print(f"divmin: warning: {message}", file=sys.stderr)
        else:
            otherwise(message, *rest, **named)

    return show


def _run(given: list[str]) -> int:
    parser = Parser(
        prog="divmin",
        description="Train generative models by the divergence you choose, and know which one you got.",
        epilog="example: divmin show 'soften(reverse(kl))' --plot curves.png",
    )
    parser.add_argument("--version", action="version", version=f"divmin {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", formatter_class=_Formatter
        )
        if name in given[:1]:  # only the command that runs pays for its imports
            module = importlib.import_module(f"divmin.cli.{name}_command")
            module.configure(command)
            given = _joined(given, getattr(module, "TEXT_FLAGS", ()))
    arguments, unknown = parser.parse_known_args(given)
    if unknown:
        command = commands.choices.get(arguments.command, parser)
        flag = next((each for each in unknown if each.startswith("--")), None)
        near = "" if flag is None else f": {suggest(flag.partition('=')[0], _flags(command))}"
        command.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
    if arguments.command is None:
        parser.print_help()
        return OK
    return int(module.run(arguments))


def _flags(parser: argparse.ArgumentParser) -> list[str]:
    return [flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")]


def _joined(given: list[str], flags: Sequence[str]) -> list[str]:
    """Flags of text with what follows them in one word: argparse takes -log(D) for a flag of its own otherwise."""
    words: list[str] = []
    for word in given:
        if words and words[-1] in flags and word.startswith("-") and not word.startswith("--"):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with examples kept as they are written."""
