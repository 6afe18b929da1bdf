"""What breaks the items of Huszar."""

from __future__ import annotations

from mutation import Mutation

MUTATIONS: dict[str, tuple[Mutation, ...]] = {
    "huszar-rules": (
        Mutation(
            "divmin.objectives.terms.Written.__call__", lambda call: lambda self, c: call(self, c) + 1e-3 * c**2 / 2
        ),
    ),
}
