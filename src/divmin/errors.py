"""The one exception for input that a person can mend: its text is one line, and the command line exits with 2."""

from __future__ import annotations

from datetime import timedelta

FEW = 24  # names that can be read in one line


class DivminError(ValueError):
    """Input that cannot be used; the message says what was got, what was expected and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # also where it quotes input of several lines


class NotSmoothError(DivminError):
    """A weight or second derivative was asked of a divergence whose f has a kink."""


class DivminWarning(UserWarning):
    """Input that was used, but not all of it or not as it stands; the command line prints the message as one line."""


def suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """The end of an error about an unknown name: the nearest known one, or all of them when they are few.

    >>> suggest("reverse_lk", ["kl", "reverse_kl"])
    'did you mean reverse_kl?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return "known: " + ", ".join(known) if len(known) <= FEW else "no known name is like it"


def counted(n: int, one: str, more: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "sample"), counted(3, "sample"), counted(2, "row repeats another", "rows repeat others")
    ('1 sample', '3 samples', '2 rows repeat others')
    """
    return f"{n} {one if n == 1 else more or one + 's'}"


def a_type(thing: object) -> str:
    """The name of a type with its article, by its sound: a Uniform, an ndarray.

    >>> a_type(3), a_type("text")
    ('an int', 'a str')
    """
    name = type(thing).__name__
    return f"{'an' if name[0] in 'AEIOaeio' or name == 'ndarray' else 'a'} {name}"


def duration(seconds: float) -> str:
    """Seconds below a hundred, else hours, minutes and seconds.

    >>> duration(3.24), duration(5000)
    ('3.2 s', '1:23:20')
    """
    return f"{seconds:.2g} s" if seconds < 100 else str(timedelta(seconds=round(seconds)))
