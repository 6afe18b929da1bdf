"""Items of this source, in the order of its pages."""

from divmin.papers.huszar import disjoint as disjoint
from divmin.papers.huszar import importance as importance
from divmin.papers.huszar import importance_generator as importance_generator
from divmin.papers.huszar import importance_rates as importance_rates
from divmin.papers.huszar import rules as rules
from divmin.papers.huszar import swiss_roll as swiss_roll
