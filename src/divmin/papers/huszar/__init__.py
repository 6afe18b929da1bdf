"""Items of this source, in the order of its pages."""

from divmin.papers.huszar import rules as rules
