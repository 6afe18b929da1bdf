"""What lies on disk of every item: OUT/NAME/full or OUT/NAME/quick, with result.json, data.npz, figure.png and film.gif.

Settings of one's own get a folder of their own beside these, named after them: OUT/NAME/full-0a1b2c3d4e5f.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from divmin.files import write_json
from divmin.papers import Check, Found, Item, Table, check, items
from divmin.papers.expected import FAIL, FINDING, LATER, PASS
from divmin.version import __version__

RESULT, DATA, FIGURE, FILM, PAGE = "result.json", "data.npz", "figure.png", "film.gif", "index.html"
FRAMES, PIECES = "frames", "pieces"


@dataclass(frozen=True)
class Outcome:
    """An item that was computed.

    Args:
        item: its name.
        quick: whether at toy size.
        settings: all of them, by name.
        numbers: everything that was computed.
        checks: the expected ones, line by line.
        tables, notes: what it shows.
        seconds: what it took, of all starts together.
        folder: where it lies.
        version: of divmin.
        drawn: names the code that drew the pictures.
    """

    item: str
    quick: bool
    settings: Mapping[str, Any]
    numbers: Mapping[str, float]
    checks: tuple[Check, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    seconds: float
    folder: Path
    version: str = __version__
    drawn: str = ""

    @property
    def passed(self) -> bool:
        """Whether no check failed; findings are no failures."""
        return all(each.verdict != FAIL for each in self.checks)

    @property
    def verdict(self) -> str:
        """The checks in a word: passed, findings, failed."""
        verdicts = [each.verdict for each in self.checks]
        return "failed" if FAIL in verdicts else "findings" if FINDING in verdicts else "passed"

    @property
    def tally(self) -> str:
        """How many of each, in words."""
        kinds = [(PASS, "passed"), (FINDING, "findings"), (FAIL, "failed"), (LATER, "not asked at toy size")]
        counts = [(sum(each.verdict == kind for each in self.checks), name) for kind, name in kinds]
        said = [
            f"{n} {'finding' if (n, name) == (1, 'findings') else name}" for n, name in counts if n or name == "passed"
        ]
        return ", ".join(said)

    def to_record(self) -> dict[str, Any]:
        """For JSON, which has no infinities: those are words."""
        record: dict[str, Any] = _plain(asdict(self) | {"folder": str(self.folder), "verdict": self.verdict})
        return record


def place(item: Item, *, quick: bool, out: Path) -> Path:
    """The folder of an item's size, or of its settings where they are not the published ones."""
    size = "quick" if quick else "full"
    return out / item.name / (size if published(item, quick=quick) else f"{size}-{fingerprint(item, quick=quick)}")


def published(item: Item, *, quick: bool) -> bool:
    """Whether an item has its published settings; one that is not in the package has no others."""
    return fingerprint(item, quick=quick) == fingerprint(items().get(item.name, item), quick=quick)


def fingerprint(item: Item, *, quick: bool) -> str:
    """A short name of the settings: pieces of other settings are not used."""
    settings = asdict(item.quick if quick else item.settings)
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]


def pen(item: Item) -> str:
    """A name of the files of an item's source, which draw it and hold its words: it is drawn anew where they change."""
    if item.draw is None:
        return ""
    source = Path(inspect.getsourcefile(item.draw) or "")
    files = sorted(source.parent.glob("*.py")) if source.parent.name == item.paper.name else [source]
    text = b"".join(each.read_bytes() for each in files if each.is_file())  # there is none of what was typed
    return hashlib.sha256(text).hexdigest()[:12]


def write(outcome: Outcome) -> None:
    """The result as JSON; it comes last, so that it is there only when all the rest is."""
    write_json(outcome.folder / RESULT, outcome.to_record())


def read(item: Item, *, quick: bool, out: Path) -> Outcome | None:
    """The result of an item with its present settings; None where there is none, or one that cannot be read.

    Its numbers are compared with what the item expects now, which may be other than when they were computed; where one is
    asked for that nobody knew of then, or where its data are gone, the result counts as none.
    """
    folder = place(item, quick=quick, out=out)
    try:
        record = json.loads((folder / RESULT).read_text())
        numbers = {name: float(value) for name, value in record["numbers"].items()}
        outcome = Outcome(
            item=record["item"],
            quick=record["quick"],
            settings=record["settings"],
            numbers=numbers,
            checks=check(numbers, item.expected, quick=quick),
            tables=tuple(
                Table(tuple(each["heads"]), tuple(map(tuple, each["rows"])), each["note"]) for each in record["tables"]
            ),
            notes=tuple(record["notes"]),
            seconds=record["seconds"],
            folder=folder,
            version=record["version"],
            drawn=record.get("drawn", ""),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not (item.expected.keys() <= numbers.keys() and (folder / DATA).exists()):
        return None
    same = outcome.settings == json.loads(json.dumps(asdict(item.quick if quick else item.settings)))
    return outcome if same else None


def left(item: Item, out: Path) -> str:
    """What to say of a result that is there and not to be used: unreadable, or out of date; nothing where there is none."""
    for quick in (False, True):
        folder = place(item, quick=quick, out=out)
        if (folder / RESULT).exists():
            return "unreadable" if recorded(folder) is None else "out of date"
    return ""


def recorded(folder: Path) -> Any:
    """The checks as they were written down, in plain values; None where they cannot be read."""
    try:
        return json.loads((folder / RESULT).read_text())["checks"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def drawable(outcome: Outcome) -> Found:
    """What was computed, as an item draws it."""
    import numpy as np

    with np.load(outcome.folder / DATA, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return Found(outcome.numbers, arrays, outcome.tables, outcome.notes)


@dataclass(frozen=True)
class Standing:
    """Where an item stands.

    Args:
        item: it.
        outcome: the result at full size, or else at toy size; None where there is none.
        left: of a result that is there and not used: "unreadable", or "out of date" (other settings, or more is asked now).
    """

    item: Item
    outcome: Outcome | None
    left: str = ""

    @property
    def status(self) -> str:
        if self.outcome is None:
            return self.left or "not run"
        return self.outcome.verdict + (" (quick)" if self.outcome.quick else "")


def standing(items: Mapping[str, Item], out: Path) -> tuple[Standing, ...]:
    """Where some items stand.

    Args:
        items: by name.
        out: the folder of results.
    """
    found = []
    for each in items.values():
        outcome = read(each, quick=False, out=out) or read(each, quick=True, out=out)
        found.append(Standing(each, outcome, "" if outcome else left(each, out)))
    return tuple(found)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
