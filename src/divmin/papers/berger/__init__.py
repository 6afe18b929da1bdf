"""Items of this source, in the order of its pages."""

from divmin.papers.berger import algorithm_1 as algorithm_1
from divmin.papers.berger import architecture as architecture
from divmin.papers.berger import figures_1_7 as figures_1_7
from divmin.papers.berger import identities as identities
from divmin.papers.berger import proposition_1 as proposition_1
