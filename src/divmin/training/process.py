"""Which process trains a run, so that a run whose process is gone can be told from one that trains."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Process:
    """A process of some machine.

    Args:
        id: its number, which another process may get later.
        host: the machine's name.
        born: when it started, in the kernel's ticks; tells it from a later process of the same number. None where the
            system does not say.
    """

    id: int
    host: str
    born: int | None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Process:
        """The inverse of `asdict`; a TypeError or KeyError for anything else."""
        id, host, born = values["id"], values["host"], values["born"]
        if type(id) is not int or not isinstance(host, str) or not (born is None or type(born) is int):
            raise TypeError(f"not a process: {values!r}")
        return cls(id, host, born)

    @property
    def alive(self) -> bool | None:
        """Whether it still runs; None where that cannot be known, because it is on another machine."""
        if self.host != platform.node() or os.name != "posix":
            return None
        try:
            os.kill(self.id, 0)  # signal 0 asks and does nothing
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it is somebody else's, and runs
        return self.born is None or self.born == _born(self.id)


def current() -> Process:
    """This process.

    >>> current().alive
    True
    """
    return Process(os.getpid(), platform.node(), _born(os.getpid()))


def _born(number: int) -> int | None:
    """When the process of this number started, from Linux's /proc; None for one that has ended but is not waited for yet."""
    try:
        # The name of the program, in parentheses, may hold spaces; state and start time are fields 3 and 22.
        rest = Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return None if rest[0] == "Z" else int(rest[19])
    except (OSError, IndexError, ValueError):
        return None
