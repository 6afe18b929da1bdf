"""Values of the theory to twelve digits, computed independently of this package with mpmath and SciPy: what items compare with."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _values() -> Any:
    return json.loads((files("divmin.papers") / "reference_values.json").read_text())


def reference(*path: str) -> Any:
    """What stands at a path of names; strings of digits are numbers, strings of words stay.

    Example:
        >>> reference("pairs", "p=N(0,1),q=N(1,1)", "js", "D")  # canonical: 4 JS
        0.445685928739
    """
    found = _values()
    for name in path:
        found = found[name]
    return _numbers(found)


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_numbers(each) for each in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
