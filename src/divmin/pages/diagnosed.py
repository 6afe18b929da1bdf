"""What divmin diagnose found, where it was asked, of the step at which it was: the section that its folder in a run becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from divmin.errors import DivminError
from divmin.pages.parts import Section, Warned, number, table
from divmin.pages.told import Told
from divmin.training.run import DIAGNOSED, DIAGNOSIS, read_text

RECORD = DIAGNOSED[0]
SHEETS = {
    "worst_covered.png": "data that the model lacks most: those with the highest d",
    "most_fake.png": "samples that give the model away: those with the lowest d",
    "fresh_critic.png": "loss and accuracy of a fresh critic while it learns, and the generator's gradients meanwhile",
}


def diagnosis(told: Told) -> Section:
    """The sentences, sheets and bounds of a fresh critic's look."""
    title, path = "Before another critic", told.run.folder / DIAGNOSIS / RECORD
    if not path.exists():
        return Section(title, missing="nobody has asked (divmin diagnose RUN --fresh-critic)")
    try:
        found = json.loads(read_text(path))
        values = [_row(each) for each in found.get("estimates") or ()]
        said = tuple(_sentence(str(each)) for each in found.get("sentences") or ())
        fresh = found.get("fresh_critic") or {}
        warned = [
            *found.get("warnings", ()),
            *(f"{each['divergence']}: {w}" for each in found.get("estimates") or () for w in each["warnings"]),
        ]
        facts = _facts(fresh)
    except (json.JSONDecodeError, DivminError, AttributeError, KeyError, TypeError, ValueError):
        return Section(title, (f"{RECORD} is damaged: run divmin diagnose again.",))
    note = f"divmin diagnose at step {found.get('step')}"
    pictures = tuple(shown for name, alt in SHEETS.items() for shown in told.picture(f"{DIAGNOSIS}/{name}", alt, alt))
    tables = (table(("divergence", "bound, nats", "95%", "kind"), values, note),) if values else ()
    doubts = tuple(Warned("note", _sentence(str(each))) for each in warned)
    return Section(title, facts + said, doubts, pictures=pictures, tables=tables, missing="it found nothing")


def _facts(fresh: Mapping[str, Any]) -> tuple[str, ...]:
    """How a fresh critic was trained; nothing of a run's own."""
    if not fresh:
        return ()
    trained = f"critic loss of {fresh['losses']}, Adam, learning rate {fresh['lr']:g}"
    batches = f"{fresh['batch_size']} data and as many samples a step, {fresh['looks'][-1]['step']} steps, seed {fresh['seed']}"
    return (f"A fresh critic: {fresh['critic']}; {trained}, {batches}.",)


def _sentence(text: str) -> str:
    """With a capital at its beginning and a stop at its end."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _row(each: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Infinities and what is not known are written as text and as nothing."""
    low, high = each["interval"]
    return str(each["divergence"]), _told(each["value"]), f"{_told(low)} to {_told(high)}", str(each["kind"])


def _told(value: Any) -> str:
    return number(value) if isinstance(value, int | float | None) else str(value)
