"""`divmin exact F P Q --fit`: all minima and saddles over the free names of Q."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from typing import Any

from divmin.cli.columns import aligned
from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.progress import tracking
from divmin.values import Fit, Landscape, fit, landscape
from divmin.values.family import family
from divmin.values.text import law
from divmin.values.view import around, check


def boxes(given: Sequence[str]) -> dict[str, tuple[float, float]] | None:
    """Where to search, from NAME=LOW:HIGH.

    Raises:
        DivminError: another form, a name twice, or LOW not below HIGH.

    Example:
        >>> boxes(["loc=-3:3", "scale=0.1:4"])
        {'loc': (-3.0, 3.0), 'scale': (0.1, 4.0)}
    """
    found: dict[str, tuple[float, float]] = {}
    for text in given:
        name, equals, range_ = text.partition("=")
        low, colon, high = range_.partition(":")
        try:
            ends = float(low), float(high)
        except ValueError:
            ends = math.nan, math.nan
        if not (equals and colon and name and ends[0] < ends[1] and all(map(math.isfinite, ends))):
            raise DivminError(f"--box {text}: expected NAME=LOW:HIGH, such as --box loc=-3:3")
        if name in found:
            raise DivminError(f"--box gives {name} twice: give it once")
        found[name] = ends
    return found or None


def search(arguments: argparse.Namespace, members: list[Divergence]) -> int:
    """Fit every divergence, draw the landscapes if asked, and print what was found."""
    p, q, box = law(arguments.data), family(arguments.model), boxes(arguments.box)
    free = list(q.arg_constraints)
    if box is not None and set(box) != set(free):
        raise DivminError(f"--box is for {', '.join(box)}: expected one for each free name of Q, {', '.join(free)}")
    if arguments.plot:
        check(free)
    found: list[Fit] = []
    for f in members:
        with tracking(f"searching {f.name}") as track:
            found.append(fit(f, p, q, box, track=track))
    if arguments.plot:
        _draw(arguments, members, p, q, found)
    if arguments.json:
        record = {
            "p": arguments.data,
            "q": arguments.model,
            "fits": [each.to_dict() for each in found],
            "plot": str(arguments.plot) if arguments.plot else None,
        }
        print(json.dumps(record, indent=2, allow_nan=False))
        return 0
    print("\n\n".join("\n".join(_lines(each)) for each in found))
    if arguments.plot:
        print(f"picture: {arguments.plot}")
    return 0


def _draw(arguments: argparse.Namespace, members: list[Divergence], p: Any, q: Any, found: list[Fit]) -> None:
    from divmin.plots import save_landscapes

    grid = around(found)
    seen: list[Landscape] = []
    for f in members:
        with tracking(f"drawing {f.name}") as track:
            seen.append(landscape(f, p, q, grid, track=track))
    save_landscapes(seen, arguments.plot, fits=found, title=f"p = {arguments.data}\nq = {arguments.model}")


def _lines(found: Fit) -> list[str]:
    """How many points and whether that is all, then a line for each."""
    said = found.warnings or ["  complete: the count is 1"]
    if not found.points:
        return [found.headline, *said]
    heading = ("", "kind", *found.searched.axes, "nats")
    rows = [
        (
            "",
            f"{point.kind}, lowest" if point.lowest else point.kind,
            *(f"{value:.10g}" for value in point.parameters.values()),
            f"{point.value:.10g}",
        )
        for point in found.points
    ]
    return [found.headline, *aligned([heading, *rows]), *said]
