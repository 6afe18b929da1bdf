"""The one exception for input that a person can mend: its text is one line, and the command line exits with 2."""

from __future__ import annotations


class DivminError(ValueError):
    """Input that cannot be used; the message says what was got, what was expected and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # also where it quotes input of several lines


class NotSmoothError(DivminError):
    """A weight or second derivative was asked of a divergence whose f has a kink."""


def suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """The end of an error about an unknown name: the nearest known one, or all of them.

    >>> suggest("reverse_lk", ["kl", "reverse_kl"])
    'did you mean reverse_kl?'
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
