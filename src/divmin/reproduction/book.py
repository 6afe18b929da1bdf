"""Reproductions as pages: one of each item, and one book of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from divmin.errors import DivminError, counted
from divmin.files import check_folder, write_text
from divmin.pages.embedding import embedded, film, spread
from divmin.pages.parts import Chapter, Contents, Film, Picture, Section, Table, Warned
from divmin.pages.write import MAIL, render
from divmin.papers import Check, Item
from divmin.papers.expected import FAIL, FINDING, LATER
from divmin.progress import Track
from divmin.reproduction.shelf import FIGURE, FRAMES, Outcome, Standing

BOOK = "book.html"


def page(item: Item, outcome: Outcome) -> str:
    """The HTML of one item.

    Args:
        item: it.
        outcome: what was computed; its pictures are read from its folder.
    """
    return render(item.name, [chapter(item, outcome, MAIL)])


def book(standings: Sequence[Standing], path: Path, track: Track = iter) -> Path:
    """One page of HTML about all of them: claim, result, difference, settings, and slips of the sources.

    Args:
        standings: the items, also those that were not run, which the table of contents names.
        path: an .html file.
        track: wraps the numbers of the chapters, to show progress.

    Returns:
        The file.

    Raises:
        DivminError: nothing was run, another name, or a file that cannot be written.
    """
    if path.suffix != ".html":
        raise DivminError(f"cannot write the book to '{path}': the name must end in .html")
    run = [(each.item, each.outcome) for each in standings if each.outcome is not None]
    if not run:
        raise DivminError("nothing was reproduced yet: run `divmin reproduce --all --quick` first")
    if path.parent != Path():
        check_folder(path)
    share = (MAIL - 40_000 * len(run)) // len(run)
    chapters = [chapter(*run[i], share) for i in track(range(len(run)))]
    missing = [each.item.name for each in standings if each.outcome is None]
    text = [
        "Every figure, table and claim of the five sources, computed by divmin and compared with numbers that were derived "
        "independently of it. A finding is a claim that does not hold here, with the evidence; a failure is an error of "
        "the program or of the expectation.",
        *([f"Not run: {', '.join(missing)}."] if missing else []),
    ]
    rows = [(item.name, item.title, outcome.tally, "toy" if outcome.quick else "full") for item, outcome in run]
    contents = Contents(tuple(text), ("item", "what it is", "checks", "size"), tuple(rows))
    try:
        write_text(path, render("The sources, reproduced", chapters, contents=contents))
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error
    return path


def chapter(item: Item, outcome: Outcome, budget: int) -> Chapter:
    """All about one item.

    Args:
        item: it.
        outcome: what was computed.
        budget: bytes of its pictures.
    """
    facts = (
        ("source", item.paper.cited),
        ("checks", outcome.tally),
        ("size", "toy (--quick)" if outcome.quick else "full"),
        ("took", f"{outcome.seconds:.3g} s"),
        ("divmin", outcome.version),
    )
    sections = (
        Section("Claim", text=(item.claim,)),
        _picture(item, outcome, budget),
        Section("Checks", warnings=_warnings(outcome.checks), tables=(_checks(outcome.checks),)),
        Section("What was found", text=outcome.notes, tables=outcome.tables),
        Section("Slips of the source", text=item.slips),
        Section("Settings", tables=(_settings(outcome),), commands=(_command(item, outcome),), folded=True),
    )
    kept = tuple(each for each in sections if not each.empty)
    return Chapter(item.name, outcome.verdict, item.title, facts, kept)


def _checks(checks: Sequence[Check]) -> Table:
    rows = [
        (each.name, each.verdict, _got(each), each.expected, _difference(each), each.source)
        for each in sorted(checks, key=lambda each: (each.verdict == LATER, each.verdict not in (FAIL, FINDING)))
    ]
    return Table(("number", "verdict", "ours", "expected", "difference", "expected by"), tuple(rows))


def _got(check: Check) -> str:
    return "" if check.verdict == LATER and math.isnan(check.got) else f"{check.got:.12g}"


def _difference(check: Check) -> str:
    return "" if check.difference is None else f"{check.difference:+.2g}"


def _warnings(checks: Sequence[Check]) -> tuple[Warned, ...]:
    failed = [
        Warned("serious", f"{each.name}: {each.got:.6g}, expected {each.expected}")
        for each in checks
        if each.verdict == FAIL
    ]
    reasons: dict[str, list[str]] = {}
    for each in checks:
        if each.verdict == FINDING:
            reasons.setdefault(each.why, []).append(f"{each.name} ({each.got:.6g}, expected {each.expected})")
    return (*failed, *(Warned("caution", "; ".join(names), why) for why, names in reasons.items()))


def _settings(outcome: Outcome) -> Table:
    return Table((), tuple((name, str(value)) for name, value in outcome.settings.items()))


def _command(item: Item, outcome: Outcome) -> str:
    return f"divmin reproduce {item.name}" + (" --quick" if outcome.quick else "")


def _picture(item: Item, outcome: Outcome, budget: int) -> Section:
    paths = sorted((outcome.folder / FRAMES).glob("*.png"))
    shown: Film | None = None
    pictures: tuple[Picture, ...] = ()
    if item.draw is not None:
        address = embedded(outcome.folder / FIGURE, budget=budget // (2 if paths else 1))
        if address is not None:
            alt = f"{item.title}: {item.caption}"
            pictures = (Picture(address, alt, item.caption, drawing=True),)
    if paths:
        kept = film(spread(paths, 12), width=1000, budget=budget // 2)
        steps = tuple(int(path.stem) for path in kept)
        shown = Film(
            tuple(
                Picture(address, f"{item.title}, frame {i}") for i, address in zip(steps, kept.values(), strict=True)
            ),
            steps,
        )
    counted_frames = (f"{counted(len(paths), 'frame')} of an animation; all of them are in film.gif.",) if paths else ()
    return Section("Picture", text=counted_frames, film=shown if shown and shown.frames else None, pictures=pictures)
