"""What breaks the items of this source."""

from __future__ import annotations

from mutation import Mutation

MUTATIONS: dict[str, tuple[Mutation, ...]] = {}
