"""The five sources."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """A source.

    Args:
        name: of the command line's --paper.
        authors: as they are cited.
        title: of the document.
        year: of it.
    """

    name: str
    authors: str
    title: str
    year: int

    @property
    def cited(self) -> str:
        return f"{self.authors} ({self.year}), {self.title}"


SHANNON = Paper(
    "shannon", "Shannon, Poole, Mariooryad et al.", "The divergences minimized by non-saturating GAN training", 2020
)
POOLE = Paper("poole", "Poole, Alemi, Sohl-Dickstein, Angelova", "Improved generator objectives for GANs", 2016)
ARJOVSKY = Paper(
    "arjovsky",
    "Arjovsky, Bottou",
    "Towards principled methods for training generative adversarial networks",
    2017,
)
BERGER = Paper("berger", "Berger, Sebag", "New losses for generative adversarial learning", 2020)
HUSZAR = Paper(
    "huszar",
    "Huszar",
    "An alternative update rule for generative adversarial networks",
    2016,
)
PAPERS = (SHANNON, POOLE, ARJOVSKY, BERGER, HUSZAR)
