"""`--import`: the user's own code, run because it was asked for."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from divmin.errors import DivminError, suggest


def add_import(parser: argparse.ArgumentParser, further: str = "") -> None:
    """The flag, for every command that reads names."""
    parser.add_argument(
        "--import",
        dest="imports",
        action="append",
        default=[],
        metavar="MODULE",
        help=f"run the code of a module or .py file first: what it registers can be named{further}",
    )


def load(names: Sequence[str]) -> dict[str, ModuleType]:
    """Import modules and files in their order, each once; the key is the name without .py and folders."""
    found: dict[str, ModuleType] = {}
    paths: dict[str, Path] = {}
    for name in names:
        key, path = _key(name), Path(name if name.endswith(".py") else f"{name}.py").resolve()
        if key in found and paths[key] != path:
            raise DivminError(f"two modules are called {key}: {paths[key]} and {path}; rename one")
        if key not in found:
            found[key], paths[key] = _load(name), path
    return found


def attribute(text: str, loaded: dict[str, ModuleType]) -> Any:
    """What MODULE:NAME means among the modules that were imported; mine.py and mine are the same module.

    Raises:
        DivminError: a module that was not imported, or a name that it does not have.
    """
    module, _, name = text.rpartition(":")
    if _key(module) not in loaded:
        raise DivminError(f"'{text}' would run the code of {module}: allow it with --import {module}")
    found = loaded[_key(module)]
    if not hasattr(found, name):
        known = tuple(each for each in vars(found) if not each.startswith("_"))
        raise DivminError(f"{module} has no '{name}': {suggest(name, known)}")
    return getattr(found, name)


def check_registered(text: str, loaded: dict[str, ModuleType], otherwise: str) -> None:
    """Refuse the name of an imported module where the name of a recipe is expected.

    Args:
        text: what stands where a recipe should.
        loaded: the modules that were imported.
        otherwise: what else can be done than to register a recipe.
    """
    from divmin.objectives import recipes

    taken = {each for named in recipes().values() for each in (named.name, *named.aliases)}
    if _key(text) in loaded and text.lower() not in taken:
        raise DivminError(
            f"{text} was imported, but it registers no recipe called {_key(text)}: name one that it registers (divmin list "
            f"--recipes --import {text}), or {otherwise}"
        )


def _key(name: str) -> str:
    return Path(name).stem if name.endswith(".py") else name


def _load(name: str) -> ModuleType:
    try:
        if not name.endswith(".py"):
            if "" not in sys.path:
                sys.path.insert(0, "")  # as `python -m`: the current folder counts
            return importlib.import_module(name)
        path = Path(name)
        if not path.exists():
            raise DivminError(f"no such file: {name}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None  # a .py file always has one
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except DivminError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's code raises; it may not end the command either
        raise DivminError(f"cannot import {name}: {described(error)}") from error


def described(error: BaseException) -> str:
    """An error of the user's code in one line: its kind, its text, and the line of their file where it happened."""
    text = (
        f"sys.exit({error.code!r}) was called" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
    )
    if isinstance(error, SyntaxError):  # its text has the line
        return text
    ours = Path(__file__).parent.parent
    frames = [x for x in traceback.extract_tb(error.__traceback__) if Path(x.filename).exists()]
    theirs = [x for x in frames if ours not in Path(x.filename).parents and "importlib" not in x.filename]
    return f"{text} ({Path(theirs[0].filename).name}, line {theirs[0].lineno})" if theirs else text
