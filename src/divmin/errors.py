"""The one exception for input that a person can mend: its text is one line, and the command line exits with 2."""

from __future__ import annotations

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
