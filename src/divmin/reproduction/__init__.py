"""The sources' figures and tables made again: computed, compared with what they ought to be, drawn, and written down."""

from divmin.reproduction.book import book
from divmin.reproduction.perform import made_whole, reproduce
from divmin.reproduction.shelf import Outcome, Standing, standing

__all__ = ["Outcome", "Standing", "book", "made_whole", "reproduce", "standing"]
