"""`--import`: the user's own code, run because it was asked for."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
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
    """Import modules and files in their order; the key is the name as it was given."""
    return {name: _load(name) for name in names}


def attribute(text: str, loaded: dict[str, ModuleType]) -> Any:
    """What MODULE:NAME means among the modules that were imported.

    Raises:
        DivminError: a module that was not imported, or a name that it does not have.
    """
    module, _, name = text.rpartition(":")
    if module not in loaded:
        raise DivminError(f"'{text}' would run the code of {module}: allow it with --import {module}")
    if not hasattr(loaded[module], name):
        known = tuple(each for each in vars(loaded[module]) if not each.startswith("_"))
        raise DivminError(f"{module} has no '{name}': {suggest(name, known)}")
    return getattr(loaded[module], name)


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
    except Exception as error:  # whatever the user's code raises
        raise DivminError(f"cannot import {name}: {type(error).__name__}: {error}") from error
