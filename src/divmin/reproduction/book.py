"""Reproductions as pages: one of each item, and one book of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from divmin.errors import DivminError, counted, duration
from divmin.files import check_folder, write_text
from divmin.pages.embedding import embedded, film, spread
from divmin.pages.parts import Chapter, Contents, Film, Picture, Section, Table, Warned
from divmin.pages.write import MAIL, render
from divmin.papers import Check, Item
from divmin.papers.expected import FAIL, FINDING, LATER
from divmin.papers.item import explained
from divmin.papers.mixtures import MIXTURES
from divmin.progress import Track
from divmin.reproduction.shelf import FIGURE, FRAMES, Outcome, Standing, published

BOOK = "book.html"
LONG = 30  # values in a setting beyond which some are left out
WORDS = (
    "p are the data and q is the model; D stands for the critic's probability, d = log p/q for the log-ratio, which is the "
    "logit of the best D, and u for p/q; values are in nats where nothing else is said.",
    "Canonical means f(1) = f'(1) = 0 and f''(1) = 1: then js stands for four times the Jensen-Shannon divergence, jeffreys "
    "for half of Jeffreys' and the chi-squares for half of the usual ones. Names are those of `divmin list`: igog is E_q "
    "log(1 + q/p), softened_reverse_kl (SRKL) 4 KL(m||p) with m the even mixture, softened_kl 4 KL(p||m), "
    "chi2_data_denominator and chi2_model_denominator what the first source calls Pearson and Neyman, power(a) the alpha- "
    "divergences. f_eff is the f whose divergence a generator really descends, with the weight w(d) = u^2 f_eff''(u) on a "
    "sample.",
    "Expected by the reference: values to twelve digits, computed with mpmath and SciPy apart from this package. Derived, "
    "or an equation: a closed form, a limit or an inequality. A bound of ours: what a learned thing should reach here. "
    "An independent run: the same toy in NumPy.",
)


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
    missing = [each.item.name + (f" ({each.left})" if each.left else "") for each in standings if each.outcome is None]
    text = [
        "Every figure, table and claim of the five sources, computed by divmin and compared with what it ought to be. A "
        "finding is a claim, or an expectation of this package, that does not hold here, with the evidence; a failure is an "
        "error of the program or of the expectation.",
        *WORDS,
        *(
            [f"{toy} of {len(run)} at toy size, where pictures show less than their captions say."]
            if (toy := _toy(run))
            else []
        ),
        *([f"Not run: {', '.join(missing)}."] if missing else []),
    ]
    rows = [
        (item.name, item.title, item.paper.authors, outcome.tally, "toy" if outcome.quick else "full")
        for item, outcome in run
    ]
    contents = Contents(tuple(text), ("item", "what it is", "source", "checks", "size"), tuple(rows))
    try:
        write_text(path, render("The sources, reproduced", chapters, contents=contents))
    except OSError as error:
        raise DivminError(f"cannot write {path}: {error.strerror}") from error
    return path


def _toy(run: Sequence[tuple[Item, Outcome]]) -> int:
    return sum(outcome.quick for _, outcome in run)


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
        ("size", _size(item, outcome)),
        ("took", duration(outcome.seconds)),
        ("divmin", outcome.version),
    )
    sections = (
        Section("Claim", text=(item.claim,)),
        _picture(item, outcome, budget),
        Section(
            "What was found", text=outcome.notes, tables=tuple(replace(each, wrapped=True) for each in outcome.tables)
        ),
        Section("Checks", warnings=_warnings(outcome.checks), tables=(_checks(outcome.checks),)),
        Section("Known at full size", warnings=_known(item, outcome)),
        Section("Slips of the source", text=item.slips),
        Section("Data", tables=_mixtures(item, outcome)),
        Section("Settings", tables=(_settings(item, outcome),), commands=_command(item, outcome), folded=True),
    )
    kept = tuple(each for each in sections if not each.empty)
    return Chapter(item.name, outcome.verdict, item.title, facts, kept)


def _size(item: Item, outcome: Outcome) -> str:
    size = "toy (--quick)" if outcome.quick else "full"
    return (
        size if published(item, quick=outcome.quick) else f"{size}, settings of one's own: expectations are for others"
    )


def _checks(checks: Sequence[Check]) -> Table:
    asked = [each for each in checks if each.verdict != LATER]
    rows = [
        (each.name, each.verdict, _got(each), each.expected, _difference(each), each.source)
        for each in sorted(asked, key=lambda each: each.verdict not in (FAIL, FINDING))
    ]
    later = len(checks) - len(asked)
    note = f"{later} more {'is' if later == 1 else 'are'} asked at full size only." if later else ""
    return Table(
        ("number", "verdict", "ours", "expected", "difference", "expected by"), tuple(rows), note, wrapped=True
    )


def _got(check: Check) -> str:
    """All digits of a number that is expected itself, some of one that only has a bound."""
    return f"{check.got:.12g}" if check.aim is not None else f"{check.got:.4g}"


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
    return (*failed, *(Warned("finding", "; ".join(names), why) for why, names in reasons.items()))


def _known(item: Item, outcome: Outcome) -> tuple[Warned, ...]:
    """Findings of the full size, which is not asked at toy size."""
    asked = {each.name for each in outcome.checks if each.verdict != LATER}
    reasons: dict[str, list[str]] = {}
    for name, each in item.expected.items():
        if each.finding and name not in asked:
            reasons.setdefault(each.finding, []).append(name)
    return tuple(Warned("finding", "; ".join(names), why) for why, names in reasons.items())


def _mixtures(item: Item, outcome: Outcome) -> tuple[Table, ...]:
    """What the names of mixtures stand for that occur on the page."""
    words = " ".join(
        (
            item.title,
            item.claim,
            item.caption,
            *item.slips,
            *item.expected,
            *outcome.notes,
            *_cells(outcome),
            str(outcome.settings),
        )
    )
    rows = tuple((name, text) for name, text in MIXTURES.items() if name in words)
    return (Table((), rows),) if rows else ()


def _cells(outcome: Outcome) -> list[str]:
    return [word for table in outcome.tables for row in (table.heads, (table.note,), *table.rows) for word in row]


def _settings(item: Item, outcome: Outcome) -> Table:
    told = explained(type(item.settings))
    rows = tuple((name, _shown(value), told.get(name, "")) for name, value in outcome.settings.items())
    return Table(("setting", "value", "what it is"), rows, wrapped=True)


def _shown(value: Any) -> str:
    """Numbers with the digits that anyone would read; sequences without their outer brackets.

    >>> _shown(((0.5, 2.5), (-0.1, 1 / 3)))
    '(0.5, 2.5), (-0.1, 0.333333)'
    """
    if isinstance(value, float):
        return f"{value:.6g}"
    if not isinstance(value, list | tuple):
        return str(value)
    if len(value) > LONG:
        return f"{_shown(value[:2])}, ..., {_shown(value[-1:])} ({len(value)} values)"
    return ", ".join(f"({_shown(each)})" if isinstance(each, list | tuple) else _shown(each) for each in value)


def _command(item: Item, outcome: Outcome) -> tuple[str, ...]:
    """None where settings are one's own: no command gives these."""
    if not published(item, quick=outcome.quick):
        return ()
    return (f"divmin reproduce {item.name}" + (" --quick" if outcome.quick else ""),)


def _picture(item: Item, outcome: Outcome, budget: int) -> Section:
    paths = sorted((outcome.folder / FRAMES).glob("*.png"))
    shown: Film | None = None
    pictures: tuple[Picture, ...] = ()
    if item.draw is not None:
        address = embedded(outcome.folder / FIGURE, budget=budget // (2 if paths else 1))
        if address is not None:
            alt = f"{item.title}: {item.caption}"
            pictures = (Picture(address, alt, item.caption, drawing=not item.photographs),)
    if paths:
        kept = film(spread(paths, 12), width=1000, budget=budget // 2)
        steps = tuple(int(path.stem) for path in kept)
        shown = Film(
            tuple(
                Picture(address, f"{item.title}, frame {i}") for i, address in zip(steps, kept.values(), strict=True)
            ),
            steps,
        )
    toy = ("At toy size: the caption was written for the full size, of which this may not show everything.",)
    counted_frames = (f"{counted(len(paths), 'frame')} of an animation; all of them are in film.gif.",) if paths else ()
    said = (*(toy if outcome.quick and pictures else ()), *counted_frames)
    return Section("Picture", text=said, film=shown if shown and shown.frames else None, pictures=pictures)
