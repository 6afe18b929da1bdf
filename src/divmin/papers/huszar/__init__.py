"""Items of this source, in the order of its pages."""

from divmin.papers.huszar import rules as rules
from divmin.papers.huszar import swiss_roll as swiss_roll
