"""Runs, and whatever else has chapters, as pages that people want to read."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from divmin.pages.told import Known as Known
    from divmin.pages.write import report as report
    from divmin.pages.write import report_known as report_known

# Imported on first use: the records of a page need none of what reads runs.
_HOMES = {"Known": "told", "report": "write", "report_known": "write"}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"divmin.pages.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'divmin.pages' has no attribute '{name}'")
