"""What a logger is, and the registry of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from divmin.errors import DivminError
from divmin.named import Named


class Sink(Protocol):
    """Where numbers and pictures go. Steps come in order, each once."""

    def tell(self, step: int, values: Mapping[str, float], picture: Path | None) -> None:
        """Take what a run says of a step: numbers by name, and its picture if one was drawn."""
        ...

    def flush(self) -> None:
        """Return when what was told will outlive this process."""
        ...

    def close(self) -> None:
        """Nothing more will be told."""
        ...


@dataclass(frozen=True)
class Start:
    """What a sink is opened for.

    Args:
        folder: the run folder.
        id: a name of the run that stays the same when it goes on.
        settings: its configuration.
        fresh: whether nothing was told before.
    """

    folder: Path
    id: str
    settings: Mapping[str, Any]
    fresh: bool


@dataclass(frozen=True)
class Logger:
    """A kind of sink.

    Args:
        name: what it is called in `--log`.
        module: the Python module that it needs.
        open: makes a sink; imports the module only then.
        summary: one line.
    """

    name: str
    module: str
    open: Callable[[Start], Sink]
    summary: str


_LOGGERS: Named[Logger] = Named("logger")


def register(logger: Logger) -> None:
    """Add a logger under its name; a taken name is an error."""
    _LOGGERS.add(logger.name, logger)


def loggers() -> Mapping[str, Logger]:
    """The registered loggers, by name.

    >>> sorted(loggers())
    ['tensorboard', 'wandb']
    """
    return MappingProxyType(_LOGGERS)


def chosen(names: Sequence[str]) -> tuple[Logger, ...]:
    """The loggers of these names, each once, if what they need is installed.

    Args:
        names: such as ("tensorboard",).

    Raises:
        DivminError: an unknown name, or a library that is missing, with the command that installs it.

    >>> chosen(["tensorbord"])
    Traceback (most recent call last):
    divmin.errors.DivminError: unknown logger 'tensorbord': did you mean tensorboard?
    """
    if isinstance(names, str):
        raise DivminError(f"log takes a sequence of names, such as ({names!r},); got the text {names!r}")
    found = tuple(_LOGGERS.find(name) for name in dict.fromkeys(names))
    for logger in found:
        if importlib.util.find_spec(logger.module) is None:
            raise DivminError(
                f"--log {logger.name} needs {logger.module}, which is not installed: pip install 'divmin[{logger.name}]'"
            )
    return found
