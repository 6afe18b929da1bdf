"""Tables of a command as lines."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns as wide as they need to be: nothing is cut.

    Example:
        >>> aligned([("a", "nats"), ("long", "1")])
        ['a     nats', 'long  1']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
