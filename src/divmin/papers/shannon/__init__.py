"""Items of this source, in the order of its pages."""

from divmin.papers.shannon import figure_2 as figure_2
from divmin.papers.shannon import table_1 as table_1
