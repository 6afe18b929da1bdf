"""What every picture of a data set is turned into."""

from __future__ import annotations

from dataclasses import dataclass

from divmin.errors import DivminError

LARGEST = 1024  # resized pictures are held in memory, and no model here takes larger ones
CORRUPT = ("fatal", "skip")


@dataclass(frozen=True)
class Form:
    """What every picture is turned into, and what happens to one that cannot be read.

    Args:
        image_size: side length in pixels: crop the middle square, resize it (Lanczos). None keeps pictures as they are.
        channels: 1 (grey), 3 (RGB), or None to keep what the pictures have.
        crop: side length in pixels of the middle square that is kept; None for the largest one, and only where
            image_size is given.
        corrupt: "fatal" names an unreadable picture in an error, "skip" leaves such pictures out with a warning.
    """

    image_size: int | None = None
    channels: int | None = None
    crop: int | None = None
    corrupt: str = "fatal"

    def __post_init__(self) -> None:
        if self.image_size is not None and self.image_size < 1:
            raise DivminError(f"image_size is {self.image_size}: expected a number of pixels of at least 1")
        if self.image_size is not None and self.image_size > LARGEST:
            raise DivminError(f"image_size is {self.image_size}: expected at most {LARGEST} pixels")
        if self.channels not in (None, 1, 3):
            raise DivminError(f"channels is {self.channels}: expected 1 (grey) or 3 (RGB)")
        if self.corrupt not in CORRUPT:
            raise DivminError(f"corrupt is {self.corrupt!r}: expected one of {', '.join(CORRUPT)}")

    @property
    def is_own(self) -> bool:
        """Whether pictures keep the size and the channels that they have."""
        return self.image_size is None and self.channels is None and self.crop is None
