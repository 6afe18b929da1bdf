"""Code that is broken on purpose: what an item must notice."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from divmin.training import single


@dataclass(frozen=True)
class Mutation:
    """A wrong replacement of something in the package.

    Args:
        target: a dotted name, such as "divmin.family.power.Power._s": a function, a method, a constant.
        wrong: from what stands there to what stands there instead.
    """

    target: str
    wrong: Callable[[Any], Any]

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Break it until the end of the test."""
        owner, name = self._owner()
        original = owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)
        monkeypatch.setattr(owner, name, self.wrong(original))

    def _owner(self) -> tuple[Any, str]:
        parts = self.target.split(".")
        for end in range(len(parts) - 1, 0, -1):
            try:
                found: Any = importlib.import_module(".".join(parts[:end]))
            except ModuleNotFoundError:
                continue
            for part in parts[end:-1]:
                found = getattr(found, part)
            return found, parts[-1]
        raise LookupError(self.target)


def scaled(factor: float) -> Callable[[Any], Any]:
    """A function whose result is off by a factor."""
    return lambda original: lambda *args, **kwargs: factor * original(*args, **kwargs)


def both_moves(move_critic: Callable[..., None]) -> Callable[..., None]:
    """A move of the critic that is one of the generator too."""

    def wrong(job: Any, state: Any, data: Any) -> None:
        single.move_generator(job, state, data)
        move_critic(job, state, data)

    return wrong
