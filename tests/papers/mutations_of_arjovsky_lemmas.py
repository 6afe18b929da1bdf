"""What breaks lemmas 2 and 3 of Arjovsky and Bottou."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from mutation import Mutation

HERE = "divmin.papers.arjovsky.lemmas_2_and_3"


def _all_near(moved_apart: Any) -> Any:
    """Everything is near everything."""

    def wrong(*args: Any, **options: Any) -> Any:
        found = moved_apart(*args, **options)
        return replace(found, shares=np.ones_like(found.shares), nearest=np.zeros_like(found.nearest))

    return wrong


MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "arjovsky-lemmas-2-and-3": (
        Mutation(f"{HERE}.moved_apart", _all_near),
        Mutation(f"{HERE}.sines", lambda sines: lambda *args: 0 * sines(*args)),
        Mutation(f"{HERE}.sines", lambda sines: lambda *args: 1 + 0 * sines(*args)),
        Mutation(f"{HERE}.distances", lambda found: lambda p, x: np.abs(found(p, x) - 0.4)),
    ),
}
